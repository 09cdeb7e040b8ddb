"""corpus/shards.py and corpus/manifest.py: whole files or none, sidecars that know their shard, counts that balance."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import shards
from corpus.documents import VERDICTS
from corpus.errors import CountError, HanjoError, MissingExtraError, SchemaError, StaleError, StorageError
from corpus.manifest import check_counts, fingerprint, hash_file


@pytest.fixture
def context(tmp_path: Path) -> shards.JobContext:
    return shards.JobContext(tmp_path, "f" * 32, 1 << 30)


def verdicts(rows: int) -> pa.Table:
    columns = {"keep": [True] * rows, "rule": [None] * rows, "value": [0.5] * rows, "limit": [1.0] * rows}
    return pa.table({**columns, "detail": [""] * rows}, schema=VERDICTS)


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    def write_half() -> None:
        with shards.atomic_path(tmp_path / "a") as temporary:
            temporary.write_text("half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_a_shard_carries_its_fingerprint_and_comes_back(context: shards.JobContext) -> None:
    path = context.run / "verdicts" / "00000.parquet"
    output = shards.write_table(path, verdicts(3), VERDICTS, context, of="a" * 32)
    assert (output.path, output.rows, output.bytes) == ("verdicts/00000.parquet", 3, path.stat().st_size)
    assert shards.fingerprint_of(path) == "f" * 32
    assert shards.read_sidecar(path, "a" * 32, 3).to_pylist() == verdicts(3).to_pylist()


def test_a_sidecar_of_another_shard_is_refused(context: shards.JobContext) -> None:
    path = context.run / "verdicts" / "00000.parquet"
    shards.write_table(path, verdicts(3), VERDICTS, context, of="a" * 32)
    for of, rows in (("b" * 32, 3), ("a" * 32, 4)):
        with pytest.raises(StaleError, match="belongs to shard"):
            shards.read_sidecar(path, of, rows)


def test_a_table_without_its_columns_is_refused(context: shards.JobContext) -> None:
    with pytest.raises(SchemaError, match="'detail'"):
        shards.write_table(context.run / "x.parquet", verdicts(1).drop_columns(["detail"]), VERDICTS, context)


def test_a_missing_or_broken_shard_is_named(tmp_path: Path) -> None:
    with pytest.raises(StaleError, match="missing"):
        shards.read_table(tmp_path / "no.parquet")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(SchemaError, match=r"bad\.parquet"):
        shards.read_table(tmp_path / "bad.parquet")


def test_a_full_disk_is_said_to_be_full_and_leaves_nothing(small_disk: Callable[[str], Path]) -> None:
    small = small_disk("64k")
    with pytest.raises(StorageError, match="no space left"), shards.atomic_path(small / "a") as temporary:
        temporary.write_bytes(os.urandom(1 << 20))
    assert list(small.iterdir()) == []


def test_errors_cross_process_borders_whole() -> None:
    for error in (StaleError("what", where="where", fix="do"), MissingExtraError("what", fix="do")):
        back = pickle.loads(pickle.dumps(error))
        assert isinstance(back, HanjoError)
        assert (type(back), str(back)) == (type(error), str(error))


def test_counts_must_balance() -> None:
    counts: shards.Counts = {"in": {"documents": 3}, "kept": {"documents": 1}, "removed/a.b": {"documents": 1}}
    with pytest.raises(CountError, match="3 documents came in, 2 are accounted for"):
        check_counts("decide", counts)
    shards.add(counts, "quarantined/json.broken", documents=1, bytes=7)
    check_counts("decide", counts)


amounts = st.dictionaries(st.sampled_from("ab"), st.integers(0, 9))


@given(st.lists(st.dictionaries(st.sampled_from(["in", "kept", "removed/x"]), amounts), max_size=4))
def test_merging_counts_does_not_depend_on_order(parts: list[shards.Counts]) -> None:
    assert shards.merge(parts) == shards.merge(parts[::-1])


def test_a_fingerprint_ignores_the_order_of_keys_alone() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"a": [1, 2]}) != fingerprint({"a": [2, 1]})
    with pytest.raises(TypeError, match="no place in a fingerprint"):
        fingerprint(object())


@given(data=st.binary(max_size=100), start=st.integers(0, 100), length=st.integers(0, 100))
def test_hashing_a_range_is_hashing_its_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, start: int, length: int
) -> None:
    folder = tmp_path_factory.mktemp("hash")
    (folder / "a").write_bytes(data)
    (folder / "b").write_bytes(data[start : start + length])
    assert hash_file(folder / "a", start, start + length) == hash_file(folder / "b")
