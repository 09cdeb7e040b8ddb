"""The automaton that finds many words in one pass, over numbered symbols: the ground of three searches in measure.

`corpus/scanning.py` looks for needles with it, `corpus/folding.py` and `corpus/tags.py` for terms; what a symbol is,
and what it means to reach a state, each says itself. Source: Aho and Corasick, Efficient string matching, CACM 18(6),
1975.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Automaton(NamedTuple):
    """What reading a symbol leads to.

    Attributes:
        table: the next state by state and symbol, int16 [states, symbols]; state 0 is the beginning.
        fallback: of each state, the state of its longest proper suffix.
        order: the states, shorter ones first, so that what holds of a state's fallback is known before it.
        ends: the state in which each word ends.
    """

    table: npt.NDArray[np.int16]
    fallback: list[int]
    order: list[int]
    ends: list[int]


def automaton(words: Sequence[Sequence[int]], symbols: int) -> Automaton:
    """Build the automaton of some words.

    Args:
        words: each a sequence of symbols in [0, symbols), of at least one.
        symbols: how many there are; those in no word lead to the beginning.
    """
    trie: list[dict[int, int]] = [{}]
    ends = []
    for word in words:
        state = 0
        for symbol in word:
            if symbol not in trie[state]:
                trie[state][symbol] = len(trie)
                trie.append({})
            state = trie[state][symbol]
        ends.append(state)
    table = np.zeros((len(trie), symbols), np.int16)
    fallback, order = [0] * len(trie), [0]
    for state in order:
        table[state] = table[fallback[state]] if state else 0
        for symbol, target in trie[state].items():
            fallback[target] = int(table[state, symbol]) if state else 0
            table[state, symbol] = target
            order.append(target)
    return Automaton(table, fallback, order, ends)


def in_one_row(
    built: Automaton, tell: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int32], int, npt.NDArray[np.int64]]:
    """The table as kernels step through it fastest: one addition and one load a symbol, one comparison to be told.

    Args:
        tell: of each state, whether reaching it means anything, bool [states].

    Returns:
        The next state by state + symbol, int32 [states · symbols], a state being the place of its symbol 0; the first
        of the states that tell, which come last; the states in their new order, int64 [states].
    """
    order = np.argsort(tell, kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order))
    width = built.table.shape[1]
    return (place[built.table[order]] * width).ravel(), int(len(order) - tell.sum()) * width, order
