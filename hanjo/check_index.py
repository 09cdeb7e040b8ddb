"""`hanjo corpus check --index DIR`: which documents of a submission an existing dedup index has already.

The store's own signatures (`check_store.py`) are looked up, so nothing is read or signed again; documents that share a
band with a text that stays in the index are compared with it exactly (`dedup/index_lookup.py`). What is told are counts
and places in the submission: never an id, a cluster, a source or a text of the index.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.errors import StaleError
from corpus.shards import JobContext, Outcome
from corpus.streams import Stream
from dedup.index import Index
from dedup.index_lookup import Asked, look_up
from dedup.settings import DedupSettings
from hanjo.check_store import Store

SHOWN = 20
_MINDED = ("shingle", "bands", "rows", "similarity")  # the others decide who stays and where, not what is similar
_BLOCK = 1 << 18  # documents looked up at a time
_READ = 1 << 20
_WITH_LINES = ("jsonl", "objects", "delimited")  # formats whose offsets are bytes of lines of text

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Listed:
    """Which of n documents an index has.

    Attributes:
        exact, near: bool[n].
        similarity: float64[n], with the most similar text of the index; 1 where exact, 0 where it is not listed.
        compared: pairs compared exactly.
    """

    exact: Bools
    near: Bools
    similarity: npt.NDArray[np.float64]
    compared: int

    @property
    def any(self) -> Bools:
        """bool[n]: listed at all."""
        return self.exact | self.near


def open_index(folder: Path) -> Index:
    """Open an index that the check's signatures can be held against.

    Raises:
        UsageError: there is no index.
        StaleError: it is damaged, of another version, or made with other parameters; which ones is said.
    """
    index = Index.open(folder)
    ours, theirs = DedupSettings(), index.parameters
    pairs = [(name, getattr(theirs, name), getattr(ours, name)) for name in _MINDED]
    other = [f"{name} {held}, not {wanted}" for name, held, wanted in pairs if held != wanted]
    if other:
        raise StaleError(
            f"the index was made with {'; '.join(other)}: the check cannot hold its signatures against it",
            where=str(folder),
            fix="give an index made with the default settings; `hanjo dedup query` asks one with any settings",
        )
    return index


def require_index(context: JobContext, *, folder: str) -> Outcome:
    """Job: refuse what is no such index before much is read; in a worker, since opening one loads the kernels."""
    open_index(Path(folder))
    return Outcome()


def find_listed(store: Store, index: Index, single: Bools, tell: Callable[[str, int, int], None]) -> Listed:
    """Look up the documents of the store; copies of a listed one are listed with it.

    Args:
        single: bool[n], one of each text: of those near-duplicates are sought.
        tell: told of progress: `known`, documents done, documents in all.
    """
    count = len(single)
    exact, near, similarity, compared = np.zeros(count, bool), np.zeros(count, bool), np.zeros(count), 0
    for first in range(0, count, _BLOCK):
        last = min(count, first + _BLOCK)
        answers = look_up(index.tables, _asked(store, first, last, single, index), index.parameters, staying=True)
        same = first + np.flatnonzero(answers.exact >= 0)
        exact[same], similarity[same] = True, 1.0
        best, at = np.unique(answers.asked, return_index=True)  # the most similar one stands first
        near[first + best], similarity[first + best] = True, answers.similarity[at]
        compared += answers.compared
        tell("known", last, count)
    found = Listed(exact, near, similarity, compared)
    _list_copies(store, found, single)
    return found


def _asked(store: Store, first: int, last: int, single: Bools, index: Index) -> Asked:
    """The documents of a block, as the look-up wants them."""
    pieces: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in ("hash", "bytes", "signed")}
    for start, numbers in store.numbers():
        low, high = max(first, start), min(last, start + len(numbers))
        if low < high:
            for name, parts in pieces.items():
                parts.append(numbers[name][low - start : high - start].copy())
    columns = {name: np.concatenate(parts) for name, parts in pieces.items()}
    return Asked(
        columns["hash"],
        columns["signed"].astype(bool) & single[first:last],
        columns["bytes"].astype(np.int64),
        lambda band: store.keys(band, index.parameters.bands, first, last),
        lambda places: store.texts(first + places),
    )


def _list_copies(store: Store, found: Listed, single: Bools) -> None:
    """List, in place, the exact copies of what was found near a text of the index."""
    listed = np.flatnonzero(found.near)
    if not len(listed):
        return
    text = np.concatenate([rows["hash"] for _, rows in store.rows(listed)])
    order = np.argsort(text[:, 0])
    text, listed = text[order], listed[order]
    for first, numbers in store.numbers():
        copies = np.flatnonzero(~single[first : first + len(numbers)])
        at = np.minimum(np.searchsorted(text[:, 0], numbers["hash"][copies, 0]), len(text) - 1)
        same = (text[at] == numbers["hash"][copies]).all(axis=1)
        found.near[first + copies[same]] = True
        found.similarity[first + copies[same]] = found.similarity[listed[at[same]]]


def lines_of(file: Path, form: str, offsets: list[int]) -> list[int | None]:
    """The line, from 1, that each byte offset (ascending) of a decompressed file stands on; None where it has none."""
    if form not in _WITH_LINES:
        return [None] * len(offsets)
    found: list[int | None] = []
    line, at = 1, 0
    try:
        with Stream(file) as stream:
            for offset in offsets:
                while at < offset and (block := stream.read(min(_READ, offset - at))):
                    line, at = line + block.count(b"\n"), at + len(block)
                found.append(line if at == offset else None)
    except OSError:  # it was there when it was read; what is not known is not said
        pass
    return found + [None] * (len(offsets) - len(found))
