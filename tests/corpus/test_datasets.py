"""Data sets of the Hugging Face library come from folders: saved ones, folders of data files; the hub is not asked."""

import datetime
import json
import socket
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import corpus.collect
from corpus.collect import CollectSettings
from corpus.documents import Record, Rejected, document_id
from corpus.errors import SourceError
from corpus.settings import Common, Target
from corpus.shards import read_shards
from corpus.sources import ReadOptions, named_reader
from corpus.submission import EXAMPLE
from corpus.work_units import SourceSettings

library = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def read(path: Path, **options: Any) -> list[Any]:
    return list(named_reader("datasets").load()(path, ReadOptions(scratch=path.parent / "scratch", **options), 0, None))


def rows(count: int, start: int = 0) -> dict[str, list[Any]]:
    numbers = range(start, start + count)
    return {"id": [f"k{n}" for n in numbers], "text": [f"글 {n}" for n in numbers], "n": list(numbers)}


def test_a_saved_data_set_gives_the_rows_of_its_splits(tmp_path: Path) -> None:
    made = {"train": library.Dataset.from_dict(rows(1200)), "test": library.Dataset.from_dict(rows(3, 5000))}
    library.DatasetDict(made).save_to_disk(tmp_path / "set", num_shards={"train": 3, "test": 1})
    found = read(tmp_path / "set", key="id", meta=("n",))
    assert len(found) == 1203
    assert [(x.text, x.key, x.member, x.offset, x.meta) for x in (found[0], found[1199], found[-1])] == [
        ("글 0", "k0", "train", 0, {"n": 0}),
        ("글 1199", "k1199", "train", 1199, {"n": 1199}),
        ("글 5002", "k5002", "test", 2, {"n": 5002}),
    ]
    assert [x.text for x in read(tmp_path / "set", splits=("test",))] == ["글 5000", "글 5001", "글 5002"]
    with pytest.raises(SourceError, match="no split 'valid'"):
        read(tmp_path / "set", splits=("valid",))


def test_one_saved_table_is_one_split(tmp_path: Path) -> None:
    table = {"text": ["하나", None, "둘"], "other": [1, 2, 3]}
    library.Dataset.from_dict(table).save_to_disk(tmp_path / "set")
    first, null, last = read(tmp_path / "set")
    assert (first.text, last.text) == ("하나", "둘")
    assert (null.cause, null.offset) == ("datasets.no_text", 1)
    (rejected,) = read(tmp_path / "set", text="본문")
    assert "there are: text, other" in rejected.detail


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "csv"])
def test_a_folder_of_data_files_is_streamed(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "set" / "data"
    folder.mkdir(parents=True)
    made = rows(700)
    for name in ("train", "test"):
        path = folder / f"{name}-00000.{kind}"
        if kind == "parquet":
            pq.write_table(pa.table(made), path)
        elif kind == "csv":
            lines = ["id,text,n", *(f"{a},{b},{c}" for a, b, c in zip(*made.values(), strict=True))]
            path.write_text("\n".join(lines), encoding="utf-8")
        else:
            lines = [json.dumps(dict(zip(made, row, strict=True))) for row in zip(*made.values(), strict=True)]
            path.write_text("\n".join(lines), encoding="utf-8")
    found = read(tmp_path / "set", key="id")
    assert [x.text for x in found] == made["text"] * 2
    assert {x.member for x in found} == {"train", "test"}


def test_a_folder_of_subsets_asks_for_one(tmp_path: Path) -> None:
    for name in ("가", "나"):
        (tmp_path / "set" / name).mkdir(parents=True)
        (tmp_path / "set" / name / "train.jsonl").write_text(json.dumps({"text": name}), encoding="utf-8")
    configs = "".join(f"- config_name: {name}\n  data_files: {name}/*.jsonl\n" for name in ("가", "나"))
    (tmp_path / "set" / "README.md").write_text(f"---\nconfigs:\n{configs}---\n", encoding="utf-8")
    assert [x.text for x in read(tmp_path / "set", subset="나")] == ["나"]
    for subset in (None, "다"):
        with pytest.raises(SourceError, match="no subset"):
            read(tmp_path / "set", subset=subset)


def test_what_is_no_data_set_is_told(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (rejected,) = read(tmp_path / "set")
    assert isinstance(rejected, Rejected)
    assert rejected.cause == "datasets.broken"
    library.Dataset.from_dict(rows(5)).save_to_disk(tmp_path / "cut")
    (arrow,) = (tmp_path / "cut").glob("*.arrow")
    arrow.write_bytes(arrow.read_bytes()[:100])
    (rejected,) = read(tmp_path / "cut")
    assert isinstance(rejected, Rejected)
    assert rejected.cause == "datasets.broken"


def test_collect_reads_the_folder_as_one_source(tmp_path: Path, run_phases: Any) -> None:
    library.Dataset.from_dict(rows(40)).save_to_disk(tmp_path / "set")
    (tmp_path / "set" / "submission.yaml").write_text(EXAMPLE, encoding="utf-8")
    common = Common("t", 0, datetime.date(2026, 11, 24), Target(), tmp_path)
    settings = CollectSettings(sources=(SourceSettings(path="set", format="datasets"),))
    counts = run_phases("collect", corpus.collect, tmp_path / "run", settings, common)
    assert counts["kept"]["documents"] == 40
    (shard,) = read_shards(tmp_path / "run", "collect", "documents")
    table = pq.read_table(tmp_path / "run" / shard.path)
    assert table["path"][0].as_py() == ".!train"
    assert table["id"][7].as_py() == document_id("company-blog", "k7")


def test_remote_folders_other_than_the_hub_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="reads no folder there"):
        corpus.work_units.find_sources((SourceSettings(path="s3://bucket/set", format="datasets"),), tmp_path)


def test_records_are_told_apart_from_what_is_lost(tmp_path: Path) -> None:
    library.Dataset.from_dict({"text": ["가" * 100, "나"]}).save_to_disk(tmp_path / "set")
    long, short = read(tmp_path / "set", max_record=100)
    assert (long.cause, long.length, long.member) == ("record.too_long", 300, "train")
    assert isinstance(short, Record)
