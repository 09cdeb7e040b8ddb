"""`hanjo withdraw` on a real small run: the text goes from every file, no token moves, and nothing is run again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from corpus.documents import document_id
from corpus.errors import UsageError
from hanjo.commands.withdraw import withdraw as command
from hanjo.ledger import last_entry, verify
from hanjo.recipe import load_recipe
from hanjo.tracing import trace
from pretrain.packing import pack
from pretrain.stage import plan_training
from tokenizer.indexed import IndexedTokens

STAGES = ("collect", "measure", "decide", "dedup", "tokenize", "pretrain", "evaluate")
Kit = Any
Hanjo = Callable[..., Any]


def test_a_contributor_s_text_goes_from_every_file(kit: Kit, run: Path, recipe: Path) -> None:
    texts = [row["text"] for row in kit.rows(run, "documents") if row["contributor"] == "새벽"]
    others = [row["text"] for row in kit.rows(run, "documents") if row["contributor"] != "새벽"]
    own = [text for text in texts if text not in others and len(text) > 100][:30]
    parts = [part for text in own for part in kit.fragments(text)]
    said = kit.everything(run)
    assert len(own) >= 30 and len(parts) > 200 and all(part in said for part in parts)
    told = kit.withdraw(run, contributor="새벽")
    assert told.documents == 45 and told.quarantined == 1 and not told.missing
    left = [row["text"] for row in kit.rows(run, "documents")]
    assert left.count("") == 45
    said, shared = kit.everything(run), "\n".join(others)
    assert not [part for part in parts if part in said and part not in shared]
    assert not (run / "report.html").exists()  # the command writes it anew
    kit.assert_counts_agree(run)


def test_no_token_moves_and_what_is_not_touched_stays_byte_identical(kit: Kit, run: Path) -> None:
    before, old = kit.tree(run), run.parent / "old"
    shutil.copytree(run, old)
    name = next(row["id"] for row in kit.rows(run, "unique/train"))
    told = kit.withdraw(run, ids=(name,))
    assert told.documents == 1 and told.shards
    end = tokenizer_end(run)
    for path in sorted((old / "tokens").rglob("*.bin")):
        relative = path.relative_to(old).with_suffix("")
        was, now = IndexedTokens(old / relative), IndexedTokens(run / relative)
        docs = pq.read_table(run / f"{relative}.docs.parquet").to_pylist()
        for number, row in enumerate(docs):
            assert row["withdrawn"] == (row["id"] == name)
            if row["id"] == name:
                assert (now.document(number) == end).all() and len(now.document(number)) == row["tokens"] > 1
            else:
                assert np.array_equal(now.document(number), was.document(number))
    after = kit.tree(run)
    changed = {path for path in before if after.get(path) != before[path]}
    assert not {path for path in changed if path.endswith(".idx")}
    bins = {path for path in changed if path.endswith(".bin")}
    assert bins == {f"{shard}.bin" for shard in told.shards}
    assert not any(path.startswith(("documents/ids/", "tokens/ids/", "tokenizer/")) for path in changed)
    kit.assert_counts_agree(run)


def tokenizer_end(run: Path) -> int:
    from tokenizer.vocabulary import open_vocabulary

    return open_vocabulary(run / "tokenizer").end_of_text


def test_nothing_is_run_again_and_nothing_comes_back(kit: Kit, run: Path, recipe: Path) -> None:
    kit.withdraw(run, contributor="새벽")
    shutil.copytree(recipe.parent / "a", run.parent / "a")
    before = kit.tree(run)
    stages = kit.run_to(recipe, run, "tokenize")
    assert {name: stage.ran for name, stage in stages.items()} == dict.fromkeys(stages, 0)
    assert kit.tree(run) == before
    assert verify(run, last_entry(run)) == []


def test_what_is_made_anew_leaves_withdrawn_documents_out(kit: Kit, run: Path, recipe: Path) -> None:
    names = [row["id"] for row in kit.rows(run, "unique/train")[:2]]
    kit.withdraw(run, ids=tuple(names))
    kit.withdraw(run, contributor="새벽")
    for stage in STAGES[:5]:
        again = Path(shutil.copytree(run, run.parent / stage))
        for path in (again / ".done" / stage).rglob("*.json"):
            path.unlink()
        (again / ".done" / f"{stage}.json").unlink()
        ran = kit.run_to(recipe, again, "tokenize")
        assert ran[stage].ran > 0 and kit.run_to(recipe, again, "tokenize")["tokenize"].ran == 0
        kit.assert_counts_agree(again)
        left = [
            row for split in ("train", "valid", "test") for row in kit.rows(again, f"unique/{split}") if row["text"]
        ]
        assert left and not {row["id"] for row in left} & set(names)
        assert all(row["contributor"] != "새벽" for row in left)
        assert verify(again, last_entry(again)) == []
        moved = kit.manifest(again)["tokenize"]["fingerprint"] != kit.manifest(run)["tokenize"]["fingerprint"]
        assert moved == (stage in ("dedup", "tokenize"))
        gone = [row for row in kit.rows(again, "documents") if not row["text"]]
        assert len(gone) == 47 and {row["path"] for row in gone} == {""} and {row["id"] for row in gone} >= set(names)
        if stage == "collect":
            assert kit.rows(again, "documents") == kit.rows(run, "documents")
            assert kit.manifest(again)["collect"]["counts"] == kit.manifest(run)["collect"]["counts"]


def test_documents_removed_for_the_sake_of_a_withdrawn_one_are_judged_again(kit: Kit, run: Path) -> None:
    ids = {key: document_id("c", key) for key in ("bridge", "left", "right", "again")}
    before = {row["id"]: side for row, side in zip(kit.rows(run, "documents"), kit.rows(run, "clusters"), strict=True)}
    assert before[ids["bridge"]]["keep"] and before[ids["bridge"]]["size"] == 4
    assert all(before[ids[key]]["witness"] == ids["bridge"] for key in ("left", "right", "again"))
    told = kit.withdraw(run, ids=(ids["bridge"],))
    split = before[ids["bridge"]]["split"]
    promoted = {one["id"] for one in told.promoted}
    assert ids["right"] in promoted and len(promoted) == 2
    assert told.judged == 3 and {one["split"] for one in told.promoted} == {split}
    after = {row["id"]: side for row, side in zip(kit.rows(run, "documents"), kit.rows(run, "clusters"), strict=True)}
    stays, copy = (ids["left"], ids["again"]) if ids["left"] in promoted else (ids["again"], ids["left"])
    assert after[copy] | {"rule": "dedup.exact", "witness": stays, "similarity": 1.0, "keep": False} == after[copy]
    for name in promoted:
        assert after[name]["keep"] and after[name]["size"] == 3 and after[name]["witness"] is None
        assert after[name]["cluster"] == before[name]["cluster"] and after[name]["split"] == split
        found = trace(run, name)
        assert found["tokens"]["shard"].startswith("appended-") and not found["tokens"]["withdrawn"]
    (text,) = [row["text"] for row in kit.rows(run, f"unique/{split}") if row["id"] == ids["right"]]
    assert tokens_of(run, ids["right"]) == text
    kit.assert_counts_agree(run)
    assert verify(run, last_entry(run)) == []

    again = kit.withdraw(run, ids=(stays,))  # out of the appended shard
    assert [one["id"] for one in again.promoted] == [copy]
    assert tokens_of(run, stays) == ""
    assert verify(run, last_entry(run)) == []
    kit.assert_counts_agree(run)


def tokens_of(run: Path, document: str) -> str:
    from tokenizers import Tokenizer

    place = trace(run, document)["tokens"]
    tokens = IndexedTokens(run / "tokens" / place["split"] / place["shard"]).document(place["row"])
    read = Tokenizer.from_file(str(run / "tokenizer" / "tokenizer.json"))
    text: str = read.decode([token for token in tokens.tolist() if token != tokenizer_end(run)], False)
    return text


def test_an_index_of_deduplication_follows(kit: Kit, run: Path) -> None:
    from dedup.index import Index
    from dedup.index_check import check

    before = Index.open(kit.with_key(run, index=True) / "index").totals["documents"]
    made = Path(shutil.copytree(run, run.parent / "before"))
    told = kit.withdraw(run, contributor="새벽")
    assert told.indexes == [str(run / "index")]
    index = Index.open(run / "index")
    assert index.totals["documents"] == before - 45
    check(index)

    other = Path(shutil.copytree(made / "index", run.parent / "known"))
    files = kit.tree(run)
    again = kit.withdraw(run, indexes=[other], contributor="새벽")  # from an index that was not named at first
    assert (again.documents, again.before) == (0, 45)
    assert Index.open(other).totals == index.totals and kit.tree(run) == files
    assert kit.withdraw(run, ids=("0" * 32,)).missing == ["0" * 32] and kit.tree(run) == files


def test_dry_run_tells_the_same_and_changes_nothing(kit: Kit, run: Path) -> None:
    before = kit.tree(run)
    would = kit.withdraw(run, contributor="새벽", dry_run=True)
    assert kit.tree(run) == before and not (run / ".withdraw").exists()
    did = kit.withdraw(run, contributor="새벽")
    assert would.promoted == did.promoted and would.tokens == did.tokens > 0 and would.documents == did.documents
    after = kit.tree(run)
    again = kit.withdraw(run, contributor="새벽")
    assert (again.documents, again.before) == (0, 45)
    assert kit.tree(run) == after


def test_the_command_tells_what_went_and_what_it_did_not_find(hanjo: Hanjo, run: Path) -> None:
    other = shutil.copytree(run, run.parent / "other")
    file = run.parent / "keys.txt"
    file.write_text("own1\nnobody\n", encoding="utf-8")
    done = hanjo("withdraw", "--run", run, "--source", "b", "--ids", file)
    assert done.returncode == 0, done.stderr
    assert "documents   1 withdrawn" in done.stdout and f"{other} holds 1 of them: withdraw there too" in done.stdout
    assert f"1 ids are not in {run}: {document_id('b', 'nobody')}" in done.stderr
    assert "withdrawn</code>" in (run / "report.html").read_text(encoding="utf-8")
    found = json.loads(hanjo("trace", "own1", "--source", "b", "--run", run, "--json").stdout)
    assert found["verdict"]["rule"] == "withdrawn" and found["tokens"]["withdrawn"]
    assert "withdrawn" in hanjo("trace", "own1", "--source", "b", "--run", run).stdout
    told = json.loads(hanjo("status", run, "--json").stdout)
    assert all(stage["withdrawn"] == 1 for stage in told["stages"][:5])
    head, *lines = hanjo("status", run).stdout.splitlines()[1:]
    assert head.split() == ["stage", "in", "kept", "removed", "quarantined", "withdrawn", "tokens"]
    for line in lines[:5]:
        whole, *parts = (int(one.replace(",", "")) for one in line.split()[1:6])
        assert whole == sum(parts), line
    again = json.loads(hanjo("withdraw", "--run", run, "--source", "b", "--ids", "own1", "--json").stdout)
    assert (again["documents"], again["before"]) == (0, 1)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"ids": ["0" * 32]}, "no document that was asked for"),
        ({"ids": ["gone.txt"]}, "no such file, and no id"),
        ({"contributor": "아무개"}, "the contributors are: 바다, 새벽, 한빛"),
        ({"contributor": "새벼"}, "did you mean '새벽'?"),
        ({"source": "d"}, "no source 'd'"),
        ({}, "say what is to go"),
        ({"contributor": "새벽", "source": "b"}, "say what is to go"),
    ],
)
def test_a_wrong_ask_is_told(made: Path, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        command([made], **asked)
    assert message in str(raised.value)


def test_a_run_that_is_at_work_is_refused(hanjo: Hanjo, run: Path) -> None:
    from hanjo.lock import locked

    with locked(run):
        done = hanjo("withdraw", "--run", run, "--contributor", "새벽")
    assert done.returncode == 1 and "another process works on this run" in done.stderr


def test_a_disk_that_fills_leaves_the_run_as_it_was(
    kit: Kit, hanjo: Hanjo, run: Path, small_disk: Callable[[str], Path]
) -> None:
    used = sum(-(-path.stat().st_size // 4096) * 4 for path in run.rglob("*") if path.is_file())
    there = small_disk(f"{used + 400}k") / "run"
    shutil.copytree(run, there)
    before = kit.tree(there)
    filling = there.parent / "filling"
    filling.write_bytes(b"0" * (shutil.disk_usage(there).free - (24 << 10)))
    done = hanjo("withdraw", "--run", there, "--contributor", "새벽")
    assert done.returncode == 1 and "no space left" in done.stderr.lower() and "Traceback" not in done.stderr
    assert kit.tree(there) == before and not (there / ".withdraw").exists()
    filling.unlink()
    assert hanjo("withdraw", "--run", there, "--contributor", "새벽").returncode == 0


def test_what_an_unfinished_stage_left_goes_too(kit: Kit, run: Path, recipe: Path) -> None:
    own = next(row["text"] for row in kit.rows(run, "documents") if row["id"] == document_id("b", "own3"))
    values = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    for name in ("dedup", "tokenize"):  # as a kill in dedup leaves it
        del values["stages"][name]
        (run / "shards" / f"{name}.parquet").unlink()
    (run / "manifest.json").write_text(json.dumps(values), encoding="utf-8")
    (run / ".scratch" / "dedup").mkdir(parents=True)
    (run / ".scratch" / "dedup" / "texts").write_text(own, encoding="utf-8")
    kit.withdraw(run, contributor="새벽")
    assert not (run / "unique").exists() and not (run / "tokens").exists() and not (run / ".scratch" / "dedup").exists()
    kit.run_to(recipe, run, "tokenize")
    assert kit.fragments(own)[0] not in kit.everything(run)
    kit.assert_counts_agree(run)


@pytest.fixture(scope="module")
def trained(kit: Kit, made: Path, recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run through every stage: four steps, checkpoints after two and four."""
    run = Path(shutil.copytree(made, tmp_path_factory.mktemp("trained") / "runs" / "run"))
    kit.run_to(recipe, run, "evaluate")
    return run


