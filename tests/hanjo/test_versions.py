"""A stage whose output changes must raise its VERSION, or markers of old runs would be believed: hashes say so.

Each hash is over the columns that a stage makes of part of the sample. When one differs, either a change was not meant,
or the stage's VERSION goes up and the new pair is written down here.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.manifest import fingerprint
from hanjo.stages import named

ROOT = Path(__file__).resolve().parents[2]
KNOWN = {
    "collect": (2, "b25ef49d922941e69c918cd86c07feb3"),
    "measure": (1, "d7431cf0fccd799bddb866b40106705f"),
    "decide": (1, "12f3ee6142fd6dc5d82195baac89c8f3"),
    "dedup": (2, "54c12d4079da907447e01bb68360e05d"),
    "tokenize": (2, "8ac6447d52c5185d1b17b822e6fae22d"),
    "pretrain": (1, "ee0cdc34e206763a9b3a77677b3f3335"),
    "evaluate": (1, "91064ad28870d09f4366a783e6459991"),
}
SOURCES = ("tax-rulings", "libreoffice-site", "udhr", "hwpx-form")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("versions") / "run"
    sources = ", ".join(f"{{path: sample/{name}}}" for name in SOURCES)
    command = [sys.executable, "-m", "hanjo.cli", "run", "recipes/quickstart.yaml", "--run", str(folder)]
    command += ["--until", "tokenize", "--set", f"collect.sources=[{sources}]", "--set", "tokenize.vocab_size=1024"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def columns(run: Path, pattern: str) -> Iterator[object]:
    """The columns of some shards, in order; numbers that are no integers to nine digits, since processors differ."""
    paths = sorted(run.glob(pattern))
    assert paths
    for path in paths:
        table = pq.read_table(path)
        for name, column in zip(table.column_names, table.columns, strict=True):
            values = column.to_pylist()
            if pa.types.is_floating(column.type):
                values = [None if value is None else f"{value:.9g}" for value in values]
            yield name, [str(value) for value in values]


def made(run: Path, stage: str) -> Iterator[object]:
    if stage == "collect":
        yield from columns(run, "documents/*.parquet")
    elif stage == "measure":
        yield from columns(run, "edits/*.parquet")
        yield from columns(run, "signals/*.parquet")
    elif stage == "decide":
        yield from columns(run, "verdicts/*.parquet")
    elif stage == "dedup":
        yield from columns(run, "clusters/*.parquet")
        yield from columns(run, "unique/*/*.parquet")
    elif stage == "tokenize":
        yield from columns(run, "tokens/*/*.docs.parquet")
        yield from ((path.name, path.read_bytes()) for path in sorted(run.glob("tokens/*/*.bin")))
    elif stage == "pretrain":
        yield from order(run)
    else:
        yield from items(run)


def order(run: Path) -> Iterator[object]:
    """The samples of some steps as training would see them; weights differ from processor to processor."""
    from pretrain.packing import pack
    from pretrain.settings import ModelSettings, PretrainSettings
    from pretrain.stage import plan_training
    from tokenizer.indexed import IndexedTokens

    settings = PretrainSettings(model=ModelSettings(context=64), ranks=1)
    plan = plan_training(run, settings, seed=1)
    sampler = plan.sampler()
    for step in (0, 1, 1000):
        for window in sampler.windows_of(list(sampler.samples_of_step(step))).tolist():
            shard, start = sampler.spot(window)
            tokens = np.asarray(IndexedTokens(run / plan.train[shard].path).tokens[start : start + 65], np.int64)
            batch = pack(tokens[None], plan.end_of_text)
            yield batch.input_ids.tolist(), batch.labels.tolist(), batch.position_ids.tolist()


def items(run: Path) -> Iterator[object]:
    """What the suites ask, and of which documents; answers differ from processor to processor."""
    from eval.suites import suites
    from eval.suites.rows import choose

    yield from (suite.fingerprint() for _, suite in sorted(suites().items()))
    yield [(path.name, sorted(ids)) for path, ids in sorted(choose(run / "unique" / "test", 10, 1).items())]


@pytest.mark.parametrize("stage", KNOWN)
def test_output_changes_only_with_the_stage_s_version(run: Path, stage: str) -> None:
    found = (named(stage).load().VERSION, fingerprint(*made(run, stage)))
    assert found == KNOWN[stage], f"{stage} makes something else: raise its VERSION, then write {found} here"


def test_every_stage_is_watched(run: Path) -> None:
    from hanjo.stages import NAMES

    assert tuple(KNOWN) == NAMES
    assert all(len(known) == 32 for _, known in KNOWN.values())
