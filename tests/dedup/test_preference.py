"""Who stays: by length, date, quality and rights, as the recipe says; the order is total."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from corpus.documents import DOCUMENTS
from corpus.rights import Rights, rights_row, write_rights
from corpus.shards import JobContext, read_sidecar, write_table
from dedup import stage
from dedup.inputs import NO_DATE, rank
from dedup.settings import DedupSettings

BASE = "오늘은 하늘이 맑고 바람이 불어 산책을 하기에 좋은 날이었다"
ROW = st.tuples(
    st.integers(0, 3),
    st.sampled_from([NO_DATE, -5, 0, 7]),
    st.sampled_from([float("nan"), 0.1, 0.9]),
    st.integers(0, 2),
    st.integers(0, 2),
)
KEYS = {
    "longest": lambda row: -row[0],
    "shortest": lambda row: row[0],
    "earliest": lambda row: (row[1] == NO_DATE, row[1]),
    "latest": lambda row: (row[1] == NO_DATE, -row[1]),
    "quality": lambda row: (row[2] != row[2], -row[2] if row[2] == row[2] else 0),
    "rights": lambda row: -row[3],
}
PREFER = (
    st.permutations(sorted(KEYS))
    .map(lambda names: names[:3])
    .filter(lambda names: not {"longest", "shortest"} <= set(names) and not {"earliest", "latest"} <= set(names))
)


@given(st.lists(ROW, min_size=1, max_size=12), PREFER)
@hypothesis_settings(deadline=None)
def test_the_order_is_that_of_sorting_by_what_prefer_says(rows: list[Any], prefer: Sequence[str]) -> None:
    length, created, quality, rights, ids = (np.array(column) for column in zip(*rows, strict=True))
    facts = {"length": length, "created": created, "quality": quality, "rights": rights}
    facts |= {"id_hi": np.zeros(len(rows), np.uint64), "id_lo": ids.astype(np.uint64)}
    found = rank(facts, np.arange(len(rows)), prefer)
    expected = sorted(range(len(rows)), key=lambda i: (*(KEYS[name](rows[i]) for name in prefer), rows[i][4], i))
    assert np.argsort(found).tolist() == expected


def test_what_is_not_known_decides_nothing() -> None:
    facts = {"length": np.array([1, 2]), "created": np.array([NO_DATE, NO_DATE])}
    facts |= {"id_hi": np.zeros(2, np.uint64), "id_lo": np.array([1, 0], np.uint64)}
    assert rank(facts, np.arange(2), ("quality", "rights")).tolist() == [1, 0]


@pytest.mark.parametrize(("prefer", "kept"), [(("quality",), 1), (("rights", "shortest"), 2), (("longest",), 3)])
def test_the_stage_reads_quality_and_rights(
    kit: Any, run_phases: Any, tmp_path: Path, prefer: tuple[str, ...], kept: int
) -> None:
    texts = [BASE, BASE + " 참", BASE + " 아주", BASE + " 정말로요"]
    run = kit.make_run(tmp_path, [[kit.Document(str(i), text) for i, text in enumerate(texts)]])
    give(run, [0.2, 0.9, None, 0.5])
    run_phases("dedup", stage, run, DedupSettings(prefer=prefer), kit.common(run))  # type: ignore[arg-type]
    clusters = read_sidecar(run / "clusters" / "00000.parquet", f"{0:032x}", 4)
    assert clusters["keep"].to_pylist() == [i == kept for i in range(4)]


def give(run: Path, quality: list[float | None]) -> None:
    """Write the signal, and rights: the third and fourth documents' are the freest, the third's last for ever."""
    context = JobContext(run, f"{0:032x}", 1 << 28)
    schema = pa.schema([("quality", pa.float64())])
    signals = pa.table({"quality": quality}, schema=schema)
    write_table(run / "signals" / "00000.parquet", signals, schema, context, of=context.fingerprint)
    most = {"attribution": "", "license": "", "evidence": ""}
    grants = [
        Rights(True, False, False, False, False, until=None, **most),
        Rights(True, True, False, False, False, until=date(2099, 1, 1), **most),
        Rights(True, True, True, True, True, until=None, **most),
        Rights(True, True, True, True, True, until=date(2099, 1, 1), **most),
    ]
    rows = [rights_row("someone", "test", one) for one in grants]
    write_rights(run, rows, context)
    path = run / "documents" / "00000.parquet"
    table = pq.read_table(path)
    place = table.schema.get_field_index("rights_id")
    table = table.set_column(place, "rights_id", pa.array([row["rights_id"] for row in rows]))
    write_table(path, table, DOCUMENTS, context)
