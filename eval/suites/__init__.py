"""The suites a model is measured by: one YAML in this folder each, in lm-eval's own task format.

Adding a suite is adding a file: `suites()` finds it by listing the folder, without importing lm-eval. Under `metadata`
a suite says its `version`, what guessing scores (`chance`), the `unit` of its metrics, and which field of an item
names what it was drawn from (`cluster`). `eval/harness.py` runs them.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from corpus.errors import RecipeError, SourceError
from corpus.manifest import fingerprint, hash_file

FOLDER = Path(__file__).parent
KINDS = ("multiple_choice", "loglikelihood_rolling")


@dataclass(frozen=True, slots=True)
class Suite:
    """What hanjo must know of a suite before lm-eval is there.

    Attributes:
        kind: lm-eval's `output_type`, one of `KINDS`.
        metrics: metric → whether higher is better.
        chance: what guessing scores; None where there is no guessing.
        cluster: the field of an item that names what it was drawn from; None where items are independent.
        files: the YAML and the items beside it; their content is part of the stage's fingerprint.
    """

    name: str
    version: int
    kind: str
    metrics: dict[str, bool]
    unit: str
    chance: float | None
    cluster: str | None
    files: tuple[Path, ...]

    def fingerprint(self) -> str:
        """Hash of everything in this folder that the suite's numbers depend on."""
        files = (*self.files, FOLDER / "rows.py")
        return fingerprint(self.name, [(path.name, hash_file(path)) for path in files])


class _Loader(yaml.SafeLoader):
    """Safe YAML in which lm-eval's `!function module.name` stays a string: nothing is imported."""


_Loader.add_constructor("!function", lambda loader, node: str(node.value))


def suites(folder: Path = FOLDER) -> dict[str, Suite]:
    """Every suite of the folder, by name.

    Raises:
        SourceError: a YAML file is no suite that hanjo can run.
    """
    return {suite.name: suite for suite in map(_read, sorted(folder.glob("*.yaml")))}


def find(names: Sequence[str]) -> list[Suite]:
    """The named suites in the order given.

    Raises:
        RecipeError: there is none of that name, or a name stands twice; the message offers the nearest.
    """
    known = suites()
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the suites are {', '.join(known)}"
            raise RecipeError(f"there is no suite {name!r}", where="evaluate.suites", fix=hint)
    if len(set(names)) < len(names):
        raise RecipeError("a suite is named twice", where="evaluate.suites", fix="name each suite once")
    return [known[name] for name in names]


def _read(path: Path) -> Suite:
    try:
        config: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
        metadata, items = config["metadata"], config.get("dataset_kwargs", {}).get("file")
        suite = Suite(
            name=config["task"],
            version=metadata["version"],
            kind=config["output_type"],
            metrics={row["metric"]: row["higher_is_better"] for row in config["metric_list"]},
            unit=metadata["unit"],
            chance=metadata["chance"],
            cluster=metadata.get("cluster"),
            files=(path, path.parent / items) if items else (path,),
        )
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(
            f"not a suite ({type(error).__name__}: {error})",
            where=str(path),
            fix="write it like eval/suites/korean_cloze.yaml",
        ) from error
    if suite.kind not in KINDS or suite.name != path.stem:
        raise SourceError(
            f"task {suite.name!r} of kind {suite.kind!r} cannot be run from this file",
            where=str(path),
            fix=f"name the file as its task, and use one of {', '.join(KINDS)} as output_type",
        )
    return suite
