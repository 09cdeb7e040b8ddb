"""`hanjo withdraw` on a real small run: the text goes from every file, no token moves, and nothing is run again."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from corpus.documents import document_id
from corpus.errors import UsageError
from corpus.shards import merge
from hanjo.commands.withdraw import withdraw as command
from hanjo.execution import Runner
from hanjo.ledger import last_entry, verify
from hanjo.progress import Progress
from hanjo.recipe import load_recipe
from hanjo.report import write_report
from hanjo.stages import StageResult, up_to
from hanjo.tracing import trace
from hanjo.withdraw import Asked, Withdrawn
from hanjo.withdraw import withdraw as withdraw_from
from pretrain.packing import pack
from pretrain.stage import plan_training
from tokenizer.indexed import IndexedTokens

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "recipes" / "sample" / "tax-rulings" / "tribunal.jsonl.gz"
STAGES = ("collect", "measure", "decide", "dedup", "tokenize", "pretrain", "evaluate")
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


def hanjo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hanjo.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def write_source(folder: Path, contributor: str, texts: dict[str, str]) -> None:
    folder.mkdir()
    said = f"contributor: {contributor}\nsource: {folder.name}\nkey: id\nlang: ko\ndomain: test\norigin: natural\n"
    (folder / "submission.yaml").write_text(f"{said}rights: {RIGHTS}\n", encoding="utf-8")
    lines = [json.dumps({"id": key, "text": text}, ensure_ascii=False) for key, text in texts.items()]
    if folder.name == "b":
        lines.append('{"id": "broken", "text": ')  # quarantined
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def rulings() -> list[str]:
    with gzip.open(SAMPLE, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in islice(lines, 110)]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rulings of three contributors. b repeats some of a's, exactly and nearly; c holds a bridge between two texts.

    `bridge` is similar to `left` and to `right`, which are not similar to each other; `again` repeats `left`.
    """
    folder = tmp_path_factory.mktemp("withdraw")
    texts = rulings()
    write_source(folder / "a", "한빛", {f"a{i}": text for i, text in enumerate(texts[:40])})
    copies = {f"b{i}": text for i, text in enumerate(texts[:10])}
    copies |= {f"near{i}": text + " 이상과 같이 결정한다." for i, text in enumerate(texts[10:15])}
    write_source(folder / "b", "새벽", copies | {f"own{i}": text for i, text in enumerate(texts[40:70])})
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


def run_to(recipe: Path, run: Path, until: str) -> dict[str, StageResult]:
    """`hanjo run` in this process: stage → result."""
    resolved = load_recipe(recipe, ["max_quarantined=0.5"])
    results = Runner(run, resolved, recipe.parent, Progress("quiet")).run_stages(up_to(until))
    return {result.stage: result for result in results}


@pytest.fixture(scope="module")
def made(recipe: Path) -> Path:
    """The run up to tokenize; every test takes a copy."""
    run_to(recipe, recipe.parent / "runs" / "made", "tokenize")
    write_report(recipe.parent / "runs" / "made")
    return recipe.parent / "runs" / "made"


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "runs" / "run"))


def withdraw(run: Path, *, indexes: Sequence[Path] = (), dry_run: bool = False, **asked: Any) -> Withdrawn:
    return withdraw_from(run, Asked(**asked), indexes=indexes, dry_run=dry_run)


def tree(run: Path, *but: str) -> dict[str, str]:
    """File → hash of its bytes."""
    return {
        path.relative_to(run).as_posix(): hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name not in ("timings.jsonl", ".lock", *but)
    }


