"""submission.yaml: who gives a source, what may be done with it, where it comes from. Read strictly, before all else.

A contributor writes it by hand, so each message says what to write.
"""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus import strict_yaml
from corpus.errors import SourceError, UsageError
from corpus.rights import FLAGS, Rights

NAME = "submission.yaml"
ORIGINS = ("natural", "synthetic", "translated")
EXAMPLE = """contributor: our-team
source: company-blog      # a short name, unique in a recipe
key: id                   # the field that names a record, if there is one
lang: ko
domain: blog
origin: natural           # natural, synthetic or translated
rights:
  train: true
  publish_weights: true
  redistribute: false
  derive: true
  commercial: true
  attribution: Our Team
  until: null             # or the last day, as 2030-12-31
  license: contract
  evidence: contract 2026-11 with the publisher, section 3
"""
_SLUG = re.compile(r"[\w][\w.\-]{0,99}")
_OPTIONAL = {"key", "attribution", "until"}


@dataclass(frozen=True, slots=True)
class Submission:
    """A checked submission.yaml; `key` is the field that names a record, None where there is none."""

    contributor: str
    source: str
    key: str | None
    lang: str
    domain: str
    origin: str
    rights: Rights


_PLACES: dict[str, tuple[str, ...]] = {  # key → below which key it stands
    **{field.name: () for field in dataclasses.fields(Submission)},
    **{field.name: ("rights",) for field in dataclasses.fields(Rights)},
}


def read_submission(path: Path, shown: str | None = None) -> Submission:
    """Read and check a submission.yaml.

    Args:
        shown: where it lies, for messages, where that is not `path`.

    Raises:
        SourceError: missing, not YAML, an unknown or missing key, a value of the wrong kind; with the line.
    """
    where = shown or str(path)
    if not path.is_file():
        indented = EXAMPLE.replace("\n", "\n      ").rstrip()
        raise SourceError(
            "no submission.yaml: who gives this, and what may be done with it?",
            where=where,
            fix=f"write one beside the data, such as:\n      {indented}",
        )
    try:
        values, lines = strict_yaml.load(path)
    except UsageError as error:
        raise SourceError(error.what, where=(error.where or where).replace(str(path), where), fix=error.fix) from error
    names = [field.name for field in dataclasses.fields(Submission)]
    check = _Check(where, lines)
    check.keys(values, names, ())
    rights = values["rights"]
    if not isinstance(rights, dict):
        raise check.error("rights must hold fields", ("rights",), f"write `rights:` and below it {', '.join(FLAGS)}, …")
    check.keys(rights, [field.name for field in dataclasses.fields(Rights)], ("rights",))
    plain = {name: check.text(values.get(name), (name,)) for name in names if name not in ("rights", "key")}
    for name in ("contributor", "source"):
        if not _SLUG.fullmatch(plain[name]):
            raise check.error(
                f"{name} {plain[name]!r} is no short name", (name,), "use letters, digits, -, _ and . only"
            )
    if plain["origin"] not in ORIGINS:
        raise check.error(f"origin {plain['origin']!r} is unknown", ("origin",), f"write one of {', '.join(ORIGINS)}")
    key = None if values.get("key") is None else check.text(values["key"], ("key",))
    return Submission(**plain, key=key, rights=_rights(rights, check))


def _rights(values: dict[str, Any], check: _Check) -> Rights:
    flags: dict[str, bool] = {name: check.flag(values[name], ("rights", name)) for name in FLAGS}
    until = values.get("until")
    if until is not None and (not isinstance(until, datetime.date) or isinstance(until, datetime.datetime)):
        raise check.error(f"until is {until!r}, no day", ("rights", "until"), "write a day as 2030-12-31, or null")
    words = {name: check.text(values[name], ("rights", name)) for name in ("license", "evidence")}
    named = values.get("attribution")
    attribution = "" if named in (None, "") else check.text(named, ("rights", "attribution"))
    fields: dict[str, Any] = {**flags, **words, "attribution": attribution, "until": until}
    return Rights(**fields)


@dataclass(frozen=True, slots=True)
class _Check:
    where: str
    lines: strict_yaml.Lines

    def error(self, what: str, path: tuple[str, ...], fix: str) -> SourceError:
        line = next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), None)
        return SourceError(what, where=f"{self.where}, line {line}" if line else self.where, fix=fix)

    def keys(self, values: dict[str, Any], known: list[str], at: tuple[str, ...]) -> None:
        for key in values:
            if key not in known:
                near = difflib.get_close_matches(str(key), _PLACES, n=1, cutoff=0.5)
                fix = f"did you mean {_named(near[0], at)}?" if near else f"the keys here are: {', '.join(known)}"
                raise self.error(f"unknown key {'.'.join((*at, str(key)))!r}", (*at, str(key)), fix)
        for key in known:
            if key not in values and key not in _OPTIONAL:
                example = next(line.strip() for line in EXAMPLE.splitlines() if line.strip().startswith(f"{key}:"))
                raise self.error(f"{'.'.join((*at, key))!r} is missing", at, f"write it, such as `{example}`")

    def text(self, value: object, path: tuple[str, ...]) -> str:
        if isinstance(value, str) and value.strip():
            return value.strip()
        raise self.error(
            f"{'.'.join(path)} is {value!r}, not text", path, "write text; put quotes around a number or date"
        )

    def flag(self, value: object, path: tuple[str, ...]) -> bool:
        if isinstance(value, bool):
            return value
        raise self.error(f"{'.'.join(path)} is {value!r}, not true or false", path, "write true or false")


def _named(key: str, at: tuple[str, ...]) -> str:
    """A key as seen from where another was written: by its path where it belongs elsewhere."""
    place = _PLACES[key]
    if place == at:
        return repr(key)
    return repr(".".join((*place, key))) if place else f"{key!r}, not below {'.'.join(at)!r}"
