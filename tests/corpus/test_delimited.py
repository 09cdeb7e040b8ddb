"""CSV and TSV: the reader is the writer's inverse, offsets point at rows, a bad row costs itself alone."""

import csv
import gzip
import io
import time
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions, Skipped, reader_for

TEXT = "대한민국의 수도는 서울이다. 똠방각하 펲시콜라."
CELLS = st.text(st.sampled_from('가나漢a ",;|\t\n\r'), max_size=12)


def read(path: Path, **options: object) -> list[Record | Rejected | Skipped]:
    reader = reader_for(path.name)
    assert reader is not None
    assert reader.name == "delimited"
    return list(reader.load()(path, ReadOptions(**options), 0, None))  # type: ignore[arg-type]


def texts(found: list[Record | Rejected | Skipped]) -> list[str]:
    return [one.text for one in found if isinstance(one, Record)]


def causes(found: list[Record | Rejected | Skipped]) -> list[str]:
    return [one.cause for one in found if isinstance(one, Rejected)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8),
    st.sampled_from(",\t;|"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
def test_what_a_csv_writer_wrote_comes_back_and_offsets_point_at_it(
    tmp_path: Path, rows: list[tuple[str, str]], delimiter: str, end: str, encoding: str, every: bool
) -> None:
    if not every:  # Python's writer leaves a lone CR without quotes
        rows = [(text.replace("\r", ""), other.replace("\r", "")) for text, other in rows]
    rows = [(text or "빈", other or "x") for text, other in rows]
    quoting = csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL
    made = io.StringIO()
    csv.writer(made, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows([("text", "other"), *rows])
    data = made.getvalue().encode(encoding)
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    found = read(path, meta=("other",))
    assert [(one.text, one.meta["other"]) for one in found if isinstance(one, Record)] == rows
    assert len(found) == len(rows)
    for one, row in zip(found, rows, strict=True):
        part = data[one.offset : one.offset + one.length].decode("utf-16-le" if encoding == "utf-16" else "utf-8")
        assert tuple(next(csv.reader(io.StringIO(part, newline=""), delimiter=delimiter))) == row


@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "johab", "utf-16"])
def test_columns_are_taken_by_name_in_every_korean_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    lines = ["번호,제목,본문,링크,날짜"]
    lines += [f'{n},"제목 {n}","{TEXT}\n{n}",https://a.kr/{n},2024-05-01 09:00:00' for n in range(20)]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    found = read(path, text="본문", key="번호", url="링크", created="날짜", meta=("제목",))
    first = found[0]
    assert isinstance(first, Record)
    assert (first.text, first.key, first.url, first.meta) == (f"{TEXT}\n0", "0", "https://a.kr/0", {"제목": "제목 0"})
    assert first.created is not None
    assert first.created.isoformat() == "2024-05-01T09:00:00+00:00"
    assert len(texts(found)) == 20


