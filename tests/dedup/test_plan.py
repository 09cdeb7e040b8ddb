"""The plan for a corpus: its bytes are those that the stage writes, its figures follow from the rates."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from corpus.errors import UsageError
from dedup import stage
from dedup.banding import Banding
from dedup.plan import Rates, estimate
from dedup.rates import made_texts, measure
from dedup.settings import DedupSettings

RATES = Rates(read=1e9, sign=2e8, keys=5e6, sets=2e8, compare=5e8, write=5e8, documents=5e5, opens=2e4)


def test_the_scratch_that_is_planned_is_the_scratch_that_is_written(kit: Any, run_phases: Any, tmp_path: Path) -> None:
    rng = random.Random(8)
    texts = [kit.korean_text(rng, 40) for _ in range(1400)]
    texts += [kit.changed(text, "replace", 0.03, rng) for text in texts[:600]]
    documents = [kit.Document(str(i), text) for i, text in enumerate(texts)]
    run = kit.make_run(tmp_path, [documents])
    settings = DedupSettings()
    run_phases("dedup", stage, run, settings, kit.common(run))
    size = sum(len(text.encode()) for text in texts) / len(texts)
    plan = estimate(len(texts), size, Banding(settings.bands, settings.rows), RATES, 0.6)
    written = {
        kind.name: sum(file.stat().st_size for file in kind.iterdir())
        for kind in (run / ".scratch" / "dedup").iterdir()
    }
    for kind in ("facts", "exact", "bands", "components"):
        assert plan.scratch[kind] == pytest.approx(written[kind], rel=0.15, abs=2000), (
            kind
        )  # exact copies have no bands
    assert plan.scratch["versions"] == pytest.approx(written["versions"], rel=0.6)  # the path here is one of 7 bytes
    # The rest hangs on how the documents resemble one another; few stems make few distinct shingles here.
    assert sum(written.values()) < plan.scratch_bytes < 3 * sum(written.values())


def test_the_corpus_grows_and_so_does_everything() -> None:
    small, large = (estimate(n, 4000, Banding(82, 6), RATES, 0.3) for n in (1e8, 1e9))
    assert large.core_hours >= 10 * small.core_hours * 0.99
    assert large.scratch_bytes >= 10 * small.scratch_bytes
    assert max(large.memory.values()) < 2 << 30
    assert estimate(1e9, 4000, Banding(82, 6), RATES, 0.0).pairs < large.pairs


def test_rates_are_measured_on_made_text() -> None:
    texts = made_texts(200_000, 1000)
    assert 150_000 < texts.nbytes < 300_000
    rates = measure(1000, 400_000)
    assert 1e6 < rates.sign < 1e11
    assert min(rates.read, rates.keys, rates.sets, rates.compare, rates.write, rates.documents, rates.opens) > 100


def test_the_command_plans_from_rates_that_are_given() -> None:
    from hanjo.commands.dedup import app

    given = [f"--rate={name}=1e6" for name in Rates.__slots__]
    arguments = ["plan", "--documents", "1e9", "--mean-bytes", "4000"]
    told = json.loads(CliRunner().invoke(app, [*arguments, *given, "--json"]).stdout)
    assert told["plan"]["text"] == 4e12
    assert told["plan"]["rates"]["sign"] == 1e6
    assert told["plan"]["core_hours"] == pytest.approx(sum(told["plan"]["seconds"].values()) / 3600)
    shown = CliRunner().invoke(app, [*arguments, *given]).stdout
    assert "1,000,000,000 documents, 4.00 TB of text" in shown
    for wrong in ("sign", "sing=1", "sign=0"):
        refused = CliRunner().invoke(app, [*arguments, "--rate", wrong])
        assert isinstance(refused.exception, UsageError), wrong
