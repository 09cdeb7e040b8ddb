from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.manifest import hash_file
from corpus.settings import Common
from corpus.shards import JobContext
from pretrain import stage
from pretrain.packing import cut
from pretrain.plan import read_plan
from pretrain.settings import PretrainSettings
from tokenizer.indexed import IndexedTokens


def test_the_stage_is_one_job_that_lists_every_file_it_leaves(
    trained: Path, small: PretrainSettings, common: Common, monkeypatch: object
) -> None:
    (job,) = next(stage.phases(trained, small, common)).jobs
    assert len(job.inputs) == 6 + 3 + 2  # two train shards, a valid one, a tokenizer, as three and two files
    # All steps are done: ranks are not started again to find that out.
    monkeypatch.setattr(stage.launch, "train", lambda *_: pytest.fail("launched"))  # type: ignore[attr-defined]
    outcome = job.call(JobContext(trained, "f" * 32, 0), **job.arguments, **job.local)
    assert outcome.counts == {"trained": {"steps": 6, "samples": 48, "tokens": 48 * 16}}
    left = {p.relative_to(trained).as_posix() for p in (trained / "pretrain").rglob("*") if p.is_file()}
    assert {output.path for output in outcome.outputs} == left - {"pretrain/train.log"}
    assert all(output.fingerprint == hash_file(trained / output.path) for output in outcome.outputs)


def test_locate_finds_the_steps_and_checkpoints_that_saw_a_documents_tokens(trained: Path) -> None:
    plan = read_plan(trained)
    tokens = IndexedTokens(trained / "tokens/train/00001").tokens
    used = stage.locate(trained, "tokens/train/00001", 100, 103)
    sampler = plan.sampler()
    windows = [window for window in range(sampler.windows) if sampler.spot(window)[0] == 1]
    touching = {w for w in windows if sampler.spot(w)[1] < 103 and sampler.spot(w)[1] + 17 > 100}
    expected = [s for s in range(6) if touching & set(sampler.windows_of(list(sampler.samples_of_step(s))).tolist())]
    assert used.steps == expected
    assert used.checkpoints == {
        "step-000004": [step for step in expected if step < 4],
        "step-000006": expected,
    }
    assert len(cut(tokens, 16, 0)) * 16 >= len(tokens)


def test_checkpoints_of_other_tokens_say_nothing_of_those_that_stand_now(trained: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    path = run / "shards/tokenize.parquet"
    table = pq.read_table(path)
    changed = table.set_column(3, "fingerprint", pa.array(["f" * 32] * table.num_rows))
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)
    assert stage.locate(trained, "tokens/train/00001", 100, 103).steps
    assert stage.locate(run, "tokens/train/00001", 100, 103) == stage.Used([], {})


def test_locate_knows_nothing_of_a_run_that_was_not_trained(tmp_path: Path) -> None:
    assert stage.locate(tmp_path, "tokens/train/00000", 0, 5) == stage.Used([], {})
