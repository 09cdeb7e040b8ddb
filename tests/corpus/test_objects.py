"""JSON that is not lines: every shape gives its objects, offsets are their bytes, a flaw costs what lies around it."""

import gzip
import io
import json
import time
import tracemalloc
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions, Skipped, reader_for

TEXT = '대한민국의 수도는 "서울"이다.\n똠방각하 {펲시} [콜라], "}, {"'


def read(path: Path, **options: object) -> list[Record | Rejected | Skipped]:
    reader = reader_for(path.name)
    assert reader is not None
    assert reader.name == "objects"
    return list(reader.load()(path, ReadOptions(**options), 0, None))  # type: ignore[arg-type]


def texts(found: list[Record | Rejected | Skipped]) -> list[str]:
    return [one.text for one in found if isinstance(one, Record)]


def causes(found: list[Record | Rejected | Skipped]) -> list[str]:
    return [one.cause for one in found if isinstance(one, Rejected)]


ROWS = [{"id": n, "text": f"{TEXT} {n}", "tags": [{"a": [1, "]"]}]} for n in range(5)]
SHAPES = {
    "list": json.dumps(ROWS),
    "indented": json.dumps(ROWS, ensure_ascii=False, indent=2),
    "within": json.dumps({"name": "x", "people": [{"id": 1}], "data": ROWS, "n": 5}, ensure_ascii=False),
    "lines": "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS),
    "run together": "".join(json.dumps(row) for row in ROWS),
    "objects, indented": "\n".join(json.dumps(row, indent=1) for row in ROWS),
    "two lists": json.dumps({"train": ROWS[:2], "test": ROWS[2:]}),
    "no commas": "[" + " ".join(json.dumps(row) for row in ROWS) + "]",
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ending", [".json", ".json.gz", ".json.zst"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_every_shape_gives_its_objects_and_their_bytes(tmp_path: Path, shape: str, ending: str, mark: bytes) -> None:
    data = mark + SHAPES[shape].encode()
    pack = {".json": bytes, ".json.gz": gzip.compress, ".json.zst": zstandard.ZstdCompressor().compress}[ending]
    path = tmp_path / f"a{ending}"
    path.write_bytes(pack(data))
    found = read(path, key="id")
    assert texts(found) == [row["text"] for row in ROWS]
    assert not causes(found)
    for one, row in zip(found, ROWS, strict=True):
        assert json.loads(data[one.offset : one.offset + one.length].removeprefix(mark)) == row


def test_one_object_is_one_record(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"body": TEXT, "replies": [{"body": "x"}]}, indent=1), encoding="utf-8")
    assert texts(read(path, text="body")) == [TEXT]
    path.write_bytes(json.dumps({"text": "대한민국의 수도는 서울이다."}, ensure_ascii=False).encode("cp949"))
    assert texts(read(path)) == ["대한민국의 수도는 서울이다."]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('가\\"[]{},: \n'), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(JSON, st.text(max_size=9)), min_size=1), st.sampled_from([None, 1]), st.booleans())
