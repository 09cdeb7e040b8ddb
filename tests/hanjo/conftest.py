"""Fixtures of the command's tests: the front door in this process, and a small real run that documents are taken of."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from corpus.shards import merge
from hanjo.cli import main
from hanjo.execution import Runner
from hanjo.progress import Progress
from hanjo.recipe import load_recipe
from hanjo.report import write_report
from hanjo.stages import StageResult, up_to
from hanjo.withdraw import Asked, Withdrawn
from hanjo.withdraw import withdraw as withdraw_from

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "recipes" / "sample" / "tax-rulings" / "tribunal.jsonl.gz"
RIGHTS = (
    "{train: true, publish_weights: true, redistribute: true, derive: true, commercial: true, attribution: null, "
    "until: null, license: L, evidence: e}"
)
RECIPE = """name: small
as_of: 2026-11-24
collect:
  sources: [{path: a}, {path: b}, {path: c}]
dedup: {valid: 0.1, test: 0.1}
tokenize: {vocab_size: 512}
execution: {workers: 1}
pretrain:
  steps: 4
  checkpoint_every: 2
  validate_every: 2
  global_batch: 2
  micro_batch: 1
  model: {hidden: 32, layers: 1, heads: 2, kv_heads: 1, intermediate: 64, context: 64}
evaluate: {suites: [bits_per_byte], documents: 8}
"""


@dataclass
class Done:
    """What a command left: exit code, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def hanjo() -> Callable[..., Done]:
    """`hanjo(*arguments)`: the command line in this process, through the front door."""
    return _hanjo


