"""The invented web site of the sample corpus: help pages as a site would serve them, in a WARC file.

Used by `make_sample.py` alone. What real crawls bring is put in on purpose: menus, share buttons, a cookie notice
and a copyright line around the article, three ways to declare CP949 (one of them: not at all), compressed bodies,
near copies of pages that stand elsewhere in the sample, and two records that are no pages.
"""

import gzip
import random
import re
from dataclasses import dataclass
from html import escape
from uuid import NAMESPACE_URL, uuid5

SITE = "https://office-help.example.com"
# A third of the pages is in CP949; labels are those that Korean sites write for it.
ENCODINGS = (
    [("utf-8", "header", "UTF-8"), ("utf-8", "meta", "utf-8"), ("utf-8", "header", "utf-8")] * 2
    + [("cp949", "header", "euc-kr"), ("cp949", "meta", "euc-kr"), ("cp949", "meta", "ks_c_5601-1987")]
    + [("utf-8", "none", ""), ("cp949", "none", ""), ("utf-8", "meta", "UTF-8")]
)
COMPRESSED_EVERY = 5

MENU = ["홈", "제품 소개", "다운로드", "도움말", "자주 묻는 질문", "공지사항", "커뮤니티", "로그인", "회원가입"]
SHARE = ["페이스북 공유", "카카오톡 공유", "URL 복사", "인쇄", "글자 크기 조절"]
COOKIES = (
    "이 사이트는 더 나은 서비스를 위해 쿠키를 사용합니다. 계속 이용하면 쿠키 사용에 동의하는 것으로 봅니다. 동의 거부"
)
FOOTER = [
    "이용약관 | 개인정보처리방침 | 이메일무단수집거부 | 사이트맵",
    "대표전화 02-000-0000 | 문의 010-0000-0000 | 이메일 help@example.com",
    "ⓒ 2026 가상 오피스 도움말. All rights reserved. 무단전재 및 재배포 금지",
]
ADDED_SENTENCE = "화면의 모양은 사용하는 운영 체제와 판에 따라 조금 다를 수 있습니다."
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000000000400010d0a2db40000000049454e44ae426082"
)


@dataclass(frozen=True)
class Page:
    """A page of the invented site: its path, its title and the paragraphs of its article."""

    path: str
    title: str
    paragraphs: tuple[str, ...]


def near_copy(paragraphs: list[str], rng: random.Random) -> list[str]:
    """The paragraphs with some spaces lost, some particles exchanged and one sentence more or fewer."""
    changed = []
    for paragraph in paragraphs:
        words = paragraph.split(" ")
        pieces = []
        for word in words:
            swapped = {"을": "은", "를": "는"}.get(word[-1:], "")
            if swapped and len(word) >= 3 and word[-2] not in "있없같" and rng.random() < 0.4:
                word = word[:-1] + swapped
            pieces.append(word + ("" if rng.random() < 0.04 else " "))
        changed.append("".join(pieces).rstrip())
    if rng.random() < 0.5:
        return [*changed, ADDED_SENTENCE]
    return changed[:-1]


def article(paragraphs: tuple[str, ...]) -> str:
    """The article as HTML: short lines without an end of sentence are headings, the rest are paragraphs."""
    parts = []
    for paragraph in paragraphs:
        heading = len(paragraph) < 40 and not re.search(r"[.!?:]$", paragraph)
        tag = "h3" if heading else "p"
        parts.append(f"    <{tag}>{escape(paragraph, quote=False)}</{tag}>")
    return "\n".join(parts)


