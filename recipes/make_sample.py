"""Makes `recipes/sample/`, the corpus of the quickstart: real Korean text in the forms in which it arrives.

Stands before the first stage: what it writes is what `collect` reads. The documents listed in
`eval/suites/korean_cloze.heldout.jsonl` are left out, so make the cloze items first. Two runs write the same bytes.

    python recipes/make_sample.py --texts DIR --out recipes/sample [--font NanumGothic.ttf]

DIR holds the collected texts: `libreoffice-help-ko.jsonl.gz`, `django-oscar-shop-ui-ko.jsonl.gz`,
`tax-rulings-ko.jsonl.gz`, and `raw/html` and `raw/hwp` with the pages and the form. The font (Debian: fonts-nanum)
is only for `guide.pdf`; needs pyarrow, PyYAML and reportlab.
"""

import argparse
import gzip
import json
import random
import re
import shutil
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from sample_notices import SUBMISSIONS, notice
from sample_site import Page, near_copy, warc

SEED = "sample-1"
HELDOUT = Path(__file__).parents[1] / "eval" / "suites" / "korean_cloze.heldout.jsonl"
WINDOW = 60  # as in eval/suites/cloze_heldout.py
EXEMPT_BODIES = {"조세심판원": "tribunal", "대법원": "supreme-court"}
SITE_PAGES, NEAR_COPIES = 40, 20
PARQUET_PAGES, PLAIN_PAGES = 260, 40
REAL_PAGES = 5
COURT_FILES, DUPLICATES, GUIDE_RULINGS = 40, 5, 6
HTML_PAGES = [
    "cp949_libreoffice-help-ko_sbasic_guide_translation.html",
    "cp949_libreoffice-help-ko_sbasic_shared_01020500.html",
    "libreoffice-help-ko_sbasic_guide_control_properties.html",
    "libreoffice-help-ko_sbasic_guide_sample_code.html",
    "libreoffice-help-ko_sbasic_shared_01170100.html",
    "libreoffice-help-ko_sbasic_shared_03000000.html",
    "libreoffice-help-ko_sbasic_shared_03030101.html",
    "libreoffice-help-ko_sbasic_shared_03030000.html",
]


@dataclass(frozen=True)
class Text:
    """A document of an allowed origin: its key at its source, its text, and what else is known of it."""

    key: str
    text: str
    meta: dict[str, str]

    @property
    def lines(self) -> list[str]:
        """The article's lines: a help page without its first line and the debug lines at its end."""
        lines = [line for line in self.text.split("\n") if line]
        if lines[0].startswith("LibreOffice 7.4"):
            lines = lines[1:]
        if "Help content debug info:" in lines:
            lines = lines[: lines.index("Help content debug info:")]
        return lines


def shuffled(texts: list[Text], purpose: str) -> list[Text]:
    """The texts in a seeded order that does not depend on which other texts there are."""
    return sorted(texts, key=lambda text: blake2b(f"{SEED}:{purpose}:{text.key}".encode()).digest())


def in_order(texts: list[Text]) -> list[Text]:
    """The texts sorted by key, as a source would list them."""
    return sorted(texts, key=lambda text: text.key)


def read_texts(path: Path, heldout: set[str]) -> list[Text]:
    """The documents of one file that are not held out; the key loses the data set's name."""
    found = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["id"] not in heldout:
                key = row["id"].split(":", 1)[1]
                found.append(Text(key, row["text"].strip(), row.get("meta", {})))
    return in_order(found)


def refuse_heldout_passages(texts: list[Text], marks: set[str]) -> None:
    """Stop if any text still holds a marked passage of a held-out document.

    Raises:
        SystemExit: with the key of the text that does.
    """
    for text in texts:
        squeezed = re.sub(r"\s+", "", "\n".join(text.lines))
        for at in range(len(squeezed) - WINDOW + 1):
            if blake2b(squeezed[at : at + WINDOW].encode(), digest_size=8).hexdigest() in marks:
                raise SystemExit(f"{text.key} holds a passage of a held-out document: make the cloze items again")


def json_lines(texts: list[Text], fields: dict[str, str]) -> list[str]:
    """A JSON line a text: id, text, and of `meta` the fields named (new name: name in meta)."""
    lines = []
    for text in texts:
        row = {"id": text.key, "text": text.text}
        row |= {name: text.meta[old] for name, old in fields.items() if text.meta.get(old)}
        lines.append(json.dumps(row, ensure_ascii=False))
    return lines