def test_steps_and_checkpoints_that_have_seen_it_are_told_and_nothing_is_trained_again(
    kit: Kit, trained: Path, recipe: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "runs" / "run"))
    places = {row["id"]: trace(run, row["id"]) for row in kit.rows(run, "unique/train")}
    seen = next(name for name, place in places.items() if place["training"]["checkpoints"] == ["step-000004"])
    before = kit.tree(run)
    told = kit.withdraw(run, ids=(seen,))
    assert told.steps == places[seen]["training"]["steps"] and told.checkpoints == {"step-000004": len(told.steps)}
    assert told.model
    assert trace(run, seen)["training"] == places[seen]["training"]  # a checkpoint stays traceable
    after = kit.tree(run)
    assert not [path for path in before if path.startswith("pretrain/") and after.get(path) != before[path]]
    again = kit.run_to(recipe, run, "evaluate")
    assert {name: stage.ran for name, stage in again.items()} == dict.fromkeys(again, 0)


def test_a_bridge_s_shards_change_no_order_of_samples(kit: Kit, trained: Path, recipe: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "runs" / "run"))
    told = kit.withdraw(run, ids=(document_id("c", "bridge"),))
    assert told.promoted
    again = kit.run_to(recipe, run, "evaluate")
    assert {name: stage.ran for name, stage in again.items()} == dict.fromkeys(again, 0)
    assert not list((run / "pretrain" / "checkpoints").glob("stale-*"))
    name = next(row["id"] for row in kit.rows(run, "unique/train") if trace(run, row["id"])["training"]["steps"])
    assert kit.withdraw(run, ids=(name,)).steps  # still traced, though the run has shards that training did not see


