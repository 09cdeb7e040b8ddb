"""Which documents the Korean cloze items may come from, and which others are near copies of them.

The one place of the held-out rule; `make_korean_cloze.py` applies it and writes `korean_cloze.heldout.jsonl`.
"""

import gzip
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

WINDOW = 60  # characters without spaces; two documents that share so long a passage are near copies
SHINGLE = 5
JACCARD = 0.5
LARGEST_FAMILY = 3  # a document with more near copies than this is not worth holding out
# Published bodies whose rulings are exempt from copyright (Korean Copyright Act, article 7).
EXEMPT_BODIES = {"조세심판원": "tribunal", "대법원": "supreme-court"}


@dataclass(frozen=True)
class Document:
    """One text of an allowed origin; `group` says which of the three kinds of text it is."""

    source: str
    group: str
    id: str
    text: str


def rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a gzipped JSON Lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def read_documents(texts: Path) -> list[Document]:
    """All documents of the allowed origins in `texts`, sorted by id."""
    found = [
        Document("libreoffice-help", "help", row["id"], row["text"].strip())
        for row in rows(texts / "libreoffice-help-ko.jsonl.gz")
    ]
    for row in rows(texts / "tax-rulings-ko.jsonl.gz"):
        if row["meta"]["기관"] in EXEMPT_BODIES:
            group = EXEMPT_BODIES[row["meta"]["기관"]]
            found.append(Document("tax-rulings", group, row["id"], row["text"].strip()))
    return sorted(found, key=lambda document: document.id)


def body(text: str) -> str:
    """The text without the frame that every help page carries (its first line and the debug lines at its end)."""
    lines = text.split("\n")
    if lines[0].startswith("LibreOffice 7.4"):
        lines = lines[1:]
    if "Help content debug info:" in lines:
        lines = lines[: lines.index("Help content debug info:")]
    return "\n".join(lines)


def squeezed(text: str) -> str:
    """The text without white space: near copies often differ in nothing else."""
    return re.sub(r"\s+", "", text)


def windows(text: str) -> set[str]:
    """All passages of `WINDOW` characters of a squeezed text."""
    return {text[at : at + WINDOW] for at in range(len(text) - WINDOW + 1)}


def digest(passage: str) -> str:
    """16 hex digits that stand for a passage in the held-out list, which so holds no text itself."""
    return blake2b(passage.encode(), digest_size=8).hexdigest()


class Families:
    """Which documents are near copies of which: a shared long passage, or half of the shingles shared."""

    def __init__(self, documents: list[Document]) -> None:
        texts = [squeezed(body(document.text)) for document in documents]
        self._texts = texts
        self._windows = [windows(text) for text in texts]
        self._shingles = [{text[at : at + SHINGLE] for at in range(len(text) - SHINGLE + 1)} for text in texts]
        self._holders: dict[str, set[int]] = defaultdict(set)
        for number, passages in enumerate(self._windows):
            for passage in passages:
                self._holders[passage].add(number)

    def _neighbours(self, number: int) -> set[int]:
        near: set[int] = set()
        for passage in self._windows[number]:
            near |= self._holders[passage]
        mine = self._shingles[number]
        for other, theirs in enumerate(self._shingles):
            shorter, longer = sorted((len(mine), len(theirs)))
            if other not in near and shorter >= JACCARD * longer:
                shared = len(mine & theirs)
                if shared >= JACCARD * (len(mine) + len(theirs) - shared):
                    near.add(other)
        return near | {number}

    def family(self, number: int) -> set[int] | None:
        """The document, its near copies, theirs and so on; None where that gets too large."""
        members, fresh = {number}, {number}
        while fresh:
            found = set().union(*(self._neighbours(member) for member in fresh))
            fresh, members = found - members, members | found
            if len(members) > LARGEST_FAMILY:
                return None
        return members

    def is_alone(self, passage: str, members: set[int]) -> bool:
        """Whether no document outside `members` has the squeezed passage."""
        return not any(passage in text for number, text in enumerate(self._texts) if number not in members)
