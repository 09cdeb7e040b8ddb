"""HTML files: a page is a document, its text taken from the parsed tree. Crawls (WARC) take theirs through here too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from corpus.decoding import UndecodableError, decode, meta_charset
from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions, Skipped
from corpus.streams import read_whole

ENDINGS = (".html", ".htm", ".xhtml", ".html.gz")
SPLIT = "no"

_DEEPEST = 512  # elements within each other; browsers stop nesting there too
_LONGEST = 1 << 20  # characters of a page that trafilatura is asked for: it reads 0.2 to 2 MB a second
_LONGEST_MAIN = 8 << 20  # … and that main content is looked for in at all: deep pages take two thirds of a second a MB
_TOO_DEEP = ">".join(["*"] * (_DEEPEST + 1))  # a selector: found in C, without a look at every node from here


def read(
    path: Path, options: ReadOptions, start: int = 0, end: int | None = None
) -> Iterator[Record | Rejected | Skipped]:
    """The one record of the file; start and end are not used."""
    data = read_whole(path, options.max_record)
    if isinstance(data, Rejected):
        yield data
        return
    try:
        text, encoding, losses = page_text(data, None, options)
    except UndecodableError as error:
        yield Rejected(0, len(data), error.cause, error.detail)
        return
    if not text:
        yield Skipped(0, len(data), "source.no_text")
        return
    meta = {} if encoding == "utf-8" else {"encoding": encoding}
    yield Record(text, 0, len(data), meta=meta, losses=losses)


def page_text(data: bytes, charset: str | None, options: ReadOptions) -> tuple[str, str, dict[str, int]]:
    """Visible text of a page, the encoding it was read by, and what was lost.

    The search for the main content takes time by nodes times depth: of a page nested too deep, or far too long, all
    text is taken. Where trafilatura finds nothing resiliparse does (`html.other_extractor`).

    Args:
        charset: of the HTTP header, if there was one.

    Raises:
        UndecodableError: as `decode`.
    """
    decoded = decode(data, http=charset, meta=meta_charset(data))
    tree = HTMLTree.parse(decoded.text)
    main, losses = options.page == "main", dict(decoded.losses)
    if main and len(decoded.text) > _LONGEST_MAIN:
        main, losses["html.too_long"] = False, 1
    elif main and tree.document is not None and tree.document.query_selector(_TOO_DEEP) is not None:
        main, losses["html.too_deep"] = False, 1
    text = ""
    if main and options.extractor == "trafilatura":
        text = _by_trafilatura(decoded.text)
        if not text:
            losses["html.other_extractor"] = 1
    if not text:
        text = extract_plain_text(
            tree, preserve_formatting=True, main_content=main, list_bullets=False, alt_texts=False
        ).strip()
    return text, decoded.encoding, losses


def _by_trafilatura(page: str) -> str:
    """The main content by trafilatura; nothing where it finds none, or the page is too long for it to be in time."""
    import trafilatura  # half a second to import, and an extra of its own

    if len(page) > _LONGEST:
        return ""
    # Line by line, as the other extractor: no Markdown, no metadata; comments of readers are not the page's text.
    found = trafilatura.extract(page, include_comments=False, include_tables=True, deduplicate=False)
    return (found or "").strip()