def test_samples_of_a_withdrawn_test_document_go(
    kit: Kit, hanjo: Hanjo, trained: Path, recipe: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "runs" / "run"))
    (path,) = (run / "evaluate" / "samples").glob("*.trained.parquet")
    name = pq.read_table(path)["id"][0].as_py()
    rows_before = pq.read_metadata(path).num_rows
    assert kit.withdraw(run, ids=(name,)).samples == 2  # of the model, and of its untrained twin
    assert pq.read_metadata(path).num_rows == rows_before - 1 and name not in pq.read_table(path)["id"].to_pylist()
    kit.assert_counts_agree(run)
    again = kit.run_to(recipe, run, "evaluate")
    assert {stage.ran for stage in again.values()} == {0}
    assert hanjo("report", run).returncode == 0


def killed_after_two_steps(run: Path) -> Path:
    """The run as a kill in the fourth step leaves it: a checkpoint after two, and a line of metrics more."""
    shutil.rmtree(run / "pretrain" / "checkpoints" / "step-000004")
    shutil.rmtree(run / "pretrain" / "model")
    shutil.rmtree(run / "evaluate")
    metrics = run / "pretrain" / "metrics.jsonl"
    metrics.write_text("".join(metrics.read_text(encoding="utf-8").splitlines(keepends=True)[:3]), encoding="utf-8")
    values = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    for name in ("pretrain", "evaluate"):
        del values["stages"][name]
        (run / "shards" / f"{name}.parquet").unlink()
        shutil.rmtree(run / ".done" / name)
    (run / "manifest.json").write_text(json.dumps(values), encoding="utf-8")
    return run


