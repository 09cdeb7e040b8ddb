"""PDF by its text layer (PDFium), pages joined by an empty line. Scanned pages have none: they need OCR first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pypdfium2 as pdfium

from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions
from corpus.sources.pdf_streams import MOST, unpacks_to_more
from corpus.streams import too_long

ENDINGS = (".pdf",)
SPLIT = "no"


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """The one record of the file; start and end are not used."""
    size = path.stat().st_size
    if size == 0:
        yield Rejected(0, 0, "file.empty", "the file is empty: remove it or copy it again")
        return
    if size > options.max_record:
        yield too_long(0, size, options.max_record, "the file")
        return
    if unpacks_to_more(path.read_bytes()):
        detail = f"its pages unpack to more than {MOST} bytes of drawing: split it, or save it anew"
        yield Rejected(0, size, "pdf.too_big", detail)
        return
    try:
        pages, broken = _pages(path)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            yield Rejected(0, size, "pdf.password", "protected by a password: save it without one")
        else:
            yield Rejected(0, size, "pdf.broken", "not a readable PDF: copy it again or save it anew")
        return
    text = "\n\n".join(pages)
    if text.strip():
        losses = {"pdf.page_unreadable": broken} if broken else {}
        yield Record(text, 0, size, meta={"pages": len(pages) + broken}, losses=losses)
    else:
        yield Rejected(0, size, "pdf.no_text", "no text layer (scanned pages?): run OCR over it first")


def _pages(path: Path) -> tuple[list[str], int]:
    """Text of each page, and how many pages could not be read."""
    pages, broken = [], 0
    with pdfium.PdfDocument(path) as document:
        for number in range(len(document)):
            try:
                page = document[number]
                text = page.get_textpage()
                pages.append(text.get_text_range().strip())
                text.close()
                page.close()
            except pdfium.PdfiumError:
                broken += 1
    return pages, broken
