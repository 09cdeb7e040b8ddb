"""Tuning and calibration: a run re-decided without writing, its flips shown masked; limits that keep their promise."""

from __future__ import annotations

import datetime
import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corpus.collect
import corpus.decide
import corpus.measure
from corpus.calibrate import calibrate, profile_text, signals_of_files, signals_of_run
from corpus.collect import CollectSettings
from corpus.decide import SIGNALS
from corpus.errors import SourceError, UsageError
from corpus.measure import MeasureSettings
from corpus.profiles import read_profile
from corpus.rules import KNOWN, RULES, DecideSettings
from corpus.settings import Common, Target
from corpus.submission import EXAMPLE
from corpus.tune import tune
from corpus.work_units import SourceSettings

PHONE = "010-1234-5678"
GOOD = "나무꾼은 산에서 내려와 {}번째 마을에 들렀고 저녁에는 강가에서 쉬었다. 다음 날에도 길을 떠났다."


@pytest.fixture
def measured(tmp_path: Path, run_phases) -> tuple[Path, Common]:  # type: ignore[no-untyped-def]
    """A run of 200 good documents, each with a telephone number, and 20 short ones, measured but not decided."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "submission.yaml").write_text(EXAMPLE, encoding="utf-8")
    texts = [GOOD.format(n) + f" 연락처는 {PHONE}" for n in range(200)] + [f"목차 {n}" for n in range(20)]
    lines = [json.dumps({"id": str(n), "text": text}, ensure_ascii=False) for n, text in enumerate(texts)]
    (data / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    run, common = tmp_path / "run", Common("t", 0, datetime.date(2026, 11, 24), Target(), tmp_path)
    run_phases("collect", corpus.collect, run, CollectSettings((SourceSettings(path="data"),), unit_bytes=8000), common)
    run_phases("measure", corpus.measure, run, MeasureSettings(), common)
    return run, common


def contents(run: Path) -> dict[str, str]:
    files = sorted(path for path in run.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("decided", [False, True])
def test_a_run_is_re_decided_from_its_sidecars_and_stays_as_it_is(measured, run_phases, decided: bool) -> None:  # type: ignore[no-untyped-def]
    run, common = measured
    old = DecideSettings()
    if decided:
        run_phases("decide", corpus.decide, run, old, common)
    before = contents(run)
    assert len(list((run / "documents").glob("*.parquet"))) > 1, "several shards"
    found = tune(run, old, DecideSettings(min_chars=2, min_eojeol=1, max_digits=0.01), common, samples=3)  # type: ignore[call-arg]
    assert contents(run) == before
    assert found.before["in"] == found.after["in"] and found.before["in"]["documents"] == 220
    assert (found.before["kept"]["documents"], found.before["removed/length.chars"]["documents"]) == (200, 20)
    assert (found.lost, found.regained) == (200, 20)
    assert found.after["removed/script.digits"]["documents"] == 200
    assert [row[0] for row in found.funnel()][:2] == ["in", "kept"]


def test_flips_are_shown_masked_with_rule_value_and_limit(measured) -> None:  # type: ignore[no-untyped-def]
    run, common = measured
    found = tune(run, DecideSettings(), DecideSettings(min_chars=100, max_digits=1), common, samples=3)  # type: ignore[call-arg]
    assert found.regained == 0
    assert len(found.flips) == 3
    for flip in found.flips:
        assert (flip.way, flip.before, flip.after, flip.limit) == ("lost", None, "length.chars", 100)
        assert flip.value is not None and flip.value < 100
        assert PHONE not in flip.text and "<|phone|>" in flip.text
    again = tune(run, DecideSettings(), DecideSettings(min_chars=100, max_digits=1), common, samples=3)  # type: ignore[call-arg]
    assert again == found, "the seed chooses the samples"
    assert tune(run, DecideSettings(), DecideSettings(min_chars=100), common, samples=0).flips == ()  # type: ignore[call-arg]


@settings(max_examples=50, deadline=None)
@given(
    lose=st.floats(0, 0.5),
    spread=st.floats(0.1, 3),
    rows=st.integers(100, 400),
)
def test_no_rule_loses_more_of_the_reference_than_asked(lose: float, spread: float, rows: int) -> None:
    random = np.random.default_rng(rows)
    signals = pa.table({name: random.lognormal(0, spread, rows) for name in SIGNALS})
    for name in ("bytes", "chars", "eojeol", "lines", "spam_terms"):
        signals = signals.set_column(signals.schema.get_field_index(name), name, pa.array(np.full(rows, 1000.0)))
    found = calibrate(signals, lose)
    assert all(one.limit is not None and one.documents == rows for one in found.derived)
    for one in found.derived:
        if one.limit is not None and one.limit < KNOWN[one.rule.limit]:
            assert one.loses <= lose + 1e-9, one.rule.id
            values = np.asarray(signals[one.rule.signal])
            tighter = one.limit - 2e-4 if one.rule.bound == "max" else one.limit + 2e-4
            broken = values > tighter if one.rule.bound == "max" else values < tighter
            assert broken.sum() >= int(lose * rows) or lose == 0, "no tighter limit would do"
    assert found.loses <= sum(one.loses for one in found.derived) + 1e-9


def test_mean_and_deviations_are_those_of_the_signal() -> None:
    values = np.linspace(0, 0.2, 101)
    signals = pa.table({name: values if name == "digits" else np.full(101, 1000.0) for name in SIGNALS})
    found = {one.rule.limit: one for one in calibrate(signals, deviations=2).derived}
    assert found["max_digits"].limit == pytest.approx(0.1 + 2 * values.std(), abs=1e-4)
    with pytest.raises(UsageError, match="not above 0"):
        calibrate(signals, deviations=0)
    with pytest.raises(UsageError, match="no share"):
        calibrate(signals, lose=1.5)


def test_a_calibrated_profile_is_read_back_and_used(measured, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run, common = measured
    found = calibrate(signals_of_run(run), lose=0.02)
    path = tmp_path / "mine.yaml"
    path.write_text(profile_text(found, "run", "each rule loses at most 0.02"), encoding="utf-8")
    limits = read_profile(path, KNOWN)
    derived = {one.rule.limit: one.limit for one in found.derived if one.limit is not None}
    assert limits == pytest.approx(derived)
    assert "max_spam" not in limits, "of which no document has two terms"
    used = DecideSettings(profile="mine", own_profiles={"mine": limits})
    kept = tune(run, DecideSettings(), used, common).after["kept"]["documents"]
    assert kept / 220 == pytest.approx(1 - found.loses)


def test_files_are_measured_as_the_stages_would(measured, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run, _ = measured
    of_run, of_files = signals_of_run(run), signals_of_files([tmp_path / "data"])
    assert of_files.num_rows == of_run.num_rows == 220, "submission.yaml is passed over"
    for name in SIGNALS:
        assert of_files[name].sort().equals(of_run[name].sort()), name
    assert signals_of_run(run, ["other"]).num_rows == 0
    with pytest.raises(SourceError, match="no such file"):
        signals_of_files([tmp_path / "gone.txt"])
    with pytest.raises(SourceError, match="no reader"):
        signals_of_files([tmp_path / "data" / "submission.yaml"])
    with pytest.raises(UsageError, match="no documents"):
        calibrate(signals_of_files([]))


def test_too_few_documents_leave_a_limit_as_it_is() -> None:
    signals = pa.table({name: np.zeros(50) for name in SIGNALS})
    found = calibrate(signals)
    assert all(one.limit is None for one in found.derived) and len(found.derived) == len(RULES)
    assert found.loses == found.lost
