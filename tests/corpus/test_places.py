"""Sources on other file systems give what the same files give on this machine: documents, ids, fingerprints, counts."""

import datetime
import gzip
import http.server
import importlib
import json
import re
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import corpus.collect
from corpus import places
from corpus.collect import CollectSettings
from corpus.errors import MissingExtraError, SourceError
from corpus.settings import Common, Target
from corpus.shards import Counts
from corpus.spans import at_hand, hash_piece
from corpus.submission import EXAMPLE
from corpus.work_units import SourceSettings, find_sources, work_units

fsspec = pytest.importorskip("fsspec")
LINE = "가나다라 마바사 {}번째 문장이다."


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Lines (one broken), a gzip, Parquet of several row groups, CP949 text, a zip in parts, what no reader knows."""
    folder = tmp_path / "data"
    (folder / "more").mkdir(parents=True)
    (folder / "submission.yaml").write_text(EXAMPLE, encoding="utf-8")
    (folder / "README.md").write_text("no data")
    (folder / ".hidden.jsonl").write_text("no data")
    lines = [json.dumps({"id": f"a{n}", "text": LINE.format(n)}, ensure_ascii=False) for n in range(300)]
    lines[150] = lines[150][:20]
    (folder / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    packed = "\n".join(json.dumps({"id": f"g{n}", "text": LINE.format(n)}) for n in range(50))
    (folder / "more" / "g.jsonl.gz").write_bytes(gzip.compress(packed.encode(), mtime=0))
    table = pa.table({"id": [f"p{n}" for n in range(2000)], "text": [LINE.format(n) for n in range(2000)]})
    pq.write_table(table, folder / "p.parquet", row_group_size=250)
    (folder / "t.txt").write_bytes("옛날 글, 똠방각하.".encode("cp949"))
    (folder / "picture.tiff").write_bytes(b"II*\0")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("안.txt", "압축 안의 글이다.")
    whole = (tmp_path / "x.zip").read_bytes()
    for start in range(0, len(whole), 100):
        (folder / f"x.zip.part{start}").write_bytes(whole[start : start + 100])
    return folder


class _Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves a folder with byte ranges and times, as object stores do."""

    asked: list[str]

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if match is None or not path.is_file():
            super().do_GET()
            return
        data = path.read_bytes()
        part = data[int(match[1]) : int(match[2]) + 1]
        type(self).asked.append(f"{path.name} {len(part)}")
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {match[1]}-{int(match[1]) + len(part) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def end_headers(self) -> None:
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def served(data: Path) -> Iterator[str]:
    """The URL of `data` on an HTTP server of this machine."""
    pytest.importorskip("aiohttp")
    _Ranges.asked = []

    def handler(*args: Any) -> _Ranges:
        return _Ranges(*args, directory=str(data.parent))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/data/"
        server.shutdown()


@pytest.fixture
def collect(tmp_path: Path, run_phases: Any) -> Callable[..., Counts]:
    def go(name: str, path: str, unit_bytes: int = 6000, **values: Any) -> Counts:
        settings = CollectSettings(sources=(SourceSettings(path=path, **values),), unit_bytes=unit_bytes)
        common = Common("t", 0, datetime.date(2026, 11, 24), Target(), tmp_path)
        counts: Counts = run_phases("collect", corpus.collect, tmp_path / name, settings, common)
        return counts

    return go


def files(run: Path) -> dict[str, bytes]:
    return {p.relative_to(run).as_posix(): p.read_bytes() for p in sorted(run.rglob("*")) if p.is_file()}


def copied_to_memory(data: Path, name: str) -> str:
    system = fsspec.filesystem("memory")
    for file in data.rglob("*"):
        if file.is_file():
            system.pipe(f"/{name}/{file.relative_to(data).as_posix()}", file.read_bytes())
    return f"memory://{name}"


def test_every_place_gives_the_same_run_byte_for_byte(
    tmp_path: Path, data: Path, served: str, collect: Callable[..., Counts]
) -> None:
    counts = collect("local", "data")
    assert counts["kept"]["documents"] == 299 + 50 + 2000 + 1 + 1
    assert counts["quarantined/json.broken"]["documents"] == counts["quarantined/format.unknown"]["documents"] == 1
    expected = files(tmp_path / "local")
    assert sum(name.startswith("documents/0") for name in expected) > 5
    shutil.make_archive(str(tmp_path / "packed"), "zip", data)
    for number, url in enumerate(
        [data.as_uri(), copied_to_memory(data, "one"), served, f"zip://::{(tmp_path / 'packed.zip').as_uri()}"]
    ):
        assert collect(f"run{number}", url) == counts, url
        assert files(tmp_path / f"run{number}") == expected, url


def test_ranges_are_fetched_not_files(tmp_path: Path, data: Path, served: str) -> None:
    lines = [json.dumps({"text": LINE.format(n)}) + "\n" for n in range(200_000)]
    (data / "big.jsonl").write_text("".join(lines))
    size = (data / "big.jsonl").stat().st_size
    start, end = size // 2, size // 2 + 1000
    _Ranges.asked.clear()
    with at_hand([f"{served}big.jsonl"], "bytes", start, end, tmp_path / "scratch") as path:
        assert path.stat().st_size == size
        got = path.read_bytes()
    whole = (data / "big.jsonl").read_bytes()
    ends = whole.index(b"\n", end) + 1
    assert got[start - 1 : ends] == whole[start - 1 : ends]
    assert not got[: start - 1].strip(b"\0")
    assert sum(int(one.split()[1]) for one in _Ranges.asked) < size // 2
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_file_or_a_pattern_of_a_remote_folder_is_a_source(
    tmp_path: Path, data: Path, collect: Callable[..., Counts]
) -> None:
    url = copied_to_memory(data, "two")
    assert collect("one", f"{url}/more/g.jsonl.gz", submission="data/submission.yaml")["kept"]["documents"] == 50
    assert collect("two", url, include=("*.txt",), submission=f"{url}/submission.yaml")["kept"]["documents"] == 1


def test_what_has_not_changed_is_known_without_reading_it(tmp_path: Path, data: Path, served: str) -> None:
    settings = (SourceSettings(path=data.as_uri()), SourceSettings(path=served, submission="other.yaml"))
    (tmp_path / "other.yaml").write_text(EXAMPLE.replace("company-blog", "other"), encoding="utf-8")
    sources = find_sources(settings, tmp_path)
    first = [piece for unit in work_units(sources[:1], tmp_path, 6000) for piece in unit.pieces]
    again = [piece for unit in work_units(sources[:1], tmp_path, 6000) for piece in unit.pieces]
    assert first == again
    # This server gives no ETag: nothing is taken for unchanged.
    assert next(work_units(sources[1:], tmp_path, 6000)) != next(work_units(sources[1:], tmp_path, 6000))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"class": "no_such_package.FileSystem", "err": "Install it"}
    monkeypatch.setitem(importlib.import_module("fsspec.registry").known_implementations, "nosuch", known)
    with pytest.raises(MissingExtraError, match="no_such_package") as raised:
        places.kind("nosuch://bucket/data")
    assert raised.value.fix == "pip install no_such_package"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("memory://nothing/here", "no such file or folder"),
        ("unheard://x/y", "'unheard' is not known"),
        ("http://user:secret@127.0.0.1:9/x?token=secret", "127.0.0.1:9/x"),
        ("file:///no/such/place", "no such file or folder"),
    ],
)
def test_what_is_not_there_is_told_without_secrets(tmp_path: Path, path: str, said: str) -> None:
    with pytest.raises(SourceError, match=re.escape(said)) as raised:
        find_sources((SourceSettings(path=path),), tmp_path)
    assert "secret" not in str(raised.value)


