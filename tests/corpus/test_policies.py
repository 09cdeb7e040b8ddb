"""Policies: a document that holds what is to be dropped goes, whatever its source; sampling by tags is seeded by id."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from corpus import decide
from corpus.decide import judge
from corpus.documents import DOCUMENTS, SHARDS
from corpus.identifiers import NAMES
from corpus.measure import PrivacySettings, measure_batch
from corpus.policies import Sampling, draw
from corpus.rights import Rights, rights_row, write_rights
from corpus.rules import DecideSettings
from corpus.settings import Common, Target
from corpus.shards import JobContext, read_sidecar, write_table
from corpus.signals import SCHEMA

PROSE = "정부는 어제 새로운 정책을 발표했다. 이번 정책은 내년부터 시행될 예정이며 시민들의 의견을 듣기로 했다."
CURSED = f"{PROSE} 진짜 시발 병신 같은 정책이다."


def measured(texts: list[str], **policies: str) -> tuple[pa.Array, pa.RecordBatch]:
    settings = replace(PrivacySettings(), **policies)  # type: ignore[arg-type]
    return measure_batch(pa.array(texts, pa.large_string()), 0.5, settings.policies(), {})


def judged(signals: pa.RecordBatch, profiles: dict[str, str], sampling: Sampling) -> list[dict[str, object]]:
    rows = signals.num_rows
    documents = pa.table({"id": [f"{n:032x}" for n in range(rows)], "source": ["s"] * rows, "rights_id": ["r"] * rows})
    limits = DecideSettings().limits()
    table, counts = judge(documents, pa.Table.from_batches([signals]), limits, profiles, {"r": None}, sampling=sampling)  # type: ignore[arg-type]
    assert counts["in"]["documents"] == rows
    assert rows == sum(
        count["documents"] for reason, count in counts.items() if reason.startswith(("kept", "removed/"))
    )
    found: list[dict[str, object]] = table.to_pylist()
    return found


NONE = Sampling({}, {}, 0)


@pytest.mark.parametrize("profiles", [{}, {"s": "passthrough"}])
def test_a_document_with_what_is_to_be_dropped_goes_by_its_name_and_is_masked_all_the_same(
    profiles: dict[str, str],
) -> None:
    texts = [
        f"{PROSE} 카드 4111-1111-1111-1111",
        f"{PROSE} 주민등록번호 900101-1234567, 카드 4111-1111-1111-1111",
        f"{PROSE} 010-1234-5678",
        PROSE,
    ]
    edits, signals = measured(texts, rrn="drop", card="drop")
    verdicts = judged(signals, profiles, NONE)
    assert [row["rule"] for row in verdicts] == ["pii.card", "pii.rrn", None, None]
    assert verdicts[0]["detail"] == "holds card, and the policy is drop" and verdicts[1]["value"] == 2
    assert verdicts[1]["detail"] == "holds rrn, card, and the policy is drop"
    assert [len(row) for row in edits.to_pylist()] == [1, 2, 1, 0]


def test_every_identifier_fits_the_bits_of_a_float() -> None:
    assert len(NAMES) <= 52


def test_nothing_is_sampled_by_default_and_what_is_sampled_goes_by_the_seed_of_its_id() -> None:
    _, signals = measured([CURSED] * 400 + [PROSE] * 100)
    assert all(row["keep"] for row in judged(signals, {}, NONE))
    above = DecideSettings().sample_above

    def kept(probability: float, seed: int = 7) -> set[int]:
        rows = judged(signals, {}, Sampling({"toxicity": probability}, above, seed))
        assert {row["rule"] for row in rows} <= {None, "sample.toxicity"}
        return {number for number, row in enumerate(rows) if row["keep"]}

    assert kept(1.0) == set(range(500)) and kept(0.0) == set(range(400, 500))
    assert 100 + 160 < len(kept(0.5)) < 100 + 240
    assert kept(0.2) <= kept(0.5) and kept(0.5) == kept(0.5) != kept(0.5, seed=8)
    assert kept(0.5) >= set(range(400, 500))


def test_a_draw_is_spread_evenly_between_zero_and_one() -> None:
    draws = [draw(1, "bias", f"{number:032x}") for number in range(4000)]
    assert min(draws) >= 0 and max(draws) < 1
    assert abs(sum(draws) / len(draws) - 0.5) < 0.03


def test_the_stage_samples_a_shard_by_the_ids_in_it(
    tmp_path: Path, run_phases: Callable[..., dict[str, dict[str, int]]]
) -> None:
    context = JobContext(tmp_path, "d" * 32, 0)
    granted = Rights(True, True, False, True, False, "", None, "CC0-1.0", "seen")
    write_rights(tmp_path, [rights_row("kim", "a", granted)], context)
    rights_id = str(rights_row("kim", "a", granted)["rights_id"])
    _, signals = measured([CURSED] * 50)
    columns = {name: pa.nulls(50, DOCUMENTS.field(name).type) for name in DOCUMENTS.names}
    columns |= {"id": pa.array([f"{n:032x}" for n in range(50)]), "source": pa.array(["a"] * 50)}
    columns |= {"rights_id": pa.array([rights_id] * 50), "text": pa.array([CURSED] * 50, pa.large_string())}
    made = {
        "collect": write_table(tmp_path / "documents/00000.parquet", pa.table(columns), DOCUMENTS, context),
        "measure": write_table(
            tmp_path / "signals/00000.parquet", pa.Table.from_batches([signals]), SCHEMA, context, of="d" * 32
        ),
    }
    for stage, output in made.items():
        row = {"name": output.path, "rows": 50, "bytes": output.bytes, "fingerprint": output.fingerprint}
        write_table(tmp_path / f"shards/{stage}.parquet", pa.Table.from_pylist([row], SHARDS), SHARDS, context)
    common = Common("test", 3, datetime.date(2026, 11, 24), Target(), tmp_path)
    counts = run_phases("decide", decide, tmp_path, DecideSettings(sample={"toxicity": 0.5}), common)
    kept = read_sidecar(tmp_path / "verdicts/00000.parquet", "d" * 32, 50)["keep"].to_pylist()
    assert kept == [draw(3, "toxicity", f"{n:032x}") < 0.5 for n in range(50)] and 0 < sum(kept) < 50
    assert counts["removed/sample.toxicity"]["documents"] == 50 - sum(kept)
