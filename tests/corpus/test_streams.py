"""Byte ranges meet without gap or overlap, and a cut stream gives what was whole."""

import bz2
import gzip
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.documents import Rejected
from corpus.streams import Line, Stream, read_lines

PACK = {"gz": gzip.compress, "bz2": bz2.compress, "zst": zstandard.ZstdCompressor().compress}


def lines_of(path: Path, start: int = 0, end: int | None = None, limit: int = 1 << 20) -> list[Line | Rejected]:
    first = path.read_bytes()[:start].count(b"\n") + 1 if start else 1
    return list(read_lines(path, start, end, first, limit))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.sampled_from([b"", b"a", b"bb\r", b"ccc" * 5])), st.booleans(), st.integers(1, 9), st.integers(1, 20)
)
def test_ranges_of_any_size_give_the_lines_of_the_whole(
    tmp_path: Path, texts: list[bytes], ended: bool, size: int, limit: int
) -> None:
    path = tmp_path / "f.jsonl"
    data = b"\n".join(texts) + (b"\n" if ended else b"")
    path.write_bytes(data)
    whole = lines_of(path, limit=limit)
    parts = [line for start in range(0, len(data), size) for line in lines_of(path, start, start + size, limit)]
    assert parts == whole
    for number, line in enumerate(whole, 1):
        assert isinstance(line, Line)
        text = data[line.offset : line.offset + line.length]
        assert line.number == number
        assert b"\n" not in text
        assert line.data == (text if len(text) <= limit else None)


@pytest.mark.parametrize("kind", ["gz", "bz2", "zst"])
def test_several_members_are_one_stream(tmp_path: Path, kind: str) -> None:
    parts = [b"one\n" * 100_000, b"two\n", "셋\n".encode()]
    path = tmp_path / f"f.jsonl.{kind}"
    pack = PACK[kind]
    path.write_bytes(b"".join(pack(part) for part in parts))
    with Stream(path) as stream:
        assert stream.readall() == b"".join(parts)
        assert stream.cut is None
        assert stream.tell() == sum(map(len, parts))


@pytest.mark.parametrize("kind", ["gz", "bz2", "zst"])
def test_padding_of_any_length_between_members_hides_nothing(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"f.jsonl.{kind}"
    pack = PACK[kind]
    path.write_bytes(pack(b"one\n") + bytes(1 << 20) + pack(b"two\n") + bytes(1 << 20))
    with Stream(path) as stream:
        assert stream.readall() == b"one\ntwo\n"
        assert stream.cut is None


@pytest.mark.parametrize(("kind", "name"), [("gz", "gzip"), ("bz2", "bzip2"), ("zst", "zstd")])
def test_a_truncated_file_gives_whole_lines_and_says_where_it_ends(tmp_path: Path, kind: str, name: str) -> None:
    lines = [b"%d %s" % (number, str(hash(str(number))).encode()) for number in range(100_000)]
    pack = PACK[kind]
    packed = pack(b"\n".join(lines))
    path = tmp_path / f"f.jsonl.{kind}"
    path.write_bytes(packed[: len(packed) // 2])
    *found, last = lines_of(path)
    assert isinstance(last, Rejected)
    assert last.cause == f"{name}.truncated"
    assert str(len(packed) // 2) in last.detail
    assert [line.data for line in found if isinstance(line, Line)] == lines[: len(found)]
    assert found


def test_a_file_that_is_no_gzip_is_one_rejected_record(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl.gz"
    path.write_bytes(b"plain text")
    (rejected,) = lines_of(path)
    assert isinstance(rejected, Rejected)
    assert rejected.cause == "gzip.broken"


def test_a_line_over_the_limit_is_skipped_in_bounded_memory(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "f.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as handle:
        handle.write(b"first\n")
        for _ in range(64):
            handle.write(b"x" * (1 << 20))
        handle.write(b"\nlast\n")
    tracemalloc.start()
    found = lines_of(path, limit=1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(one.length, one.data) for one in found if isinstance(one, Line)] == [
        (5, b"first"),
        (64 << 20, None),
        (4, b"last"),
    ]
    assert peak < 16 << 20
