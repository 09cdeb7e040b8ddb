"""The rules of decide: one signal, one limit each. A document goes by the first rule, in this order, that it breaks.

A rule is one line in RULES and its limit one line in `corpus/profiles/default.yaml`; profiles beside that file, one for
each register (`corpus/registers.py`), say where a register's limit differs. What it limits, in which unit, is the
signal's own description (`corpus/signals.py`). The recipe's `decide` may set any limit, for all registers.

The limits come from Korean as it is written, not from English rules: line ends and full stops judge nothing (blogs,
law, chat and lists have none), a paragraph of one line is no defect, ㅋㅋ is a register, a technical text may be half
Latin. A rule on shares waits for enough text to take a share of (`since`). Rules on rights come before all of these
(`corpus/decide.py`).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from annotated_types import Ge, Le

from corpus import profiles
from corpus.errors import RecipeError, UsageError
from corpus.policies import Sampling
from corpus.profiles import DEFAULT, Limits
from corpus.settings import setting
from corpus.signals import SIGNALS

AUTO, PASSTHROUGH = "auto", "passthrough"
"""Profiles that no file holds: the register's thresholds; no rule at all (rights are asked for)."""

_RUNNING = "99 % of rulings, reviews, comments and LibreOffice's help have .31 and more, search words in a row about .1"
_LABELLED = "set by hand on Korean of thirteen sources: help pages, rulings, manuals, dialogue, reviews, comments"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: dotted, as it stands in verdicts and counts.
        signal: the column of signals/ that it judges.
        bound: whether the limit is the least or the greatest that is kept.
        limit: its name in profiles and under the recipe's `decide`.
        since: a signal and the least value of it at which the rule judges at all.
        origin: where the default limit comes from, where it was measured or read.
    """

    id: str
    signal: str
    bound: Literal["min", "max"]
    limit: str
    since: tuple[str, float] = ("bytes", 0)
    origin: str = ""


RULES = (
    Rule("boilerplate.share", "boilerplate", "max", "max_boilerplate"),
    Rule("script.mojibake", "mojibake", "max", "max_mojibake"),
    Rule("script.hangul", "hangul_letters", "min", "min_hangul", origin="code-mixed technical Korean has .25 and more"),
    Rule("script.visible_hangul", "hangul", "min", "min_visible_hangul"),
    Rule("script.digits", "digits", "max", "max_digits", ("chars", 40), _LABELLED),
    Rule("script.symbols", "symbols", "max", "max_symbols", ("chars", 40), _LABELLED),
    Rule("script.jamo", "jamo", "max", "max_jamo"),
    Rule("length.chars", "chars", "min", "min_chars"),
    Rule("length.eojeol", "eojeol", "min", "min_eojeol"),
    Rule("form.eojeol_length", "eojeol_length", "max", "max_eojeol_length", origin="unspaced reviews and chat stay"),
    Rule("form.singles", "singles", "max", "max_singles", ("eojeol", 20)),
    Rule("form.particles", "particles", "min", "min_particles", ("eojeol", 12), _RUNNING),
    Rule("form.urls", "urls", "max", "max_urls", ("eojeol", 5)),
    Rule("form.cut_off", "cut_off", "max", "max_cut_off"),
    Rule("form.entropy", "entropy", "min", "min_entropy", ("chars", 40)),
    Rule("repeat.lines", "repeated_lines", "max", "max_repeated_lines", ("lines", 4)),
    Rule("repeat.fives", "repeated_fives", "max", "max_repeated_fives", ("eojeol", 20)),
    Rule("repeat.top_pair", "top_pair", "max", "max_top_pair", ("eojeol", 50)),
    Rule("repeat.runs", "runs", "max", "max_runs", ("chars", 20)),
    Rule("spam.density", "spam", "max", "max_spam", ("spam_terms", 3), _LABELLED),
    Rule("spam.advertising", "advertising", "max", "max_advertising", ("spam_terms", 2), _LABELLED),
    Rule("spam.disguised", "disguised", "max", "max_disguised", origin=_LABELLED),
    Rule("quality.score", "quality", "min", "min_quality", ("chars", 40)),  # no score (null): not judged
)
_DESCRIBED = {signal.name: signal for signal in SIGNALS}


def _greatest(rule: Rule) -> float:
    """The greatest value of a rule's limit: 1 of a share, else any."""
    unit = _DESCRIBED[rule.signal].unit
    return 1.0 if unit.startswith("share") or unit in ("0 or 1", "probability") else math.inf


KNOWN: Mapping[str, float] = {rule.limit: _greatest(rule) for rule in RULES}
"""Name of each limit → the greatest value it may have."""

_Class = TypeVar("_Class", bound=type)


def _with_limits(kind: _Class) -> _Class:
    """A settings class with one field more for each rule, None where the profile's limit stands."""
    for rule in RULES:
        signal = _DESCRIBED[rule.signal]
        number = Annotated[float, Ge(0)] if math.isinf(KNOWN[rule.limit]) else Annotated[float, Ge(0), Le(1)]
        kind.__annotations__[rule.limit] = number | None
        setattr(kind, rule.limit, setting(None, partial(_explained, rule), unit=signal.unit, origin=rule.origin))
    return kind


