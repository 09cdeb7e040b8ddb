"""The rules of decide: one signal, one limit each. A document goes by the first rule, in this order, that it breaks.

The limits come from Korean as it is written, not from English rules: line ends and full stops judge nothing (blogs,
law, chat and lists have none), a paragraph of one line is no defect, ㅋㅋ is a register, a technical text may be half
Latin. A rule on shares waits for enough text to take a share of (`since`). Rules on rights come before all of these
(`corpus/decide.py`).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from corpus.settings import setting

Profile = Literal["default", "passthrough"]
Share = Annotated[float, Ge(0), Le(1)]
Number = Annotated[float, Ge(0)]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: dotted, as it stands in verdicts and counts.
        signal: the column of signals/ that it judges.
        bound: whether the limit is the least or the greatest that is kept.
        limit: name of the field of DecideSettings that holds the limit.
        since: a signal and the least value of it at which the rule judges at all.
    """

    id: str
    signal: str
    bound: Literal["min", "max"]
    limit: str
    since: tuple[str, float] = ("bytes", 0)


RULES = (
    Rule("boilerplate.share", "boilerplate", "max", "max_boilerplate"),
    Rule("script.mojibake", "mojibake", "max", "max_mojibake"),
    Rule("script.hangul", "hangul_letters", "min", "min_hangul"),
    Rule("script.visible_hangul", "hangul", "min", "min_visible_hangul"),
    Rule("script.digits", "digits", "max", "max_digits", ("chars", 40)),
    Rule("script.symbols", "symbols", "max", "max_symbols", ("chars", 40)),
    Rule("script.jamo", "jamo", "max", "max_jamo"),
    Rule("length.chars", "chars", "min", "min_chars"),
    Rule("length.eojeol", "eojeol", "min", "min_eojeol"),
    Rule("form.eojeol_length", "eojeol_length", "max", "max_eojeol_length"),
    Rule("form.singles", "singles", "max", "max_singles", ("eojeol", 20)),
    Rule("form.particles", "particles", "min", "min_particles", ("eojeol", 20)),
    Rule("form.urls", "urls", "max", "max_urls", ("eojeol", 5)),
    Rule("form.cut_off", "cut_off", "max", "max_cut_off"),
    Rule("form.entropy", "entropy", "min", "min_entropy", ("chars", 40)),
    Rule("repeat.lines", "repeated_lines", "max", "max_repeated_lines", ("lines", 4)),
    Rule("repeat.fives", "repeated_fives", "max", "max_repeated_fives", ("eojeol", 20)),
    Rule("repeat.top_pair", "top_pair", "max", "max_top_pair", ("eojeol", 50)),
    Rule("repeat.runs", "runs", "max", "max_runs", ("chars", 20)),
    Rule("spam.density", "spam", "max", "max_spam", ("spam_terms", 2)),
)

Tag = Literal["toxicity", "bias"]


def _sample_above() -> dict[Tag, float]:
    return {"toxicity": 0.02, "bias": 0.02}


_LABELLED = "set by hand on Korean of thirteen sources: help pages, rulings, manuals, dialogue, reviews, comments"


@dataclass(frozen=True, slots=True)
class DecideSettings:
    """Limits of the rules, and which sources they do not judge."""

    profiles: dict[str, Profile] = setting(
        dict, "source → default or passthrough (English replay text and the like: rights are asked for, rules are not)"
    )
    sample: dict[Tag, Share] = setting(
        dict, "toxicity or bias → probability with which a document above sample_above is kept; silent: all are"
    )
    sample_above: dict[Tag, Number] = setting(
        _sample_above, "density up to which every document is kept", unit="terms an eojeol"
    )
    max_boilerplate: Share = setting(0.5, "boilerplate found before editing", unit="share of bytes")
    max_mojibake: Share = setting(0.05, "broken characters", unit="share of visible characters")
    min_hangul: Share = setting(
        0.2, "Hangul among letters", unit="share of letters", origin="code-mixed technical Korean has .25 and more"
    )
    min_visible_hangul: Share = setting(0.1, "Hangul", unit="share of visible characters")
    max_digits: Share = setting(0.4, "digits", unit="share of visible characters", origin=_LABELLED)
    max_symbols: Share = setting(0.5, "punctuation and symbols", unit="share of visible characters", origin=_LABELLED)
    max_jamo: Share = setting(0.5, "single jamo", unit="share of visible characters")
    min_chars: Number = setting(15, "length", unit="characters")
    min_eojeol: Number = setting(3, "length", unit="eojeol")
    max_eojeol_length: Number = setting(
        25, "mean length of an eojeol", unit="characters", origin="unspaced Korean reviews and chat stay"
    )
    max_singles: Share = setting(0.6, "eojeol of one character", unit="share of eojeol")
    min_particles: Share = setting(
        0.07, "eojeol that end like a particle or an ending", unit="share of Hangul eojeol", origin=_LABELLED
    )
    max_urls: Share = setting(0.3, "eojeol with a web address", unit="share of eojeol")
    max_cut_off: Share = setting(0.0, "texts that end in … 더보기: 0 removes them, 1 keeps them", unit="0 or 1")
    min_entropy: Number = setting(2.5, "entropy of the characters", unit="bits a character")
    max_repeated_lines: Share = setting(0.4, "lines that stood before", unit="share of the bytes of lines")
    max_repeated_fives: Share = setting(0.5, "eojeol in repeated runs of five", unit="share of eojeol")
    max_top_pair: Share = setting(0.3, "eojeol in the most frequent pair", unit="share of eojeol")
    max_runs: Share = setting(0.5, "fourth and later equal characters in a row", unit="share of visible characters")
    max_spam: Number = setting(
        0.1, "terms of advertisements, two different ones at least", unit="terms an eojeol", origin=_LABELLED
    )

    def limit(self, rule: Rule) -> float:
        """The limit of a rule."""
        return float(getattr(self, rule.limit))

    def limits(self) -> dict[str, float]:
        """Field → limit, for all the limits."""
        values = dataclasses.asdict(self)
        return {rule.limit: float(values[rule.limit]) for rule in RULES}
