"""Old Hangul in Hanyang's private-use code (U+E0BC–F8F7, as 한글 97 and its fonts had it) → Unicode's jamo.

The table is hypua2jamo's (LGPL-3+), an optional library of its own extra: without it such characters stay as they are
and are counted as `text.private_use`. `normalise` asks; collect puts `table_version` into what its jobs depend on.
"""

from __future__ import annotations

import functools
import importlib.metadata
import re

EXTRA = "hanyang"
_PLACES = "\ue0bc-\uefff\uf100-\uf66e\uf784-\uf800\uf806-\uf864\uf86a-\uf8f7"
# Icon fonts use the same places, for a sign alone or beside a word; old Hangul stands inside words.
_INSIDE = re.compile(f"[\uac00-\ud7a3\u4e00-\u9fff{_PLACES}][{_PLACES}][\uac00-\ud7a3\u4e00-\u9fff{_PLACES}]")
_PLACE = re.compile(f"[{_PLACES}]")


def table_version() -> str | None:
    """Version of the table's library, None where it is not installed."""
    try:
        return importlib.metadata.version("hypua2jamo")
    except importlib.metadata.PackageNotFoundError:
        return None


def to_jamo(text: str) -> tuple[str, int]:
    """The text with conjoining jamo for Hanyang's characters, and how many there were.

    Nothing is changed where none of them stands within a word of Hangul or hanja, or the table is not there.
    """
    if not _INSIDE.search(text) or not (table := _table()):
        return text, 0
    return _PLACE.subn(lambda match: table[match[0]], text)


@functools.cache
def _table() -> dict[str, str]:
    try:
        from hypua2jamo import translate
    except ImportError:
        return {}
    return {chr(code): translate(chr(code)) for code in range(0xE000, 0xF900) if _PLACE.match(chr(code))}