def test_a_missing_remote_submission_says_what_to_write(data: Path, tmp_path: Path) -> None:
    url = copied_to_memory(data, "three")
    fsspec.filesystem("memory").rm("/three/submission.yaml")
    with pytest.raises(SourceError, match=r"three/submission\.yaml: no submission\.yaml"):
        find_sources((SourceSettings(path=url),), tmp_path)


def test_what_a_store_loses_stops_the_run(data: Path, tmp_path: Path) -> None:
    url = copied_to_memory(data, "four")
    fsspec.filesystem("memory").rm("/four/t.txt")
    with pytest.raises(SourceError, match=r"four/t\.txt: cannot be read"):
        hash_piece([f"{url}/t.txt"], "no", 0, None)


def test_a_path_with_a_colon_is_a_path(tmp_path: Path) -> None:
    assert places.located("a:b/c", tmp_path) == str(tmp_path / "a:b/c")
    assert places.located("file:///a%20b", tmp_path) == "/a b"
    assert places.parent("zip://a.txt::file:///x.zip") == "zip://::file:///x.zip"
    assert places.below("zip://::file:///x.zip", "a.txt") == "zip://a.txt::file:///x.zip"
    assert places.below("s3://bucket/a", "b") == places.below("s3://bucket/a/", "b") == "s3://bucket/a/b"
    assert places.shown("s3://key:secret@bucket/a?x=1") == "s3://bucket/a"