def test_training_that_goes_on_sees_masked_ids_in_the_same_order(
    kit: Kit, hanjo: Hanjo, trained: Path, tmp_path: Path
) -> None:
    run = killed_after_two_steps(Path(shutil.copytree(trained, tmp_path / "runs" / "run")))
    first = (run / "pretrain" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[:2]
    plan = plan_training(run, load_recipe(run / "recipe.yaml").pretrain, 0, here=False)
    told = kit.withdraw(
        run, ids=(document_id("c", "bridge"), *(row["id"] for row in kit.rows(run, "unique/train")[:20]))
    )
    assert told.promoted and told.tokens > 1000
    after = plan_training(run, load_recipe(run / "recipe.yaml").pretrain, 0, here=False)
    assert (after.fingerprint, after.train) == (plan.fingerprint, plan.train)
    end, masked = tokenizer_end(run), 0
    for shard in after.train:
        tokens = np.asarray(IndexedTokens(run / shard.path).tokens, np.int64)
        for row in pq.read_table(run / f"{shard.path}.docs.parquet").to_pylist():
            if row["withdrawn"] and row["first_token"] and row["tokens"] > 1:
                window = tokens[row["first_token"] - 1 : row["first_token"] + row["tokens"]]
                assert pack(window[None], end).targets == 0
                masked += 1
    assert masked > 10
    for source in ("a", "b", "c"):  # the last steps have nothing to learn from
        kit.withdraw(run, source=source)
    done = hanjo("pretrain", "train", run)
    assert done.returncode == 0, done.stderr
    lines = (run / "pretrain" / "metrics.jsonl").read_text(encoding="utf-8")
    assert lines.splitlines()[:2] == first and len(lines.splitlines()) == 4
    losses = [json.loads(line)["loss"] for line in lines.splitlines()]
    assert min(losses[:2]) > 1 and losses[2:] == [0, 0]
    assert not list((run / "pretrain" / "checkpoints").glob("stale-*"))


def test_training_anew_takes_the_promoted_documents_too(kit: Kit, made: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(made, tmp_path / "runs" / "run"))
    settings = load_recipe(run / "recipe.yaml").pretrain
    before = plan_training(run, settings, 0, here=False)
    told = kit.withdraw(run, ids=(document_id("c", "bridge"),))
    assert {one["split"] for one in told.promoted} == {"train"}
    after = plan_training(run, settings, 0, here=False)
    assert after.train[:-1] == before.train and after.train[-1].path == "tokens/train/appended-00000"
    assert after.fingerprint != before.fingerprint
