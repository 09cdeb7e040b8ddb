"""The token shards: Megatron's layout to the byte, round trips, and what is said of broken files."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import SchemaError, StaleError, StorageError
from tokenizer.indexed import IndexedTokens, bin_path, idx_path, token_dtype, write_indexed

MAGIC = b"MMIDIDX\x00\x00"


def write(prefix: Path, documents: list[list[int]], entries: int = 1000) -> None:
    with write_indexed(prefix, entries) as writer:
        for document in documents:
            writer.add(document, [len(document)])


@pytest.mark.parametrize(("entries", "code", "letter"), [(65_499, 8, "H"), (65_500, 4, "i")])
def test_the_files_have_the_published_layout_byte_for_byte(
    tmp_path: Path, entries: int, code: int, letter: str
) -> None:
    prefix = tmp_path / "00000"
    write(prefix, [[5, 6, 0], [0], [7, 0]], entries)
    width = struct.calcsize(letter)
    assert bin_path(prefix).read_bytes() == struct.pack(f"<6{letter}", 5, 6, 0, 0, 7, 0)
    assert idx_path(prefix).read_bytes() == (
        MAGIC
        + struct.pack("<Q", 1)
        + struct.pack("<B", code)
        + struct.pack("<QQ", 3, 4)
        + struct.pack("<3i", 3, 1, 2)
        + struct.pack("<3q", 0, 3 * width, 4 * width)
        + struct.pack("<4q", 0, 1, 2, 3)
    )


@pytest.mark.parametrize("entries", [1000, 100_000])
def test_the_files_equal_those_of_datatrove(tmp_path: Path, entries: int) -> None:
    module = pytest.importorskip("datatrove.pipeline.tokens.megatron_tokenizer")
    documents = [[1, 2, 3, 0], [0], [9, 0]]
    theirs = module.MegatronTokenizedFile(str(tmp_path), "theirs", token_size=token_dtype(entries).itemsize)
    for document in documents:
        theirs.write(document)
    theirs.close()
    write(tmp_path / "ours", documents, entries)
    for suffix in ("bin", "idx"):
        assert (tmp_path / f"ours.{suffix}").read_bytes() == (tmp_path / f"theirs.{suffix}").read_bytes()


@settings(max_examples=50, deadline=None)
@given(
    documents=st.lists(st.lists(st.integers(0, 65_498), max_size=20), max_size=20),
    entries=st.sampled_from([65_499, 200_000]),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, documents: list[list[int]], entries: int
) -> None:
    prefix = tmp_path_factory.mktemp("shard") / "00000"
    write(prefix, documents, entries)
    shard = IndexedTokens(prefix)
    assert len(shard) == len(documents)
    assert [shard.document(i).tolist() for i in range(len(shard))] == documents
    assert shard.tokens.tolist() == [token for document in documents for token in document]
    assert shard.tokens.dtype == token_dtype(entries)


def test_a_document_of_several_sequences_is_read_whole(tmp_path: Path) -> None:
    prefix = tmp_path / "00000"
    bin_path(prefix).write_bytes(struct.pack("<5H", 1, 2, 3, 4, 5))
    sizes, pointers, documents = struct.pack("<3i", 2, 1, 2), struct.pack("<3q", 0, 4, 6), struct.pack("<3q", 0, 2, 3)
    idx_path(prefix).write_bytes(MAGIC + struct.pack("<QBQQ", 1, 8, 3, 3) + sizes + pointers + documents)
    shard = IndexedTokens(prefix)
    assert [shard.document(i).tolist() for i in range(len(shard))] == [[1, 2, 3], [4, 5]]


@pytest.mark.parametrize("suffix", ["bin", "idx"])
def test_a_missing_or_truncated_file_is_named(tmp_path: Path, suffix: str) -> None:
    prefix = tmp_path / "00000"
    write(prefix, [[1, 2, 0], [3, 0]])
    path = tmp_path / f"00000.{suffix}"
    whole = path.read_bytes()
    for length in {0, 5, len(whole) // 2, len(whole) - 1}:
        path.write_bytes(whole[:length])
        with pytest.raises(StaleError, match=rf"00000\.{suffix}"):
            IndexedTokens(prefix)
    path.unlink()
    with pytest.raises(StaleError, match=rf"00000\.{suffix}: the file is missing"):
        IndexedTokens(prefix)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    prefix = tmp_path / "00000"
    write(prefix, [[1, 0]])
    idx_path(prefix).write_bytes(b"PAR1" * 20)
    with pytest.raises(StaleError, match="not the index of a Megatron"):
        IndexedTokens(prefix)
    idx_path(prefix).write_bytes(MAGIC + struct.pack("<QBQQ", 1, 7, 0, 1) + struct.pack("<q", 0))
    with pytest.raises(StaleError, match="token type 7"):
        IndexedTokens(prefix)


def test_an_id_outside_the_vocabulary_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="1000 entries"):
        write(tmp_path / "00000", [[1, 2], [1000]])
    assert not list(tmp_path.iterdir())


def test_a_shard_that_grows_too_large_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="more than 10 bytes"), write_indexed(tmp_path / "0", 1000, 10) as writer:
        writer.add(np.arange(5), [5])
        writer.add([1], [1])
    assert not list(tmp_path.iterdir())
