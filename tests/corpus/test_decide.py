"""decide as a stage: rights first, then the rules in order; passthrough sources skip rules, not rights."""

from __future__ import annotations

import datetime
import shutil
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from corpus import decide, profiles
from corpus.decide import DecideSettings, judge, missing_rights
from corpus.documents import DOCUMENTS, SHARDS, VERDICTS
from corpus.errors import UsageError
from corpus.manifest import fingerprint
from corpus.rights import Rights, rights_row, write_rights
from corpus.settings import Common, Target
from corpus.shards import JobContext, read_sidecar, read_table, write_table
from corpus.signals import SCHEMA

TODAY = datetime.date(2026, 11, 24)


def rights(**changes: object) -> Rights:
    fields = {"train": True, "publish_weights": True, "redistribute": False, "derive": True, "commercial": False}
    told = {"attribution": "", "until": None, "license": "CC0-1.0", "evidence": "seen"}
    return Rights(**{**fields, **told, **changes})  # type: ignore[arg-type]


def good(rows: int) -> dict[str, np.ndarray]:
    """Signals that break no rule."""
    plain = {"bytes": 300, "chars": 120, "eojeol": 30, "lines": 3, "hangul": 0.9, "hangul_letters": 1, "entropy": 5}
    plain |= {"particles": 0.6, "eojeol_length": 3}
    return {name: np.full(rows, float(plain.get(name, 0))) for name in SCHEMA.names}


def documents(sources: list[str], ids: list[str]) -> pa.Table:
    return pa.table({"source": sources, "rights_id": ids})


def test_a_document_goes_by_the_first_rule_it_breaks_with_value_and_limit() -> None:
    signals = good(3)
    signals["digits"][1], signals["spam"][1], signals["spam_terms"][1] = 0.9, 0.9, 3
    signals["eojeol"][2] = 1
    limits = DecideSettings().limits()
    table, counts = judge(documents(["s"] * 3, ["r"] * 3), pa.table(signals), limits, {}, {"r": None})
    assert table.schema.equals(VERDICTS)
    rows = table.to_pylist()
    assert rows[0] == {"keep": True, "rule": None, "value": None, "limit": None, "detail": None}
    assert rows[1] == {"keep": False, "rule": "script.digits", "value": 0.9, "limit": 0.4, "detail": None}
    assert rows[2]["rule"] == "length.eojeol"
    assert counts == {
        "in": {"documents": 3, "bytes": 900},
        "kept": {"documents": 1, "bytes": 300},
        "removed/script.digits": {"documents": 1, "bytes": 300},
        "removed/length.eojeol": {"documents": 1, "bytes": 300},
        "register/encyclopedia": {"documents": 1, "bytes": 300},
        "register/blog": {"documents": 2, "bytes": 600},
    }


def test_a_rule_on_shares_waits_for_enough_text() -> None:
    signals = good(2)
    signals["particles"][:] = 0
    signals["eojeol"][0] = 5
    table, _ = judge(documents(["s"] * 2, ["r"] * 2), pa.table(signals), DecideSettings().limits(), {}, {"r": None})
    assert table["rule"].to_pylist() == [None, "form.particles"]


def test_a_register_forgives_what_its_profile_says_and_the_verdict_names_it() -> None:
    signals = good(3)
    signals["chars"][:], signals["lines"][:] = [10, 10, 5], 1
    signals["eojeol"][:] = 2
    signals["jamo"][:2] = [0.0, 0.3]  # laughter makes it chat
    signals["particles"][0] = 0
    signals["jamo"][2] = 0.3
    limits = DecideSettings().limits()
    table, counts = judge(documents(["s"] * 3, ["r"] * 3), pa.table(signals), limits, {}, {"r": None})
    assert table["rule"].to_pylist() == ["length.chars", None, "length.chars"]
    assert table["limit"].to_pylist() == [limits["default"]["min_chars"], None, limits["chat"]["min_chars"]]
    assert table["detail"].to_pylist() == [None, None, "register chat"]
    assert counts["register/chat"]["documents"] == 2


def test_a_limit_of_the_recipe_stands_for_every_register_and_profile() -> None:
    limits = DecideSettings(min_chars=12, own_profiles={"mine": {"min_chars": 3, "max_digits": 0.9}}).limits()  # type: ignore[call-arg]
    assert {one["min_chars"] for one in limits.values()} == {12}
    assert limits["mine"]["max_digits"] == 0.9
    assert limits["mine"]["max_jamo"] == limits["default"]["max_jamo"]


def test_a_source_may_name_any_profile_and_the_rest_another_one() -> None:
    signals = good(4)
    signals["chars"][:] = 10
    sources = ["talk", "english", "plain", "other"]
    settings = DecideSettings(profile="default", profiles={"talk": "chat", "english": "passthrough", "plain": "auto"})
    table, counts = judge(
        documents(sources, ["r"] * 4),
        pa.table(signals),
        settings.limits(),
        settings.profiles,
        {"r": None},
        settings.profile,
    )
    assert table["keep"].to_pylist() == [True, True, False, False]
    assert table["detail"].to_pylist() == [None] * 4, "a limit that is the default's was not decided by the register"
    assert sum(row["documents"] for reason, row in counts.items() if reason.startswith("register/")) == 1


def test_a_profile_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="no profile 'chatt'"):
        judge(documents(["s"], ["r"]), pa.table(good(1)), DecideSettings().limits(), {"s": "chatt"}, {"r": None})


