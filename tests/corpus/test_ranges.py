"""Big files divided by their records: whatever the size of a unit, the ranges give what the whole file gives.

Each range is read from a file in which only the spans it says it looks at are true; all else is noise.
"""

import bz2
import gzip
import io
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import corpus.json_elements
import corpus.json_envelopes
import corpus.sources.delimited
import corpus.sources.mediawiki
import corpus.sources.objects
import corpus.sources.warc
import corpus.table_rows
from corpus.dividing import divide_jobs, told_ranges
from corpus.documents import Record, Rejected
from corpus.ranges import BigFile, Range, line_ranges, ranges_of
from corpus.shards import Job, JobContext, Outcome
from corpus.sources import ReadOptions, Skipped, named_reader
from corpus.submission import EXAMPLE
from corpus.work_units import SourceSettings, find_sources, source_files

Found = Record | Rejected | Skipped
UNITS = (1, 7, 50, 333, 2000)
TEXT = '대한민국의 수도는 "서울"이다.'
property_test = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150, derandomize=True
)


def whole(path: Path, form: str, options: ReadOptions) -> list[Found]:
    return list(named_reader(form).load()(path, options, 0, None))


def divided(path: Path, form: str, options: ReadOptions, unit: int, ranges: list[Range]) -> list[Found]:
    """What the ranges give, each from a copy with noise wherever it does not say that it looks."""
    data, found = path.read_bytes(), []
    for part in ranges or [Range(0, None, len(data), ((0, len(data)),))]:
        noise = bytearray(random.Random(part.start).choices(b'"{}[]<page>, \n\r\0\xff', k=len(data)))
        for start, end in part.spans:
            noise[start:end] = data[start:end]
        copy = path.parent / "copy" / path.name
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(noise[: len(data)])
        state = json.loads(json.dumps(part.state))
        told = ReadOptions(**{name: getattr(options, name) for name in ("text", "key", "max_record")}, state=state)
        found += list(named_reader(form).load()(copy, told, part.start, part.end))
    return found


