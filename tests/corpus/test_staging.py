"""New versions of shards: rows replaced or dropped, everything else as it was; and what may not come back."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.documents import ID_INDEX, document_id
from corpus.errors import StaleError
from corpus.identity import find_all
from corpus.staging import Staging, read_rows
from corpus.tombstones import bury, read_tombstones, withdrawals

SCHEMA = pa.schema([("id", pa.string()), ("text", pa.large_string()), ("n", pa.int32())], {b"hanjo.of": b"x"})


def write(path: Path, rows: int, group: int) -> pa.Table:
    table = pa.table({"id": [f"{i:032x}" for i in range(rows)], "text": ["글"] * rows, "n": range(rows)}, SCHEMA)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=group, compression="zstd")
    path.chmod(0o600)
    return table


@given(data=st.data(), rows=st.integers(1, 30), group=st.integers(1, 12))
def test_replaced_rows_change_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, rows: int, group: int
) -> None:
    folder = tmp_path_factory.mktemp("staging")
    before = write(folder / "run" / "a.parquet", rows, group)
    chosen = np.array(sorted(data.draw(st.sets(st.integers(0, rows - 1)))), np.int64)
    staging = Staging(folder / "run", folder / "new")
    staging.replace("a.parquet", chosen, pa.table({"text": [f"새 {row}" for row in chosen], "n": -chosen}))
    after = pq.read_table(staging.current("a.parquet"))
    expected = before.to_pylist()
    for row in chosen.tolist():
        expected[row] |= {"text": f"새 {row}", "n": -row}
    assert after.to_pylist() == expected and after.schema.metadata == SCHEMA.metadata
    assert staging.current("a.parquet").stat().st_mode & 0o777 == 0o600
    assert pq.read_metadata(staging.current("a.parquet")).num_row_groups == -(-rows // group)
    assert read_rows(folder / "run" / "a.parquet", chosen, ["n", "id"]).equals(
        before.select(["n", "id"]).take(pa.array(chosen)).replace_schema_metadata(SCHEMA.metadata)
    )
    assert staging.drop("a.parquet", lambda part: np.asarray(part["n"]) < 0) == sum(row > 0 for row in chosen.tolist())
    assert pq.read_table(folder / "run" / "a.parquet").equals(before)


def test_a_tombstone_holds_what_was_buried_and_tells_nobody_without_the_key(tmp_path: Path) -> None:
    def withdraw(kind: str, name: str) -> None:
        staging = Staging(tmp_path, tmp_path / "new")
        assert bury(staging, [(kind, name)], datetime.date(2026, 11, 24)) == 1  # type: ignore[list-item]
        (tmp_path / "tombstones").mkdir(exist_ok=True)
        for path in staging.files:
            (staging.folder / path).rename(tmp_path / path)

    assert not read_tombstones(tmp_path)
    withdraw("document", "a" * 32)
    withdraw("source", "게시판")
    graves = read_tombstones(tmp_path)
    assert withdrawals(tmp_path) == 2 and len(graves.hashes) == 2
    assert graves.holds("document", "a" * 32) and graves.holds("source", "게시판")
    assert not graves.holds("document", "게시판") and not graves.holds("contributor", "게시판")
    assert (tmp_path / "tombstones" / "key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "tombstones" / "key").unlink()
    with pytest.raises(StaleError, match="key of the tombstones is missing"):
        read_tombstones(tmp_path)


def test_many_ids_are_found_as_one_by_one(tmp_path: Path) -> None:
    ids = [document_id("a", str(number)) for number in range(500)]
    for digit in "0123456789abcdef":
        mine = sorted(name for name in ids if name.startswith(digit))
        places = {"id": mine, "shard": ["00000"] * len(mine), "row": [ids.index(name) for name in mine]}
        table = pa.table(places, schema=ID_INDEX)
        pq.write_table(table, tmp_path / f"{digit}.parquet")
    wanted = [*ids[::3], "f" * 32]
    found = find_all(tmp_path, wanted)
    assert sorted(zip(found["id"].to_pylist(), found["row"].to_pylist(), strict=True)) == sorted(
        (name, row) for row, name in enumerate(ids) if row % 3 == 0
    )
    (tmp_path / "f.parquet").unlink()
    with pytest.raises(StaleError, match="no bucket for ids that begin with 'f"):
        find_all(tmp_path, wanted)