def rows(run: Path, folder: str) -> list[dict[str, Any]]:
    return [row for path in sorted((run / folder).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def everything(run: Path) -> str:
    """All that a run's files say: tables decoded, other files as they are."""
    told = []
    for path in sorted(run.rglob("*")):
        if path.suffix == ".parquet":
            told += [json.dumps(row, ensure_ascii=False, default=str) for row in pq.read_table(path).to_pylist()]
        elif path.is_file() and path.suffix not in (".bin", ".idx"):
            told.append(path.read_bytes().decode("utf-8", "replace"))
    return "\n".join(told)


def manifest(run: Path) -> dict[str, Any]:
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


def fragments(text: str) -> list[str]:
    """Pieces of 30 characters that stand in a table's JSON as they are."""
    lines = [line for line in text.split("\n") if '"' not in line and "\\" not in line]
    return [line[at : at + 30] for line in lines for at in range(0, len(line) - 30, 30)]


def test_a_contributor_s_text_goes_from_every_file(run: Path, recipe: Path) -> None:
    texts = [row["text"] for row in rows(run, "documents") if row["contributor"] == "새벽"]
    others = [row["text"] for row in rows(run, "documents") if row["contributor"] != "새벽"]
    own = [text for text in texts if text not in others and len(text) > 100][:30]
    parts = [part for text in own for part in fragments(text)]
    said = everything(run)
    assert len(own) >= 30 and len(parts) > 200 and all(part in said for part in parts)
    told = withdraw(run, contributor="새벽")
    assert told.documents == 45 and told.quarantined == 1 and not told.missing
    left = [row["text"] for row in rows(run, "documents")]
    assert left.count("") == 45
    said, shared = everything(run), "\n".join(others)
    assert not [part for part in parts if part in said and part not in shared]
    assert not (run / "report.html").exists()  # the command writes it anew
    assert_counts_agree(run)


def test_no_token_moves_and_what_is_not_touched_stays_byte_identical(run: Path) -> None:
    before, old = tree(run), run.parent / "old"
    shutil.copytree(run, old)
    name = next(row["id"] for row in rows(run, "unique/train"))
    told = withdraw(run, ids=(name,))
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
    after = tree(run)
    changed = {path for path in before if after.get(path) != before[path]}
    assert not {path for path in changed if path.endswith(".idx")}
    bins = {path for path in changed if path.endswith(".bin")}
    assert bins == {f"{shard}.bin" for shard in told.shards}
    assert not any(path.startswith(("documents/ids/", "tokens/ids/", "tokenizer/")) for path in changed)
    assert_counts_agree(run)


def tokenizer_end(run: Path) -> int:
    from tokenizer.vocabulary import open_vocabulary

    return open_vocabulary(run / "tokenizer").end_of_text


def test_nothing_is_run_again_and_nothing_comes_back(run: Path, recipe: Path) -> None:
    withdraw(run, contributor="새벽")
    shutil.copytree(recipe.parent / "a", run.parent / "a")
    before = tree(run)
    stages = run_to(recipe, run, "tokenize")
    assert {name: stage.ran for name, stage in stages.items()} == dict.fromkeys(stages, 0)
    assert tree(run) == before
    assert verify(run, last_entry(run)) == []


def test_what_is_made_anew_leaves_withdrawn_documents_out(run: Path, recipe: Path) -> None:
    names = [row["id"] for row in rows(run, "unique/train")[:2]]
    withdraw(run, ids=tuple(names))
    withdraw(run, contributor="새벽")
    for stage in STAGES[:5]:
        again = Path(shutil.copytree(run, run.parent / stage))
        for path in (again / ".done" / stage).rglob("*.json"):
            path.unlink()
        (again / ".done" / f"{stage}.json").unlink()
        ran = run_to(recipe, again, "tokenize")
        assert ran[stage].ran > 0 and run_to(recipe, again, "tokenize")["tokenize"].ran == 0
        assert_counts_agree(again)
        left = [row for split in ("train", "valid", "test") for row in rows(again, f"unique/{split}") if row["text"]]
        assert left and not {row["id"] for row in left} & set(names)
        assert all(row["contributor"] != "새벽" for row in left)
        assert verify(again, last_entry(again)) == []
        moved = manifest(again)["tokenize"]["fingerprint"] != manifest(run)["tokenize"]["fingerprint"]
        assert moved == (stage in ("dedup", "tokenize"))
        gone = [row for row in rows(again, "documents") if not row["text"]]
        assert len(gone) == 47 and {row["path"] for row in gone} == {""} and {row["id"] for row in gone} >= set(names)
        if stage == "collect":
            assert rows(again, "documents") == rows(run, "documents")
            assert manifest(again)["collect"]["counts"] == manifest(run)["collect"]["counts"]


def test_documents_removed_for_the_sake_of_a_withdrawn_one_are_judged_again(run: Path) -> None:
    ids = {key: document_id("c", key) for key in ("bridge", "left", "right", "again")}
    before = {row["id"]: side for row, side in zip(rows(run, "documents"), rows(run, "clusters"), strict=True)}
    assert before[ids["bridge"]]["keep"] and before[ids["bridge"]]["size"] == 4
    assert all(before[ids[key]]["witness"] == ids["bridge"] for key in ("left", "right", "again"))
    told = withdraw(run, ids=(ids["bridge"],))
    split = before[ids["bridge"]]["split"]
    promoted = {one["id"] for one in told.promoted}
    assert ids["right"] in promoted and len(promoted) == 2
    assert told.judged == 3 and {one["split"] for one in told.promoted} == {split}
    after = {row["id"]: side for row, side in zip(rows(run, "documents"), rows(run, "clusters"), strict=True)}
    stays, copy = (ids["left"], ids["again"]) if ids["left"] in promoted else (ids["again"], ids["left"])
    assert after[copy] | {"rule": "dedup.exact", "witness": stays, "similarity": 1.0, "keep": False} == after[copy]
    for name in promoted:
        assert after[name]["keep"] and after[name]["size"] == 3 and after[name]["witness"] is None
        assert after[name]["cluster"] == before[name]["cluster"] and after[name]["split"] == split
        found = trace(run, name)
        assert found["tokens"]["shard"].startswith("appended-") and not found["tokens"]["withdrawn"]
    (text,) = [row["text"] for row in rows(run, f"unique/{split}") if row["id"] == ids["right"]]
    assert tokens_of(run, ids["right"]) == text
    assert_counts_agree(run)
    assert verify(run, last_entry(run)) == []

    again = withdraw(run, ids=(stays,))  # out of the appended shard
    assert [one["id"] for one in again.promoted] == [copy]
    assert tokens_of(run, stays) == ""
    assert verify(run, last_entry(run)) == []
    assert_counts_agree(run)


def tokens_of(run: Path, document: str) -> str:
    from tokenizers import Tokenizer

    place = trace(run, document)["tokens"]
    tokens = IndexedTokens(run / "tokens" / place["split"] / place["shard"]).document(place["row"])
    read = Tokenizer.from_file(str(run / "tokenizer" / "tokenizer.json"))
    text: str = read.decode([token for token in tokens.tolist() if token != tokenizer_end(run)], False)
    return text


def with_key(run: Path, *, index: bool) -> Path:
    """A run with the key of its tombstones, which is random otherwise, and with an index of deduplication."""
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


def killed(what: str, run: Path, *arguments: object) -> list[dict[str, Any]]:
    """What tests/hanjo/killer/withdrawing.py printed."""
    script = Path(__file__).parent / "killer" / "withdrawing.py"
    scratch = run.parent / "killed"
    scratch.mkdir(exist_ok=True)
    command = [sys.executable, str(script), what, str(run), str(scratch), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def begun(run: Path, name: str) -> tuple[Path, dict[str, str]]:
    """A copy of the run whose withdrawal was killed as soon as its journal stood, and the files of one never killed."""
    whole, cut = (Path(shutil.copytree(run, run.parent / what / run.name)) for what in ("whole", "cut"))
    withdraw(whole, ids=(name,))

    def stop(_: Path) -> bool:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hanjo.journal.recover", stop)
        with pytest.raises(KeyboardInterrupt):
            withdraw(cut, ids=(name,))
    assert (cut / ".withdraw" / "journal.json").exists()
    return cut, tree(whole)


@pytest.mark.parametrize(
    ("index", "first"), [(False, 1), (True, 53), pytest.param(True, 1, marks=pytest.mark.slow)], ids=str
)
def test_killed_at_any_step_of_moving_it_ends_as_one_never_killed(run: Path, index: bool, first: int) -> None:
    cut, new = begun(with_key(run, index=index), document_id("c", "bridge"))
    states = killed("carry", cut, first)
    assert len(states) > 5 and [state["killed"] for state in states] == [True] * (len(states) - 1) + [False]
    for state in states:
        assert state["tree"] == new, state["number"]


def test_killed_before_its_journal_stands_the_run_is_as_it_was(run: Path) -> None:
    bridge = document_id("c", "bridge")
    old = tree(with_key(run, index=False))
    _, new = begun(run, bridge)
    for state in killed("stage", run, bridge, 1, 7, 13, 19, 25, 31, 37):
        assert state["killed"] and state["tree"] == (new if state["journal"] else old), state["number"]


@pytest.mark.slow
def test_killed_at_any_step_the_run_is_as_it_was_or_as_it_shall_be(run: Path) -> None:
    bridge = document_id("c", "bridge")
    old = tree(with_key(run, index=True))
    _, new = begun(run, bridge)
    states = killed("stage", run, bridge, *range(1, 300))
    assert len(states) > 60 and not states[-1]["killed"]
    for state in states:
        done = state["journal"] or not state["killed"]
        assert state["tree"] in ((new,) if done else (old, new)), state["number"]


def test_the_next_command_finishes_what_was_cut_off(run: Path) -> None:
    cut, new = begun(with_key(run, index=True), document_id("c", "bridge"))
    assert hanjo("status", cut).returncode == 0
    assert tree(cut) == new


def test_an_index_of_deduplication_follows(run: Path) -> None:
    from dedup.index import Index
    from dedup.index_check import check

    before = Index.open(with_key(run, index=True) / "index").totals["documents"]
    made = Path(shutil.copytree(run, run.parent / "before"))
    told = withdraw(run, contributor="새벽")
    assert told.indexes == [str(run / "index")]
    index = Index.open(run / "index")
    assert index.totals["documents"] == before - 45
    check(index)

    other = Path(shutil.copytree(made / "index", run.parent / "known"))
    files = tree(run)
    again = withdraw(run, indexes=[other], contributor="새벽")  # from an index that was not named at first
    assert (again.documents, again.before) == (0, 45)
    assert Index.open(other).totals == index.totals and tree(run) == files
    assert withdraw(run, ids=("0" * 32,)).missing == ["0" * 32] and tree(run) == files


def test_dry_run_tells_the_same_and_changes_nothing(run: Path) -> None:
    before = tree(run)
    would = withdraw(run, contributor="새벽", dry_run=True)
    assert tree(run) == before and not (run / ".withdraw").exists()
    did = withdraw(run, contributor="새벽")
    assert would.promoted == did.promoted and would.tokens == did.tokens > 0 and would.documents == did.documents
    after = tree(run)
    again = withdraw(run, contributor="새벽")
    assert (again.documents, again.before) == (0, 45)
    assert tree(run) == after


def test_the_command_tells_what_went_and_what_it_did_not_find(run: Path) -> None:
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
    assert "withdrawn" in hanjo("status", run).stdout
    again = json.loads(hanjo("withdraw", "--run", run, "--source", "b", "--ids", "own1", "--json").stdout)
    assert (again["documents"], again["before"]) == (0, 1)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"ids": ["0" * 32]}, "no document that was asked for"),
        ({"ids": ["xyz"]}, "no document id"),
        ({"contributor": "아무개"}, "a (of 한빛), b (of 새벽), c (of 바다)"),
        ({"source": "d"}, "no source 'd'"),
        ({}, "say what is to go"),
        ({"contributor": "새벽", "source": "b"}, "say what is to go"),
    ],
)
def test_a_wrong_ask_is_told(made: Path, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        command([made], **asked)
    assert message in str(raised.value)


def test_a_run_that_is_at_work_is_refused(run: Path) -> None:
    from hanjo.lock import locked

    with locked(run):
        done = hanjo("withdraw", "--run", run, "--contributor", "새벽")
    assert done.returncode == 1 and "another process works on this run" in done.stderr


def test_a_disk_that_fills_leaves_the_run_as_it_was(run: Path, small_disk: Callable[[str], Path]) -> None:
    used = sum(-(-path.stat().st_size // 4096) * 4 for path in run.rglob("*") if path.is_file())
    there = small_disk(f"{used + 400}k") / "run"
    shutil.copytree(run, there)
    before = tree(there)
    filling = there.parent / "filling"
    filling.write_bytes(b"0" * (shutil.disk_usage(there).free - (24 << 10)))
    done = hanjo("withdraw", "--run", there, "--contributor", "새벽")
    assert done.returncode == 1 and "no space left" in done.stderr.lower() and "Traceback" not in done.stderr
    assert tree(there) == before and not (there / ".withdraw").exists()
    filling.unlink()
    assert hanjo("withdraw", "--run", there, "--contributor", "새벽").returncode == 0


def test_what_an_unfinished_stage_left_goes_too(run: Path, recipe: Path) -> None:
    own = next(row["text"] for row in rows(run, "documents") if row["id"] == document_id("b", "own3"))
    values = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    for name in ("dedup", "tokenize"):  # as a kill in dedup leaves it
        del values["stages"][name]
        (run / "shards" / f"{name}.parquet").unlink()
    (run / "manifest.json").write_text(json.dumps(values), encoding="utf-8")
    (run / ".scratch" / "dedup").mkdir(parents=True)
    (run / ".scratch" / "dedup" / "texts").write_text(own, encoding="utf-8")
    withdraw(run, contributor="새벽")
    assert not (run / "unique").exists() and not (run / "tokens").exists() and not (run / ".scratch" / "dedup").exists()
    run_to(recipe, run, "tokenize")
    assert fragments(own)[0] not in everything(run)
    assert_counts_agree(run)


@pytest.fixture(scope="module")
def trained(made: Path, recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run through every stage: four steps, checkpoints after two and four."""
    run = Path(shutil.copytree(made, tmp_path_factory.mktemp("trained") / "runs" / "run"))
    run_to(recipe, run, "evaluate")
    return run


def test_steps_and_checkpoints_that_have_seen_it_are_told_and_nothing_is_trained_again(
    trained: Path, recipe: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "runs" / "run"))
    places = {row["id"]: trace(run, row["id"]) for row in rows(run, "unique/train")}
    seen = next(name for name, place in places.items() if place["training"]["checkpoints"] == ["step-000004"])
    before = tree(run)
    told = withdraw(run, ids=(seen,))
    assert told.steps == places[seen]["training"]["steps"] and told.checkpoints == {"step-000004": len(told.steps)}
    assert told.model
    assert trace(run, seen)["training"] == places[seen]["training"]  # a checkpoint stays traceable
    after = tree(run)
    assert not [path for path in before if path.startswith("pretrain/") and after.get(path) != before[path]]
    again = run_to(recipe, run, "evaluate")
    assert {name: stage.ran for name, stage in again.items()} == dict.fromkeys(again, 0)


def test_a_bridge_s_shards_change_no_order_of_samples(trained: Path, recipe: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "runs" / "run"))
    told = withdraw(run, ids=(document_id("c", "bridge"),))
    assert told.promoted
    again = run_to(recipe, run, "evaluate")
    assert {name: stage.ran for name, stage in again.items()} == dict.fromkeys(again, 0)
    assert not list((run / "pretrain" / "checkpoints").glob("stale-*"))
    name = next(row["id"] for row in rows(run, "unique/train") if trace(run, row["id"])["training"]["steps"])
    assert withdraw(run, ids=(name,)).steps  # still traced, though the run has shards that training did not see


def test_samples_of_a_withdrawn_test_document_go(trained: Path, recipe: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "runs" / "run"))
    (path,) = (run / "evaluate" / "samples").glob("*.trained.parquet")
    name = pq.read_table(path)["id"][0].as_py()
    rows_before = pq.read_metadata(path).num_rows
    assert withdraw(run, ids=(name,)).samples == 2  # of the model, and of its untrained twin
    assert pq.read_metadata(path).num_rows == rows_before - 1 and name not in pq.read_table(path)["id"].to_pylist()
    assert_counts_agree(run)
    again = run_to(recipe, run, "evaluate")
    assert {stage.ran for stage in again.values()} == {0}
    assert hanjo("report", run).returncode == 0


def test_training_that_goes_on_sees_masked_ids_in_the_same_order(made: Path, recipe: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(made, tmp_path / "runs" / "run"))
    done = hanjo("pretrain", "train", run, "--until-step", "2")
    assert done.returncode == 0, done.stderr
    first = (run / "pretrain" / "metrics.jsonl").read_text(encoding="utf-8")
    plan = plan_training(run, load_recipe(run / "recipe.yaml").pretrain, 0, here=False)
    told = withdraw(run, ids=(document_id("c", "bridge"), *(row["id"] for row in rows(run, "unique/train")[:20])))
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
        withdraw(run, source=source)
    done = hanjo("pretrain", "train", run)
    assert done.returncode == 0, done.stderr
    lines = (run / "pretrain" / "metrics.jsonl").read_text(encoding="utf-8")
    assert lines.startswith(first) and len(lines.splitlines()) == 4
    losses = [json.loads(line)["loss"] for line in lines.splitlines()]
    assert min(losses[:2]) > 1 and losses[2:] == [0, 0]
    assert not list((run / "pretrain" / "checkpoints").glob("stale-*"))


def test_training_anew_takes_the_promoted_documents_too(made: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(made, tmp_path / "runs" / "run"))
    settings = load_recipe(run / "recipe.yaml").pretrain
    before = plan_training(run, settings, 0, here=False)
    told = withdraw(run, ids=(document_id("c", "bridge"),))
    assert {one["split"] for one in told.promoted} == {"train"}
    after = plan_training(run, settings, 0, here=False)
    assert after.train[:-1] == before.train and after.train[-1].path == "tokens/train/appended-00000"
    assert after.fingerprint != before.fingerprint
