"""Plain files to token shards: every record a document, in order, as it is; whole folders or none."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import SchemaError, SourceError, StorageError, UsageError
from corpus.shards import read_table
from tokenizer import encode_files as module
from tokenizer.documents import Files
from tokenizer.encode_files import encode_files
from tokenizer.engines import Compiled
from tokenizer.indexed import IndexedTokens
from tokenizer.vocabulary import open_vocabulary

NASTY = ["안녕\x00하세요", "", " ", "전화 <|phone|>로 <|endoftext|> 하세요\n끝 ", "only English", "ㅋㅋㅋㅋ 2024년"]


def write(path: Path, texts: list[str]) -> Path:
    lines = [json.dumps({"id": f"d{number}", "text": text}, ensure_ascii=False) for number, text in enumerate(texts)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def decoded(out: Path) -> list[str]:
    """The texts that the shards of a folder spell, in order."""
    vocabulary = open_vocabulary(out / "tokenizer")
    found = []
    for path in sorted(out.glob("*.bin")):
        shard = IndexedTokens(path.with_suffix(""))
        for row in range(len(shard)):
            *ids, end = shard.document(row).tolist()
            assert end == vocabulary.end_of_text
            assert end not in ids
            found.append(vocabulary.tokenizer.decode(ids, skip_special_tokens=False))
    return found


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_a_line_says_of_its_source_stands_in_the_table_of_documents(tmp_path: Path, folder: Path) -> None:
    rows = [{"text": "가", "source": "news", "lang": "ko"}, {"text": "나"}, {"text": "다", "source": 3, "domain": None}]
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    encode_files(Files(source), folder, tmp_path / "out")
    docs = read_table(tmp_path / "out" / "00000.docs.parquet").to_pylist()
    assert [(row["id"], row["source"], row["lang"], row["domain"]) for row in docs] == [
        ("1", "news", "ko", None),
        ("2", None, None, None),
        ("3", None, None, None),
    ]
    source.write_text('{"text": "가", "source": "\\ud800"}', encoding="utf-8")
    with pytest.raises(SourceError, match="half a surrogate pair stands under 'source'"):
        encode_files(Files(source), folder, tmp_path / "other")


def test_every_line_is_a_document_in_order_as_it_is(tmp_path: Path, folder: Path, texts: list[str]) -> None:
    source = write(tmp_path / "in.jsonl", NASTY + texts)
    told = encode_files(Files(source), folder, tmp_path / "out")
    assert decoded(tmp_path / "out") == NASTY + texts
    docs = read_table(tmp_path / "out" / "00000.docs.parquet").to_pylist()
    assert [row["id"] for row in docs] == [f"d{number}" for number in range(len(docs))]
    assert docs[0]["contributor"] is None
    kept = told["counts"]["kept"]
    assert kept["documents"] == len(NASTY) + len(texts)
    assert kept["bytes"] == sum(len(text.encode()) for text in NASTY + texts)
    assert told == json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert told["shards"][0]["encoder"] == {"compiled": kept["documents"]}
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("workers", [2, 3])
def test_the_bytes_do_not_depend_on_the_number_of_workers(
    tmp_path: Path, folder: Path, texts: list[str], workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH_BYTES", 3000)
    source = write(tmp_path / "in.jsonl", texts)
    encode_files(Files(source), folder, tmp_path / "one", shard_bytes=5000)
    encode_files(Files(source), folder, tmp_path / "more", shard_bytes=5000, workers=workers)
    assert hashes(tmp_path / "one") == hashes(tmp_path / "more")
    assert len(list((tmp_path / "one").glob("*.bin"))) > 3


@settings(max_examples=20)
@given(
    lengths=st.lists(st.integers(0, 60), min_size=1, max_size=30),
    shard_bytes=st.integers(2, 400),
    batch=st.integers(1, 300),
)
def test_shards_have_the_chosen_size_and_no_document_is_split(
    tmp_path_factory: pytest.TempPathFactory, folder: Path, lengths: list[int], shard_bytes: int, batch: int
) -> None:
    work = tmp_path_factory.mktemp("sizes")
    texts = ["가" * length for length in lengths]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BATCH_BYTES", batch)
        encode_files(Files(write(work / "in.jsonl", texts)), folder, work / "out", shard_bytes=shard_bytes)
    assert decoded(work / "out") == texts
    paths = sorted((work / "out").glob("*.bin"))
    shards = [IndexedTokens(path.with_suffix("")) for path in paths]
    for path, shard in zip(paths, shards, strict=True):
        assert path.stat().st_size <= shard_bytes or len(shard) == 1
    for one, following in itertools.pairwise(shards):
        assert 2 * (len(one.tokens) + len(following.document(0))) > shard_bytes


def test_a_folder_of_parquet_brings_what_it_knows_of_its_documents(
    tmp_path: Path, folder: Path, texts: list[str]
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for number in range(2):
        part = texts[100 * number : 100 * number + 100]
        columns = {"id": [f"{number}-{row}" for row in range(100)], "text": part, "source": ["books"] * 100}
        pq.write_table(pa.table(columns), data / f"{number:05d}.parquet")
    encode_files(Files(data), folder, tmp_path / "out")
    assert decoded(tmp_path / "out") == texts[:200]
    docs = read_table(tmp_path / "out" / "00000.docs.parquet")
    assert set(docs["source"].to_pylist()) == {"books"}
    assert docs["id"][150].as_py() == "1-50"


def test_compressed_lines_and_other_names_of_fields_are_read(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "in.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write('{"key": 7, "body": "가나"}\n{"body": "다라"}\n')
    encode_files(Files(path, "body", "key"), folder, tmp_path / "out")
    assert decoded(tmp_path / "out") == ["가나", "다라"]
    assert read_table(tmp_path / "out" / "00000.docs.parquet")["id"].to_pylist() == ["7", "2"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (r'{"text": "반쪽 \ud800 글자"}', "line 2: half a surrogate pair"),
        ('{"text": 3}', "line 2: no string under 'text'"),
        ("{", "line 2: not JSON"),
        ("", "line 2: a blank line"),
    ],
)
def test_a_record_that_cannot_be_read_is_named_and_nothing_is_written(
    tmp_path: Path, folder: Path, line: str, said: str
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "가"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(SourceError, match=said):
        encode_files(Files(path), folder, tmp_path / "out")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["in.jsonl"]


def test_what_cannot_be_encoded_is_refused_with_the_reason(tmp_path: Path, folder: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "something").write_text("kept")
    source = write(tmp_path / "in.jsonl", ["가"])
    with pytest.raises(UsageError, match="something is here already"):
        encode_files(Files(source), folder, full)
    assert (full / "something").read_text() == "kept"
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(SourceError, match="no document to encode"):
        encode_files(Files(tmp_path / "empty.jsonl"), folder, tmp_path / "out")
    (tmp_path / "in.pdf").write_text("")
    with pytest.raises(UsageError, match=r"must end in \.jsonl"):
        encode_files(Files(tmp_path / "in.pdf"), folder, tmp_path / "out")
    with pytest.raises(UsageError, match="no such file"):
        encode_files(Files(tmp_path / "nowhere.jsonl"), folder, tmp_path / "out")
    pq.write_table(pa.table({"words": ["가"]}), tmp_path / "in.parquet")
    with pytest.raises(SchemaError, match="no column 'text'"):
        encode_files(Files(tmp_path / "in.parquet"), folder, tmp_path / "out")
    pq.write_table(pa.table({"text": ["가", None]}), tmp_path / "in.parquet")
    with pytest.raises(SourceError, match=r"row 2 \(from 1\): 'text' is null"):
        encode_files(Files(tmp_path / "in.parquet"), folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, folder: Path, texts: list[str], small_disk: Callable[[str], Path]
) -> None:
    source = write(tmp_path / "in.jsonl", texts * 20)
    small = small_disk("300k")
    with pytest.raises(StorageError, match="no space left"):
        encode_files(Files(source), folder, small / "out", shard_bytes=100_000)
    assert not list(small.iterdir())
    small_disk("50m")
    encode_files(Files(source), folder, small / "out", shard_bytes=100_000)
    assert decoded(small / "out") == texts * 20


def test_what_a_killed_command_left_is_no_obstacle(tmp_path: Path, folder: Path) -> None:
    left = tmp_path / ".out.tmp"
    left.mkdir()
    (left / "00000.bin").write_bytes(b"half")
    encode_files(Files(write(tmp_path / "in.jsonl", ["가"])), folder, tmp_path / "out")
    assert decoded(tmp_path / "out") == ["가"]
    assert not left.exists()


def test_an_engine_that_differs_is_replaced_from_the_shard_on_and_that_is_told(
    tmp_path: Path, folder: Path, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH_BYTES", 3000)
    source = write(tmp_path / "in.jsonl", texts)
    honest: Callable[[Compiled, pa.Array], Any] = Compiled.encode
    encode_files(Files(source), folder, tmp_path / "right", shard_bytes=5000)
    seen = [0]

    def later_wrong(self: Compiled, column: pa.Array) -> Any:
        ids, sizes = honest(self, column)
        seen[0] += len(column)
        return (np.where(ids > 300, ids - 1, ids), sizes) if seen[0] > 150 else (ids, sizes)

    monkeypatch.setattr(Compiled, "encode", later_wrong)
    told = encode_files(Files(source), folder, tmp_path / "mended", shard_bytes=5000)
    (event,) = told["events"]
    assert "library encodes" in event["event"]
    first = int(event["shard"])
    assert 0 < first < len(told["shards"])
    assert told["shards"][0]["encoder"].keys() == {"compiled"}
    assert told["shards"][first]["encoder"].keys() == {"tokenizers"}
    for path in (tmp_path / "right").glob("*.bin"):
        assert (tmp_path / "mended" / path.name).read_bytes() == path.read_bytes()


def test_a_normalising_tokenizer_is_told_of(tmp_path: Path, folder: Path) -> None:
    given = tmp_path / "nfc"
    shutil.copytree(folder, given)
    told = json.loads((given / "tokenizer.json").read_text(encoding="utf-8"))
    told["normalizer"] = {"type": "NFC"}
    (given / "tokenizer.json").write_text(json.dumps(told), encoding="utf-8")
    made = encode_files(Files(write(tmp_path / "in.jsonl", ["e\u0301 한"])), given, tmp_path / "out")
    assert made["normaliser"] == "NFC"
    assert decoded(tmp_path / "out") == ["é 한"]
