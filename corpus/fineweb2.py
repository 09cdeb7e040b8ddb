"""FineWeb-2's three Korean filters, decision for decision: the parity profile `fineweb2-kor`, for comparisons alone.

No stage calls this: it is Python by document, and its thresholds count words of the Korean analyser Kiwi, so they mean
nothing on signals over eojeol. Given a text and its words it decides as datatrove 0.10.1 does with FineWeb-2's
configuration for `kor_Hang`: Gopher repetition, then FineWeb quality, then Gopher quality, each rule in its order, the
first that is broken named. Thresholds: github.com/huggingface/fineweb-2, configs/kor_Hang.yml and fineweb-2-pipeline.py
(which switches off the rules on paragraphs, on characters of repeated lines, and on short lines).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

PROFILE = "fineweb2-kor"

MAX_REPEATED_LINES = 0.374
MAX_TOP = ((2, 0.282), (3, 0.228), (4, 0.185))  # n, share of the text's characters
MAX_REPEATED = ((5, 0.201), (6, 0.184), (7, 0.168), (8, 0.154), (9, 0.14), (10, 0.127))
MIN_ENDED_LINES = 0.062
MAX_REPEATED_LINE_CHARS = 0.1
MAX_LINES_A_WORD = 0.196
WORDS = (50, 100_000)
WORD_LENGTH = (1, 6)  # mean, characters
MAX_SYMBOLS_A_WORD = 0.1
MAX_BULLETS = 0.9
MAX_ELLIPSES = 0.3
MIN_ALPHABETIC = 0.791
MIN_STOP_WORDS = 2
STOP_WORDS = frozenset([*"의다이는에을한년하은를했고가있인월로되", "에서", "으로"])

# Characters that end a sentence (Unicode's Sentence_Terminal as datatrove has it), hexadecimal code points.
_TERMINAL = """
21 2E 3F 589 61D-61F 6D4 700-702 7F9 837 839 83D-83E 964-965 104A-104B 1362 1367-1368 166E 1735-1736 17D4-17D6
17D9-17DA 1803 1809 1944-1945 1AA8-1AAB 1B5A-1B5B 1B5E-1B5F 1B7D-1B7E 1C3B-1C3C 1C7E-1C7F 203C-203D 2047-2049 2E2E 2E3C
2E53-2E54 3002 A4FF A60E-A60F A6F3 A6F7 A876-A877 A8CE-A8CF A92F A9C8-A9C9 AA5D-AA5F AAF0-AAF1 ABEB FE52 FE56-FE57 FF01
FF0E FF1F FF61 10A56-10A57 10F55-10F59 10F86-10F89 11047-11048 110BE-110C1 11141-11143 111C5-111C6 111CD 111DE-111DF
11238-11239 1123B-1123C 112A9 1144B-1144C 115C2-115C3 115C9-115D7 11641-11642 1173C-1173E 11944 11946 11A42-11A43
11A9B-11A9C 11C41-11C42 11EF7-11EF8 11F43-11F44 16A6E-16A6F 16AF5 16B37-16B38 16B44 16E98 1BC9F 1DA88
"""
# What a word may consist of and not count as a word: these, controls, and the terminal characters. Not · nor ㆍ.
_SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~«´»–—’“”„…∶━►、。〈〉《》「」【】！％（），．１：；？～"
_CONTROLS = "0-8 B-1F 7F-9F"


class Verdict(NamedTuple):
    """What the filters say; rule, value and limit are None of a text that is kept, value and limit of an empty one."""

    keep: bool
    rule: str | None = None
    value: float | None = None
    limit: float | None = None


def fineweb2_verdict(text: str, words: Sequence[str]) -> Verdict:
    """The decision of FineWeb-2's Korean filters.

    Args:
        text: normalised as you like; the filters themselves change nothing.
        words: of the text, in order: Kiwi's for the published thresholds to mean what they say.
    """
    for rule, value, limit, broken in _checks(text, words):
        if broken:
            return Verdict(False, f"fineweb2.{rule}", value, limit)
    return Verdict(True)


_Check = tuple[str, float | None, float | None, bool]


def _checks(text: str, words: Sequence[str]) -> Iterator[_Check]:
    lines = [line for line in text.split("\n") if line.strip()]
    yield "empty", None, None, not lines or not words
    yield from _repetition(text, words)
    yield from _fineweb_quality(text, lines, words)
    yield from _gopher_quality(text, words)


def _at_most(rule: str, value: float, limit: float) -> _Check:
    return rule, value, limit, value > limit


def _at_least(rule: str, value: float, limit: float) -> _Check:
    return rule, value, limit, value < limit


def _repetition(text: str, words: Sequence[str]) -> Iterator[_Check]:
    lines = re.split(r"\n+", text)  # a line end at either end of the text makes an empty line, which counts
    yield _at_most("dup_line_frac", (len(lines) - len(set(lines))) / len(lines), MAX_REPEATED_LINES)
    for n, limit in MAX_TOP:
        grams = Counter(" ".join(words[start : start + n]) for start in range(len(words) - n + 1))
        if grams:
            gram, times = max(grams.items(), key=lambda item: item[1])  # of equally frequent ones the first
            yield _at_most(f"top_{n}_gram", len(gram) * times / len(text), limit)
    for n, limit in MAX_REPEATED:
        yield _at_most(f"duplicated_{n}_n_grams", _repeated_characters(words, n) / len(text), limit)


def _repeated_characters(words: Sequence[str], n: int) -> int:
    """Characters in runs of n words that stood before; a run that did is passed over whole."""
    seen: set[str] = set()
    repeated = start = 0
    while start <= len(words) - n:
        gram = "".join(words[start : start + n])
        if gram in seen:
            repeated += len(gram)
            start += n
        else:
            seen.add(gram)
            start += 1
    return repeated


def _fineweb_quality(text: str, lines: Sequence[str], words: Sequence[str]) -> Iterator[_Check]:
    ended = sum(line[-1] in _terminal() for line in lines) / len(lines)
    yield _at_least("line_punct_ratio", ended, MIN_ENDED_LINES)
    repeated = sum(len(line) * (times - 1) for line, times in Counter(lines).items())
    yield _at_most("char_dup_ratio", repeated / len(text.replace("\n", "")), MAX_REPEATED_LINE_CHARS)
    yield _at_most("list_ratio", text.count("\n") / len(words), MAX_LINES_A_WORD)


def _gopher_quality(text: str, words: Sequence[str]) -> Iterator[_Check]:
    real = [word for word in words if not _signs().issuperset(word)]
    yield _at_least("gopher_short_doc", len(real), WORDS[0])
    yield _at_most("gopher_long_doc", len(real), WORDS[1])
    length = sum(map(len, real)) / len(real)
    yield _at_least("gopher_below_avg_threshold", length, WORD_LENGTH[0])
    yield _at_most("gopher_above_avg_threshold", length, WORD_LENGTH[1])
    yield _at_most("gopher_too_many_hashes", text.count("#") / len(words), MAX_SYMBOLS_A_WORD)
    ellipses = text.count("...") + text.count("…")
    yield _at_most("gopher_too_many_ellipsis", ellipses / len(words), MAX_SYMBOLS_A_WORD)
    lines = text.splitlines()
    bullets = sum(line.lstrip().startswith(("•", "-")) for line in lines)
    yield _at_most("gopher_too_many_bullets", bullets / len(lines), MAX_BULLETS)
    trailing = sum(line.rstrip().endswith(("...", "…")) for line in lines)
    yield _at_most("gopher_too_many_end_ellipsis", trailing / len(lines), MAX_ELLIPSES)
    alphabetic = sum(any(map(str.isalpha, word)) for word in words)
    yield _at_least("gopher_below_alpha_threshold", alphabetic / len(words), MIN_ALPHABETIC)
    yield _at_least("gopher_enough_stop_words", len(STOP_WORDS.intersection(words)), MIN_STOP_WORDS)


@lru_cache(maxsize=1)
def _terminal() -> frozenset[str]:
    return frozenset(_characters(_TERMINAL.split()))


@lru_cache(maxsize=1)
def _signs() -> frozenset[str]:
    return _terminal() | frozenset(_SIGNS) | frozenset(_characters(_CONTROLS.split()))


def _characters(ranges: Iterable[str]) -> Iterator[str]:
    for one in ranges:
        first, _, last = one.partition("-")
        yield from map(chr, range(int(first, 16), int(last or first, 16) + 1))
