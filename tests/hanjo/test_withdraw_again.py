"""One withdrawal after another: the same again, a promoted document, a whole shard, the whole run, several runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from corpus.documents import document_id
from corpus.errors import SourceError
from hanjo.ledger import last_entry, verify
from hanjo.lock import locked
from hanjo.tracing import trace

Kit = Any
Hanjo = Callable[..., Any]


def assert_gone(kit: Kit, run: Path, texts: list[str]) -> None:
    """No piece of the texts stands in any file, but for what other documents that stay say too."""
    parts = {part for text in texts for part in kit.fragments(text)}
    shared = "\n".join(row["text"] for row in kit.rows(run, "documents"))
    assert len(parts) > 10
    said = kit.everything(run)
    assert not [part for part in parts if part in said and part not in shared]


def assert_sound(kit: Kit, run: Path) -> None:
    kit.assert_counts_agree(run)
    assert verify(run, last_entry(run)) == []


def test_an_id_that_was_withdrawn_changes_nothing_the_second_time(kit: Kit, hanjo: Hanjo, run: Path) -> None:
    ids = tuple(row["id"] for row in kit.rows(run, "unique/train")[:3])
    kit.withdraw(run, ids=ids[:2])
    before = kit.tree(run)
    done = hanjo("withdraw", "--run", run, "--ids", ids[0], "--ids", ids[1])
    assert done.returncode == 0 and "documents   0 withdrawn, 2 were before" in done.stdout
    assert kit.tree(run) == before
    told = kit.withdraw(run, ids=ids)  # one more among them
    assert (told.documents, told.before) == (1, 2)
    assert_sound(kit, run)


def test_a_whole_cluster_goes_one_by_one(kit: Kit, run: Path) -> None:
    """The promoted are withdrawn in their turn, out of appended shards, until nobody is left to promote."""
    keys = ("bridge", "left", "again", "right")
    texts = {row["id"]: row["text"] for row in kit.rows(run, "documents")}
    left = [document_id("c", key) for key in keys]
    gone, promoted = [left.pop(0)], set()
    while True:
        told = kit.withdraw(run, ids=(gone[-1],))
        promoted |= {one["id"] for one in told.promoted}
        assert_sound(kit, run)
        side = dict(zip((row["id"] for row in kit.rows(run, "documents")), kit.rows(run, "clusters"), strict=True))
        assert {side[name]["size"] for name in left} <= {len(left)}
        assert all(not trace(run, name)["tokens"]["withdrawn"] for name in left if side[name]["keep"])
        if not left:
            break
        gone.append(left.pop(next(place for place, name in enumerate(left) if side[name]["keep"])))
    assert len(promoted) == 3 and promoted == set(gone[1:])
    assert_gone(kit, run, [texts[name] for name in gone])


def test_a_whole_shard_goes_and_then_the_whole_run(kit: Kit, hanjo: Hanjo, run: Path, recipe: Path) -> None:
    texts = [row["text"] for row in kit.rows(run, "documents")]
    (run / ".scratch" / "left").mkdir(parents=True, exist_ok=True)
    (run / ".scratch" / "left" / "texts").write_text("\n".join(texts), encoding="utf-8")
    (run / "error.log").write_text(texts[3], encoding="utf-8")
    shard = pq.read_table(run / "documents" / "00000.parquet").to_pylist()
    told = kit.withdraw(run, ids=tuple(row["id"] for row in shard))
    assert told.documents == len(shard) and told.promoted
    assert_sound(kit, run)
    assert not any(row["text"] for row in pq.read_table(run / "documents" / "00000.parquet").to_pylist())
    assert_gone(kit, run, [row["text"] for row in shard])
    for contributor in ("새벽", "바다", "한빛"):
        done = hanjo("withdraw", "--run", run, "--contributor", contributor)
        assert done.returncode == 0, done.stderr
        assert_sound(kit, run)
    assert_gone(kit, run, texts)
    assert not any(row["text"] for split in ("train", "valid", "test") for row in kit.rows(run, f"unique/{split}"))
    assert all(entry["counts"]["kept"]["documents"] == 0 for entry in kit.manifest(run).values())
    assert all(stage.ran == 0 for stage in kit.run_to(recipe, run, "tokenize").values())
    for command in (("status", run), ("report", run), ("corpus", "ledger", run), ("trace", "a3", "--source", "a")):
        done = hanjo(*command, *(("--run", run) if command[0] == "trace" else ()))
        assert done.returncode == 0, done.stderr
    shutil.rmtree(run / ".done" / "dedup")
    with pytest.raises(SourceError, match="no text to train a tokenizer on"):
        kit.run_to(recipe, run, "tokenize")


def test_of_several_runs_those_before_a_failure_are_told(kit: Kit, hanjo: Hanjo, run: Path) -> None:
    other = Path(shutil.copytree(run, run.parent / "other"))
    before, name = kit.tree(other), kit.rows(run, "unique/train")[0]["id"]
    with locked(other):
        done = hanjo("withdraw", "--run", run, "--run", other, "--ids", name, "--json")
    assert done.returncode == 1 and "another process works on this run" in done.stderr
    assert json.loads(done.stdout)["documents"] == 1
    assert kit.tree(other) == before and trace(run, name)["tokens"]["withdrawn"]
