"""How tokenizers fit Korean text: the figures of `hanjo tokenizer report`, by domain and in all.

bytes, characters a token    UTF-8 bytes and code points of the text over its tokens; higher is better
tokens an eojeol             fertility; lower is better
cut characters               share of characters that stand in several tokens (bytes of it, or byte fallback)
syllables                    share of the 11,172 that are a token of their own, with or without a space before it
Rényi efficiency             entropy of order 2.5 of the tokens over the logarithm of the vocabulary's size (Zouhar
                             et al. 2023); 1 where all entries are used alike
unused                       share of entries that do not occur in these texts
unreachable                  entries that their own text is not cut into, alone or beside another character
losses                       texts that do not come back from their tokens, those apart that come back up to NFC
morphemes                    precision and recall of token borders within eojeol against Kiwi's (a smaller sample)
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tokenizer.byte_level import as_text
from tokenizer.morpheme_borders import Agreement, agreement
from tokenizer.opened import Encoded, OfLibrary, Opened

ORDER = 2.5
_BATCH = 256  # texts
_STEPS = 40  # points of the curve


@dataclass(slots=True)
class Sums:
    """Sums over texts of one domain."""

    texts: int = 0
    bytes: int = 0
    chars: int = 0
    eojeol: int = 0
    tokens: int = 0
    cut: int = 0
    lost: int = 0
    normalised: int = 0

    def add(self, text: str, one: Encoded, back: str) -> None:
        """Count a text in; `back` is what its tokens are decoded to."""
        self.texts += 1
        self.bytes += len(text.encode())
        self.chars += len(text)
        self.eojeol += len(text.split())
        self.tokens += len(one.ids)
        self.cut += cut_characters(one)
        if back != text:
            same = unicodedata.normalize("NFC", back) == unicodedata.normalize("NFC", text)
            self.normalised += same
            self.lost += not same

    def told(self) -> dict[str, Any]:
        """Sums and ratios, as JSON; None where there is nothing to divide by."""

        def ratio(part: int, whole: int) -> float | None:
            return part / whole if whole else None

        return {
            "texts": self.texts,
            "bytes": self.bytes,
            "tokens": self.tokens,
            "bytes_per_token": ratio(self.bytes, self.tokens),
            "chars_per_token": ratio(self.chars, self.tokens),
            "tokens_per_eojeol": ratio(self.tokens, self.eojeol),
            "cut_characters": ratio(self.cut, self.chars),
            "lost": self.lost,
            "changed_up_to_nfc": self.normalised,
        }


@dataclass(frozen=True, slots=True)
class Measured:
    """All figures of one tokenizer.

    Attributes:
        domains: by name; `all` is over all of them.
        curve: (share of the used entries, share of the tokens), most frequent first.
        unreachable: None where it cannot be asked.
    """

    name: str
    kind: str
    entries: int
    all: Sums
    domains: dict[str, Sums]
    syllables: float
    renyi: float
    used: int
    unreachable: int
    curve: list[tuple[float, float]]
    morphemes: Agreement | None = field(default=None)


def measure(
    opened: Opened,
    texts: Iterable[tuple[str, str]],
    sample: Sequence[str] = (),
    borders: Sequence[set[int]] = (),
) -> Measured:
    """Measure one tokenizer.

    Args:
        texts: pairs of domain and text.
        sample, borders: texts and their morpheme borders (see `morpheme_borders`).
    """
    domains: dict[str, Sums] = {}
    whole, counts = Sums(), Counter[int]()
    pairs = list(texts)
    for start in range(0, len(pairs), _BATCH):
        batch = pairs[start : start + _BATCH]
        for (domain, text), one in zip(batch, opened.encode([text for _, text in batch]), strict=True):
            back = opened.decode(one.ids)
            for sums in (whole, domains.setdefault(domain, Sums())):
                sums.add(text, one, back)
            counts.update(one.ids)
    table = opened.token_bytes()
    return Measured(
        opened.name,
        opened.kind,
        opened.entries,
        whole,
        dict(sorted(domains.items())),
        _syllables(table),
        renyi_efficiency(counts, opened.entries),
        len(counts),
        unreachable(opened, table),
        _curve(counts),
        agreement(sample, borders, opened.encode(sample)) if sample else None,
    )


def cut_characters(one: Encoded) -> int:
    """Characters that stand in more than one token."""
    cut: set[int] = set()
    ends = 0
    for start, end in one.spans:
        if start < ends:
            cut.add(start)
        ends = max(ends, end)
    return len(cut)


def _syllables(table: dict[int, bytes]) -> float:
    known = set(table.values())
    syllables = [chr(one).encode() for one in range(0xAC00, 0xD7A4)]
    return sum(one in known or b" " + one in known for one in syllables) / len(syllables)


def renyi_efficiency(counts: Counter[int], entries: int) -> float:
    """Rényi entropy of order 2.5 over the logarithm of the number of entries; NaN without tokens."""
    total = counts.total()
    if not total or entries < 2:
        return math.nan
    shares = np.array([counts[one] for one in sorted(counts)], np.float64) / total
    return float(math.log(float((shares**ORDER).sum())) / (1 - ORDER) / math.log(entries))


def unreachable(opened: Opened, table: dict[int, bytes]) -> int:
    """Entries that no text was found for; of parts of characters only the model of a BPE can be asked."""
    whole = {number: text for number, data in table.items() if (text := as_text(data)) is not None}
    left = set(whole)
    for around in ("{}", "가{}", "{}가", "a{}", "\n{}", " {}"):
        numbers = sorted(left)
        for start in range(0, len(numbers), 1 << 14):
            some = numbers[start : start + (1 << 14)]
            for number, one in zip(some, opened.encode([around.format(whole[n]) for n in some]), strict=True):
                if number in one.ids:
                    left.discard(number)
        left = {n for n in left if n in set(numbers)}
    # A single space or byte stands for itself; sentencepiece gives a leading one to the next piece.
    left -= {n for n in left if not whole[n].strip() and len(whole[n]) == 1}
    if isinstance(opened, OfLibrary) and opened.bytewise:
        names = {number: token for token, number in opened.vocabulary.items()}
        model = opened.tokenizer.model
        parts = [number for number in table if number not in whole]
        left |= {number for number in parts if [one.id for one in model.tokenize(names[number])] != [number]}
    return len(left)


def _curve(counts: Counter[int]) -> list[tuple[float, float]]:
    ordered = np.sort(np.array(list(counts.values()), np.int64))[::-1]
    if not len(ordered):
        return []
    sums = np.cumsum(ordered) / ordered.sum()
    places = np.unique(np.geomspace(1, len(ordered), _STEPS).astype(int))
    return [(float(place / len(ordered)), float(sums[place - 1])) for place in places]


def told(one: Measured) -> dict[str, Any]:
    """A tokenizer's figures as JSON."""
    morphemes = one.morphemes
    return {
        "name": one.name,
        "kind": one.kind,
        "entries": one.entries,
        **one.all.told(),
        "single_syllables": one.syllables,
        "renyi_efficiency": None if math.isnan(one.renyi) else one.renyi,
        "unused": 1 - one.used / one.entries,
        "unreachable": one.unreachable,
        "morpheme_precision": morphemes.precision if morphemes and morphemes.tokens else None,
        "morpheme_recall": morphemes.recall if morphemes and morphemes.morphemes else None,
        "morpheme_f1": morphemes.f1 if morphemes and morphemes.tokens else None,
        "domains": {name: sums.told() for name, sums in one.domains.items()},
    }
