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
from corpus.kernels import kernel

Bytes = npt.NDArray[np.uint8]
Shorts = npt.NDArray[np.int16]
Longs = npt.NDArray[np.int64]

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
def tag_automaton() -> tuple[Shorts, Shorts, Longs, int]:
    """The automaton of `count_tags`.

    Returns:
        Symbol of every code point below 65,536, int16 [65536]; next state by state and symbol, int16 [states, symbols];
        what reaching a state adds to each of TAGS, int64 [states, tags]; the first of the states that add anything,
        which come last.
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
    trie: list[dict[int, int]] = [{}]
    ends: dict[int, str] = {}
    for term in (*terms, *harmless):
        state = 0
        for character in term:
            symbol = number[character]
            if symbol not in trie[state]:
                trie[state][symbol] = len(trie)
                trie.append({})
            state = trie[state][symbol]
        ends[state] = term
    table = np.zeros((len(trie), 3 + len(letters)), np.int16)
    adds = np.zeros((len(trie), len(TAGS)), np.int64)
    fallback, queue = [0] * len(trie), [0]
    for state in queue:
        table[state] = table[fallback[state]] if state else 0
        adds[state] = adds[fallback[state]]
        for symbol, target in trie[state].items():
            fallback[target] = int(table[state, symbol]) if state else 0
            table[state, symbol] = target
            queue.append(target)
        if state in ends:
            adds[state] = _added(ends[state], terms)
    order = np.argsort(adds.any(axis=1), kind="stable")  # the states that add nothing first: one comparison tells
    place = np.empty(len(order), np.int16)
    place[order] = np.arange(len(order))
    return symbols, place[table[order]], adds[order], int(len(order) - adds.any(axis=1).sum())


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
    buffer: Bytes, offsets: Longs, symbols: Shorts, table: Shorts, adds: Longs, quiet: int, rows: Longs
) -> None:
    """Count the terms of each tag in every document.

    Args:
        symbols, table, adds, quiet: see `tag_automaton`.
        rows: written, int64 [documents, tags].
    """
    edge = np.int64(table[0, 1])
    for d in range(offsets.shape[0] - 1):
        state: Any = edge
        signs: Any = 0
        i, end = offsets[d], offsets[d + 1]
        while i < end:
            byte = buffer[i]
            if byte < 0x80:
                symbol = symbols[byte]
                i += 1
            elif byte < 0xE0:
                symbol = symbols[0x7FF]
                i += 2
            elif byte < 0xF0:
                symbol = symbols[((byte & 0x0F) << 12) | ((buffer[i + 1] & 0x3F) << 6) | (buffer[i + 2] & 0x3F)]
                i += 3
            else:
                symbol = symbols[0x7FF]
                i += 4
            if symbol == 0:
                state, signs = 0, 0
            elif symbol == 2:
                signs += 1
                state = state if signs <= MOST_SIGNS else 0
            else:
                state, signs = np.int64(table[state, symbol]), 0
                if state >= quiet:
                    for tag in range(adds.shape[1]):
                        rows[d, tag] += adds[state, tag]
        state = np.int64(table[state, 1])  # the end of a text is an edge
        for tag in range(adds.shape[1]):
            rows[d, tag] = max(0, rows[d, tag] + adds[state, tag])
