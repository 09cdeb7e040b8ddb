"""`hanjo corpus signals`: the list of signals, for readers and for programs, and the page for docs/."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from corpus.signals import NAMES
from hanjo.commands.corpus import app

SAMPLE = Path(__file__).resolve().parents[2] / "recipes" / "sample"


def test_signals_are_listed_with_meaning_and_unit() -> None:
    shown = CliRunner().invoke(app, ["signals"]).stdout
    assert all(f"\n{name}  (" in f"\n{shown}" for name in NAMES)
    rows = json.loads(CliRunner().invoke(app, ["signals", "--json"]).stdout)
    assert [row["name"] for row in rows] == list(NAMES) and all(row["doc"] and row["unit"] for row in rows)


def test_the_page_is_printed_for_a_folder() -> None:
    result = CliRunner().invoke(app, ["signals", "--doc", str(SAMPLE)])
    assert result.exit_code == 0
    assert result.stdout == (SAMPLE.parents[1] / "docs" / "signals.md").read_text(encoding="utf-8")