def test_any_list_of_objects_comes_back(
    tmp_path: Path, rows: list[tuple[object, str]], indent: int | None, ascii_only: bool
) -> None:
    data = json.dumps([{"x": x, "text": text} for x, text in rows], indent=indent, ensure_ascii=ascii_only)
    path = tmp_path / "a.json"
    path.write_bytes(data.encode("utf-8", "surrogatepass"))
    assert texts(read(path)) == [text for _, text in rows]


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        ("", "file.empty"),
        (" \n ", "file.empty"),
        ("[1, 2, 3]", "json.not_object"),
        ("[[1], [2]]", "json.not_object"),
        ("수도", "json.broken"),
        ('{"title": "수도"}', "json.no_text"),
        ('{"data": [{"body": "수도"}]}', "json.no_text"),
        ('{"text": "수도', "json.truncated"),
        ('[{"text": "수도', "json.truncated"),
        ("[" * 100_000, "json.not_object"),
        ('{"a":' * 100_000, "json.truncated"),
        ("[" + "[" * 100_000 + "]" * 100_000 + "]", "json.not_object"),
    ],
)
def test_what_holds_no_record_says_why_in_one(tmp_path: Path, data: str, cause: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(data, encoding="utf-8")
    (rejected,) = read(path)
    assert isinstance(rejected, Rejected)
    assert rejected.cause == cause
    assert "수도" not in rejected.detail


def test_utf16_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(json.dumps(ROWS).encode("utf-16"))
    (rejected,) = read(tmp_path / "a.json")
    assert isinstance(rejected, Rejected)
    assert "save it as UTF-8" in rejected.detail


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"text": "둘', '"text": 둘'),
        ('"text": "둘', '"text": "둘"'),
        ('둘"}', "둘}"),
        ('둘"}', '둘"'),
        ('둘"}', '둘"}} x'),
    ],
)
def test_a_flaw_in_one_object_costs_at_most_its_neighbour(tmp_path: Path, old: str, new: str) -> None:
    rows = [{"id": n, "text": f"{word} 말"} for n, word in enumerate(["하나", "둘", "셋", "넷", "다섯"])]
    data = json.dumps(rows, ensure_ascii=False).replace(" 말", "")
    assert old in data
    path = tmp_path / "a.json"
    path.write_text(data.replace(old, new), encoding="utf-8")
    found = read(path)
    assert causes(found)
    assert set(texts(found)) >= {"하나", "넷", "다섯"}
    covered = sum(one.length for one in found)
    assert covered > len(data.encode()) - 30  # what is neither kept nor quarantined is commas and brackets


def test_a_cut_list_gives_what_was_whole(tmp_path: Path) -> None:
    data = json.dumps([{"text": f"{n} {hash(str(n))}"} for n in range(20_000)]).encode()
    path = tmp_path / "a.json"
    path.write_bytes(data[: len(data) // 2])
    *found, last = read(path)
    assert isinstance(last, Rejected)
    assert last.cause == "json.truncated"
    assert last.offset + last.length == len(data) // 2
    assert len(texts(found)) == len(found) > 1000
    packed = gzip.compress(data)
    path = tmp_path / "a.json.gz"
    path.write_bytes(packed[: len(packed) // 2])
    *found, last = read(path)
    assert isinstance(last, Rejected)
    assert last.cause == "gzip.truncated"
    assert len(texts(found)) == len(found) > 1000


def test_a_long_object_is_refused_and_the_next_go_on(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    rows = [{"text": "하나"}, {"text": "둘" * 1_000_000}, {"text": "셋"}]
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    found = read(path, max_record=1 << 20)
    assert texts(found) == ["하나", "셋"]
    assert causes(found) == ["record.too_long"]
    assert found[1].length == len(json.dumps(rows[1], ensure_ascii=False).encode())


def test_one_line_of_any_length_goes_through_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    part = json.dumps({"text": TEXT * 20}, ensure_ascii=False)
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        file.write('{"version": 1, "data": [')
        for n in range(15):
            file.write("," * (n > 0) + ",".join([part] * 1000))
        file.write("]}")
    reader = reader_for(path.name)
    assert reader is not None
    tracemalloc.start()
    try:
        count = sum(isinstance(one, Record) for one in reader.load()(path, ReadOptions(max_record=1 << 20), 0, None))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 15_000
    assert peak < 12 << 20


@pytest.mark.parametrize("part", ['{"text": "a},', '{"text": [},', '},{"text" :', "x ", '"', "]", "{", '{"text":1}{'])
def test_flaws_without_end_take_linear_time(tmp_path: Path, part: str) -> None:
    path = tmp_path / "a.json"
    buffer = io.StringIO()
    buffer.write('[{"text": "하나"},')
    buffer.write(part * (400_000 // len(part)))
    path.write_text(buffer.getvalue(), encoding="utf-8")
    started = time.monotonic()
    found = read(path, max_record=1 << 15)
    assert time.monotonic() - started < 10
    assert texts(found)[0] == "하나"
    assert causes(found)
