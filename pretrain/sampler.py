"""The order of training samples: sample k is a pure function of (seed, tokens, k). First step of pretrain.

The token shards are cut into windows of context + 1 tokens that share one token with the next, N in all; no window
crosses a shard, and the tail of a shard that fills no window is left out (below context tokens). Epoch e = k // N
takes the windows in the order of a keyed permutation of [0, N): a Feistel network with cycle walking, which needs no
memory and can be run backwards. So any step can be resumed exactly, and any token asked for the steps that used it.
Step s (from 0) uses samples [sB, (s+1)B), B the global batch, whatever the number of ranks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corpus.errors import TrainingError, UsageError

Indices = NDArray[np.uint64]
_ROUNDS = 6  # four make a strong pseudorandom permutation of large blocks (Luby and Rackoff 1988); ours can be tiny


@dataclass(frozen=True, slots=True)
class TokenShard:
    """A shard of the training tokens: path relative to the run without suffix, and how many tokens it holds."""

    path: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Permutation:
    """A keyed bijection of [0, size) in O(1) memory.

    A balanced Feistel network over the smallest 2^(2h) ≥ size; values that fall outside [0, size) are sent through
    again until they fall inside (cycle walking, Black and Rogaway 2002): under four turns on average.
    """

    size: int
    keys: tuple[int, ...]

    @classmethod
    def of(cls, size: int, seed: int, number: int) -> Permutation:
        """The permutation of [0, size) for a seed and a number (the epoch)."""
        digest = hashlib.blake2b(f"hanjo.sampler/{seed}/{number}".encode(), digest_size=8 * _ROUNDS).digest()
        return cls(size, tuple(int.from_bytes(digest[i : i + 8], "little") for i in range(0, len(digest), 8)))

    def forward(self, places: ArrayLike) -> Indices:
        """Where each place goes; uint64, the shape of `places`, all in [0, size)."""
        return self._walk(places, self.keys, swap=False)

    def inverse(self, values: ArrayLike) -> Indices:
        """The places that go to each value."""
        return self._walk(values, self.keys[::-1], swap=True)

    def _walk(self, given: ArrayLike, keys: tuple[int, ...], *, swap: bool) -> Indices:
        values = np.array(given, dtype=np.uint64, ndmin=1)
        if (values >= self.size).any():
            raise UsageError(f"only [0, {self.size}) is permuted", fix="give a window or place inside it")
        outside = np.ones(values.shape, dtype=bool)
        while outside.any():
            values[outside] = self._rounds(values[outside], keys, swap)
            outside = values >= self.size
        return values.reshape(np.shape(given))

    def _rounds(self, values: Indices, keys: tuple[int, ...], swap: bool) -> Indices:
        half = np.uint64(max(1, ((self.size - 1).bit_length() + 1) // 2))
        mask = np.uint64((1 << int(half)) - 1)
        left, right = values >> half, values & mask
        if swap:
            left, right = right, left
        for key in keys:
            left, right = right, left ^ (_mixed(right, np.uint64(key)) & mask)
        return (right << half | left) if swap else (left << half | right)


def _mixed(values: Indices, key: np.uint64) -> Indices:
    """SplitMix64's finaliser over value and key (Steele, Lea and Flood 2014)."""
    mixed = (values + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) ^ key
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


class Sampler:
    """Which tokens a sample is, and which samples and steps a token went into.

    Args:
        shards: the training shards in the order of their names.
        context: tokens a window gives the model; a window holds one more, the last target.
        seed: of the run.
        batch: samples a step, over all ranks.

    Raises:
        TrainingError: no shard fills a window.
    """

    def __init__(self, shards: Sequence[TokenShard], context: int, seed: int, batch: int) -> None:
        self.shards, self.context, self.seed, self.batch = tuple(shards), context, seed, batch
        windows = [max(0, (shard.tokens - 1) // context) for shard in shards]
        self._starts = np.concatenate([[0], np.cumsum(windows, dtype=np.int64)]).astype(np.int64)
        self.windows = int(self._starts[-1])
        if not self.windows:
            tokens = sum(shard.tokens for shard in shards)
            raise TrainingError(
                f"{tokens} training tokens fill no window of {context} + 1",
                fix="add text, or lower pretrain.model.context",
            )

    def windows_of(self, samples: ArrayLike) -> NDArray[np.int64]:
        """The window that each sample is; int64, the shape of `samples`."""
        wanted = np.array(samples, dtype=np.uint64, ndmin=1)
        epochs, places = np.divmod(wanted, np.uint64(self.windows))
        found = np.empty(wanted.shape, dtype=np.int64)
        for epoch in np.unique(epochs):
            chosen = epochs == epoch
            found[chosen] = self._permutation(int(epoch)).forward(places[chosen])
        return found.reshape(np.shape(samples))

    def spot(self, window: int) -> tuple[int, int]:
        """Shard number and first token of a window; its tokens are [first, first + context + 1) of that shard."""
        shard = int(np.searchsorted(self._starts, window, side="right")) - 1
        return shard, (window - int(self._starts[shard])) * self.context

    def samples_of_window(self, windows: ArrayLike, epoch: int) -> NDArray[np.int64]:
        """The sample that each window is in an epoch: the inverse of `windows_of`."""
        return self._permutation(epoch).inverse(windows).astype(np.int64) + epoch * self.windows

    def samples_of_step(self, step: int) -> range:
        """The samples of a step, whatever the number of ranks."""
        return range(step * self.batch, (step + 1) * self.batch)

    def share(self, step: int, rank: int, ranks: int, micro_batch: int) -> NDArray[np.int64]:
        """The windows that one rank takes in a step: int64 (accumulation steps, micro_batch).

        Together the ranks take the samples of the step, each once; `batch` is a multiple of ranks · micro_batch.
        """
        samples = self.samples_of_step(step)
        return self.windows_of(np.arange(samples.start, samples.stop)).reshape(-1, ranks, micro_batch)[:, rank]

    def steps_of_tokens(self, shard: int, first: int, last: int, steps: int) -> list[int]:
        """The steps below `steps` that used any of the tokens [first, last) of a shard, as input or as target.

        Raises:
            UsageError: the shard has no such tokens.
        """
        if not 0 <= shard < len(self.shards) or not 0 <= first < last <= self.shards[shard].tokens:
            raise UsageError(f"no tokens [{first}, {last}) in shard {shard}", fix="see tokens/train/*.docs.parquet")
        begin, end = int(self._starts[shard]), int(self._starts[shard + 1])
        lowest = begin + max(0, -(-first // self.context) - 1)  # the window before may end on `first`
        highest = min(end - 1, begin + (last - 1) // self.context)
        if lowest > highest:
            return []
        touched = np.arange(lowest, highest + 1)
        epochs = -(-steps * self.batch // self.windows)
        used = [self.samples_of_window(touched, epoch) // self.batch for epoch in range(epochs)]
        found = np.unique(np.concatenate(used)) if used else np.empty(0, dtype=np.int64)
        return [int(step) for step in found[found < steps]]

    def _permutation(self, epoch: int) -> Permutation:
        return Permutation.of(self.windows, self.seed, epoch)
