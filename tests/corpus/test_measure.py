"""measure as a stage: sidecars beside every shard, counts that add up, nothing private in what is told."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import measure
from corpus.documents import DOCUMENTS, EDITS, SHARDS
from corpus.edits import apply_edits, one_array
from corpus.errors import StaleError
from corpus.measure import MeasureSettings, PrivacySettings
from corpus.settings import Common, Target
from corpus.shards import JobContext, read_sidecar, read_table, write_table
from corpus.signals import SCHEMA

PROSE = "정부는 어제 새로운 정책을 발표했다. 이번 정책은 내년부터 시행될 예정이다."
TEXTS = [
    [f"{PROSE}\n연락처는 010-1234-5678이다.\n무단전재 및 재배포 금지", PROSE, ""],
    [f"{PROSE} 사업자등록번호 120-81-47521", "홈 | 로그인 | 회원가입 | 사이트맵"],
]


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    outputs = []
    for number, texts in enumerate(TEXTS):
        columns = {name: pa.nulls(len(texts), DOCUMENTS.field(name).type) for name in DOCUMENTS.names}
        columns["text"] = pa.array(texts, pa.large_string())
        path = tmp_path / "documents" / f"{number:05}.parquet"
        context = JobContext(tmp_path, f"{number}" * 32, 0)
        outputs.append(write_table(path, pa.table(columns, schema=DOCUMENTS), DOCUMENTS, context))
    rows = [{"name": o.path, "rows": o.rows, "bytes": o.bytes, "fingerprint": o.fingerprint} for o in outputs]
    write_table(
        tmp_path / "shards" / "collect.parquet",
        pa.Table.from_pylist(rows, schema=SHARDS),
        SHARDS,
        JobContext(tmp_path, "c" * 32, 0),
    )
    return tmp_path


def common(run: Path) -> Common:
    return Common("test", 0, datetime.date(2026, 11, 24), Target(), run)


def test_every_shard_gets_its_edits_and_signals_row_by_row(collected: Path, run_phases) -> None:  # type: ignore[no-untyped-def]
    counts = run_phases("measure", measure, collected, MeasureSettings(), common(collected))
    for number, texts in enumerate(TEXTS):
        name, of = f"{number:05}.parquet", f"{number}" * 32
        edits = read_sidecar(collected / "edits" / name, of, len(texts))
        signals = read_sidecar(collected / "signals" / name, of, len(texts))
        assert edits.schema.equals(EDITS) and signals.schema.equals(SCHEMA)
        with pytest.raises(StaleError):
            read_sidecar(collected / "edits" / name, "x" * 32, len(texts))
    documents = read_table(collected / "documents" / "00000.parquet")
    edits = read_table(collected / "edits" / "00000.parquet")
    edited = apply_edits(one_array(documents["text"]), one_array(edits["edits"])).to_pylist()
    assert edited == [f"{PROSE}\n연락처는 <|phone|>이다.\n", PROSE, ""]
    sizes = read_table(collected / "signals" / "00000.parquet")["bytes"].to_pylist()
    assert sizes == [len(text.encode()) for text in edited]
    whole = sum(len(text.encode()) for texts in TEXTS for text in texts)
    assert counts["in"] == {"documents": 5, "bytes": whole}
    assert counts["kept"] == {"documents": 5, "bytes": whole - 35 - len("010-1234-5678") + len("<|phone|>") + 2}
    assert counts["edited/pii.phone"] == {"documents": 1, "spans": 1, "bytes": 13}
    assert counts["edited/boilerplate.reprint"]["documents"] == 1
    assert counts["reported/pii.brn"] == {"documents": 1, "spans": 1}
    assert counts["reported/boilerplate.over_budget"] == {"documents": 1}


def test_no_identifier_is_written_anywhere_but_documents(collected: Path, run_phases) -> None:  # type: ignore[no-untyped-def]
    counts = run_phases("measure", measure, collected, MeasureSettings(), common(collected))
    assert "5678" not in json.dumps(counts)
    for path in (*(collected / "edits").iterdir(), *(collected / "signals").iterdir()):
        assert "1234-5678" not in str(pq.read_table(path).to_pylist())


def test_the_same_shard_gives_the_same_bytes(collected: Path, run_phases) -> None:  # type: ignore[no-untyped-def]
    def written() -> dict[str, bytes]:
        run_phases("measure", measure, collected, MeasureSettings(), common(collected))
        return {f"{p.parent.name}/{p.name}": p.read_bytes() for p in sorted(collected.glob("[es]*s/0*.parquet"))}

    first = written()
    assert len(first) == 4 and written() == first


def test_privacy_settings_change_what_is_masked(collected: Path, run_phases) -> None:  # type: ignore[no-untyped-def]
    settings = MeasureSettings(privacy=PrivacySettings(phone="report"))
    counts = run_phases("measure", measure, collected, settings, common(collected))
    assert "edited/pii.phone" not in counts and counts["reported/pii.phone"]["spans"] == 1


def test_a_shard_with_several_row_groups_is_read_whole(collected: Path) -> None:
    path = collected / "documents" / "00000.parquet"
    pq.write_table(pq.read_table(path), path, row_group_size=1)
    policies = PrivacySettings().policies()
    context = JobContext(collected, "f" * 32, 0)
    outcome = measure.measure_shard(context, shard="documents/00000.parquet", budget=0.5, policies=policies)
    assert [output.rows for output in outcome.outputs] == [3, 3]
    assert outcome.counts["in"]["documents"] == 3
