"""Borders of morphemes, by Kiwi: where a tokenizer learns no merge across, so that its tokens end where morphemes do.

For training only: text is encoded without Kiwi, which reads 0.2 MB a second (`docs/tokenizer.md` says what it costs and
gains).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.edits import text_buffers
from corpus.errors import MissingExtraError


def morpheme_borders() -> Callable[[pa.Array], npt.NDArray[np.int64]]:
    """A function that gives the bytes of a buffer of texts at which morphemes begin, ascending.

    Raises:
        MissingExtraError: no kiwipiepy.
    """
    try:
        from kiwipiepy import Kiwi
    except ImportError as error:
        raise MissingExtraError("kiwipiepy is not installed", extra="kiwi") from error
    kiwi = Kiwi()

    def borders(texts: pa.Array) -> npt.NDArray[np.int64]:
        _, offsets = text_buffers(texts)
        found: list[int] = []
        plain = texts.to_pylist()
        for text, tokens, first in zip(plain, kiwi.tokenize(plain), offsets[:-1].tolist(), strict=True):
            bytes_before = np.cumsum([0, *(len(one.encode()) for one in text)])
            end = 0
            for token in tokens:
                # Parts of one syllable (했 is 하 and 았) begin at the same place; a space goes with the word after it.
                if token.start >= end and token.start > 0 and not text[token.start - 1].isspace():
                    found.append(first + int(bytes_before[token.start]))
                end = max(end, token.end)
        return np.array(sorted(found), np.int64)

    return borders
