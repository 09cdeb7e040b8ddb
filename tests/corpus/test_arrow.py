"""Arrow files, Feather and streams give their rows; what is broken in them costs a cell, a batch or the rest."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import feather

from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions, Skipped, reader_for

TEXT = "대한민국의 수도는 서울이다. 똠방각하 펲시콜라."
ROWS = 1500
KINDS = [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.dictionary(pa.int32(), pa.string())]


def read(path: Path, **options: object) -> list[Record | Rejected | Skipped]:
    reader = reader_for(path.name)
    assert reader is not None
    assert reader.name == "arrow"
    return list(reader.load()(path, ReadOptions(**options), 0, None))  # type: ignore[arg-type]


def texts(found: list[Record | Rejected | Skipped]) -> list[str]:
    return [one.text for one in found if isinstance(one, Record)]


def table(kind: pa.DataType = pa.string()) -> pa.Table:
    plain = [f"{TEXT} {n}" for n in range(ROWS)]
    column = pa.array(plain).dictionary_encode() if pa.types.is_dictionary(kind) else pa.array(plain, kind)
    return pa.table({"id": list(range(ROWS)), "text": column, "url": [f"https://a.kr/{n}" for n in range(ROWS)]})


def write(path: Path, data: pa.Table, new: Callable[..., pa.ipc.RecordBatchFileWriter], batch: int = 400) -> None:
    with path.open("wb") as sink, new(sink, data.schema) as writer:
        writer.write_table(data, max_chunksize=batch)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream])
def test_files_and_streams_give_their_rows(tmp_path: Path, kind: pa.DataType, new: Callable[..., object]) -> None:
    path = tmp_path / "a.arrow"
    write(path, table(kind), new)  # type: ignore[arg-type]
    found = read(path, key="id", url="url")
    assert texts(found) == [f"{TEXT} {n}" for n in range(ROWS)]
    assert [one.offset for one in found] == list(range(ROWS))
    last = found[-1]
    assert isinstance(last, Record)
    assert (last.key, last.url) == (str(ROWS - 1), f"https://a.kr/{ROWS - 1}")


@pytest.mark.parametrize("compression", ["zstd", "lz4", "uncompressed"])
def test_feather_gives_its_rows(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.feather"
    feather.write_feather(table(), path, compression=compression)
    assert len(texts(read(path))) == ROWS
    assert read(path, text="body")[0].cause == "arrow.no_text"  # type: ignore[union-attr]


def test_a_cell_that_is_no_utf8_or_null_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    strings = pa.array([TEXT.encode(), TEXT.encode("cp949"), None, b"x"], pa.binary()).view(pa.string())
    urls = pa.array([b"http://a.kr/1", "가".encode("cp949"), b"", None], pa.binary()).view(pa.string())
    write(path, pa.table({"text": strings, "url": urls}), pa.ipc.new_file)
    found = read(path, url="url")
    assert texts(found) == [TEXT, TEXT, "x"]
    assert [one.losses for one in found if isinstance(one, Record)] == [{}, {"url.unreadable": 1}, {}]
    assert [one.cause for one in found if isinstance(one, Rejected)] == ["arrow.null_text"]


@pytest.mark.parametrize("name", ["a.arrow", "a.feather", "a.ipc"])
def test_an_empty_or_foreign_file_says_so(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for data, cause in [
        (b"", "file.empty"),
        (b"\x89PNG" * 50, "arrow.broken"),
        (b"ARROW1\0\0" + b"x" * 50, "arrow.broken"),
        (b"FEA1" + bytes(40), "arrow.feather_1"),
    ]:
        path.write_bytes(data)
        (rejected,) = read(path)
        assert isinstance(rejected, Rejected)
        assert (rejected.cause, rejected.length) == (cause, len(data))


def test_a_cut_stream_gives_the_batches_before(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    write(path, table(), pa.ipc.new_stream)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    *found, last = read(path)
    assert isinstance(last, Rejected)
    assert last.cause == "arrow.broken"
    assert len(texts(found)) == len(found) == 400


def test_a_long_cell_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    write(path, pa.table({"text": ["가" * 1000, "나"]}), pa.ipc.new_stream)
    found = read(path, max_record=100)
    assert texts(found) == ["나"]
    assert [one.cause for one in found if isinstance(one, Rejected)] == ["record.too_long"]


MUTATE = """
import random, sys
from pathlib import Path
from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions
from corpus.sources.arrow import read
good, path = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
for seed in range(150):
    data, chance = bytearray(good), random.Random(seed)
    for _ in range(chance.randrange(1, 6)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path.write_bytes(data)
    found = list(read(path, ReadOptions(url="url", meta=("id",))))
    assert found and all(isinstance(one, (Record, Rejected)) for one in found)
print("done")
"""


@pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream])
def test_flipped_bytes_crash_nothing(tmp_path: Path, new: Callable[..., object]) -> None:
    """In a process of its own: what Arrow follows astray would end this one."""
    write(tmp_path / "good", table().slice(0, 60), new, 20)  # type: ignore[arg-type]
    command = [sys.executable, "-c", MUTATE, str(tmp_path / "good"), str(tmp_path / "bad.arrow")]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.stdout == "done\n", done.stderr[-2000:]
