"""Collect turns folders of mixed files into documents, quarantines what it cannot read, counts every record once."""

import collections.abc
import datetime
import gzip
import json
import os
import stat
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import corpus.collect
from corpus.collect import CollectSettings
from corpus.documents import DOCUMENTS, QUARANTINE, document_id
from corpus.errors import SourceError
from corpus.identity import locate
from corpus.rights import read_rights
from corpus.settings import Common, Target
from corpus.shards import Counts, read_shards
from corpus.submission import EXAMPLE
from corpus.work_units import SourceSettings

Collect = collections.abc.Callable[..., Counts]
LINE = "가나다라 마바사 {}번째 문장이다."


@pytest.fixture
def collect(tmp_path: Path, run_phases: Any) -> Collect:
    """`collect(run_name, **settings)`: run the stage on tmp_path/data."""

    def go(name: str = "run", **values: Any) -> Counts:
        values.setdefault("sources", (SourceSettings(path="data"),))
        common = Common("t", 0, datetime.date(2026, 11, 24), Target(), tmp_path)
        counts: Counts = run_phases("collect", corpus.collect, tmp_path / name, CollectSettings(**values), common)
        return counts

    return go


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A source of mixed files: 200 lines, one broken, a gzip, a Parquet, CP949 text, and files to be left out."""
    folder = tmp_path / "data"
    (folder / "more").mkdir(parents=True)
    (folder / "submission.yaml").write_text(EXAMPLE, encoding="utf-8")
    (folder / "README.md").write_text("no data")
    (folder / ".hidden.jsonl").write_text("no data")
    lines = [json.dumps({"id": f"a{n}", "text": LINE.format(n)}, ensure_ascii=False) for n in range(200)]
    lines[150] = lines[150][:20]
    (folder / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    packed = "\n".join(json.dumps({"id": f"g{n}", "text": LINE.format(n) + "\r\n끝"}) for n in range(50))
    (folder / "more" / "g.jsonl.gz").write_bytes(gzip.compress(packed.encode()))
    table = pa.table({"id": [f"p{n}" for n in range(60)], "text": [LINE.format(n) for n in range(60)]})
    pq.write_table(table, folder / "p.parquet", row_group_size=20)
    (folder / "t.txt").write_bytes("옛날 글, 똠방각하.".encode("cp949"))
    (folder / "blank.txt").write_text(" \n")
    return folder


def documents(run: Path) -> list[dict[str, Any]]:
    return [
        row for shard in read_shards(run, "collect", "documents") for row in pq.read_table(run / shard.path).to_pylist()
    ]


def files(run: Path) -> dict[str, bytes]:
    return {p.relative_to(run).as_posix(): p.read_bytes() for p in sorted(run.rglob("*")) if p.is_file()}


def test_every_record_is_counted_once(tmp_path: Path, data: Path, collect: Collect) -> None:
    counts = collect()
    assert {reason: row["documents"] for reason, row in counts.items() if "documents" in row} == {
        "in": 312,
        "kept": 310,
        "quarantined/json.broken": 1,
        "removed/text.empty": 1,
        "source/company-blog": 310,
    }
    rows = documents(tmp_path / "run")
    assert len(rows) == 310
    assert counts["kept"]["bytes"] == sum(len(row["text"].encode()) for row in rows)
    assert counts["source/company-blog"]["eojeol"] == sum(len(row["text"].split()) for row in rows)


def test_documents_hold_what_the_schema_says(tmp_path: Path, data: Path, collect: Collect) -> None:
    collect()
    run = tmp_path / "run"
    shard = pq.read_schema(run / "documents" / "00000.parquet")
    assert shard.remove_metadata() == DOCUMENTS
    rows = {row["path"] + str(row["offset"]): row for row in documents(run)}
    assert rows["p.parquet59"]["id"] == document_id("company-blog", "p59")
    old = rows["t.txt0"]
    assert old["id"] == document_id("company-blog", "t.txt\x000")
    assert (old["text"], json.loads(old["meta"])) == ("옛날 글, 똠방각하.", {"encoding": "cp949"})
    assert rows["more/g.jsonl.gz0"]["text"].endswith("문장이다.\n끝")
    assert set(read_rights(run)) == {row["rights_id"] for row in rows.values()}


def test_what_is_unreadable_stands_in_the_quarantine_by_place(tmp_path: Path, data: Path, collect: Collect) -> None:
    collect()
    table = pq.read_table(tmp_path / "run" / "quarantine" / "00000.parquet", schema=QUARANTINE)
    (row,) = table.to_pylist()
    assert (row["path"], row["cause"], row["length"]) == ("a.jsonl", "json.broken", 20)
    assert "line 151" in row["detail"]
    assert (data / "a.jsonl").read_bytes()[row["offset"] :].startswith(b'{"id": "a150"')


def test_text_is_private_from_its_folder_to_its_files(tmp_path: Path, data: Path, collect: Collect) -> None:
    collect()
    run = tmp_path / "run"
    for folder in ("documents", "quarantine"):
        assert stat.S_IMODE((run / folder).stat().st_mode) == 0o700
        assert stat.S_IMODE((run / folder / "00000.parquet").stat().st_mode) == 0o600


def test_small_units_give_the_same_documents_in_the_same_order(tmp_path: Path, data: Path, collect: Collect) -> None:
    counts, small = collect(), collect("small", unit_bytes=1000)
    assert counts == small
    assert len(read_shards(tmp_path / "small", "collect", "documents")) > 10
    assert documents(tmp_path / "small") == documents(tmp_path / "run")
    details = [
        [
            row["detail"]
            for path in sorted((tmp_path / run / "quarantine").iterdir())
            for row in pq.read_table(path).to_pylist()
        ]
        for run in ("run", "small")
    ]
    assert details[0] == details[1]


def test_two_runs_are_byte_identical(tmp_path: Path, data: Path, collect: Collect) -> None:
    collect()
    collect("again")
    assert files(tmp_path / "run") == files(tmp_path / "again")


def test_an_id_leads_to_its_source_and_row_without_the_text(tmp_path: Path, data: Path, collect: Collect) -> None:
    collect(unit_bytes=1000)
    run = tmp_path / "run"
    for row in documents(run)[::37]:
        (place,) = locate(run, row["id"])
        assert {name: place[name] for name in ("source", "path", "offset", "length")} == {
            name: row[name] for name in ("source", "path", "offset", "length")
        }
        found = pq.read_table(run / "documents" / f"{place['shard']}.parquet").slice(place["row"], 1).to_pylist()
        assert found == [row]
    assert locate(run, "0" * 32) == []


def test_a_changed_byte_changes_what_the_reading_jobs_are_made_of(tmp_path: Path, data: Path, collect: Collect) -> None:
    collect()
    before = read_shards(tmp_path / "run", "collect", "documents")
    path = data / "t.txt"
    kept = path.stat()
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns + 10**9))
    collect()
    assert read_shards(tmp_path / "run", "collect", "documents") == before  # another time, the same bytes
    path.write_bytes("다른 글".encode("cp949"))
    collect()
    assert read_shards(tmp_path / "run", "collect", "documents")[0].fingerprint != before[0].fingerprint


def test_a_file_of_unknown_format_is_quarantined_not_ignored(tmp_path: Path, data: Path, collect: Collect) -> None:
    (data / "scan.tiff").write_bytes(b"II*\0")
    assert collect()["quarantined/format.unknown"] == {"bytes": 4, "documents": 1}


def test_a_single_file_can_be_a_source_with_its_format_named(tmp_path: Path, data: Path, collect: Collect) -> None:
    (data / "lines.dat").write_text('{"text": "가"}\n', encoding="utf-8")
    counts = collect(sources=(SourceSettings(path="data/lines.dat", format="jsonl"),))
    assert counts["kept"]["documents"] == 1
    assert counts["lost/key.missing"] == {"times": 1}


def test_include_narrows_a_folder(tmp_path: Path, data: Path, collect: Collect) -> None:
    counts = collect(sources=(SourceSettings(path="data", include=("more/*", "*.txt")),))
    assert counts["kept"]["documents"] == 51


def test_only_what_is_called_readme_or_the_like_is_left_out_and_it_is_told(
    tmp_path: Path, data: Path, collect: Collect
) -> None:
    for name in ("Notice", "more/LICENSE.txt", "copying.RST"):
        (data / name).write_text("no data")
    for name in ("notices-2024.jsonl", "readme_texts.jsonl", "license.jsonl"):
        (data / name).write_text(json.dumps({"id": name, "text": "글"}), encoding="utf-8")
    (data / "README.ko.txt").write_text("글", encoding="utf-8")
    counts = collect()
    assert counts["skipped/source.not_data"] == {"files": 4}  # with README.md
    assert counts["kept"]["documents"] == 314
    assert collect("small", unit_bytes=1000)["skipped/source.not_data"] == {"files": 4}
    named = collect("named", sources=(SourceSettings(path="data", include=("LICENSE.txt", "a.jsonl")),))
    assert named["in"]["documents"] == 201
    assert "skipped/source.not_data" not in named


def test_a_link_to_nothing_is_quarantined(tmp_path: Path, data: Path, collect: Collect) -> None:
    for name in ("gone.jsonl", "gone.parquet", "gone.tiff"):
        (data / name).symlink_to(tmp_path / "nowhere")
    assert collect()["quarantined/file.unreadable"] == {"bytes": 0, "documents": 3}


def test_a_file_made_readable_is_looked_at_again(tmp_path: Path, data: Path, collect: Collect) -> None:
    def hashing() -> list[dict[str, Any]]:
        common = Common("t", 0, datetime.date(2026, 11, 24), Target(), tmp_path)
        plan = corpus.collect.phases(tmp_path / "run", CollectSettings(sources=(SourceSettings(path="data"),)), common)
        next(plan)
        return [dict(job.arguments) for job in plan.send([]).jobs]

    (data / "t.txt").chmod(0)
    before = hashing()
    assert hashing() == before
    (data / "t.txt").chmod(0o600)  # neither its size nor its time of writing changes
    assert hashing() != before


def test_the_quarantine_is_written_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Path, collect: Collect
) -> None:
    monkeypatch.setattr("corpus.long_shards._ROWS", 100)
    (data / "b.jsonl").write_text("{\n" * 1000, encoding="utf-8")
    assert collect()["quarantined/json.broken"]["documents"] == 1001
    (path,) = (tmp_path / "run" / "quarantine").iterdir()
    file = pq.ParquetFile(path)
    assert file.metadata.num_rows == 1001
    assert file.metadata.num_row_groups == 11


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ((SourceSettings(path="nowhere"),), "no such file or folder"),
        ((SourceSettings(path="data"), SourceSettings(path="data/p.parquet")), "two sources are called 'company-blog'"),
        ((SourceSettings(path="data", include=("*.xyz",)),), "no file to read"),
        ((SourceSettings(path="data", submission="none.yaml"),), "contributor: our-team"),
    ],
)
def test_a_wrong_source_is_refused_with_what_to_do(
    data: Path, collect: Collect, sources: tuple[SourceSettings, ...], said: str
) -> None:
    with pytest.raises(SourceError) as error:
        collect(sources=sources)
    assert said in str(error.value)


def test_a_long_unit_becomes_several_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Path, collect: Collect
) -> None:
    monkeypatch.setattr("corpus.long_shards.ROW_GROUP_BYTES", 500)
    packed = "\n".join(json.dumps({"id": f"x{n}", "text": LINE.format(n)}) for n in range(100))
    (data / "x.jsonl.gz").write_bytes(gzip.compress(packed.encode()))
    collect(sources=(SourceSettings(path="data", include=("x.*",)),), unit_bytes=2000)
    shards = read_shards(tmp_path / "run", "collect", "documents")
    assert [Path(one.path).stem for one in shards] == ["00000", "00000_0001", "00000_0002"]
    assert sum(one.rows for one in shards) == 100
    assert len({one.fingerprint for one in shards}) == 3


def test_tables_json_and_dumps_go_through_and_add_up(tmp_path: Path, collect: Collect) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "submission.yaml").write_text(EXAMPLE, encoding="utf-8")
    text = LINE.format(1)
    (folder / "a.csv").write_bytes(f'id;text\r\n1;"{text}\r\n둘째 줄"\r\n2\r\n3;{text}\r\n'.encode("cp949"))
    (folder / "b.json").write_text(json.dumps({"data": [{"id": "j1", "text": text}, {"id": "j2"}]}), encoding="utf-8")
    with pa.ipc.new_stream(folder / "c.arrow", pa.schema([("id", pa.string()), ("text", pa.string())])) as writer:
        writer.write_table(pa.table({"id": ["r1", "r2"], "text": [text, None]}))
    pages = [f"<page><ns>{n}</ns><id>{n}</id><revision><text>'''{text}'''</text></revision></page>" for n in (0, 10)]
    (folder / "d.xml").write_text(f"<mediawiki>{''.join(pages)}</mediawiki>", encoding="utf-8")
    (folder / "e.xml").write_text("<other/>", encoding="utf-8")
    counts = collect()
    assert (counts["in"]["documents"], counts["kept"]["documents"]) == (10, 5)
    assert counts["removed/source.namespace"]["documents"] == 1
    quarantined = {name: by["documents"] for name, by in counts.items() if name.startswith("quarantined/")}
    causes = ("csv.cells", "json.no_text", "arrow.null_text", "xml.unknown")
    assert quarantined == {f"quarantined/{cause}": 1 for cause in causes}
    found = {row["path"]: row for row in documents(tmp_path / "run")}
    assert {row["text"] for row in found.values()} == {text}
    assert found["d.xml"]["id"] == document_id("company-blog", "0")
