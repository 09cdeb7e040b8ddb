"""Repetition within one document: lines that stood before, and n-grams of eojeol, exactly.

An n-gram can only repeat where both (n-1)-grams in it do. So each length looks at the places that the one before left,
and names an n-gram by the names of those two: prose is done after a few pairs, and no hash is taken for equality but
that of single eojeol (64 bits, compared within one document alone).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus import count_columns as c
from corpus.kernels import Floats, Ints, Longs, cleared, found, inner, named

LONGEST = 10  # eojeol of the longest n-gram
SPARSE = 1 << 14  # eojeol of a document up to which the table of single ones is filled to a quarter at most


@inner
def repeated_lines(lines: Longs, n: int, row: Floats, keys: Longs, names: Ints) -> None:
    """Lines that stood before: how many, their bytes and characters."""
    mask = cleared(keys, n)
    different = 0
    for k in range(n):
        name = named(keys, names, mask, lines[k, c.L_HASH], different)
        if name < different:
            row[c.REPEATED_LINES] += 1
            row[c.REPEATED_LINE_BYTES] += lines[k, c.L_END] - lines[k, c.L_START]
            row[c.REPEATED_LINE_CHARS] += lines[k, c.L_CHARS]
        different = max(different, name + 1)


@inner
def repeated_words(
    words: Longs, n: int, row: Floats, keys: Longs, names: Ints, grams: Ints, counts: Ints, first: Ints, places: Ints
) -> None:
    """n-grams of up to LONGEST words, and how many words are different.

    Args:
        words: see `corpus/count_columns.py`; W_START is overwritten with the characters of all the words before.
        grams, counts, first, places: room for one more than there are words, see `_name_grams` and `_count_grams`.
    """
    mask = cleared(keys, 2 * n if n <= SPARSE else n)  # nearly every first look at an emptier table is the last
    different, before, left = 0, 0, 0
    for k in range(n):
        words[k, c.W_START] = before
        before += words[k, c.W_CHARS]
        slot = found(keys, mask, words[k, c.W_HASH])  # its name, and `names` counts here
        at = np.uint64(slot)
        fresh = keys[at] == 0
        keys[at] = words[k, c.W_HASH] if words[k, c.W_HASH] != 0 else 1
        names[at] = 1 if fresh else names[at] + 1
        different += fresh
        grams[k] = slot
    words[n, c.W_START] = before
    row[c.DISTINCT] = different
    for k in range(n):
        again = names[grams[k]] > 1
        places[left] = k
        left += again
        grams[k] = grams[k] if again else -1
    grams[n] = -1
    for size in range(2, LONGEST + 1):
        left, different = _name_grams(left, keys, names, grams, counts, first, places)
        if left < 2:
            return
        left = _count_grams(size, left, different, words, row, grams, counts, first, places)


@inner
def _name_grams(
    left: int, keys: Longs, names: Ints, grams: Ints, counts: Ints, first: Ints, places: Ints
) -> tuple[int, int]:
    """Name the n-grams that may repeat, from the names of the (n-1)-grams that do.

    Args:
        left: how many of `places` hold the place of a repeated (n-1)-gram, in order.
        grams: by place, the name of the (n-1)-gram there, -1 where it stands nowhere else; renamed.
        counts, first: written, by name: how often the n-gram stands, and its first place.

    Returns:
        How many places are left, how many names there are.
    """
    mask = cleared(keys, left)
    kept, different = 0, 0
    for k in range(left):
        at: Any = places[k]
        if grams[at + 1] < 0:
            grams[at] = -1
            continue
        name = named(keys, names, mask, ((grams[at] + 1) << 32) | grams[at + 1], different)
        if name == different:
            different += 1
            counts[name], first[name] = 0, at
        counts[name] += 1
        grams[at] = name
        places[kept] = at
        kept += 1
    return kept, different


@inner
def _count_grams(
    size: int,
    left: int,
    different: int,
    words: Longs,
    row: Floats,
    grams: Ints,
    counts: Ints,
    first: Ints,
    places: Ints,
) -> int:
    """Count the n-grams so named and leave only the places of those that repeat; how many there are."""
    if size <= 4:
        top = 0
        for name in range(different):
            if counts[name] > counts[top]:
                top = name
        if counts[top] > 1:
            at: Any = first[top]
            row[c.TOP_2 + size - 2] = counts[top] * (words[at + size, c.W_START] - words[at, c.W_START] + size - 1)
            if size == 2:
                row[c.TOP_PAIR] = counts[top]
    kept, covered, free = 0, 0, 0
    for k in range(left):
        at = places[k]
        name = grams[at]
        if counts[name] < 2:
            grams[at] = -1
            continue
        places[kept] = at
        kept += 1
        if size < 5:
            continue
        if size == 5 and at > first[name]:
            row[c.REPEATED_FIVES] += at + 5 - max(covered, at)
            covered = at + 5
        if at < free:
            continue
        if first[name] < 0:  # stood before, at a place that was not skipped
            row[c.REPEAT_5 + size - 5] += words[at + size, c.W_START] - words[at, c.W_START]
            free = at + size
        else:
            first[name] = -1
    return kept
