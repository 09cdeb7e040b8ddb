"""Tags of toxic and of biased language: how densely a text holds coarse words, threats and slurs, in one compiled pass.

measure writes the counts as the signals `toxicity` and `bias` (terms an eojeol); they remove nothing by themselves,
decide may sample by them (`corpus/policies.py`). An Aho-Corasick automaton runs over folded characters: signs and a 1
between two characters of a term are stepped over, white space is one edge, case is folded.
A lexicon knows no irony and no quotation: what it says of one text is a hint, what it says of a source is a measure.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus import tag_terms
from corpus.automaton import automaton, in_one_row
from corpus.kernels import Bytes, Ints, Longs, decode, kernel

Shorts = npt.NDArray[np.int16]

TAGS = {
    "toxicity": (tag_terms.PROFANITY, tag_terms.SEXUAL, tag_terms.THREAT),
    "bias": (
        *(tag_terms.GENDER, tag_terms.REGION, tag_terms.NATION, tag_terms.DISABILITY),
        *(tag_terms.ORIENTATION, tag_terms.AGE, tag_terms.RELIGION),
    ),
}
_OTHER, _EDGE, _SKIP = 0, 1, 2
_SIGNS = ".,*~-_^'\"`;:/|@#+=!·1ㅡ"
MOST_SIGNS = 2  # in a row between two characters of a term


@lru_cache(maxsize=1)
def tag_automaton() -> tuple[Shorts, Ints, int, Longs]:
    """The automaton of `count_tags`.

    Returns:
        Symbol of every code point below 65,536, int16 [65536]; the next state and the first that adds anything, see
        in_one_row; what reaching a state adds to each of TAGS, int64 [states, tags].
    """
    terms = {term: tag for tag, kinds in enumerate(TAGS.values()) for kind in kinds for term in kind.split()}
    harmless = tag_terms.HARMLESS.split()
    letters = sorted(set("".join((*terms, *harmless))) - {"^"})
    symbols = np.zeros(65536, np.int16)
    symbols[[ord(sign) for sign in _SIGNS]] = _SKIP
    symbols[[9, 10, 32]] = _EDGE
    number = {"^": _EDGE} | {letter: 3 + index for index, letter in enumerate(letters)}
    for letter in letters:
        symbols[[ord(letter), ord(letter.upper())]] = number[letter]
    words = (*terms, *harmless)
    built = automaton([[number[character] for character in word] for word in words], 3 + len(letters))
    table, ends = built.table, dict(zip(built.ends, words, strict=True))
    adds = np.zeros((len(table), len(TAGS)), np.int64)
    for state in built.order:
        adds[state] = _added(ends[state], terms) if state in ends else adds[built.fallback[state]]
    row, quiet, order = in_one_row(built, np.asarray(adds.any(axis=1)))
    return symbols, row, quiet, adds[order]


def _added(term: str, terms: dict[str, int]) -> list[int]:
    """What a term adds to each tag: one to its own; a harmless word takes back the terms that ended inside of it."""
    added = [0] * len(TAGS)
    if term in terms:
        added[terms[term]] = 1
        return added
    inside = [other for other in terms if other in term and not term.endswith(other)]
    for other in inside:
        if not any(other in longer and other != longer for longer in inside):
            added[terms[other]] -= 1
    return added


@kernel
def count_tags(
    buffer: Bytes, offsets: Longs, symbols: Shorts, table: Ints, quiet: int, adds: Longs, rows: Longs
) -> None:
    """Count the terms of each tag in every document.

    Args:
        symbols, table, quiet, adds: see `tag_automaton`.
        rows: written, int64 [documents, tags].
    """
    edge = np.int64(table[_EDGE])
    width = table.shape[0] // adds.shape[0]
    for d in range(offsets.shape[0] - 1):
        state: Any = edge
        signs: Any = 0
        i, end = offsets[d], offsets[d + 1]
        while i < end:
            point, i = decode(buffer, i)
            symbol = np.int64(symbols[np.uint64(min(point, 65535))])
            if symbol == _SKIP:
                signs += 1
                state = state if signs <= MOST_SIGNS else 0
            else:
                state, signs = np.int64(table[np.uint64(state + symbol)]), 0
                if state >= quiet:
                    for tag in range(adds.shape[1]):
                        rows[d, tag] += adds[state // width, tag]
        state = np.int64(table[state + _EDGE])  # the end of a text is an edge
        for tag in range(adds.shape[1]):
            rows[d, tag] = max(0, rows[d, tag] + adds[state // width, tag])
