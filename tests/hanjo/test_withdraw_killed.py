"""`hanjo withdraw` killed: before its journal stands the run is as it was, after that it ends as one never killed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpus.documents import document_id

ROOT = Path(__file__).resolve().parents[2]
ALL = range(1, 300)  # the killer stops at the first withdrawal that ends by itself
Kit = Any


def killed(what: str, run: Path, *arguments: object) -> list[dict[str, Any]]:
    """What tests/hanjo/killer/withdrawing.py printed."""
    script = Path(__file__).parent / "killer" / "withdrawing.py"
    scratch = run.parent / "killed"
    scratch.mkdir(exist_ok=True)
    command = [sys.executable, str(script), what, str(run), str(scratch), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def stop(_: Path) -> bool:
    raise KeyboardInterrupt


def begun(kit: Kit, run: Path, name: str) -> tuple[Path, dict[str, str]]:
    """A copy of the run whose withdrawal was killed as soon as its journal stood, and the files of one never killed."""
    whole, cut = (Path(shutil.copytree(run, run.parent / what / run.name)) for what in ("whole", "cut"))
    kit.withdraw(whole, ids=(name,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hanjo.journal.recover", stop)
        with pytest.raises(KeyboardInterrupt):
            kit.withdraw(cut, ids=(name,))
    assert (cut / ".withdraw" / "journal.json").exists()
    return cut, kit.tree(whole)


def assert_ends_as(new: dict[str, str], states: list[dict[str, Any]]) -> None:
    """All but the last were killed, and whoever opened the run then found or made the same files."""
    assert [state["killed"] for state in states] == [True] * (len(states) - 1) + [False]
    for state in states:
        assert state["tree"] == new, state["number"]


def test_killed_while_it_is_moved_it_ends_as_one_never_killed(kit: Kit, run: Path) -> None:
    cut, new = begun(kit, kit.with_key(run, index=True), document_id("c", "bridge"))
    states = killed("carry", cut, 1, 30, 58, ALL.stop)  # before the first, amid the files, in the index, never
    assert len(states) == 4
    assert_ends_as(new, states)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("index", [False, True])
def test_killed_at_any_step_of_moving_it_ends_as_one_never_killed(kit: Kit, run: Path, index: bool) -> None:
    cut, new = begun(kit, kit.with_key(run, index=index), document_id("c", "bridge"))
    states = killed("carry", cut, *ALL)
    assert len(states) > 50
    assert_ends_as(new, states)


def test_killed_before_and_after_its_journal_stands_the_run_is_as_it_was_or_shall_be(kit: Kit, run: Path) -> None:
    bridge = document_id("c", "bridge")
    old = kit.tree(kit.with_key(run, index=False))
    _, new = begun(kit, run, bridge)
    states = killed("stage", run, bridge, 1, 15, 40)
    assert [state["journal"] for state in states] == [False, False, True]
    for state in states:
        assert state["killed"] and state["tree"] == (new if state["journal"] else old), state["number"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_any_step_the_run_is_as_it_was_or_as_it_shall_be(kit: Kit, run: Path) -> None:
    bridge = document_id("c", "bridge")
    old = kit.tree(kit.with_key(run, index=True))
    _, new = begun(kit, run, bridge)
    states = killed("stage", run, bridge, *ALL)
    assert len(states) > 60 and not states[-1]["killed"]
    for state in states:
        done = state["journal"] or not state["killed"]
        assert state["tree"] in ((new,) if done else (old, new)), state["number"]


def test_the_next_command_finishes_what_was_cut_off(
    kit: Kit, hanjo: Callable[..., Any], run: Path, tmp_path: Path
) -> None:
    bridge, items = document_id("c", "bridge"), tmp_path / "items.jsonl"
    row = next(row for row in kit.rows(run, "documents") if row["id"] == bridge)
    items.write_text(json.dumps({"id": "it", "text": row["text"]}) + "\n", encoding="utf-8")
    cut, new = begun(kit, kit.with_key(run, index=True), bridge)
    for command in (
        ("status", "RUN"),
        ("dedup", "ngrams", str(items), "RUN", "--json"),
        ("corpus", "calibrate", "RUN"),
        ("tokenizer", "show", "RUN", "--id", bridge),
        ("tokenizer", "train", str(tmp_path / "out"), "RUN", "--vocab-size", "512"),
    ):
        again = Path(shutil.copytree(cut, tmp_path / command[1] / run.name))
        done = hanjo(*(str(again) if part == "RUN" else part for part in command))
        assert done.returncode == 0, done.stderr
        assert kit.tree(again) == new
        if command[1] == "ngrams":
            assert bridge not in done.stdout


def test_an_index_that_is_gone_since_does_not_hold_up_the_run(
    kit: Kit, run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from dedup.index import Index
    from hanjo.journal import settle

    bridge, index = document_id("c", "bridge"), tmp_path / "known"
    (kit.with_key(run, index=True) / "index").rename(index)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hanjo.journal.recover", stop)
        with pytest.raises(KeyboardInterrupt):
            kit.withdraw(run, indexes=[index], ids=(bridge,))
    before = Index.open(index).totals["documents"]
    index.rename(tmp_path / "moved")
    settle(run)
    assert f"the index {index} is gone since" in caplog.text and not (run / ".withdraw").exists()
    assert kit.rows(run, "tombstones") and not next(r for r in kit.rows(run, "documents") if r["id"] == bridge)["text"]
    (tmp_path / "moved").rename(index)
    assert kit.withdraw(run, indexes=[index], ids=(bridge,)).before == 1  # as the warning says
    assert Index.open(index).totals["documents"] == before - 1