def same(path: Path, form: str, units: tuple[int, ...] = UNITS, **told: Any) -> list[int]:
    """How many ranges there were, at each size of a unit, after the comparison."""
    options = ReadOptions(**told)
    expected = whole(path, form, options)
    counts = []
    for unit in units:
        ranges = ranges_of(str(path), form, options, unit)
        assert divided(path, form, options, unit, ranges) == expected
        if ranges:
            assert (ranges[0].start, ranges[-1].end) == (0, None)
            assert [one.end for one in ranges[:-1]] == [one.start for one in ranges[1:]]
        counts.append(len(ranges))
    return counts


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every reader looks at little at once, so that small files have many blocks."""
    monkeypatch.setattr(corpus.table_rows, "_BLOCK", 13)
    monkeypatch.setattr(corpus.sources.delimited, "_SAMPLE", 64)
    monkeypatch.setattr(corpus.json_elements, "_BLOCK", 16)
    monkeypatch.setattr(corpus.json_envelopes, "_BLOCK", 16)
    monkeypatch.setattr(corpus.sources.objects, "_LOOK", 32)
    monkeypatch.setattr(corpus.sources.mediawiki, "_BLOCK", 11)
    monkeypatch.setattr(corpus.ranges, "_BLOCK", 17)


CELLS = st.text(st.sampled_from('가나똠ab"",,\n\r\t;| '), max_size=12)
BROKEN = st.binary(max_size=3) | st.sampled_from(
    [b"\xb0\xa1", b"\xff", b'"', b"\n", b'"\n', b",", b"\xea\xb0", b"\r\n"]
)


def table(rows: list[list[str]], delimiter: str, quoted: bool) -> str:
    def cell(text: str) -> str:
        must = any(sign in text for sign in '"\n\r' + delimiter)
        return '"' + text.replace('"', '""') + '"' if quoted or must else text

    return "".join(delimiter.join(map(cell, row)) + "\n" for row in [["id", "text"], *rows])


@property_test
@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=12),
    st.sampled_from([",", "\t", ";"]),
    st.booleans(),
    st.sampled_from(["utf-8", "utf-8-sig", "cp949", "utf-16"]),
    st.lists(st.tuples(st.floats(0, 1), BROKEN), max_size=4),
    st.sampled_from([20, 60, 1 << 20]),
)
def test_tables_divide_where_rows_begin(
    small_blocks: None,
    tmp_path: Path,
    rows: list[list[str]],
    delimiter: str,
    quoted: bool,
    encoding: str,
    flaws: list[tuple[float, bytes]],
    limit: int,
) -> None:
    data = table(rows, delimiter, quoted).encode(encoding)
    for at, flaw in flaws:
        place = int(at * len(data))
        data = data[:place] + flaw + data[place:]
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    same(path, "delimited", (1, 9, 60), max_record=limit)


@property_test
@given(st.text(st.sampled_from('a,"\n\r'), max_size=120), st.sampled_from([6, 15, 1 << 20]), st.integers(1, 40))
def test_any_text_as_a_table_divides_where_rows_begin(
    small_blocks: None, tmp_path: Path, body: str, limit: int, unit: int
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,text\n" + body.encode())
    same(path, "delimited", (unit,), max_record=limit)


def test_a_table_of_quoted_lines_is_divided_between_rows(tmp_path: Path) -> None:
    rows = [[str(n), f'{TEXT}\n{n}, "따옴표"\n\n' * (n % 4)] for n in range(200)]
    path = tmp_path / "a.csv"
    for encoding in ("utf-8", "utf-8-sig", "cp949"):
        path.write_bytes(table(rows, ",", quoted=False).encode(encoding))
        counts = same(path, "delimited", (50, 333, 2000), key="id")
        assert counts[0] > counts[1] > counts[2] > 5
        sizes = [one.bytes for one in ranges_of(str(path), "delimited", ReadOptions(), 2000)]
        assert max(sizes) <= 2000
        assert sum(sizes) == path.stat().st_size
    path.write_bytes(table(rows, ",", quoted=False).encode("utf-16"))
    assert same(path, "delimited", (50,)) == [0]
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(table(rows, ",", quoted=False).encode()))
    assert same(packed, "delimited", (50,)) == [0]


def test_a_quote_lost_in_the_middle_of_a_table_is_told_once(tmp_path: Path) -> None:
    rows = [[str(n), f"{TEXT}\n{n}"] for n in range(300)]
    path = tmp_path / "a.csv"
    data = table(rows, ",", quoted=True).encode()
    half = data.index(b'"150"')
    path.write_bytes(data[: half + 4] + data[half + 5 :])
    for limit in (500, 4000, 1 << 20):
        same(path, "delimited", (100, 1000, 5000), max_record=limit)
    refused = [one for one in whole(path, "delimited", ReadOptions()) if isinstance(one, Rejected)]
    assert refused
    assert {one.cause for one in refused} <= {"csv.unclosed", "csv.broken", "csv.cells"}


def shapes(rows: list[dict[str, Any]], ascii_only: bool) -> list[str]:
    def dumps(value: object, indent: int | None = None) -> str:
        return json.dumps(value, ensure_ascii=ascii_only, indent=indent)

    half = len(rows) // 2
    return [
        dumps(rows),
        dumps(rows, 1),
        dumps({"name": "x", "people": [{"id": 1}], "data": rows, "n": [1, 2]}),
        dumps({"train": rows[:half], "none": [{"a": "]"}], "test": rows[half:]}, 1),
        "\n".join(map(dumps, rows)),
        "\n".join(dumps(row, 1) for row in rows),
        dumps(rows[:half]) + "\n" + dumps(rows[half:]),
        "[" + " ".join(map(dumps, rows)) + "]",
    ]


ROW = st.fixed_dictionaries(
    {"text": st.text(st.sampled_from('가a\\"[]{},: \n'), max_size=12)},
    optional={"tags": st.lists(st.text(st.sampled_from('"]}'), max_size=3), max_size=2), "text2": st.none()},
)


@property_test
@given(
    st.lists(ROW, min_size=1, max_size=9),
    st.integers(0, 7),
    st.booleans(),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 2), st.sampled_from([*'"{}[],\\', "", '"text"', "  " * 40])),
        max_size=3,
    ),
    st.sampled_from([20, 80, 1 << 20]),
)
def test_json_divides_between_elements(
    small_blocks: None,
    tmp_path: Path,
    rows: list[dict[str, Any]],
    shape: int,
    ascii_only: bool,
    flaws: list[tuple[float, int, str]],
    limit: int,
) -> None:
    data = shapes(rows, ascii_only)[shape]
    for at, gone, put in flaws:
        place = int(at * len(data))
        data = data[:place] + put + data[place + gone :]
    path = tmp_path / "a.json"
    path.write_bytes(data.encode())
    same(path, "objects", (1, 15, 70), max_record=limit)
    same(path, "namuwiki", (15,), max_record=limit)


def test_every_shape_of_json_that_has_elements_is_divided(tmp_path: Path) -> None:
    rows = [{"id": n, "text": f"{TEXT} {n}", "tags": [{"a": [1, "]"]}]} for n in range(100)]
    path = tmp_path / "a.json"
    counts = {}
    for number, data in enumerate(shapes(rows, ascii_only=False)):
        path.write_bytes(data.encode())
        counts[number] = same(path, "objects", (300, 3000), key="id")
    assert counts.pop(5) == [0, 0]  # objects one after another, no list
    assert all(few > 1 and many > 10 for many, few in counts.values()), counts
    path.write_bytes(json.dumps(rows).encode("utf-16"))
    assert same(path, "objects", (300,)) == [0]


def documents(rows: list[str], shape: int) -> str:
    """Made from the described shapes: documents of NIKL that are products of a catalogue too."""
    made = [{"id": f"W{n}", "paragraph": [{"form": row}], "name": row, "data": []} for n, row in enumerate(rows)]
    half = len(made) // 2
    envelopes = [
        {"id": "X", "metadata": {"category": "신문"}, "document": part, "data": part, "n": [{"a": 1}]}
        for part in (made[:half], made[half:])
    ]
    value = [made, envelopes[1], envelopes, [envelopes[0], *made, envelopes[1]], {"document": made, "items": made}][
        shape
    ]
    return json.dumps(value, ensure_ascii=False, indent=shape % 2 or None)


@property_test
@given(
    st.lists(st.text(st.sampled_from('가a\\"[]{},: \n'), max_size=12), min_size=1, max_size=9),
    st.integers(0, 4),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 2), st.sampled_from([*'"{}[],\\', "", '"data"'])), max_size=2),
    st.sampled_from([20, 80, 1 << 20]),
)
def test_corpora_of_json_divide_between_objects(
    small_blocks: None,
    tmp_path: Path,
    rows: list[str],
    shape: int,
    flaws: list[tuple[float, int, str]],
    limit: int,
) -> None:
    data = documents(rows, shape)
    for at, gone, put in flaws:
        place = int(at * len(data))
        data = data[:place] + put + data[place + gone :]
    path = tmp_path / "a.json"
    path.write_bytes(data.encode())
    for form in ("nikl", "catalogue", "aihub"):
        same(path, form, (1, 60), max_record=limit)


@pytest.mark.parametrize("shape", range(5))
def test_every_shape_of_corpora_is_divided(tmp_path: Path, shape: int) -> None:
    path = tmp_path / "a.json"
    path.write_text(documents([f"{TEXT} {n}" for n in range(90)], shape), encoding="utf-8")
    for form in ("nikl", "catalogue"):
        many, few = same(path, form, (200, 3000))
        assert many > 40
        assert few > 2
    (tmp_path / "a.csv").write_bytes(b"id,name,text\n" + b"".join(b"%d,a,b\n" % n for n in range(99)))
    assert same(tmp_path / "a.csv", "aihub", (30,))[0] > 5  # by the reader of its name
    assert same(tmp_path / "a.csv", "catalogue", (30,)) == [0]


def page(number: int, text: str) -> str:
    head = f"<title>제목 {number}</title><ns>0</ns><id>{number}</id>"
    return f"<page>{head}<revision><text>{text}</text></revision></page>\n"


HEAD = "<mediawiki>\n<siteinfo><sitename>위키</sitename></siteinfo>\n"


@property_test
@given(
    st.lists(st.text(st.sampled_from("가나a '\n"), max_size=20), min_size=1, max_size=8),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 9), st.sampled_from(["", "<page>", "</page>", "<", "가"])), max_size=3
    ),
    st.sampled_from([150, 1 << 20]),
)
def test_dumps_divide_between_pages(
    small_blocks: None, tmp_path: Path, texts: list[str], flaws: list[tuple[float, int, str]], limit: int
) -> None:
    data = HEAD + "".join(page(n, text) for n, text in enumerate(texts)) + "</mediawiki>\n"
    for at, gone, put in flaws:
        place = len(HEAD) + int(at * (len(data) - len(HEAD)))
        data = data[:place] + put + data[place + gone :]
    path = tmp_path / "a.xml"
    path.write_bytes(data.encode())
    same(path, "mediawiki", (1, 120, 400), max_record=limit)


@pytest.mark.parametrize(("ending", "pack"), [(".xml.bz2", bz2.compress), (".xml.gz", gzip.compress)])
def test_multistream_dumps_divide_where_a_stream_begins_between_pages(
    tmp_path: Path, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    pages = [page(n, f"{TEXT} {n}").encode() for n in range(60)]
    parts = [HEAD.encode(), *(b"".join(pages[n : n + 10]) for n in range(0, 60, 10)), b"</mediawiki>"]
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"".join(map(pack, parts)))
    assert same(path, "mediawiki", (1, 700)) == [7, 3]
    data = b"".join(parts)
    path.write_bytes(pack(data[:1000]) + pack(data[1000:3000]) + pack(data[3000:]))  # within pages: not divided there
    assert same(path, "mediawiki", (1,)) == [0]
    path.write_bytes(pack(data))
    assert same(path, "mediawiki", (1,)) == [0]
    damaged = bytearray(b"".join(map(pack, parts)))
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(damaged)
    assert same(path, "mediawiki", (1,))[0] > 1


def warc(kind: str, body: bytes, version: str = "1.0") -> bytes:
    head = (
        f"WARC/{version}\r\nWARC-Type: {kind}\r\nWARC-Target-URI: http://a.kr/\r\nWARC-Date: 2024-05-01T09:00:00Z\r\n"
    )
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body + b"\r\n\r\n"


def response(body: bytes, status: str = "200 OK") -> bytes:
    return warc("response", f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\n\r\n".encode() + body)


def crawl() -> list[bytes]:
    """Records of a crawl (made); some hold crawls themselves, packed and not, and heads that are none."""
    html = f"<html><body><p>{TEXT * 9}</p></body></html>".encode()
    plain = warc("conversion", TEXT.encode()) * 3
    stored = b"".join(gzip.compress(warc("conversion", b"no record of ours %d" % n), 0) for n in range(3))
    records = [warc("warcinfo", b"software: x")]
    for n in range(8):
        records += [
            warc("request", b"GET / HTTP/1.1\r\n\r\n"),
            response(html.replace(b"<p>", b"<p>%d " % n)),
            response(b"<html><body><pre>" + plain + b"</pre></body></html>"),
            response(html, "404 Not Found"),
            warc("conversion", plain + b"\r\n\r\nWARC/1.0\r\nContent-Length: 5\r\n\r\n"),
            warc("resource", stored),
            warc("conversion", f"{TEXT} {n}".encode(), "1.1"),
        ]
    return records


@pytest.mark.parametrize("packed", [False, True])
def test_crawls_divide_between_records_alone(tmp_path: Path, packed: bool) -> None:
    pack = (lambda data: gzip.compress(data, 0)) if packed else bytes
    records = crawl()
    path = tmp_path / ("a.warc.gz" if packed else "a.warc")
    path.write_bytes(b"".join(map(pack, records)))
    counts = same(path, "warc", (1, 1000, 5000))
    assert counts[0] == len(records)
    assert counts[0] > counts[1] > counts[2] > 2
    data = path.read_bytes()
    path.write_bytes(data[:-40])
    same(path, "warc", (1, 1000, 5000))


def test_a_damaged_crawl_is_told_once_however_it_is_divided(tmp_path: Path) -> None:
    records = crawl()
    for name, pack in (("a.warc", bytes), ("a.warc.gz", gzip.compress)):
        path = tmp_path / name
        for how in ("length", "garbage", "byte"):
            parts = list(records)
            if how == "length":
                parts[20] = parts[20].replace(b"Content-Length: ", b"Content-Length: 1", 1)
            elif how == "garbage":
                parts[20] += b"no record\r\n"
            data = bytearray(b"".join(pack(one) for one in parts))
            if how == "byte":
                data[len(data) // 2] ^= 0x55
            path.write_bytes(data)
            assert same(path, "warc", (1, 900, 4000))[0] > 3


def test_a_crawl_packed_as_one_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(gzip.compress(b"".join(crawl())))
    assert same(path, "warc", (1, 1000)) == [0, 0]
    monkeypatch.setattr(corpus.sources.warc, "_SINGLE", 10)
    assert same(path, "warc", (1, 1000)) == [0, 0]
    monkeypatch.undo()
    path.write_bytes(b"".join(gzip.compress(b"".join(crawl()[n : n + 7])) for n in range(0, 57, 7)))
    assert same(path, "warc", (1,)) == [9]


def arrow_file(path: Path, batches: int, rows: int, kind: pa.DataType, compression: str | None = None) -> None:
    plain = [f"{TEXT} {n}" for n in range(batches * rows)]
    column = pa.array(plain).dictionary_encode() if pa.types.is_dictionary(kind) else pa.array(plain, kind)
    data = pa.table({"id": list(range(batches * rows)), "text": column})
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with path.open("wb") as sink, pa.ipc.new_file(sink, data.schema, options=options) as writer:
        writer.write_table(data, max_chunksize=rows)


@pytest.mark.parametrize("kind", [pa.string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())], ids=str)
@pytest.mark.parametrize("compression", [None, "zstd"])
def test_arrow_files_divide_by_their_batches(tmp_path: Path, kind: pa.DataType, compression: str | None) -> None:
    path = tmp_path / "a.arrow"
    arrow_file(path, 20, 11, kind, compression)
    assert same(path, "arrow", (1,), key="id") == [20]
    assert 1 < same(path, "arrow", (path.stat().st_size // 4,), key="id")[0] < 10
    assert [one.cause for one in whole(path, "arrow", ReadOptions(text="body")) if isinstance(one, Rejected)]
    same(path, "arrow", (1, 5000), text="body")


@property_test
@given(st.integers(0, 1 << 30), st.integers(1, 255))
def test_damaged_arrow_files_divide_as_they_are_read(tmp_path: Path, at: int, flip: int) -> None:
    path = tmp_path / "a.arrow"
    arrow_file(path, 6, 5, pa.string())
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= flip
    path.write_bytes(data)
    same(path, "arrow", (1, 1500))


def test_a_parquet_file_without_the_column_is_refused_once(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [TEXT] * 40}), path, row_group_size=10)
    read = named_reader("parquet").load()
    for options, data in ((ReadOptions(text="body"), path.read_bytes()), (ReadOptions(), path.read_bytes()[:-9])):
        path.write_bytes(data)
        parts = [one for start in range(4) for one in read(path, options, start, start + 1)]
        assert [one.cause for one in parts if isinstance(one, Rejected)] == [whole(path, "parquet", options)[0].cause]  # type: ignore[union-attr]


def test_a_file_is_gone_through_again_only_once_it_has_changed(tmp_path: Path) -> None:
    (tmp_path / "submission.yaml").write_text(EXAMPLE, encoding="utf-8")
    (tmp_path / "a.json").write_text(json.dumps([{"text": TEXT}] * 50))
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": TEXT}) * 50)

    def jobs(path: str) -> list[Job]:
        sources = find_sources((SourceSettings(path=path),), tmp_path)
        return divide_jobs(source_files(sources, tmp_path), 500, 1 << 20)

    (first,) = jobs(".")
    assert first.arguments["path"] == "a.json"
    assert str(tmp_path) not in json.dumps(first.arguments)
    assert jobs(".") == [first]
    outcome = first.call(JobContext(tmp_path, "", 0), **first.arguments, **first.local)
    (ranges,) = told_ranges([Outcome(facts=json.loads(json.dumps(outcome.facts)))])
    assert ranges == ranges_of(str(tmp_path / "a.json"), "objects", ReadOptions(key="id"), 500)
    os.utime(tmp_path / "a.json", ns=(1, 1))
    assert jobs(".")[0].arguments != first.arguments


@given(st.lists(st.binary(max_size=30)), st.integers(1, 60), st.integers(1, 50))
def test_lines_divide_at_line_ends_with_their_numbers(lines: list[bytes], unit: int, block: int) -> None:
    data = b"\n".join(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus.ranges, "_BLOCK", block)
        found = line_ranges(BigFile(io.BytesIO(data), Path("a.json"), len(data)), unit, 0)
    for one in found[1:]:
        assert data[one.start - 1 : one.start] == b"\n"
        assert one.state == {"line": data.count(b"\n", 0, one.start) + 1}
    for one in found:
        assert one.bytes <= unit or data.count(b"\n", one.start, one.start + one.bytes - 1) == 0
