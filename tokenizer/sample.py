"""A weighted, seeded sample of documents that are read once: what `hanjo tokenizer train` learns from.

Every document draws a number by a keyed hash of its source and id, divided by its source's weight; the smallest ones
stay (Efraimidis and Spirakis 2006). Where all would fit that would take all, whatever the weights: so a document stays
with the likelihood of its source's weight over the greatest at most. The sample depends on the documents, the seed and
the weights, and on no order or number of workers. Memory holds at most twice the text that is wanted.
"""

from __future__ import annotations

import difflib
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from corpus.errors import UsageError


def draw(seed: int, source: str, identity: str, weight: float, stays: float = 1.0) -> float:
    """The number of a document: exponentially distributed with its weight as rate, infinite above its share `stays`."""
    told = f"hanjo.sample/{seed}/{source}/{identity}".encode()
    uniform = (int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "big") + 1) / (1 << 64)
    return math.inf if uniform < 1.0 - stays or not weight else -math.log(uniform) / weight


def shares(weights: Mapping[str, float]) -> dict[str, float]:
    """How much of each source may stay: its weight over the greatest, of sources not named that is 1; "" for these."""
    greatest = max(1.0, *weights.values(), 0.0)
    return {"": 1.0 / greatest, **{name: weight / greatest for name, weight in weights.items()}}


def nearest_source(name: str, sources: Iterable[str]) -> str:
    """What to write instead of a source that is not there."""
    known = sorted(sources)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"the sources are: {', '.join(known[:20])}"


class Sample:
    """Documents of at most `size` bytes of text together, drawn from all that are added.

    Args:
        weights: by source; of sources not named it is 1. With weight 0 a source is left out; of one with half the
            greatest weight half of the documents stay, where all would fit.
    """

    def __init__(self, seed: int, size: int, weights: Mapping[str, float]) -> None:
        self._seed, self._size, self._weights, self._shares = seed, size, weights, shares(weights)
        self._held: list[tuple[float, bytes, str]] = []
        self._bytes = 0
        self.sources: dict[str, int] = {}
        self.documents = 0

    def add(self, sources: Sequence[str], ids: Sequence[str], texts: Sequence[str]) -> None:
        """Offer documents."""
        for source, identity, text in zip(sources, ids, texts, strict=True):
            self.documents += 1
            self.sources[source] = self.sources.get(source, 0) + 1
            share = self._shares.get(source, self._shares[""])
            number = draw(self._seed, source, identity, self._weights.get(source, 1.0), share)
            if text and number < math.inf:
                data = text.encode()
                self._held.append((number, data, source))
                self._bytes += len(data)
        if self._bytes > 2 * self._size:
            self._prune()

    def texts(self) -> list[str]:
        """The sample in the order of its numbers; the last text is cut to fit.

        Raises:
            UsageError: a weight names a source of which there was no document.
        """
        for name in self._weights:
            if name not in self.sources:
                raise UsageError(
                    f"no document of source {name!r}, which has a weight", fix=nearest_source(name, self.sources)
                )
        self._prune()
        return [data.decode("utf-8", "ignore") for _, data, _ in self._held]

    def by_source(self) -> dict[str, dict[str, int]]:
        """Of each source, by name: documents offered (`of_documents`), documents and bytes drawn."""
        told = {name: {"of_documents": self.sources[name], "documents": 0, "bytes": 0} for name in sorted(self.sources)}
        for _, data, source in self._held:
            told[source]["documents"] += 1
            told[source]["bytes"] += len(data)
        return told

    def _prune(self) -> None:
        self._held.sort(key=itemgetter(0, 1))
        kept: list[tuple[float, bytes, str]] = []
        left = self._size
        for number, data, source in self._held:
            if left <= 0:
                break
            # A document that is cut here can only be cut further: what comes later has smaller numbers.
            kept.append((number, data[:left], source))
            left -= len(data)
        self._held, self._bytes = kept, sum(len(data) for _, data, _ in kept)
