"""How a setting is declared, for all packages: a frozen dataclass field with its meaning, unit and origin.

`hanjo recipe explain`, the commented recipe and the checks all read these declarations; a setting is said once.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

_UNITS = {"": 1, "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_SCALES = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


def setting(
    default: Any, doc: str | Callable[[], str], *, unit: str = "", origin: str = "", later: bool = False
) -> Any:
    """A dataclass field whose meaning travels with it.

    Args:
        default: the value when the recipe is silent; a callable with no arguments makes a fresh one.
        doc: what it does, one sentence; a callable where saying it takes reading files.
        unit: of the value, where it has one.
        origin: where the default comes from (a paper, a measurement), where it is not a matter of taste.
        later: there were runs before there was the setting, and its default is what they did: it counts in a
            fingerprint only where it says something else, so that they stay done (`corpus.manifest.fingerprint`).
    """
    metadata = {"doc": doc, "unit": unit, "origin": origin, "later": later}
    if callable(default):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def parse_size(value: object) -> object:
    """Bytes from `64MiB`, `1.5 GB` or a plain number; anything else is left for the type check to refuse."""
    if isinstance(value, str):
        match = re.fullmatch(r"\s*([\d.]+)\s*([A-Za-z]*)\s*", value)
        if not match or match[2] not in _UNITS:
            raise ValueError(f"{value!r} is no size; write a number with one of {', '.join(u for u in _UNITS if u)}")
        return int(float(match[1]) * _UNITS[match[2]])
    return value


def parse_count(value: object) -> object:
    """A whole number from `1T tokens`, `200M`, `1e9` or a plain number."""
    if isinstance(value, str):
        match = re.fullmatch(r"\s*([\d.]+(?:e\d+)?)\s*([KMBT]?)(?:\s+[a-z]+)?\s*", value)
        if not match:
            raise ValueError(f"{value!r} is no count; write a number with K, M, B or T")
        return round(float(match[1]) * _SCALES[match[2]])
    return value


Size = Annotated[int, BeforeValidator(parse_size)]
Count = Annotated[int, BeforeValidator(parse_count)]

Right = Literal["train", "publish_weights", "redistribute", "derive", "commercial"]


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """What the run is for."""

    tokens: Count = setting(10**12, "tokens to collect, against which the report counts", unit="tokens")
    rights: tuple[Right, ...] = setting(("train",), "rights that a document must have to be used")


@dataclasses.dataclass(frozen=True, slots=True)
class Common:
    """What every stage may ask of the recipe beside its own settings.

    Attributes:
        seed: of every random choice.
        as_of: the day that "now" means for rights.
        base: folder that the recipe's relative paths start from; of this machine, never in a fingerprint.
    """

    name: str
    seed: int
    as_of: datetime.date
    target: Target
    base: Path
