"""Recipes as text for people: a commented one to begin from, and the nearest key to a mistyped one."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from corpus.errors import HanjoError, UsageError
from corpus.shards import atomic_path
from hanjo.recipe import Explained, Recipe, explain, place_of


def new_recipe(path: Path, sources: Sequence[Path]) -> None:
    """Write a recipe with the required keys, the given sources, and every other key commented out with its meaning.

    Raises:
        UsageError: the file is there already.
    """
    if path.exists():
        raise UsageError("this file exists already", where=str(path), fix="choose another name or remove it")
    if not path.absolute().parent.is_dir():
        raise UsageError("no such folder", where=str(path.parent), fix="make it first, or choose another place")
    rows = list(explain())
    name = re.sub(r"[^\w.-]+", "-", path.stem).lstrip(".-") or "run"
    text = [
        "# A hanjo recipe. What is commented out shows the default; `hanjo recipe explain KEY` says more.",
        f"name: {name}",
        f"as_of: {datetime.datetime.now(tz=datetime.UTC).date().isoformat()}",
        "seed: 0",
        "collect:",
        "  sources:",
    ]
    paths = [one_line(str(source)) for source in sources or [Path("DATA")]]
    text += [f"    - path: {path}" for path in paths]
    if not sources:
        text[-1] += "  # a folder with your files and a submission.yaml"
    skipped = {"name", "as_of", "seed", "collect", "collect.sources"}
    rest = [row for row in rows if row.key not in skipped and not row.key.startswith("collect.sources.N.")]
    # What belongs under collect: stands there, so that taking the # away is all it takes.
    for row in sorted(rest, key=lambda row: not row.key.startswith("collect.")):
        text += _commented(row)
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(text) + "\n", encoding="utf-8")


def missing_sources(recipe: Recipe, base: Path) -> list[str]:
    """What is wrong with the local sources that a recipe names, a sentence each; remote ones are not asked for.

    Args:
        base: folder that the recipe's relative paths start from.
    """
    from corpus.places import is_url
    from corpus.work_units import find_sources

    told = []
    for source in recipe.collect.sources:
        if not is_url(source.path):
            try:
                find_sources((source,), base)
            except HanjoError as error:
                told.append(str(error))
    return told


def require_weighted_sources(recipe: Recipe, path: Path, overrides: Sequence[str] = ()) -> None:
    """Ask that `tokenize.weights` name sources of the recipe, before anything is read; remote ones are not asked.

    Args:
        path: the recipe's file.
        overrides: as they were given to `load_recipe`; messages name the one that a weight came of.

    Raises:
        UsageError: with the nearest source. SourceError: a source is not in place.
    """
    from corpus.places import is_url
    from corpus.work_units import find_sources
    from tokenizer.stage import require_sources

    weights, sources = recipe.tokenize.weights, recipe.collect.sources
    if not weights or any(is_url(one.path) for one in sources):
        return
    known = {one.submission.source for one in find_sources(sources, path.resolve().parent)}
    for name, weight in weights.items():
        place = place_of(path, overrides, ("tokenize", "weights", name))
        require_sources({name: weight}, known, f"{place}: tokenize.weights.{name}")


def _commented(row: Explained) -> list[str]:
    *parents, last = row.key.split(".")
    indent = "  " * len(parents)
    about = row.doc + (f" ({row.unit})" if row.unit else "")
    if row.default == "":
        return [*([] if parents else [""]), f"# {indent}{last}:  # {about}"]
    return [f"# {indent}{last}: {one_line(row.default)}  # {about}"]


def one_line(value: object) -> str:
    """A value as a recipe would have it, on one line."""
    plain = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(plain, allow_unicode=True, default_flow_style=True, width=10_000).splitlines()[0]


def suggest_key(key: str, rows: Sequence[Explained]) -> str:
    """What to try instead of a key that does not exist."""
    names = [row.key for row in rows]
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.4) or [n for n in names if n.endswith(f".{key}")][:1]
    return f"did you mean {near[0]!r}?" if near else "`hanjo recipe explain` lists them all"
