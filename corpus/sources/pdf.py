"""PDF by its text layer (PDFium), pages joined by an empty line. Scanned pages have none: they need OCR first.

A page whose font maps its glyphs to nonsense is left out and counted; a document of which that is most is quarantined.
PDFium runs in a process of its own (`corpus/pdf_child.py`): a file of 1 kB can keep it busy for hours.
"""

from __future__ import annotations

import atexit
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2  # noqa: F401  (the child needs it; where it is missing, this module says so)

from corpus.documents import Record, Rejected
from corpus.garbled import garbled
from corpus.mojibake import reverse_mojibake
from corpus.sources import ReadOptions
from corpus.sources.pdf_streams import MOST, unpacks_to_more
from corpus.streams import refuse_file

ENDINGS = (".pdf",)
SPLIT = "no"

_PAGES = 20_000
_CHILD = Path(__file__).parents[1] / "pdf_child.py"


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """The one record of the file; start and end are not used."""
    refused = refuse_file(path, options.max_record)
    if refused is not None:
        yield refused
        return
    size = path.stat().st_size
    if unpacks_to_more(path.read_bytes()):  # and a file that may not be read is an OSError here
        detail = f"its pages unpack to more than {MOST} bytes of drawing: split it, or save it anew"
        yield Rejected(0, size, "pdf.too_big", detail)
        return
    answer = _asked({"path": str(path), "pages": _PAGES, "chars": options.max_record})
    yield _rejected(size, answer, options.max_record) if "error" in answer else _record(size, answer["pages"])


def _rejected(size: int, answer: dict[str, Any], limit: int) -> Rejected:
    details = {
        "password": "protected by a password: save it without one",
        "broken": "not a readable PDF: copy it again or save it anew",
        "too_slow": "its pages take PDFium too long (objects that repeat each other?): print it into a new PDF",
        "crashed": "PDFium fails on it or needs more than 1 GiB for it: print it into a new PDF",
        "too_many_pages": f"{answer.get('count')} pages, more than {_PAGES}: split it",
        "too_long": f"its text has more than collect.max_record ({limit}) characters: split it or raise the limit",
    }
    name = {"pages": "too_many_pages", "chars": "too_long"}.get(answer["error"], answer["error"])
    return Rejected(0, size, "record.too_long" if name == "too_long" else f"pdf.{name}", details[name])


def _record(size: int, pages: list[str | None]) -> Record | Rejected:
    losses: dict[str, int] = {}
    kept, nonsense, characters = [], 0, 0
    for page in pages:
        if page is None:
            losses["pdf.page_unreadable"] = losses.get("pdf.page_unreadable", 0) + 1
            continue
        text, mended = reverse_mojibake(page.replace("\ufffe", "").strip())  # U+FFFE: a hyphen that ends a line
        if garbled(text):
            losses["pdf.page_garbled"] = losses.get("pdf.page_garbled", 0) + 1
            nonsense += len(text)
            continue
        characters += len(text)
        kept.append(text)
        for cause, times in mended.items():
            losses[cause] = losses.get(cause, 0) + times
    if pages and losses.get("pdf.page_unreadable") == len(pages):
        return Rejected(0, size, "pdf.broken", "none of its pages can be read: copy it again or save it anew")
    if nonsense > characters:
        detail = "the fonts' maps to Unicode are missing or false, its text is nonsense: run OCR over it first"
        return Rejected(0, size, "pdf.garbled", detail)
    text = "\n\n".join(kept)
    if not text.strip():
        return Rejected(0, size, "pdf.no_text", "no text layer (scanned pages?): run OCR over it first")
    return Record(text, 0, size, meta={"pages": len(pages)}, losses=losses)


_child: subprocess.Popen[str] | None = None


def _asked(question: dict[str, Any]) -> dict[str, Any]:
    """The child's answer; one that it died over is an error too. It is started once and serves every file."""
    global _child
    if _child is not None and _child.poll() is not None:  # killed between two files, through no fault of theirs
        _end()
    if _child is None:
        command = [sys.executable, "-P", str(_CHILD)]
        pipe = subprocess.PIPE
        _child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        atexit.register(_end)
    assert _child.stdin is not None
    assert _child.stdout is not None
    try:
        _child.stdin.write(json.dumps(question) + "\n")
        _child.stdin.flush()
        line = _child.stdout.readline()
    except BrokenPipeError:
        line = ""
    if line.endswith("\n"):
        answer: dict[str, Any] = json.loads(line)
        return answer
    status = _child.wait()
    _end()
    return {"error": "too_slow" if status == -signal.SIGXCPU else "crashed"}


def _end() -> None:
    """End the child: it stops when its stdin does."""
    global _child
    if _child is not None:
        with _child as process:
            process.kill()
        _child = None
        atexit.unregister(_end)