def _explained(rule: Rule) -> str:
    """What a limit says, with its values by profile, for `hanjo recipe explain`."""
    most = "at most" if rule.bound == "max" else "at least"
    shipped = shipped_limits()
    usual = shipped[DEFAULT][rule.limit]
    other = [f"{name} {limits[rule.limit]:g}" for name, limits in shipped.items() if limits[rule.limit] != usual]
    values = ", ".join([f"{usual:g}", *other])
    return f"{_DESCRIBED[rule.signal].doc}: {most} this is kept. Null: the profile's limit ({values})"


Tag = Literal["toxicity", "bias"]
Share = Annotated[float, Ge(0), Le(1)]
Number = Annotated[float, Ge(0)]


def _sample_above() -> dict[Tag, float]:
    return {"toxicity": 0.02, "bias": 0.02}


@dataclass(frozen=True, slots=True)
@_with_limits
class DecideSettings:
    """Which profile judges which source, and limits that stand for all of them."""

    profile: str = setting(
        AUTO,
        "profile of the sources that `profiles` does not name: auto (by the register guessed for each document), "
        "passthrough (no rules), default, the name of a register, or the path of a YAML file",
    )
    sample: dict[Tag, Share] = setting(
        dict, "toxicity or bias → probability with which a document above sample_above is kept; silent: all are"
    )
    sample_above: dict[Tag, Number] = setting(
        _sample_above, "density up to which every document is kept", unit="terms an eojeol"
    )
    profiles: dict[str, str] = setting(
        dict,
        "source → profile, as above (passthrough for English replay text and the like: rights are asked for, rules "
        "are not)",
    )
    own_profiles: dict[str, Limits] = setting(
        dict, "name → limits that differ from the default's; files named above are read into here"
    )

    def __post_init__(self) -> None:
        for name, limits in self.own_profiles.items():
            try:
                profiles.check_limits(limits, KNOWN, f"own_profiles.{name}")
            except RecipeError as error:
                raise ValueError(f"{error.where}: {error.what}; {error.fix}") from error
        for name in (self.profile, *self.profiles.values()):
            if problem := self._unknown(name):
                raise ValueError(problem)

    def _unknown(self, name: str) -> str:
        known = (AUTO, PASSTHROUGH, *profiles.names(), *self.own_profiles)
        if name in known:
            return ""
        near = difflib.get_close_matches(name, known, n=1)
        return f"there is no profile {name!r}; " + (
            f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}, or the path of a YAML file"
        )

    def sampling(self, seed: int) -> Sampling:
        """How documents are sampled by tags."""
        kept = {str(tag): probability for tag, probability in self.sample.items()}
        return Sampling(kept, {str(tag): density for tag, density in self.sample_above.items()}, seed)

    def limits(self) -> dict[str, Limits]:
        """Profile → limit of every rule: the default's, the profile's over them, the recipe's own over both.

        JSON-like, so that a stage's fingerprint covers the contents of the profiles.
        """
        shipped = shipped_limits()
        own = {name: shipped[DEFAULT] | limits for name, limits in self.own_profiles.items()}
        given = {limit: value for limit in KNOWN if (value := getattr(self, limit)) is not None}
        return {name: limits | given for name, limits in (shipped | own).items()}


def shipped_limits() -> dict[str, Limits]:
    """Profile of `corpus/profiles/` → limit of every rule.

    Raises:
        RecipeError: a profile is wrong, or default.yaml lacks a limit.
    """
    read = {name: profiles.read_profile(profiles.FOLDER / f"{name}.yaml", KNOWN) for name in profiles.names()}
    lacking = [limit for limit in KNOWN if limit not in read[DEFAULT]]
    if lacking:
        where = str(profiles.FOLDER / f"{DEFAULT}.yaml")
        raise RecipeError(f"no limit for {', '.join(lacking)}", where=where, fix="add a line for each rule")
    return {name: read[DEFAULT] | limits for name, limits in read.items()}


def with_profile_files(values: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """A recipe's `decide` in which every profile that is a file stands under `own_profiles` too.

    So the resolved recipe holds all that decides, and needs no file again.

    Args:
        values: as in the recipe, not checked yet.
        base: folder that relative paths start from.

    Raises:
        RecipeError: a file is missing or no profile.
    """
    by_source = values.get("profiles")
    named = [values.get("profile"), *(by_source.values() if isinstance(by_source, dict) else ())]
    own = values.get("own_profiles") or {}
    files = {
        name: profiles.read_profile(base / name, KNOWN)
        for name in named
        if isinstance(name, str) and name.endswith(profiles.ENDINGS) and isinstance(own, dict) and name not in own
    }
    return {**values, "own_profiles": {**own, **files}} if files else dict(values)


def settings_for(profile: str, base: Path) -> DecideSettings:
    """Settings that judge every source by one profile: a name, or a YAML file relative to `base`.

    Raises:
        UsageError: there is no such profile, or its file is wrong.
    """
    try:
        return DecideSettings(**with_profile_files({"profile": profile}, base))
    except ValueError as error:
        raise UsageError(str(error), fix="name one of them") from error