def test_passthrough_skips_the_rules_but_not_the_rights() -> None:
    signals = good(3)
    signals["hangul_letters"][:] = 0
    table, _ = judge(
        documents(["english", "english", "s"], ["r", "none", "r"]),
        pa.table(signals),
        DecideSettings().limits(),
        {"english": "passthrough"},
        {"r": None, "none": ("rights.train", "none does not grant train")},
    )
    assert table["rule"].to_pylist() == [None, "rights.train", "script.hangul"]


@pytest.mark.parametrize(
    ("given", "wanted", "rule"),
    [
        (rights(), ("train",), None),
        (rights(train=False), ("train",), "rights.train"),
        (rights(), ("train", "redistribute"), "rights.redistribute"),
        (rights(until=TODAY), ("train",), None),
        (rights(until=TODAY - datetime.timedelta(1)), ("train",), "rights.until"),
    ],
)
def test_the_first_missing_right_is_named(given: Rights, wanted: tuple[str, ...], rule: str | None) -> None:
    found = missing_rights({"r": given}, wanted, TODAY)["r"]  # type: ignore[arg-type]
    assert (found[0] if found else None) == rule


def test_a_document_whose_rights_are_recorded_nowhere_is_removed() -> None:
    table, _ = judge(documents(["s"], ["gone"]), pa.table(good(1)), DecideSettings().limits(), {}, {})
    assert table["rule"].to_pylist() == ["rights.unknown"]


def test_a_million_documents_are_judged_in_seconds() -> None:
    rows = 1_000_000
    signals = good(rows)
    signals["digits"][::3] = 0.9
    table = pa.table({"source": pa.array(["s"]).take(pa.array(np.zeros(rows, np.int64))), "rights_id": ["r"] * rows})
    started = time.process_time()
    verdicts, _ = judge(table, pa.table(signals), DecideSettings().limits(), {}, {"r": None})
    assert verdicts.num_rows == rows
    assert time.process_time() - started < 10


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """A run with one shard of three documents, collected and measured; the third has no right to be trained on."""
    context = JobContext(tmp_path, "d" * 32, 0)
    rows = [rights_row("kim", "a", rights()), rights_row("lee", "b", rights(train=False))]
    write_rights(tmp_path, rows, context)
    ids = [str(rows[0]["rights_id"]), str(rows[0]["rights_id"]), str(rows[1]["rights_id"])]
    columns = {name: pa.nulls(3, DOCUMENTS.field(name).type) for name in DOCUMENTS.names}
    columns |= {"source": pa.array(["a", "a", "b"]), "rights_id": pa.array(ids)}
    columns["text"] = pa.array(["가", "나", "다"], pa.large_string())
    signals = good(3)
    signals["hangul_letters"][1] = 0.1
    made = {
        "collect": write_table(tmp_path / "documents/00000.parquet", pa.table(columns), DOCUMENTS, context),
        "measure": write_table(
            tmp_path / "signals/00000.parquet", pa.table(signals), SCHEMA, context, of=context.fingerprint
        ),
    }
    for stage, output in made.items():
        row = {"name": output.path, "rows": 3, "bytes": output.bytes, "fingerprint": output.fingerprint}
        write_table(tmp_path / f"shards/{stage}.parquet", pa.Table.from_pylist([row], SHARDS), SHARDS, context)
    return tmp_path


def test_the_stage_writes_verdicts_beside_every_shard(measured: Path, run_phases) -> None:  # type: ignore[no-untyped-def]
    common = Common("test", 0, TODAY, Target(), measured)
    counts = run_phases("decide", decide, measured, DecideSettings(), common)
    table = read_sidecar(measured / "verdicts/00000.parquet", "d" * 32, 3)
    assert table["rule"].to_pylist() == [None, "script.hangul", "rights.train"]
    assert counts["removed/rights.train"] == {"documents": 1, "bytes": 300}
    assert read_table(measured / "shards/decide.parquet").num_rows == 1


def test_the_contents_of_profiles_count_in_the_fingerprint(measured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def arguments(settings: DecideSettings) -> dict[str, object]:
        common = Common("test", 0, TODAY, Target(), measured)
        return dict(next(decide.phases(measured, settings, common)).jobs[0].arguments)

    before = fingerprint(arguments(DecideSettings()))
    assert before == fingerprint(arguments(DecideSettings()))
    assert before != fingerprint(arguments(DecideSettings(profile="default")))
    folder = measured / "profiles"
    shutil.copytree(profiles.FOLDER, folder)
    monkeypatch.setattr(profiles, "FOLDER", folder)
    assert before == fingerprint(arguments(DecideSettings()))
    (folder / "chat.yaml").write_text("limits: {min_chars: 9}", encoding="utf-8")
    assert before != fingerprint(arguments(DecideSettings()))


def test_what_the_rights_are_judged_by_counts_in_the_fingerprint(measured: Path) -> None:
    def jobs(day: datetime.date, target: Target) -> list[object]:
        phase = next(decide.phases(measured, DecideSettings(), Common("test", 0, day, target, measured)))
        return [(dict(job.arguments), job.inputs) for job in phase.jobs]

    before = jobs(TODAY, Target())
    assert before == jobs(TODAY, Target())
    assert before != jobs(TODAY + datetime.timedelta(1), Target())
    assert before != jobs(TODAY, Target(rights=("train", "commercial")))
