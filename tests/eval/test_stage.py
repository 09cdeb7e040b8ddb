"""The stage evaluate: what it writes, that it writes it again byte for byte, and what it refuses."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter, ValidationError

import eval.stage
from corpus.errors import HanjoError, RecipeError, StaleError
from corpus.settings import Common
from eval.harness import Answers
from eval.scores import difference, results, verdict
from eval.stage import EvaluateSettings, phases
from eval.suites import find
from eval.uncertainty import Estimate


@pytest.fixture
def found(evaluated: Path) -> dict[str, Any]:
    return json.loads((evaluated / "evaluate" / "results.json").read_text(encoding="utf-8"))


def test_every_score_has_its_error_interval_and_what_guessing_scores(found: dict[str, Any]) -> None:
    told = {(score["suite"], score["metric"], score["model"]) for score in found["scores"]}
    assert told == {
        (suite.name, metric, model)
        for suite in find(["korean_cloze", "bits_per_byte"])
        for metric in suite.metrics
        for model in ("trained", "untrained")
    }
    for score in found["scores"]:
        assert score["low"] <= score["value"] <= score["high"]
        assert score["stderr"] >= 0
        assert score["chance"] == (0.25 if score["suite"] == "korean_cloze" else None)


def test_the_difference_is_trained_minus_untrained(found: dict[str, Any]) -> None:
    value = {s["model"]: s["value"] for s in found["scores"] if s["suite"] == "bits_per_byte"}
    (told,) = (d for d in found["differences"] if d["suite"] == "bits_per_byte")
    assert (told["of"], told["against"]) == ("trained", "untrained")
    assert told["value"] == pytest.approx(value["trained"] - value["untrained"])


def test_a_second_run_writes_the_same_bytes(
    evaluated: Path,
    make_run: Callable[[], Path],
    settings: EvaluateSettings,
    common: Common,
    run_phases: Callable[..., Any],
) -> None:
    run = make_run()
    counts = run_phases("evaluate", eval.stage, run, settings, common)
    same = (evaluated / "evaluate" / "results.json").read_bytes()
    assert (run / "evaluate" / "results.json").read_bytes() == same
    for path in sorted((evaluated / "evaluate" / "samples").iterdir()):
        assert pq.read_table(path).equals(pq.read_table(run / "evaluate" / "samples" / path.name))
    assert counts["scored/korean_cloze"] == {"items": 12}
    assert set(counts["scored/bits_per_byte"]) == {"items", "bytes"}


def test_results_hold_no_path_and_samples_no_text(evaluated: Path) -> None:
    files = [path for path in (evaluated / "evaluate").rglob("*") if path.is_file()]
    assert len(files) == 5
    for path in files:
        assert str(evaluated).encode() not in path.read_bytes()
        if path.suffix == ".parquet":
            names = pq.read_schema(path).names
            assert not {"text", "context", "choices", "doc"} & set(names)


def test_the_job_follows_the_model_the_documents_and_the_suites(
    make_run: Callable[[], Path], settings: EvaluateSettings, common: Common
) -> None:
    run = make_run()
    (job,) = next(phases(run, settings, common)).jobs
    cloze = dataclasses.replace(settings, suites=("korean_cloze",))
    (fewer,) = next(phases(run, cloze, common)).jobs
    assert find(["korean_cloze"])[0].fingerprint() in job.inputs
    assert job.inputs.count("d" * 32) == 2  # shards of the test split
    assert "f" * 32 in fewer.inputs
    assert "d" * 32 not in fewer.inputs
    json.dumps(dict(job.arguments))


def test_a_run_without_a_trained_model_is_refused(tmp_path: Path, settings: EvaluateSettings, common: Common) -> None:
    with pytest.raises(StaleError):
        next(phases(tmp_path, settings, common))


def test_settings_are_checked(tmp_path: Path, common: Common) -> None:
    check = TypeAdapter(EvaluateSettings).validate_python
    assert check({"documents": 5}).documents == 5
    for wrong in ({"documents": 0}, {"suites": []}, {"confidence": 1.0}, {"device": "tpu"}, {"batch_size": 0}):
        with pytest.raises(ValidationError):
            check(wrong)
    with pytest.raises(RecipeError, match="no suite"):
        next(phases(tmp_path, EvaluateSettings(suites=("nothing",)), common))


@pytest.mark.parametrize(
    ("low", "high", "higher_is_better", "wanted"),
    [(0.1, 0.2, True, "better"), (0.1, 0.2, False, "worse"), (-0.2, -0.1, False, "better"), (-0.1, 0.1, True, None)],
)
def test_a_difference_decides_only_where_its_interval_leaves_out_zero(
    low: float, high: float, higher_is_better: bool, wanted: str | None
) -> None:
    assert verdict(Estimate((low + high) / 2, 0.1, low, high, 9), higher_is_better) == (wanted or "undecided")
    assert verdict(Estimate(1.0, None, None, None, 1), higher_is_better) == "undecided"


def test_a_pair_of_other_documents_is_no_pair() -> None:
    (suite,) = find(["bits_per_byte"])
    rows = [{"id": "a", "loglikelihood": -1.0, "bytes": 3}, {"id": "b", "loglikelihood": -2.0, "bytes": 3}]
    with pytest.raises(ValueError, match="same items"):
        difference(suite, "bits_per_byte", rows, rows[::-1], 0.95)


def test_a_figure_that_is_not_lm_evals_is_refused() -> None:
    (suite,) = find(["bits_per_byte"])
    rows = [{"id": "a", "loglikelihood": -1.0, "bytes": 3}]
    answers = Answers({suite.name: {"trained": rows}}, {suite.name: {"trained": {"bits_per_byte": 9.0}}}, {})
    with pytest.raises(HanjoError, match="lm-eval"):
        results([suite], answers, 0.95)