def render(page: Page, related: list[Page], meta: str) -> str:
    """The whole page: article, and around it everything that a reader did not come for."""
    menu = "".join(f'<li><a href="/m/{number}">{name}</a></li>' for number, name in enumerate(MENU))
    share = " ".join(f'<button type="button">{name}</button>' for name in SHARE)
    links = "".join(f'<li><a href="/{other.path}">{escape(other.title)}</a></li>' for other in related)
    footer = "".join(f"<p>{line}</p>" for line in FOOTER)
    charset = f'<meta http-equiv="Content-Type" content="text/html; charset={meta}">\n' if meta else ""
    return f"""<!DOCTYPE html>
<html lang="ko">
<head>
{charset}<title>{escape(page.title)} - 가상 오피스 도움말</title>
<script>var section = "help"; function openMenu() {{ document.body.className = "open"; }}</script>
<style>nav li {{ display: inline; }} .share {{ float: right; }}</style>
</head>
<body>
<div class="cookie-notice">{COOKIES}</div>
<header><nav><ul class="menu">{menu}</ul></nav></header>
<main>
  <article>
    <h1>{escape(page.title)}</h1>
    <div class="share">{share}</div>
{article(page.paragraphs)}
  </article>
  <aside class="related"><h4>함께 보면 좋은 글</h4><ul>{links}</ul></aside>
</main>
<footer>{footer}</footer>
</body>
</html>
"""


def warc_record(kind: str, uri: str, number: int, content_type: str, block: bytes) -> bytes:
    """One WARC record as a gzip member of its own; ids and dates depend on `number` alone."""
    head = [
        "WARC/1.0",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <urn:uuid:{uuid5(NAMESPACE_URL, f'{SITE}/record/{number}')}>",
        f"WARC-Date: 2026-01-05T{number // 60:02d}:{number % 60:02d}:00Z",
        *([f"WARC-Target-URI: {uri}"] if uri else []),
        f"Content-Type: {content_type}",
        f"Content-Length: {len(block)}",
    ]
    return gzip.compress("\r\n".join(head).encode() + b"\r\n\r\n" + block + b"\r\n\r\n", mtime=0)


def response(status: str, headers: list[str], payload: bytes) -> bytes:
    """An HTTP response as the crawler stored it."""
    lines = [f"HTTP/1.1 {status}", "Server: example", *headers, f"Content-Length: {len(payload)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


def page_response(page: Page, related: list[Page], number: int) -> bytes:
    """The page's response; encoding, its declaration and compression follow from the page's number."""
    encoding, declared, label = ENCODINGS[number % len(ENCODINGS)]
    html = render(page, related, label if declared == "meta" else "")
    # What CP949 does not have goes out as a character reference, as web servers do it.
    payload = html.encode(encoding, errors="xmlcharrefreplace")
    headers = ["Content-Type: text/html" + (f"; charset={label}" if declared == "header" else "")]
    if number % COMPRESSED_EVERY == 0:
        payload = gzip.compress(payload, mtime=0)
        headers.append("Content-Encoding: gzip")
    return response("200 OK", headers, payload)


def warc(pages: list[Page]) -> bytes:
    """The crawl: a warcinfo record, the pages, an image and a page that was not found."""
    info = b"software: recipes/make_sample.py\r\nformat: WARC File Format 1.0\r\n"
    records = [warc_record("warcinfo", "", 0, "application/warc-fields", info)]
    http = "application/http; msgtype=response"
    for number, page in enumerate(pages):
        related = [pages[(number + step) % len(pages)] for step in (1, 7, 19, 31)]
        block = page_response(page, related, number)
        records.append(warc_record("response", f"{SITE}/{page.path}", number + 1, http, block))
    missing = "<html><body><h1>404</h1><p>요청하신 페이지를 찾을 수 없습니다.</p></body></html>".encode()
    last = len(pages) + 1
    image = response("200 OK", ["Content-Type: image/png"], PIXEL)
    records.append(warc_record("response", f"{SITE}/logo.png", last, http, image))
    lost = response("404 Not Found", ["Content-Type: text/html; charset=UTF-8"], missing)
    records.append(warc_record("response", f"{SITE}/ko/old-page.html", last + 1, http, lost))
    return b"".join(records)