def write_gzip(path: Path, lines: list[str]) -> None:
    """JSON lines, compressed with no time and no name in the header."""
    path.write_bytes(gzip.compress("".join(line + "\n" for line in lines).encode(), 9, mtime=0))


def write_parquet(path: Path, texts: list[Text], fields: dict[str, str]) -> None:
    """Columns id and text, and of `meta` the fields named; all strings."""
    columns = {"id": [text.key for text in texts], "text": [text.text for text in texts]}
    columns |= {name: [text.meta[old] for text in texts] for name, old in fields.items()}
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    pq.write_table(table, path, compression="zstd", compression_level=12)


def write_help(out: Path, pages: list[Text], copied: list[Text]) -> dict[str, int]:
    """The help pages with their frame: most compressed, a part as Parquet, a part plain with two broken lines.

    The pages `copied` on the invented site stand in the compressed part.
    """
    order = shuffled([page for page in pages if page not in copied], "form")
    more, extra = in_order(order[:PARQUET_PAGES]), in_order(order[PARQUET_PAGES : PARQUET_PAGES + PLAIN_PAGES])
    rest = in_order(order[PARQUET_PAGES + PLAIN_PAGES :] + copied)
    for page in rest:
        page.meta["url"] = f"https://help.libreoffice.org/7.4/ko/text/{page.key}"
    write_gzip(out / "help.jsonl.gz", json_lines(rest, {"url": "url"}))
    write_parquet(out / "help-more.parquet", more, {})
    lines = json_lines(extra, {})
    for broken in (len(lines) // 2, len(lines) // 2 + 5):
        # A line as a writer leaves it that was killed: it ends within the text, without quotation mark and brace.
        lines[broken] = lines[broken][: len(lines[broken]) * 2 // 3]
    (out / "help-extra.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return {"help": len(rest), "more": len(more), "extra": len(extra)}


def page_key(name: str) -> str:
    """The key of a raw page's text: sbasic_guide_translation.html is sbasic/guide/translation.html."""
    return name.split("help-ko_")[1].replace("_", "/", 2)


def is_article(page: Text) -> bool:
    """Korean enough and neither a stub nor a book: a page that a site would show."""
    text = "".join(page.lines)
    return 500 < len(text) < 3500 and sum("가" <= letter <= "힣" for letter in text) > 0.5 * len(text)


def write_site(out: Path, own: list[Text], copied: list[Text], raw: list[Path]) -> None:
    """The crawl of the invented site, and a folder of real pages as they were served."""
    rng = random.Random(SEED)
    pages = [Page(f"ko/{page.key}", page.lines[0], tuple(page.lines[1:])) for page in own]
    pages += [Page(f"ko/copy/{page.key}", page.lines[0], tuple(near_copy(page.lines[1:], rng))) for page in copied]
    rng.shuffle(pages)
    (out / "crawl.warc.gz").write_bytes(warc(pages))
    (out / "html").mkdir()
    for path in raw:
        name = path.name.replace("libreoffice-help-ko_", "")
        (out / "html" / name).write_bytes(path.read_bytes())


def write_guide(path: Path, rulings: list[Text], font: Path) -> None:
    """A PDF of a few rulings with an embedded subset of a Korean font and a text layer."""
    from reportlab.lib.pagesizes import A5
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    if not font.exists():
        raise SystemExit(f"no font at {font}: install fonts-nanum or name one with --font")
    pdfmetrics.registerFont(TTFont("Nanum", str(font)))
    title = ParagraphStyle("title", fontName="Nanum", fontSize=13, leading=19, spaceBefore=10, spaceAfter=6)
    plain = ParagraphStyle("plain", fontName="Nanum", fontSize=10, leading=16, spaceAfter=4)
    story: list[Any] = [Paragraph("조세심판원 결정 요지 모음", title)]
    for ruling in rulings:
        story.append(Paragraph(ruling.lines[0], title))
        story += [Paragraph(line, plain) for line in ruling.lines[1:]]
        story.append(Spacer(1, 8))

    def page_number(canvas: Any, document: Any) -> None:
        canvas.setFont("Nanum", 8)
        canvas.drawCentredString(A5[0] / 2, 24, f"- {document.page} -")

    document = SimpleDocTemplate(str(path), pagesize=A5, invariant=1, title="조세심판원 결정 요지 모음")
    document.build(story, onFirstPage=page_number, onLaterPages=page_number)


def write_rulings(out: Path, rulings: list[Text], font: Path) -> dict[str, int]:
    """The tribunal's decisions and the court's rulings, in four forms, with a few exact duplicates across two."""
    groups: dict[str, list[Text]] = {name: [] for name in EXEMPT_BODIES.values()}
    for ruling in rulings:
        if ruling.meta["기관"] in EXEMPT_BODIES:
            groups[EXEMPT_BODIES[ruling.meta["기관"]]].append(ruling)
    fields = {"case": "청구번호", "decided": "의결일자"}
    order = shuffled(groups["tribunal"], "guide")
    guide = in_order([ruling for ruling in order if len(ruling.text) > 180 and "<" not in ruling.text][:GUIDE_RULINGS])
    tribunal = [ruling for ruling in groups["tribunal"] if ruling not in guide]
    write_gzip(out / "tribunal.jsonl.gz", json_lines(tribunal, fields))
    write_guide(out / "guide.pdf", guide, font)

    def in_cp949(ruling: Text) -> bool:
        return ruling.text.encode("cp949", errors="ignore").decode("cp949") == ruling.text

    files = [ruling for ruling in shuffled(groups["supreme-court"], "files") if in_cp949(ruling)][:COURT_FILES]
    (out / "supreme-court").mkdir()
    for ruling in files:
        (out / "supreme-court" / f"{ruling.key}.txt").write_bytes(ruling.text.encode("cp949"))
    # Duplicates of rulings long enough to be kept by any length rule.
    twice = [ruling for ruling in files if len(ruling.text) > 300][:DUPLICATES]
    table = [ruling for ruling in groups["supreme-court"] if ruling not in files or ruling in twice]
    write_parquet(out / "supreme-court.parquet", table, fields)
    counts = {"tribunal": len(tribunal), "guide": len(guide), "files": len(files), "table": len(table)}
    return counts | {"twice": len(twice)}


def write_submissions(out: Path) -> None:
    """An empty folder a source, with its submission.yaml."""
    for name, submission in SUBMISSIONS.items():
        shutil.rmtree(out / name, ignore_errors=True)
        (out / name).mkdir(parents=True)
        with (out / name / "submission.yaml").open("w", encoding="utf-8") as file:
            yaml.safe_dump(submission, file, allow_unicode=True, sort_keys=False, width=110)


def main() -> None:
    """Write the whole folder anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "sample")
    parser.add_argument("--font", type=Path, default=Path("/usr/share/fonts/truetype/nanum/NanumGothic.ttf"))
    arguments = parser.parse_args()
    texts, out = arguments.texts, arguments.out
    held = [json.loads(line) for line in HELDOUT.read_text(encoding="utf-8").strip().split("\n")]
    heldout = {row["document"] for row in held}
    pages = read_texts(texts / "libreoffice-help-ko.jsonl.gz", heldout)
    strings = read_texts(texts / "django-oscar-shop-ui-ko.jsonl.gz", heldout)
    rulings = read_texts(texts / "tax-rulings-ko.jsonl.gz", heldout)
    refuse_heldout_passages(pages + strings + rulings, {mark for row in held for mark in row["windows"]})

    write_submissions(out)
    keys = {page.key for page in pages}
    raw = {page_key(name): name for name in HTML_PAGES if page_key(name) in keys}
    raw = dict(list(raw.items())[:REAL_PAGES])
    articles = shuffled([page for page in pages if page.key not in raw and is_article(page)], "site")
    own, copied = articles[:SITE_PAGES], articles[SITE_PAGES : SITE_PAGES + NEAR_COPIES]
    gone = {page.key for page in own} | set(raw)
    counts = write_help(out / "libreoffice-help", [page for page in pages if page.key not in gone], copied)
    paths = [texts / "raw" / "html" / name for name in raw.values()]
    write_site(out / "libreoffice-site", own, copied, paths)
    lines = json_lines([Text(f"oscar-{text.key.split(':')[-1]}", text.text, {}) for text in strings], {})
    (out / "shop-strings" / "strings.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    counts |= write_rulings(out / "tax-rulings", rulings, arguments.font)
    shutil.copyfile(texts / "raw" / "html" / "udhr_kor.html", out / "udhr" / "udhr_kor.html")
    form = "extract-hwp_sample_document.hwpx"
    shutil.copyfile(texts / "raw" / "hwp" / form, out / "hwpx-form" / "sample_document.hwpx")
    counts |= {"strings": len(strings), "site": len(own), "copies": len(copied), "raw": len(raw)}
    (out / "NOTICE.md").write_text(notice(counts), encoding="utf-8")
    print(counts)


if __name__ == "__main__":
    main()
