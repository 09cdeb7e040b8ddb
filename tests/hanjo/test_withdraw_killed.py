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


def begun(kit: Kit, run: Path, name: str) -> tuple[Path, dict[str, str]]:
    """A copy of the run whose withdrawal was killed as soon as its journal stood, and the files of one never killed."""
    whole, cut = (Path(shutil.copytree(run, run.parent / what / run.name)) for what in ("whole", "cut"))
    kit.withdraw(whole, ids=(name,))

    def stop(_: Path) -> bool:
        raise KeyboardInterrupt

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
def test_killed_at_any_step_the_run_is_as_it_was_or_as_it_shall_be(kit: Kit, run: Path) -> None:
    bridge = document_id("c", "bridge")
    old = kit.tree(kit.with_key(run, index=True))
    _, new = begun(kit, run, bridge)
    states = killed("stage", run, bridge, *ALL)
    assert len(states) > 60 and not states[-1]["killed"]
    for state in states:
        done = state["journal"] or not state["killed"]
        assert state["tree"] in ((new,) if done else (old, new)), state["number"]


def test_the_next_command_finishes_what_was_cut_off(kit: Kit, hanjo: Callable[..., Any], run: Path) -> None:
    cut, new = begun(kit, kit.with_key(run, index=True), document_id("c", "bridge"))
    assert hanjo("status", cut).returncode == 0
    assert kit.tree(cut) == new
