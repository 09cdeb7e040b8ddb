"""The recipe: one YAML file a run, checked before anything starts, every value explained.

Each package declares its settings as a small frozen dataclass; this file gathers them, so a setting is defined once.
"""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import re
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from annotated_types import Ge, Gt, Le, Lt
from pydantic import TypeAdapter, ValidationError

from corpus import strict_yaml
from corpus.collect import CollectSettings
from corpus.decide import DecideSettings
from corpus.errors import RecipeError
from corpus.measure import MeasureSettings
from corpus.rules import with_profile_files
from corpus.settings import Common, Size, Target, parse_size, setting
from dedup.stage import DedupSettings
from eval.stage import EvaluateSettings
from hanjo.slurm_settings import SlurmSettings
from pretrain.stage import PretrainSettings
from tokenizer.stage import TokenizeSettings

Places = dict[tuple[str, ...], str]
"""Path of keys → where its value was given: `line 7`, or `--set a.b=c`."""
_SET = "--set "


@dataclass(frozen=True, slots=True)
class ExecutionSettings:
    """How the jobs of a run are carried out; nothing here changes a byte of the result."""

    kind: Literal["local", "ray", "slurm"] = setting(
        "local", "processes of this machine, tasks of Ray, arrays of Slurm"
    )
    workers: Annotated[int, Ge(1)] = setting(2, "worker processes, or tasks of an array at a time", unit="processes")
    memory: Size = setting(2 << 30, "memory that one worker may plan with, and is asked of Ray or Slurm", unit="bytes")
    address: str | None = setting(
        None, "host:port of a Ray cluster that shares the run's disk; null: Ray is started on this machine"
    )

    slurm: SlurmSettings = setting(SlurmSettings, "what a task of Slurm asks for; of no effect but with kind: slurm")

    def __post_init__(self) -> None:
        if self.address is not None and self.kind != "ray":
            raise ValueError("address is of a Ray cluster: write kind: ray too, or leave it out")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole run. Fields without default must be written; the seven stages may be left out."""

    name: str = setting(dataclasses.MISSING, "name of the run, and of its folder under runs/")
    as_of: datetime.date = setting(dataclasses.MISSING, "the day that “now” means for rights that end")
    seed: Annotated[int, Ge(0)] = setting(0, "seed of every random choice")
    target: Target = setting(Target, "what the run is for")
    execution: ExecutionSettings = setting(ExecutionSettings, "how jobs are carried out")
    max_quarantined: Annotated[float, Ge(0), Le(1)] = setting(
        0.01, "share of records that may be unreadable before the run fails"
    )
    collect: CollectSettings = setting(CollectSettings, "bytes to documents")
    measure: MeasureSettings = setting(MeasureSettings, "what to cut or mask, and numbers of the text so edited")
    decide: DecideSettings = setting(DecideSettings, "thresholds: keep or remove")
    dedup: DedupSettings = setting(DedupSettings, "exact and near duplicates, split")
    tokenize: TokenizeSettings = setting(TokenizeSettings, "vocabulary and token shards")
    pretrain: PretrainSettings = setting(PretrainSettings, "the training run")
    evaluate: EvaluateSettings = setting(EvaluateSettings, "suites and scores")

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w[\w.\-]{0,99}", self.name):
            raise ValueError(f"name {self.name!r} names no folder: use letters, digits, -, _ and . only")

    def common(self, base: Path) -> Common:
        """What every stage may ask; `base` is the folder that relative paths of the recipe start from."""
        return Common(self.name, self.seed, self.as_of, self.target, base)


def load_recipe(path: Path, overrides: Sequence[str] = (), base: Path | None = None) -> Recipe:
    """Read, override and check a recipe; profiles of `decide` that are files are read into it.

    Args:
        overrides: `a.b.c=value` strings, the values as YAML.
        base: folder that paths of profiles start from; None: the recipe's.

    Raises:
        RecipeError: with file, line, key, and the nearest right key or value.
    """
    values, places = _read(path, overrides)
    if isinstance(values.get("decide"), dict):
        values["decide"] = with_profile_files(values["decide"], base or path.parent)
    return check_recipe(values, str(path), places)


def place_of(path: Path, overrides: Sequence[str], key: tuple[str, ...]) -> str:
    """Where a value of a recipe was given, as messages name it: `--set a.b=c`, else file and line."""
    _, places = _read(path, overrides)
    place = _nearest_place(key, places)
    return place if place.startswith(_SET) else ", ".join(filter(None, (str(path), place)))


def _read(path: Path, overrides: Sequence[str]) -> tuple[dict[str, Any], Places]:
    values, lines = strict_yaml.load(path, RecipeError)
    places = {key: f"line {line}" for key, line in lines.items()}
    for text in overrides:
        key = _override(values, text)
        places = {one: place for one, place in places.items() if one[: len(key)] != key}
        places[key] = f"{_SET}{text}"
    return values, places


def _nearest_place(key: tuple[str, ...], places: Places) -> str:
    """Where a key was given, or the nearest that it stands in; empty where nothing is known of it."""
    return next((places[key[:n]] for n in range(len(key), 0, -1) if key[:n] in places), "")


def check_recipe(values: dict[str, Any], where: str, places: Places | None = None) -> Recipe:
    """Turn a mapping into a Recipe, refusing unknown keys and wrong values (see `load_recipe`)."""
    places = places or {}
    _refuse_unknown(values, Recipe, (), where, places)
    try:
        return TypeAdapter(Recipe).validate_python(values)
    except ValidationError as error:
        raise RecipeError(*_told(error, where, places)) from error
    except ValueError as error:  # a __post_init__ outside pydantic's reach
        raise RecipeError(str(error), where=where) from error


def _told(error: ValidationError, where: str, places: Places) -> tuple[str]:
    told, of_file = [], False
    for one in error.errors():
        path = tuple(str(part) for part in one["loc"])
        place = _nearest_place(path, places)
        # What is wrong with several keys together may be so by one that was set.
        within = [text for key, text in places.items() if key[: len(path)] == path != key and text.startswith(_SET)]
        of_file |= not place.startswith(_SET)
        key = ".".join(path) or "the recipe"
        place = " with ".join(filter(None, (place, ", ".join(within))))
        given = "" if one["type"] == "missing" or isinstance(one["input"], dict) else f" (given: {one['input']!r})"
        message = f"{key}: {one['msg'][0].lower()}{one['msg'][1:]}{given}{_nearest(one)}"
        told.append(f"{place}: {message}" if place else message)
    head = f"{where}: " if of_file else ""
    return (head + "\n  ".join(told) + "\n  → `hanjo recipe explain KEY` says what a value means",)


def _nearest(error: Any) -> str:
    """The nearest of the values that may stand there, where they are told by name."""
    if error["type"] != "literal_error" or not isinstance(error["input"], str):
        return ""
    near = difflib.get_close_matches(error["input"], re.findall("'([^']*)'", error["ctx"]["expected"]), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _settings_class(annotation: Any) -> Any:
    """The dataclass inside an annotation (itself, or the element of a tuple, list, dict or optional), or None."""
    # A class alone: the validators inside an Annotated are dataclasses too, but instances.
    candidates = (annotation, *typing.get_args(annotation))
    return next((one for one in candidates if isinstance(one, type) and dataclasses.is_dataclass(one)), None)


def _refuse_unknown(values: object, kind: Any, path: tuple[str, ...], where: str, places: Places) -> None:
    if isinstance(values, list):
        for index, item in enumerate(values):
            _refuse_unknown(item, kind, (*path, str(index)), where, places)
        return
    if not isinstance(values, dict):
        return
    hints = typing.get_type_hints(kind, include_extras=True)
    for key, value in values.items():
        here = (*path, str(key))
        if key not in hints:
            near = difflib.get_close_matches(str(key), list(hints), n=1, cutoff=0.5)
            fix = f"did you mean {near[0]!r}?" if near else f"the keys here are: {', '.join(hints)}"
            place = _nearest_place(here, places)
            if not place.startswith(_SET):
                place = f"{where}, {places[here]}" if here in places else where
            raise RecipeError(f"unknown key {'.'.join(here)!r}", where=place, fix=fix)
        inner = _settings_class(hints[key])
        if inner is not None:
            _refuse_unknown(value, inner, here, where, places)


def _override(values: dict[str, Any], text: str) -> tuple[str, ...]:
    """Put the value of `a.b.c=value` in its place; the path of its key."""
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise RecipeError(f"--set {text!r} is no key=value", fix="write e.g. --set pretrain.steps=20")
    *parents, last = key.strip().split(".")
    place: Any = values
    for parent in parents:
        place = place[_index(place, parent, key)] if isinstance(place, list) else place.setdefault(parent, {})
        if place is None or not isinstance(place, dict | list):
            raise RecipeError(f"--set {text!r}: {parent!r} holds a value, not keys", fix="see `hanjo recipe explain`")
    if isinstance(place, list):
        place[_index(place, last, key)] = strict_yaml.scalar(value)
    else:
        place[last] = strict_yaml.scalar(value)
    return (*parents, last)


def _index(place: list[Any], part: str, key: str) -> int:
    if not part.isdigit() or int(part) >= len(place):
        raise RecipeError(f"--set {key}: {part!r} is no position in a list of {len(place)}", fix="count from 0")
    return int(part)


@dataclass(frozen=True, slots=True)
class Explained:
    """One key of the recipe: its dotted path, type, default, meaning, unit and where the default comes from."""

    key: str
    type: str
    default: object
    doc: str
    unit: str
    origin: str


def explain(kind: Any = Recipe, prefix: str = "") -> Iterator[Explained]:
    """Every key of the recipe in order, nested settings after their parent."""
    hints = typing.get_type_hints(kind, include_extras=True)
    for one in dataclasses.fields(kind):
        default: object = one.default
        if default is dataclasses.MISSING and one.default_factory is not dataclasses.MISSING:
            default = one.default_factory()
        metadata = one.metadata
        doc = metadata.get("doc", "")
        inner = _settings_class(hints[one.name])
        shown = "" if dataclasses.is_dataclass(default) or default is dataclasses.MISSING else default
        yield Explained(
            prefix + one.name,
            type_name(hints[one.name]),
            "(required)" if default is dataclasses.MISSING else shown,
            doc() if callable(doc) else doc,
            metadata.get("unit", ""),
            metadata.get("origin", ""),
        )
        if inner is not None:
            deeper = prefix + one.name + ("." if dataclasses.is_dataclass(hints[one.name]) else ".N.")
            yield from explain(inner, deeper)


def type_name(annotation: Any) -> str:
    """An annotation as a person would say it."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        limits = [_limit(one) for one in annotation.__metadata__ if isinstance(one, Ge | Gt | Le | Lt)]
        if parse_size in [getattr(m, "func", None) for m in annotation.__metadata__]:
            return "size"
        return type_name(arguments[0]) + (f" {', '.join(limits)}" if limits else "")
    if origin is Literal:
        return " | ".join(str(argument) for argument in arguments)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(type_name(argument) for argument in arguments)
    if origin in (tuple, list):
        return f"list of {type_name(arguments[0])}" if arguments else "list"
    if origin is dict:
        return "mapping"
    if annotation is type(None):
        return "null"
    return str(getattr(annotation, "__name__", annotation))


def _limit(one: Ge | Gt | Le | Lt) -> str:
    sign, field = {Ge: ("≥", "ge"), Gt: (">", "gt"), Le: ("≤", "le"), Lt: ("<", "lt")}[type(one)]
    return f"{sign} {getattr(one, field)}"


def as_values(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain YAML values, every default written out."""
    return typing.cast(dict[str, Any], _plain(recipe))


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def dump(recipe: Recipe) -> str:
    """The resolved recipe as YAML text, read back by `load_recipe` to the same values."""
    return yaml.safe_dump(as_values(recipe), allow_unicode=True, sort_keys=False, width=120)


def schema() -> dict[str, Any]:
    """JSON Schema of the recipe, for editors."""
    return TypeAdapter(Recipe).json_schema()
