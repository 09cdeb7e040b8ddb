"""Verdicts of policy, beside those of quality: documents that hold an identifier to be dropped, and sampling by tags.

decide asks this file between rights and rules (what is dropped, from any source), and after the rules (what is sampled,
of the documents that are left). A sampled document is kept or not by a seeded hash of its id, whatever else the shard
holds; the same seed keeps with a greater probability all that it kept with a smaller one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus.identifiers import NAMES

Marks = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
SIGNALS = ("private_drop", "toxicity", "bias")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How documents are sampled by tags.

    Attributes:
        kept: signal → probability with which a document above its density is kept.
        above: signal → density up to which every document is kept.
        seed: of the recipe.
    """

    kept: Mapping[str, float]
    above: Mapping[str, float]
    seed: int


NO_SAMPLING = Sampling({}, {}, 0)


class PolicyVerdict(NamedTuple):
    """The documents that go by one rule, with value and limit."""

    marks: Marks
    rule: str
    value: Floats
    limit: float
    detail: str


def dropped(bits: Floats) -> Iterator[PolicyVerdict]:
    """Rule `pii.NAME` for documents that hold NAME or more, by the signal `private_drop`."""
    for value in np.unique(bits[bits > 0]).tolist():
        names = [name for bit, name in enumerate(NAMES) if int(value) >> bit & 1]
        marks = bits == value
        kinds = np.full(len(bits), float(len(names)))
        yield PolicyVerdict(marks, f"pii.{names[0]}", kinds, 0.0, f"holds {', '.join(names)}, and the policy is drop")


def sampled(
    signals: Mapping[str, Floats], ids: Sequence[str], left: Marks, sampling: Sampling
) -> Iterator[PolicyVerdict]:
    """Rule `sample.SIGNAL` for the documents that sampling does not keep.

    Args:
        signals: the columns that are sampled by, [documents].
        ids: of the documents.
        left: the documents that no rule has removed, [documents].
    """
    for name, probability in sampling.kept.items():
        above = sampling.above.get(name, 0.0)
        marks = left & (signals[name] > above)
        if probability >= 1 or not marks.any():
            continue
        for row in np.flatnonzero(marks).tolist():
            marks[row] = draw(sampling.seed, name, ids[row]) >= probability
        detail = f"kept with probability {probability:g}"
        yield PolicyVerdict(marks, f"sample.{name}", signals[name], above, detail)


def draw(seed: int, name: str, document: str) -> float:
    """A number in [0, 1) that is the document's own: of the seed, the tag and its id alone."""
    digest = blake2b(f"{seed}\0{name}\0{document}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)
