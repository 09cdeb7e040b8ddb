"""Registers: what kind of writing a document is, guessed from its signals alone; decide takes the thresholds by it.

A visible list of conditions, tried in order; the first that holds names the register, and what none claims is an
encyclopedia's prose. All is said over whole columns, so a million documents take a fraction of a second.

A guess is not a label. It decides only how much a rule forgives, so a condition asks for just what its profile
(`corpus/profiles/*.yaml`) forgives: chat is short, so only short texts are chat; a catalogue has figures and signs, so
a list of nothing but search words is none. Where registers share thresholds, as news and encyclopedias mostly do,
confusing them costs nothing. The conditions were set by hand: law on rulings, bills and guidelines of ministries; chat
on reviews, comments and dialogue; mixed on manuals and package descriptions; catalogue on notices and a shop's texts;
news and blogs on paragraphs written for the tests, since no open corpus of either could be had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Marks = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Signals = Mapping[str, Floats]
"""Name of a signal (`corpus/signals.py`) → its values, float64 [documents]."""


@dataclass(frozen=True, slots=True)
class Register:
    """One register: `claims` marks the documents that it takes of those that no earlier one took."""

    name: str
    doc: str
    claims: Callable[[Signals], Marks]


def _mixed(s: Signals) -> Marks:
    # Running Korean (particles) around code and foreign terms; pages left in English have hardly any particles.
    return (s["latin"] >= 0.2) & (s["particles"] >= 0.3) & (s["eojeol"] >= 5)


def _chat(s: Signals) -> Marks:
    laughs = (s["jamo"] >= 0.02) & (s["eojeol"] <= 300)
    plain = (s["digits"] <= 0.12) & (s["bullets"] == 0) & (s["urls"] == 0) & (s["particles"] >= 0.3)
    # The shortest must end like a sentence, or be laughter: names of buttons and menus are short too.
    speaks = (s["chars"] >= 15) | (s["ended_lines"] > 0)
    one_line = (s["chars"] <= 120) & (s["lines"] <= 1) & (s["digits"] <= 0.06) & speaks
    turns = (s["lines"] >= 3) & (s["chars"] <= 30 * s["lines"]) & (s["symbols"] >= 0.05) & (s["chars"] <= 1000)
    return (laughs | (plain & (one_line | turns))) & _korean(s)


def _news(s: Signals) -> Marks:
    # Whole sentences in long lines, with quotations and figures, or with by-lines that measure took out.
    prose = (s["ended_lines"] >= 0.5) & (s["chars"] >= 60 * s["lines"]) & (s["particles"] >= 0.5)
    reports = (s["symbols"] >= 0.05) & (s["digits"] >= 0.01) & (s["chars"] >= 200) & (s["bullets"] == 0)
    return prose & (reports | (s["boilerplate"] > 0)) & (s["singles"] < 0.06) & (s["latin"] < 0.15) & _korean(s)


def _law(s: Signals) -> Marks:
    # Articles and items (제3조, 1., 가.), citations with figures, 이 법 및 그 각 호, long compounds; hanja count too.
    numbered = (s["digits"] >= 0.02) & (s["digits"] <= 0.3) & (s["digits"] + s["symbols"] >= 0.07)
    listed = (s["bullets"] >= 0.1) | (s["singles"] >= 0.1) | (s["eojeol_length"] >= 3.4)
    compounds = (s["eojeol_length"] >= 3.7) & (s["hangul_letters"] >= 0.9)
    korean = s["hangul_letters"] + s["hanja"] >= 0.85
    return ((numbered & listed) | compounds) & korean & (s["particles"] >= 0.3) & (s["chars"] >= 60)


def _catalogue(s: Signals) -> Marks:
    # Figures, units and signs between nouns, hardly a sentence; search words strung together repeat themselves.
    figures = (s["digits"] + s["symbols"] >= 0.1) & (s["digits"] >= 0.02)
    nouns = (s["particles"] < 0.45) | ((s["ended_lines"] < 0.2) & (s["short_lines"] >= 0.5))
    return figures & nouns & (s["bullets"] < 0.3) & (s["distinct"] >= 0.5) & (s["hangul_letters"] >= 0.3)


def _blog(s: Signals) -> Marks:
    # Lines broken by hand, as in blogs, poems and lyrics: short ones, many, few figures.
    broken = (s["lines"] >= 3) & (s["chars"] <= 40 * s["lines"]) & (s["digits"] < 0.1) & (s["bullets"] < 0.3)
    signs = (s["emoji"] > 0) | ((s["ellipses"] > 0.1) & (s["lines"] >= 3))
    return (broken | signs) & (s["particles"] >= 0.3) & _korean(s)


def _korean(s: Signals) -> Marks:
    return s["hangul_letters"] >= 0.7


REGISTERS = (
    Register("mixed", "Korean around code, commands and foreign terms: technical texts", _mixed),
    Register("chat", "chat, reviews, comments, dialogue: short, or with laughter", _chat),
    Register("catalogue", "products, notices, tables: names and figures, hardly a sentence", _catalogue),
    Register("news", "reports in whole sentences", _news),
    Register("law", "law and government: articles, items, citations, guidelines", _law),
    Register("blog", "lines broken by hand: blogs, diaries, poems, lyrics", _blog),
    Register("encyclopedia", "prose that explains; all that no other register claims", lambda s: s["chars"] >= 0),
)
NAMES = tuple(register.name for register in REGISTERS)
NEEDED = (
    *("chars", "eojeol", "lines", "hangul_letters", "hanja", "latin", "jamo", "digits", "symbols", "emoji"),
    *("eojeol_length", "singles", "particles", "distinct", "ended_lines", "short_lines", "bullets", "ellipses"),
    *("urls", "boilerplate"),
)


def guess(signals: Signals) -> npt.NDArray[np.int64]:
    """The register of each document, int64 [documents], an index into REGISTERS.

    Args:
        signals: those NEEDED, float64 [documents].
    """
    found = np.full(len(signals["chars"]), len(REGISTERS) - 1, np.int64)
    free = np.ones(len(found), np.bool_)
    for number, register in enumerate(REGISTERS):
        claimed = free & register.claims(signals)
        found[claimed] = number
        free &= ~claimed
    return found
