"""How often each different piece of some texts occurs: what `tokenizer/learning.py` learns a byte-level BPE from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.edits import text_buffers
from corpus.kernels import Bytes, Longs
from tokenizer.pieces import count_spans, find_ends, place_again
from tokenizer.pretokenize import Cut, classes

Borders = Callable[[pa.Array], npt.NDArray[np.int64]]
"""Bytes of a buffer of texts at which a piece must end beside those of the cut, ascending."""


class Pieces:
    """Different pieces of texts and how often each occurs; memory goes by how many differ.

    Args:
        borders: further ends of pieces.
    """

    def __init__(self, cut: Cut, borders: Borders | None = None) -> None:
        self._table, self._borders = classes(cut), borders
        self._slots, self._store = np.zeros(1 << 16, np.int64), np.empty(1 << 20, np.uint8)
        self._keys, self._bounds, self._counts = (np.zeros(1 << 15, np.int64) for _ in range(3))

    def __len__(self) -> int:
        return int(self._counts[0])

    def add(self, texts: pa.Array) -> None:
        """Count the pieces of some texts (large_string)."""
        buffer, offsets = text_buffers(texts)
        if offsets[0] == offsets[-1]:
            return
        ends = np.empty(int(offsets[-1] - offsets[0]), np.int64)
        ends = ends[: find_ends(buffer, offsets, self._table, ends)]
        if self._borders is not None:
            ends = np.union1d(ends, self._borders(texts))
        begin, done = int(offsets[0]), 0
        while done < len(ends):
            step, known = count_spans(
                buffer,
                ends[done:],
                begin,
                self._slots,
                self._keys,
                self._bounds,
                self._counts,
                self._store,
            )
            done += step
            if done < len(ends):
                begin = int(ends[done - 1]) if done else begin
                self._grow(known, int(ends[done]) - begin)

    def _grow(self, known: int, length: int) -> None:
        self._slots = np.zeros(4 * len(self._slots), np.int64)
        place_again(self._keys, known, self._slots)
        for name in ("_keys", "_bounds", "_counts"):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.zeros(3 * len(old), np.int64)]))
        self._store = np.concatenate([self._store, np.empty(3 * len(self._store) + length, np.uint8)])

    def told(self) -> tuple[Bytes, Longs, Longs]:
        """Bytes of the pieces one after another, uint8; their bounds, int64 [pieces + 1]; their counts, int64."""
        known = len(self)
        return self._store[: self._bounds[known]], self._bounds[: known + 1], self._counts[1 : known + 1]
