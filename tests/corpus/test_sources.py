"""Each format gives its documents, and each kind of bad file its own cause, told without the text itself."""

import gzip
import json
import time
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.documents import Record, Rejected
from corpus.errors import UsageError
from corpus.sources import ReadOptions, Skipped, named_reader, parse_created, reader_for, readers

TEXT = "대한민국의 수도는 서울이다. 똠방각하 펲시콜라."


def read(path: Path, **options: object) -> list[Record | Rejected | Skipped]:
    reader = reader_for(path.name)
    assert reader is not None
    return list(reader.load()(path, ReadOptions(**options), 0, None))  # type: ignore[arg-type]


def one_rejected(path: Path, **options: object) -> Rejected:
    (found,) = read(path, **options)
    assert isinstance(found, Rejected)
    assert "수도" not in found.detail
    assert str(path.parent) not in found.detail
    return found


def test_readers_are_found_without_importing_them() -> None:
    assert {"jsonl", "parquet", "plain", "webpage", "warc", "hwp", "pdf"} <= set(readers())
    assert [reader_for(name).name for name in ("a.JSONL", "b.jsonl.zst", "c.warc.gz", "d.HWPX")] == [  # type: ignore[union-attr]
        "jsonl",
        "jsonl",
        "warc",
        "hwp",
    ]
    assert reader_for("picture.png") is None
    with pytest.raises(UsageError, match="jsonl"):
        named_reader("jsonlines")


def test_json_lines_take_text_key_url_and_time_from_named_fields(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    row = {"본문": TEXT, "no": 7, "link": "https://a.kr", "at": "2024-05-01T09:00:00+09:00", "tag": "x"}
    path.write_text("\n" + json.dumps(row) + "\n", encoding="utf-8")
    (record,) = read(path, text="본문", key="no", url="link", created="at", meta=("tag",))
    assert isinstance(record, Record)
    assert (record.text, record.key, record.url, record.offset, record.meta) == (
        TEXT,
        "7",
        "https://a.kr",
        1,
        {"tag": "x"},
    )
    assert record.created is not None
    assert record.created.isoformat() == "2024-05-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("line", "cause", "said"),
    [
        ('{"text": "수도는', "json.broken", "line 1, byte 9, column 10"),
        ('["수도"]', "json.not_object", "line 1"),
        ('{"body": "수도"}', "json.no_text", "there are: body"),
        ('{"text": 3}', "json.no_text", "no string"),
        ("[" * 100_000, "json.broken", "too deep"),
    ],
)
def test_a_bad_json_line_is_told_by_place(tmp_path: Path, line: str, cause: str, said: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(line, encoding="utf-8")
    rejected = one_rejected(path)
    assert (rejected.cause, rejected.length) == (cause, len(line.encode()))
    assert said in rejected.detail


def test_only_plain_field_names_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"010-1234-5678": "x", "홍길동": "x", "hong@a.kr": "x", "body": "x"}), encoding="utf-8")
    detail = one_rejected(path).detail
    assert "there are: body:" in detail
    for name in ("010", "홍길동", "hong"):
        assert name not in detail


def test_cp949_json_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(json.dumps({"text": TEXT}, ensure_ascii=False).encode("cp949"))
    (record,) = read(path)
    assert isinstance(record, Record)
    assert record.text == TEXT


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.txt", "a.html", "a.warc", "a.hwp", "a.pdf"])
def test_an_empty_file_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert one_rejected(tmp_path / name).cause == "file.empty"


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("a.parquet", "parquet.broken"),
        ("a.txt", "text.binary"),
        ("a.warc", "warc.broken"),
        ("a.hwp", "hwp.unknown"),
        ("a.pdf", "pdf.broken"),
    ],
)
def test_another_format_under_this_name_is_one_rejected_record(tmp_path: Path, name: str, cause: str) -> None:
    data = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
    (tmp_path / name).write_bytes(data)
    rejected = one_rejected(tmp_path / name)
    assert (rejected.cause, rejected.length) == (cause, len(data))