def _hanjo(*arguments: str | Path) -> Done:
    out, err = io.StringIO(), io.StringIO()
    argv, sys.argv = sys.argv, ["hanjo", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as left:
        return Done(int(left.code or 0), out.getvalue(), err.getvalue())
    finally:
        sys.argv = argv
    raise AssertionError("the command line always says how it ended")


def write_source(folder: Path, contributor: str, texts: dict[str, str], broken: bool = False) -> None:
    """A folder that a contributor gives: texts by their key; where asked, a record that is quarantined."""
    folder.mkdir()
    said = f"contributor: {contributor}\nsource: {folder.name}\nkey: id\nlang: ko\ndomain: test\norigin: natural\n"
    (folder / "submission.yaml").write_text(f"{said}rights: {RIGHTS}\n", encoding="utf-8")
    lines = [json.dumps({"id": key, "text": text}, ensure_ascii=False) for key, text in texts.items()]
    lines += ['{"id": "broken", "text": '] if broken else []
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def rulings(count: int) -> list[str]:
    """Texts of the sample's rulings."""
    with gzip.open(SAMPLE, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in islice(lines, count)]


def run_to(recipe: Path, run: Path, until: str) -> dict[str, StageResult]:
    """`hanjo run` in this process: stage → result."""
    resolved = load_recipe(recipe, ["max_quarantined=0.5"])
    results = Runner(run, resolved, recipe.parent, Progress("quiet")).run_stages(up_to(until))
    return {result.stage: result for result in results}


def withdraw(run: Path, *, indexes: Sequence[Path] = (), dry_run: bool = False, **asked: Any) -> Withdrawn:
    """`hanjo withdraw` in this process."""
    return withdraw_from(run, Asked(**asked), indexes=indexes, dry_run=dry_run)


def with_key(run: Path, *, index: bool) -> Path:
    """The run, with the key of its tombstones, which is random otherwise, and with an index of deduplication."""
    from dedup.index import writing
    from dedup.index_adding import add_sources
    from dedup.index_parameters import IndexParameters
    from dedup.index_sources import Fields

    (run / "tombstones").mkdir(mode=0o700)
    (run / "tombstones" / "key").write_bytes(bytes(range(32)))
    if index:
        recipe = load_recipe(run / "recipe.yaml")
        with writing(run / "index", IndexParameters.of(recipe.dedup, recipe.seed), create=True) as opened:
            add_sources(opened, [run], Fields())
    return run


def tree(run: Path) -> dict[str, str]:
    """File → hash of its bytes."""
    return {
        path.relative_to(run).as_posix(): hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name not in ("timings.jsonl", ".lock")
    }


def rows(run: Path, folder: str) -> list[dict[str, Any]]:
    """All rows of a folder's tables, in their order."""
    return [row for path in sorted((run / folder).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def everything(run: Path) -> str:
    """All that a run's files say: tables decoded, other files as they are."""
    told = []
    for path in sorted(run.rglob("*")):
        if path.suffix == ".parquet":
            told += [json.dumps(row, ensure_ascii=False, default=str) for row in pq.read_table(path).to_pylist()]
            told.append(str(pq.read_metadata(path).to_dict()))  # smallest and largest values
        elif path.is_file() and path.suffix not in (".bin", ".idx"):
            told.append(path.read_bytes().decode("utf-8", "replace"))
    return "\n".join(told)


def fragments(text: str) -> list[str]:
    """Pieces of 30 characters that stand in a table's JSON as they are."""
    lines = [line for line in text.split("\n") if '"' not in line and "\\" not in line]
    return [line[at : at + 30] for line in lines for at in range(0, len(line) - 30, 30)]


def manifest(run: Path) -> dict[str, Any]:
    """What the manifest says of the stages."""
    read: dict[str, Any] = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    return read["stages"]


def assert_counts_agree(run: Path) -> None:
    """Manifest, markers and tables say the same, and in = kept + removed + quarantined + withdrawn."""
    for name, entry in manifest(run).items():
        markers = [json.loads(path.read_text()) for path in (run / ".done" / name).rglob("*.json")]
        listed = {row["name"] for row in pq.read_table(run / "shards" / f"{name}.parquet").to_pylist()}
        markers = [  # without those of jobs that the stage no longer has
            marker
            for marker in markers
            if all(one["path"] in listed or one["path"].startswith(".scratch") for one in marker["outputs"])
        ]
        summed = merge([marker["counts"] for marker in markers])
        told = {reason: {k: n for k, n in amounts.items() if n} for reason, amounts in entry["counts"].items()}
        assert {r: {k: n for k, n in a.items() if n} for r, a in summed.items() if any(a.values())} == {
            reason: amounts for reason, amounts in told.items() if amounts
        }, name
        if "in" in told:
            went = sum(
                amounts.get("documents", 0)
                for reason, amounts in told.items()
                if reason.partition("/")[0] in ("kept", "removed", "quarantined", "withdrawn")
            )
            assert told["in"]["documents"] == went, name
        for marker in markers:
            for output in marker["outputs"]:
                if not output["path"].startswith(".scratch"):
                    assert (run / output["path"]).stat().st_size == output["bytes"], output["path"]
        for row in pq.read_table(run / "shards" / f"{name}.parquet").to_pylist():
            assert (run / row["name"]).stat().st_size == row["bytes"], row["name"]


@dataclass(frozen=True)
class Kit:
    """What the files of tests on withdrawal share (they cannot import one another)."""

    write_source: Callable[..., None]
    rulings: Callable[[int], list[str]]
    run_to: Callable[[Path, Path, str], dict[str, StageResult]]
    withdraw: Callable[..., Withdrawn]
    with_key: Callable[..., Path]
    tree: Callable[[Path], dict[str, str]]
    rows: Callable[[Path, str], list[dict[str, Any]]]
    everything: Callable[[Path], str]
    fragments: Callable[[str], list[str]]
    manifest: Callable[[Path], dict[str, Any]]
    assert_counts_agree: Callable[[Path], None]


@pytest.fixture(scope="session")
def kit() -> Kit:
    """The functions of this file, by their names."""
    functions = (write_source, rulings, run_to, withdraw, with_key, tree, rows, everything, fragments, manifest)
    return Kit(*functions, assert_counts_agree)


@pytest.fixture(scope="session")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rulings of three contributors. b repeats some of a's, exactly and nearly; c holds a bridge between two texts.

    `bridge` is similar to `left` and to `right`, which are not similar to each other; `again` repeats `left`.
    """
    folder = tmp_path_factory.mktemp("withdraw")
    texts = rulings(110)
    write_source(folder / "a", "한빛", {f"a{i}": text for i, text in enumerate(texts[:40])})
    copies = {f"b{i}": text for i, text in enumerate(texts[:10])}
    copies |= {f"near{i}": text + " 이상과 같이 결정한다." for i, text in enumerate(texts[10:15])}
    write_source(folder / "b", "새벽", copies | {f"own{i}": text for i, text in enumerate(texts[40:70])}, broken=True)
    pieces = [text[:400] for text in texts[100:108]]
    bridge = {
        "bridge": " ".join(pieces),
        "left": " ".join(pieces[:6]),
        "right": " ".join(pieces[2:]),
        "again": "  ".join(pieces[:6]),
    }
    write_source(folder / "c", "바다", {f"c{i}": text for i, text in enumerate(texts[70:100])} | bridge)
    path = folder / "recipe.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def made(recipe: Path) -> Path:
    """The run up to tokenize, once for all files; every test takes a copy."""
    run_to(recipe, recipe.parent / "runs" / "made", "tokenize")
    write_report(recipe.parent / "runs" / "made")
    return recipe.parent / "runs" / "made"


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy of the finished run."""
    return Path(shutil.copytree(made, tmp_path / "runs" / "run"))
