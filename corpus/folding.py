"""Terms of the lexicons in text, through the disguises of advertisers: 카지노, 카 지 노, 카.지.노, 카Zl노, ㅋㅏ지노.

Letters are folded into an alphabet of the terms' own characters, white space and signs between them are remembered but
skipped, look-alikes and single jamo become the syllables they are read as; over that runs an Aho-Corasick automaton, a
step a letter. Where a term was found, the gaps inside it decide whether it is one, and whether it was in disguise.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpus.automaton import automaton
from corpus.characters import EMOJI, NEWLINE, SPACE, SYMBOL, character_table
from corpus.kernels import Bytes, Ints, Longs, Shorts, decode, inner, kernel

SIGN, BLANK, BREAK = 1 << 13, 2 << 13, 3 << 13  # kinds of characters that are no letters, in cells of the fold table
LOOKS = 1 << 12  # a letter that may be read as another
SYMBOLS = (1 << 12) - 1
UNSPACED = 4  # letters of a term that may have a space anywhere: 출장 마사지, 무직자 대출
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_LIKE_INITIALS = {"ㅈ": "Zzス", "ㄱ": "7フ", "ㄷ": "C", "ㄴ": "L", "ㅇ": "Oo0", "ㅌ": "E", "ㅅ": "人"}
_LIKE_VOWELS = {"ㅏ": "r卜ト├", "ㅓ": "┤", "ㅐ": "H", "ㅣ": "lIi1|!"}
_LIKE_SYLLABLES = {"2": "이", "4": "사", "5": "오", "9": "구"}
_LIKE_HANJA = {"大": "대", "出": "출", "無": "무", "金": "금"}

# Rows of `Lexicon.looks`: what a code point may stand for, one more than its place in the strings above.
_INITIAL, _VOWEL, _FINAL = range(3)
# Columns of `Lexicon.terms`.
LENGTH, CATEGORY, ANCHORED, ADVERTISES = range(4)


class Lexicon(NamedTuple):
    """Lexicons as the kernel reads them.

    Attributes:
        fold: by code point below 65,536: kind, LOOKS, and the number of its letter, 0 for letters in no term; uint16.
        looks: initial, vowel and final that a code point may be read as, uint8 [3, 65536].
        table: next state by state and letter, int16 [states, letters].
        ends: the longest term that ends in a state, or -1; the state of the next longest, int32 [states, 2].
        terms: length in letters, category, whether anchored, whether it advertises, int32 [terms, 4].
    """

    fold: Shorts
    looks: Bytes
    table: npt.NDArray[np.int16]
    ends: Ints
    terms: Ints


def lexicon(categories: Mapping[str, Sequence[str]], advertised: Sequence[str]) -> Lexicon:
    """Prepare lexicons for `count_terms`.

    Args:
        categories: terms by category, ASCII letters in either case; a category "innocent", if there, is the last.
        advertised: categories whose terms are counted together.
    """
    rows = [
        (term.removeprefix("^").lower(), number, term.startswith("^"), name in advertised)
        for number, (name, terms) in enumerate(categories.items())
        for term in terms
    ]
    letters = {letter: n for n, letter in enumerate(sorted({letter for row in rows for letter in row[0]}), 1)}
    built = automaton([[letters[letter] for letter in term] for term, *_ in rows], len(letters) + 1)
    ends = np.full((len(built.table), 2), (-1, 0), np.int32)
    for index, state in enumerate(built.ends):
        ends[state, 0] = index if ends[state, 0] < 0 else ends[state, 0]
    for state in built.order[1:]:
        shorter = built.fallback[state]
        ends[state, 1] = shorter if ends[shorter, 0] >= 0 else ends[shorter, 1]
    terms = np.array([(len(term), *rest) for term, *rest in rows], np.int32).reshape(-1, 4)
    return Lexicon(_fold(letters), _looks(), built.table, ends, terms)


def _fold(letters: Mapping[str, int]) -> Shorts:
    kinds = character_table() & 15
    fold = np.zeros(65536, np.uint16)
    fold[(kinds == SYMBOL) | (kinds == EMOJI)] = SIGN
    fold[kinds == SPACE] = BLANK
    fold[kinds == NEWLINE] = BREAK
    for point in range(65536):
        plain = unicodedata.normalize("NFKC", chr(point)).lower()
        plain = _LIKE_HANJA.get(plain, plain)
        if plain in letters:
            fold[point] = letters[plain]
    for look in "".join([*_LIKE_INITIALS.values(), *_LIKE_SYLLABLES, *_INITIALS]):
        fold[ord(look)] |= LOOKS
    return fold


def _looks() -> Bytes:
    looks = np.zeros((3, 65536), np.uint8)
    for row, plain, alike in ((_INITIAL, _INITIALS, _LIKE_INITIALS), (_VOWEL, _VOWELS, _LIKE_VOWELS)):
        for number, jamo in enumerate(plain, 1):
            for look in jamo + alike.get(jamo, ""):
                looks[row, ord(look)] = number
    for number, jamo in enumerate(_FINALS):
        looks[_FINAL, ord(jamo)] = number
    looks[_FINAL, ord(" ")] = 0
    return looks


@inner
def _is_korean(point: Any) -> bool:
    return 0xAC00 <= point < 0xD7A4 or 0x3131 <= point < 0x3164


@inner
def _unmasked(
    buffer: Bytes, after: Any, end: Any, point: Any, previous: Any, fold: Shorts, looks: Bytes
) -> tuple[Any, Any]:
    """What a letter that may stand for another is read as, or it itself; and the byte after what was read.

    Args:
        after: byte after the letter.
        previous: code point directly before it, 0 where that is no letter.
    """
    second, next_after = (0, after) if after >= end else decode(buffer, after)
    initial = looks[_INITIAL, point]
    vowel = looks[_VOWEL, second] if second < 65536 else 0
    third, last = (0, next_after) if next_after >= end else decode(buffer, next_after)
    korean = _is_korean(point) or _is_korean(second) or _is_korean(previous) or _is_korean(third)
    if initial > 0 and vowel > 0 and korean:
        syllable = 0xAC00 + ((initial - 1) * 21 + vowel - 1) * 28
        if _is_korean(third) and looks[_FINAL, third] > 0:
            fourth = 0 if last >= end else decode(buffer, last)[0]
            if fourth >= 65536 or looks[_VOWEL, fourth] == 0:
                return np.int64(syllable + looks[_FINAL, third]), last
        return np.int64(syllable), next_after
    if 48 <= point <= 57:
        alone = not 48 <= previous <= 57 and not 48 <= second <= 57
        if alone and (_is_korean(previous) or _is_korean(second)):
            if point == 50:
                return 0xC774, after
            if point == 52:
                return 0xC0AC, after
            if point == 53:
                return 0xC624, after
            if point == 57:
                return 0xAD6C, after
    return point, after


@inner
def _gaps(history: Any, length: int) -> int:
    """How many of the places inside the last `length` letters are marked in a history, a bit a letter."""
    count, inside = 0, history & ((1 << (length - 1)) - 1)
    while inside != 0:
        inside &= inside - 1
        count += 1
    return count


@inner
def _is_term(length: int, anchored: Any, spaces: Any, starts: Any) -> bool:
    """Whether the last letters, with the gaps there are between them, are to be read as a term."""
    begins = starts >> (length - 1) & 1
    if anchored and not begins:
        return False
    inside = _gaps(spaces, length)
    return inside == 0 or bool(begins and (length >= UNSPACED or (length == 3 and inside == 2)))


@inner
def _is_disguised(length: int, spaces: Any, signs: Any, fakes: Any) -> bool:
    cuts = _gaps(signs, length)
    if cuts > 1 or (cuts == 1 and length < UNSPACED):
        return True
    if fakes & ((1 << length) - 1):
        return True
    return bool(length >= 3 and _gaps(spaces, length) == length - 1)


@inner
def _count(row: Longs, terms: Ints, term: Any, disguised: Any, by: int) -> None:
    row[terms[term, CATEGORY]] += by
    if terms[term, ADVERTISES] and disguised:
        row[row.shape[0] - 2] += by


@inner
def _take(
    d: int,
    state: Any,
    at: Any,
    free: Any,
    last: Any,
    gaps: tuple[Any, Any, Any, Any],
    ends: Ints,
    terms: Ints,
    met: Longs,
    rows: Longs,
) -> tuple[Any, Any]:
    """Count the longest term that ends at letter `at`, or take back the last where this one is innocent.

    Args:
        free, last: the first letter in no term, and the last term (twice its index, odd where it was in disguise; -1
            where there is none).
        met: by term, the last document it was in.

    Returns:
        `free` and `last`, as they now are.
    """
    spaces, signs, starts, fakes = gaps
    row = rows[d]
    innocent = row.shape[0] - 3
    while state != 0:
        term: Any = np.int64(ends[state, 0])
        length: Any = np.int64(terms[term, LENGTH])
        if _is_term(length, terms[term, ANCHORED], spaces, starts):
            if terms[term, CATEGORY] == innocent:
                if at - length < free and last >= 0:
                    _count(row, terms, last >> 1, last & 1, -1)
                    return free, -1
            elif at - length >= free:
                disguised = _is_disguised(length, spaces, signs, fakes)
                _count(row, terms, term, disguised, 1)
                if terms[term, ADVERTISES] and met[term] != d:
                    met[term] = d
                    row[innocent + 2] += 1
                return at, term * 2 + disguised
            return free, last
        state = np.int64(ends[state, 1])
    return free, last


@kernel
def count_terms(
    buffer: Bytes,
    offsets: Longs,
    fold: Shorts,
    looks: Bytes,
    table: npt.NDArray[np.int16],
    ends: Ints,
    terms: Ints,
    rows: Longs,
) -> None:
    """Count the terms of a lexicon in every document; of those that overlap, the one that ends first.

    Args:
        fold to terms: see Lexicon.
        rows: written, int64 [documents, categories + 2]: terms of each category, terms in disguise of those that
            advertise, and how many of these are different. The last category, innocent, is not counted.
    """
    met = np.full(terms.shape[0], -1, np.int64)
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        node: Any = 0
        at, free, last = 0, 0, -1  # letters, the first of them in no term, the last term
        spaces, signs, starts, fakes = 0, 0, 0, 0  # a bit a letter, the newest lowest: what stood before it
        blank, cuts, stretch, previous = 1, 0, 0, 0
        while i < end:
            point, after = decode(buffer, i)
            cell: Any = np.int64(fold[np.uint64(point)]) if point < 65536 else SIGN
            if cell >= SIGN:
                mixed = blank > 0 if cell < BLANK else cuts > 0  # as after a comma, or around a dash
                if cell >= BREAK or cuts > 2 or (stretch > 1 and mixed):
                    node = 0
                blank += cell >= BLANK
                cuts += cell < BLANK
                previous, i = 0, after
                continue
            i = after
            read = point
            if cell & LOOKS:
                read, i = _unmasked(buffer, after, end, point, previous, fold, looks)
                cell = np.int64(fold[read])
            fakes = fakes << 1 | (read != point)
            spaces, signs = spaces << 1 | (blank > 0), signs << 1 | (cuts > 0)
            starts = starts << 1 | (blank + cuts > 0)
            stretch = 1 if blank + cuts > 0 else stretch + 1
            blank, cuts, previous = 0, 0, point if read == point else read
            at += 1
            node = np.int64(table[np.uint64(node), np.uint64(cell & SYMBOLS)])
            state = node if ends[np.uint64(node), 0] >= 0 else np.int64(ends[np.uint64(node), 1])
            if state != 0:
                gaps = (spaces, signs, starts, fakes)
                free, last = _take(d, state, at, free, last, gaps, ends, terms, met, rows)
