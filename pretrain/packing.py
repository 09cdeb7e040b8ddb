"""From windows of tokens to what the model is given: several documents in one sequence that do not see each other.

An end-of-text id closes a document where it is a target and opens the next where it is an input: it stands at
position 0 of a new block, as a beginning-of-text would. So the first token of every document is learned too, from
end of text alone, which is just how evaluation and generation start; nothing is ever predicted from another
document. Where input and target are both end of text (a withdrawn document) there is no loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IGNORED = -100  # torch's cross_entropy and transformers leave such targets out


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences ready for the model, B of T tokens.

    Attributes:
        input_ids: int64 (B, T).
        labels: int64 (B, T), already shifted: labels[i] is the target of input_ids[i]; IGNORED where there is no loss.
        position_ids: int64 (B, T), from 0 in each document.
        mask: bool (B, 1, T, T), true where the query (third axis) may look at the key (fourth).
    """

    input_ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    position_ids: NDArray[np.int64]
    mask: NDArray[np.bool_]

    @property
    def targets(self) -> int:
        """Positions that have a loss."""
        return int((self.labels != IGNORED).sum())


def pack(windows: NDArray[np.int64], end_of_text: int) -> Batch:
    """Make a batch of windows.

    Args:
        windows: int64 (B, T + 1), each T + 1 tokens of a stream that follow one another.
        end_of_text: the id that ends every document.
    """
    inputs, targets = windows[:, :-1], windows[:, 1:]
    opens = inputs == end_of_text
    labels = np.where(opens & (targets == end_of_text), IGNORED, targets)
    length = inputs.shape[1]
    places = np.arange(length)
    starts = np.maximum.accumulate(np.where(opens, places, 0), axis=1)  # where each position's document begins
    same = starts[:, :, None] == starts[:, None, :]
    causal = places[:, None] >= places[None, :]
    return Batch(np.ascontiguousarray(inputs), labels, places - starts, (same & causal)[:, None])


def cut(stream: NDArray[np.int64], context: int, end_of_text: int) -> NDArray[np.int64]:
    """Windows (N, context + 1) in which every token of `stream` is a target once.

    The stream is opened by an end-of-text id and filled up with end-of-text ids, which have no loss.
    """
    count = -(-len(stream) // context)
    padded = np.full(count * context + 1, end_of_text, dtype=np.int64)
    padded[1 : len(stream) + 1] = stream
    return np.lib.stride_tricks.sliding_window_view(padded, context + 1)[::context].copy()