def test_a_big_zip_is_divided_by_its_members(tmp_path: Path, collect: Callable[..., Counts]) -> None:
    (tmp_path / "zips").mkdir()
    (tmp_path / "zips" / "submission.yaml").write_text(EXAMPLE, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "zips" / "a.zip", "w") as archive:
        for number in range(40):
            archive.writestr(f"{number}.txt", LINE.format(number) * 30)
    counts = collect("local", "zips")
    assert counts["kept"]["documents"] == 40
    texts = [row for shard in sorted((tmp_path / "local" / "documents").glob("*.parquet")) for row in _rows(shard)]
    assert [text for _, text in texts] == [LINE.format(number) * 30 for number in range(40)]
    assert {path for path, _ in texts} == {f"a.zip!{number}.txt" for number in range(40)}
    units = list(work_units(find_sources((SourceSettings(path="zips"),), tmp_path), tmp_path, 6000))
    assert len(units) > 5
    url = copied_to_memory(tmp_path / "zips", "five")
    assert collect("remote", url) == counts
    assert files(tmp_path / "remote") == files(tmp_path / "local")
    # A member that changes makes its own unit another, and the list of members every one.
    hashes = [hash_piece(piece.files, "members", piece.start, piece.end) for unit in units for piece in unit.pieces]
    assert len({one for one, _ in hashes}) == len(units)
    assert {lines for _, lines in hashes} == {0}


def test_big_files_give_the_same_divided_whole_and_from_a_store(tmp_path: Path, collect: Callable[..., Counts]) -> None:
    folder = tmp_path / "big"
    folder.mkdir()
    (folder / "submission.yaml").write_text(EXAMPLE, encoding="utf-8")
    texts = [LINE.format(n) for n in range(400)]
    rows = [f'{n},"{text}\n둘째 줄, ""따옴표"""\n' for n, text in enumerate(texts)]
    rows[200] = rows[200].replace('"', "", 1).replace("\n", ",\n", 1)
    (folder / "a.csv").write_text("id,text\n" + "".join(rows), encoding="utf-8")
    elements = [json.dumps({"id": f"j{n}", "text": text}, ensure_ascii=False) for n, text in enumerate(texts)]
    elements[100] = elements[100][:-3]
    (folder / "b.json").write_text("[" + ",\n".join(elements) + "]", encoding="utf-8")
    pages = [
        f"<page><title>{n}</title><ns>0</ns><id>{n}</id><revision><text>{text}</text></revision></page>\n"
        for n, text in enumerate(texts)
    ]
    pages[300] = pages[300].replace("</page>", "")
    (folder / "c.xml").write_text("<mediawiki>" + "".join(pages) + "</mediawiki>", encoding="utf-8")
    head = "WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: {}\r\n\r\n"
    crawl = [(head.format(len(text.encode())) + text + "\r\n\r\n").encode() for text in texts]
    (folder / "d.wet").write_bytes(b"".join(crawl))
    (folder / "e.wet.gz").write_bytes(b"".join(gzip.compress(one, mtime=0) for one in crawl))
    table = pa.table({"id": [f"a{n}" for n in range(400)], "text": texts})
    with (folder / "f.arrow").open("wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=25)
    whole = collect("whole", "big", 1 << 30, key="id")
    assert whole["quarantined/xml.broken"]["documents"] == whole["quarantined/json.broken"]["documents"] == 1
    assert whole["kept"]["documents"] > 2390
    assert collect("divided", "big", key="id") == whole
    assert collect("remote", copied_to_memory(folder, "six"), key="id") == whole
    assert files(tmp_path / "divided") == files(tmp_path / "remote")
    for part in ("documents", "quarantine"):
        assert _all_rows(tmp_path / "divided" / part) == _all_rows(tmp_path / "whole" / part)
    units = list(work_units(find_sources((SourceSettings(path="big", key="id"),), tmp_path), tmp_path, 6000))
    pieces = [piece.path for unit in units for piece in unit.pieces]
    assert all(pieces.count(path) > 1 for path in pieces)
    assert all(piece.bytes <= 6000 for unit in units for piece in unit.pieces)


def _all_rows(folder: Path) -> list[dict[str, Any]]:
    return [row for shard in sorted(folder.glob("*.parquet")) for row in pq.read_table(shard).to_pylist()]


def _rows(shard: Path) -> list[tuple[str, str]]:
    return [(row["path"], row["text"]) for row in pq.read_table(shard, columns=["path", "text"]).to_pylist()]
