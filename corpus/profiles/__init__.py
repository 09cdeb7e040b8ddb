"""Profiles: thresholds by kind of text, a YAML in this folder each, found by listing it; `corpus/rules.py` reads them.

`default.yaml` holds a limit for every rule, the others only where they differ from it. A file says `about`, what it is
for, and `limits`, a mapping of a rule's limit to its value. A profile of one's own is such a file anywhere else.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpus import strict_yaml
from corpus.errors import RecipeError

FOLDER = Path(__file__).parent
DEFAULT = "default"
ENDINGS = (".yaml", ".yml")  # a profile's name that ends so is the path of a file
_KEYS = ("about", "limits")

Limits = dict[str, float]
"""Name of a limit, as `max_digits` → its value."""


def names() -> tuple[str, ...]:
    """The profiles of this folder, by name."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def read_profile(path: Path, known: Mapping[str, float]) -> Limits:
    """The limits that a profile sets.

    Args:
        known: name of each limit that there is → the greatest value it may have.

    Raises:
        RecipeError: no such file, not YAML, an unknown key, or a value out of range; with file and line.
    """
    values, lines = strict_yaml.load(path, RecipeError)
    for key in values:
        if key not in _KEYS:
            raise RecipeError(
                f"unknown key {key!r} in a profile",
                where=f"{path}, line {lines[key,]}",
                fix=_nearest(str(key), _KEYS) + "; limits stand indented below `limits:`",
            )
    if not isinstance(values.get("about", ""), str):
        raise RecipeError("`about` is no text", where=f"{path}, line {lines['about',]}", fix="write one sentence")
    limits = values.get("limits")
    if limits is None:
        raise RecipeError("no `limits`", where=str(path), fix="write `limits:` and below it e.g. `  max_digits: 0.5`")
    return check_limits(limits, known, str(path), lines)


def check_limits(
    limits: object,
    known: Mapping[str, float],
    where: str,
    lines: strict_yaml.Lines | None = None,
    above: tuple[str, ...] = ("limits",),
) -> Limits:
    """The limits as numbers.

    Args:
        known: as in `read_profile`.
        where: names the file in messages; `lines` are those of its keys, `above` the keys below which these stand.

    Raises:
        RecipeError: not a mapping, an unknown name, or a value out of range.
    """

    def place(*keys: str) -> str:
        line = (lines or {}).get((*above, *keys))
        return where if line is None else f"{where}, line {line}"

    if not isinstance(limits, dict):
        raise RecipeError(
            "the limits are no mapping", where=place(), fix="write e.g. `max_digits: 0.5`, or {} for none"
        )
    for name, value in limits.items():
        if name not in known:
            raise RecipeError(
                f"there is no limit {name!r}", where=place(str(name)), fix=_nearest(str(name), tuple(known))
            )
        problem = _problem(value, known[name])
        if problem:
            raise RecipeError(f"{name}: {value!r} {problem}", where=place(name), fix="`hanjo recipe explain decide`")
    return {name: float(value) for name, value in limits.items()}


def _problem(value: Any, greatest: float) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return "is no number"
    if not 0 <= value <= greatest:
        return "is less than 0" if value < 0 else f"is more than {greatest:g}"
    return ""


def _nearest(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
