"""The process that calls PDFium for `corpus/sources/pdf.py`, since a call into it can neither be timed out nor bounded.

Run as a script: a JSON line with a file's path and limits comes on stdin, one with its pages goes to stdout. Memory and
seconds of the processor are bounded by the system; what goes beyond ends this process, and the reader starts another.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium

_MEMORY = 1 << 30  # bytes of address space
_CPU = 4.0  # seconds of the processor for any file, and
_CPU_A_MB = 4.0  # for each megabyte of it: dense text takes about one


def main() -> None:
    """Answer until stdin ends."""
    with contextlib.suppress(ValueError, OSError):  # a system without this limit
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        asked = json.loads(line)
        _allow(_CPU + _CPU_A_MB * Path(asked["path"]).stat().st_size / 1e6)
        print(json.dumps(_answer(asked)), flush=True)


def _allow(seconds: float) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    """`pages`, the text of each and null for one that could not be read; or `error` and, of too many pages, `count`."""
    pages: list[str | None] = []
    size = 0
    try:
        with pdfium.PdfDocument(asked["path"]) as document:
            if len(document) > asked["pages"]:
                return {"error": "pages", "count": len(document)}
            for number in range(len(document)):
                try:
                    page = document[number]
                    text = page.get_textpage()
                    said = text.get_text_range()
                    text.close()
                    page.close()
                except pdfium.PdfiumError:
                    pages.append(None)
                    continue
                size += len(said)
                if size > asked["chars"]:
                    return {"error": "chars"}
                pages.append(said)
    except pdfium.PdfiumError as error:
        return {"error": "password" if "password" in str(error).lower() else "broken"}
    return {"pages": pages}


if __name__ == "__main__":
    main()