def test_parquet_gives_rows_and_names_a_missing_column(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [1, 2, 3], "text": [TEXT, None, "둘"]}), path, row_group_size=2)
    found = read(path, key="id")
    assert [one.offset for one in found] == [0, 1, 2]
    assert [one.key for one in found if isinstance(one, Record)] == ["1", "3"]
    assert isinstance(found[1], Rejected)
    rejected = one_rejected(path, text="content")
    assert rejected.cause == "parquet.no_text"
    assert "id, text" in rejected.detail


def cp949_strings(*values: str) -> pa.Array:
    """A string column that is no UTF-8, as careless writers leave it."""
    data = [value.encode("cp949") for value in values]
    return pa.array(data, pa.binary()).view(pa.string())


def test_a_bad_parquet_cell_costs_that_cell_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    urls, keys = cp949_strings("http://a.kr/1", "http://a.kr/가"), cp949_strings("가", "k2")
    tags = pa.StructArray.from_arrays([cp949_strings("x", "나")], ["tag"])
    pq.write_table(pa.table({"text": [TEXT, "둘"], "url": urls, "key": keys, "tags": tags}), path)
    first, second = read(path, url="url", key="key", meta=("tags", "key"))
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.text, first.url, first.key, first.meta) == (TEXT, "http://a.kr/1", None, {"tags": {"tag": "x"}})
    assert first.losses == {"key.missing": 1, "meta.unreadable": 1}
    assert (second.text, second.url, second.key, second.meta) == ("둘", None, "k2", {"key": "k2"})
    assert second.losses == {"url.unreadable": 1, "meta.unreadable": 1}


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Seoul", "Nowhere/Unknown"])
def test_parquet_times_of_every_unit_and_zone_are_read(tmp_path: Path, unit: str, zone: str | None) -> None:
    path = tmp_path / "a.parquet"
    second = {"ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    times = pa.array([1714521600 * second + second // 2, None, 2**63 - 1]).cast(pa.timestamp(unit, zone))
    pq.write_table(pa.table({"text": ["가", "나", "다"], "at": times}), path)
    first, second_one, far = read(path, created="at")
    assert isinstance(first, Record)
    assert first.created is not None
    assert first.created.isoformat()[:19] == "2024-05-01T00:00:00"
    assert isinstance(second_one, Record)
    assert (second_one.created, second_one.losses) == (None, {})
    assert isinstance(far, Record)
    if unit == "ns":  # 2⁶³ ns after 1970
        assert far.created is not None
        assert far.created.year == 2262
    else:
        assert (far.created, far.losses) == (None, {"created.unreadable": 1})


@pytest.mark.parametrize("name", ["text", "url"])
def test_a_parquet_file_with_a_column_twice_is_one_rejected_record(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.parquet"
    names = ["text", "url", name]
    pq.write_table(pa.Table.from_arrays([pa.array([TEXT]), pa.array(["x"]), pa.array(["y"])], names=names), path)
    rejected = one_rejected(path, url="url")
    assert rejected.cause == "parquet.column_twice"
    assert repr(name) in rejected.detail


def test_a_web_page_gives_its_text_by_its_own_charset(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    page = f"<html><head><meta charset=euc-kr><script>수도()</script></head><body><p>{TEXT}</p></body></html>"
    path.write_bytes(page.encode("cp949"))
    (record,) = read(path)
    assert isinstance(record, Record)
    assert (record.text, record.meta) == (TEXT, {"encoding": "cp949"})
    path.write_text("<html><body><script>1</script></body></html>", encoding="utf-8")
    (skipped,) = read(path)
    assert isinstance(skipped, Skipped)


@pytest.mark.parametrize("depth", [20_000, 100_000])
def test_a_page_nested_beyond_reason_is_read_whole_and_in_time(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "a.html"
    path.write_text("<html><body>" + "<div>" * depth + TEXT + "</div>" * depth, encoding="utf-8")
    started = time.monotonic()
    (record,) = read(path)
    assert time.monotonic() - started < 10
    assert isinstance(record, Record)
    assert (record.text, record.losses) == (TEXT, {"html.too_deep": 1})


ARTICLE = [
    f"{number}번째 문단이다. 대한민국의 수도는 서울이고, 오늘은 날씨가 맑아서 산책을 나갔다." for number in range(8)
]
NAVIGATION = "<ul>" + "".join(f"<li><a href=/{n}>차림표 {n}</a></li>" for n in range(9)) + "</ul>"
BODY = "<h1>제목</h1>" + "".join(f"<p>{paragraph}</p>" for paragraph in ARTICLE)
PAGE = f"<html><body><nav>{NAVIGATION}</nav><article>{BODY}</article></body></html>"


@pytest.mark.parametrize("extractor", ["resiliparse", "trafilatura"])
def test_either_extractor_takes_the_article_and_leaves_the_menu(tmp_path: Path, extractor: str) -> None:
    pytest.importorskip(extractor)
    path = tmp_path / "a.html"
    path.write_text(PAGE, encoding="utf-8")
    (record,) = read(path, extractor=extractor)
    assert isinstance(record, Record)
    assert [line for line in record.text.splitlines() if "문단" in line] == ARTICLE
    assert "차림표" not in record.text
    assert record.losses == {}


@pytest.mark.parametrize("page", ["<p>짧다.</p>", "<div>" * 5000 + TEXT, "<b>" + TEXT * 80_000])
def test_a_page_that_is_nothing_for_trafilatura_goes_to_the_other_in_time(tmp_path: Path, page: str) -> None:
    pytest.importorskip("trafilatura")
    path = tmp_path / "a.html"
    path.write_text(page, encoding="utf-8")
    started = time.monotonic()
    (record,) = read(path, extractor="trafilatura")
    assert time.monotonic() - started < 10
    assert isinstance(record, Record)
    assert record.text.startswith(("짧다.", TEXT))


def test_a_page_of_many_megabytes_is_read_whole_and_in_time(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(("<div>" * 500 + TEXT + "</div>" * 500) * 3000, encoding="utf-8")
    started = time.monotonic()
    (record,) = read(path)
    assert time.monotonic() - started < 10
    assert isinstance(record, Record)
    assert record.losses == {"html.too_long": 1}
    assert record.text.count(TEXT) == 3000


def test_unclosed_elements_are_no_depth(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("<html><body><main>" + f"<p>{TEXT}<br>" * 2000, encoding="utf-8")
    (record,) = read(path)
    assert isinstance(record, Record)
    assert record.losses == {}


def warc_record(kind: str, status: str, headers: str, body: bytes, url: str = "http://a.kr/") -> bytes:
    http = f"HTTP/1.1 {status}\r\n{headers}\r\n\r\n".encode() + body if kind == "response" else body
    content = "application/http; msgtype=response" if kind == "response" else "text/plain"
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n"
        f"Content-Type: {content}\r\nContent-Length: {len(http)}\r\n\r\n"
    )
    return head.encode() + http + b"\r\n\r\n"


def crawl() -> bytes:
    page = f"<html><body><p>{TEXT}</p></body></html>"
    return b"".join(
        [
            warc_record("warcinfo", "", "", b"software: x"),
            warc_record("response", "200 OK", "Content-Type: text/html; charset=euc-kr", page.encode("cp949")),
            warc_record("response", "404 Not Found", "Content-Type: text/html", page.encode()),
            warc_record("response", "200 OK", "Content-Type: image/png", b"\x89PNG"),
            warc_record(
                "response", "200 OK", "Content-Type: text/html\r\nContent-Encoding: gzip", gzip.compress(page.encode())
            ),
            warc_record("conversion", "", "", TEXT.encode()),
        ]
    )


def test_a_crawl_gives_its_pages_and_skips_by_rule(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(gzip.compress(crawl()))
    found = read(path)
    assert [one.text if isinstance(one, Record) else getattr(one, "rule", one) for one in found] == [
        TEXT,
        "source.http_status",
        "source.not_html",
        TEXT,
        TEXT,
    ]
    for one in found:  # offsets count decompressed bytes
        assert crawl()[one.offset :].startswith(b"WARC/1.0")
    assert isinstance(found[0], Record)
    assert found[0].url == "http://a.kr/"


@pytest.mark.parametrize(("packed", "cause"), [(True, "gzip.truncated"), (False, "warc.truncated")])
def test_a_cut_crawl_keeps_what_was_whole(tmp_path: Path, packed: bool, cause: str) -> None:
    records = crawl() + crawl()[:-60]
    path = tmp_path / ("a.warc.gz" if packed else "a.warc")
    path.write_bytes(gzip.compress(records)[:-9] if packed else records)
    found = read(path)
    assert isinstance(found[-1], Rejected)
    assert found[-1].cause == cause
    assert sum(isinstance(one, Record) for one in found) >= 5


def hwpx(path: Path, *, encrypted: bool = False) -> None:
    paragraph = "http://www.hancom.co.kr/hwpml/2011/paragraph"
    section = f'<hs:sec xmlns:hs="x" xmlns:hp="{paragraph}"><hp:p><hp:run><hp:t>{TEXT}</hp:t></hp:run></hp:p></hs:sec>'
    inner = "<encryption-data/>" if encrypted else ""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/hwp+zip")
        archive.writestr("META-INF/manifest.xml", f"<manifest>{inner}</manifest>")
        archive.writestr("Contents/section0.xml", section)


def test_hwpx_gives_its_paragraphs_and_tells_a_password(tmp_path: Path) -> None:
    path = tmp_path / "a.hwpx"
    hwpx(path)
    (record,) = read(path)
    assert isinstance(record, Record)
    assert record.text == TEXT
    hwpx(path, encrypted=True)
    assert one_rejected(path).cause == "hwp.password"
    path.write_bytes(b"PK\x03\x04" + b"broken" * 50)
    assert one_rejected(path).cause == "hwp.no_text"


def test_pdf_gives_its_text_layer_and_tells_a_password_and_a_scan(tmp_path: Path) -> None:
    canvas = pytest.importorskip("reportlab.pdfgen.canvas")
    encryption = pytest.importorskip("reportlab.lib.pdfencrypt")
    path = tmp_path / "a.pdf"
    for text, locked in (("Hello page", None), ("", None), ("secret", "password")):
        lock = encryption.StandardEncryption(locked) if locked else None
        sheet = canvas.Canvas(str(path), encrypt=lock)
        sheet.drawString(72, 720, text)
        sheet.showPage()
        sheet.save()
        if text == "Hello page":
            (record,) = read(path)
            assert isinstance(record, Record)
            assert record.text == "Hello page"
        else:
            assert one_rejected(path).cause == ("pdf.password" if locked else "pdf.no_text")


def test_a_record_above_the_limit_is_refused_in_every_format(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": "가" * 1000}), encoding="utf-8")
    assert one_rejected(path, max_record=100).cause == "record.too_long"
    path = tmp_path / "a.txt"
    path.write_text("가" * 1000, encoding="utf-8")
    assert one_rejected(path, max_record=100).length == 3000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-05-01", "2024-05-01T00:00:00+00:00"),
        (1714521600, "2024-05-01T00:00:00+00:00"),
        (1714521600000, "2024-05-01T00:00:00+00:00"),
        ("20180000", None),
        (True, None),
        (1e300, None),
    ],
)
def test_times_are_read_as_utc_or_not_at_all(value: object, expected: str | None) -> None:
    found = parse_created(value)
    assert (found.isoformat() if found else None) == expected