@pytest.mark.parametrize("ending", [".csv.gz", ".csv.zst"])
def test_a_compressed_table_is_read_and_a_cut_one_gives_its_whole_rows(tmp_path: Path, ending: str) -> None:
    data = ("text,n\n" + "".join(f'"{TEXT}\n둘째 줄 {hash(str(n))}",{n}\n' for n in range(5000))).encode()
    packed = gzip.compress(data) if ending.endswith("gz") else zstandard.ZstdCompressor().compress(data)
    path = tmp_path / f"a{ending}"
    path.write_bytes(packed)
    assert len(texts(read(path))) == 5000
    path.write_bytes(packed[: len(packed) // 2])
    *rows, last = read(path)
    assert isinstance(last, Rejected)
    assert last.cause.endswith("truncated")
    assert 0 < len(texts(rows)) == len(rows)


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_another_delimiter_under_csv_is_told_by_the_header(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"id{delimiter}text\n1{delimiter}하나, 둘; 셋\n".replace("; ", " "), encoding="utf-8")
    (record,) = read(path, key="id")
    assert isinstance(record, Record)
    assert (record.text, record.key) == ("하나, 둘 셋", "1")


def test_seconds_and_days_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("text\tat\n가\t1714521600\n나\t20240501\n다\t\n라\t어제\n", encoding="utf-8")
    found = read(path, created="at")
    moments = [one.created and one.created.date().isoformat() for one in found if isinstance(one, Record)]
    assert moments == ["2024-05-01", "2024-05-01", None, None]
    assert [one.losses for one in found if isinstance(one, Record)] == [{}, {}, {}, {"created.unreadable": 1}]


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        ("2,둘,여분", "csv.cells"),
        ("2", "csv.cells"),
        ('2,"둘', "csv.unclosed"),
        ('2,"둘" 이', "csv.broken"),
        (b"2,\xff\xff\xff\xff\xff\xff\xff", "text.undecodable"),
    ],
)
def test_a_bad_row_is_told_by_its_line_and_the_next_go_on(tmp_path: Path, bad: str | bytes, cause: str) -> None:
    path = tmp_path / "a.csv"
    middle = bad if isinstance(bad, bytes) else bad.encode()
    before = f'id,text\n1,"{TEXT}\n계속"\n'.encode()
    path.write_bytes(before + middle + "\n3,셋\n4,넷\n".encode())
    found = read(path)
    assert texts(found) == [f"{TEXT}\n계속", "셋", "넷"]
    (rejected,) = (one for one in found if isinstance(one, Rejected))
    assert (rejected.cause, rejected.offset, rejected.length) == (cause, len(before), len(middle))
    assert "line 4" in rejected.detail
    assert "둘" not in rejected.detail


def test_a_sign_for_inches_within_a_cell_is_no_quote(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,화면 27" 모니터\n2,둘\n', encoding="utf-8")
    assert texts(read(path)) == ['화면 27" 모니터', "둘"]


def test_a_header_that_lacks_the_column_is_told_without_its_words(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("홍길동,010-1234-5678,body\n가,나,다\n", encoding="utf-8")
    (rejected,) = read(path)
    assert isinstance(rejected, Rejected)
    assert (rejected.cause, rejected.length) == ("csv.no_text", path.stat().st_size)
    assert "there are: body:" in rejected.detail
    assert "길동" not in rejected.detail
    path.write_text("text,text\n가,나\n", encoding="utf-8")
    assert causes(read(path)) == ["csv.column_twice"]
    path.write_bytes("id,text\r1,가\r".encode())
    assert "end lines by LF" in read(path)[0].detail  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("data", "cause"), [(b"", "file.empty"), (b"\n\n \n", "file.empty"), (bytes(range(256)) * 40, "text.binary")]
)
def test_an_empty_or_binary_file_says_so(tmp_path: Path, data: bytes, cause: str) -> None:
    (tmp_path / "a.csv").write_bytes(data)
    assert causes(read(tmp_path / "a.csv")) == [cause]


def test_a_long_row_is_refused_and_the_next_go_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'text,n\n{"가" * 1000},1\n"{"나" * 20}\n{"다" * 20}",2\n끝,3\n', encoding="utf-8")
    found = read(path, max_record=100)
    assert causes(found) == ["record.too_long", "record.too_long"]
    assert texts(found) == ["끝"]


@pytest.mark.parametrize("line", ['a","b', 'x,"', '"""', 'x,"",""y', '"a\n', ',"' * 50, "\n" * 3])
def test_quotes_without_end_on_every_line_take_linear_time(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.csv"
    columns = ",".join(f"c{n}" for n in range(1000))
    path.write_text(f"text,{columns}\n" + f"{line}\n" * (500_000 // (len(line) + 1)), encoding="utf-8")
    started = time.monotonic()
    assert not texts(read(path, max_record=1 << 16))
    assert time.monotonic() - started < 10
