"""`hanjo dedup near`: the file's verdicts are those of the in-memory pass, whatever the kind of file or batch."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from typer.testing import CliRunner

import dedup.near_file
import dedup.streaming
from corpus.errors import HanjoError, SchemaError, SourceError, StaleError, UsageError
from dedup.near import near_duplicates
from dedup.near_file import Records, near_file
from dedup.settings import DedupSettings

BASE = "오늘은 하늘이 맑고 바람이 불어 산책을 하기에 좋은 날이었다"


def rows_of(kit: Any) -> list[dict[str, Any]]:
    rng = random.Random(4)
    texts = []
    for i in range(120):
        text = kit.korean_text(rng, rng.randint(20, 80))
        texts += [text, kit.changed(text, "replace", 0.05, rng), text.replace(" ", "")][: 1 + i % 3]
    texts += ["", "  ", "가나다라"]
    rng.shuffle(texts)
    return [{"id": f"문서-{i}", "text": text} if i % 5 else {"text": text} for i, text in enumerate(texts)]


def lines_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    if path.suffix == ".parquet":
        table = pa.table({name: [row.get(name) for row in rows] for name in ("id", "text")})
        pq.write_table(table, path, row_group_size=50)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(data))
    elif path.suffix == ".zst":
        path.write_bytes(zstandard.compress(data))
    else:
        path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.ndjson.zst", "a.parquet"])
def test_a_line_a_document_in_order_as_the_in_memory_pass_says(
    kit: Any, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dedup.near_file, "_BATCH_ROWS", 30)
    monkeypatch.setattr(dedup.streaming, "_STRETCH", 20_000)  # bytes: sets are compared a few documents at a time
    rows = rows_of(kit)
    out = tmp_path / "out.jsonl"
    told = near_file(Records(write(tmp_path / name, rows)), out, DedupSettings(similarity=0.7))
    memory = near_duplicates([row["text"] for row in rows], DedupSettings(similarity=0.7))
    ids = [row.get("id", str(i)) for i, row in enumerate(rows, 1)]
    expected = [
        {
            "id": ids[i],
            "cluster": ids[memory.cluster[i]],
            "keep": bool(memory.keep[i]),
            "witness": None if memory.keep[i] else ids[memory.witness[i]],
            "similarity": None if memory.keep[i] else memory.similarity[i],
        }
        for i in range(len(rows))
    ]
    assert lines_of(out) == expected
    assert 0 < told["removed"] == len(rows) - told["kept"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "out.jsonl"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"", "line 3: a blank line"),
        (b'{"text": "ab', "line 3: not JSON"),
        (b'{"text": "\xb0\xa1"}', "line 3: byte 10 of the line is no UTF-8"),
        (b'["text"]', "line 3: no string under 'text'"),
        (b'{"text": null}', "line 3: no string"),
        (b'{"text": "a", "id": 1.5}', "line 3: 'id' is neither"),
        (b'{"text": "\\ud800"}', "line 3: half a surrogate"),
        (b'{"text": ' + b"1" * 5000 + b"}", "line 3: not JSON that can be read"),
    ],
)
def test_a_bad_record_is_named_by_its_line_and_nothing_is_written(tmp_path: Path, line: bytes, said: str) -> None:
    good = json.dumps({"text": "박지훈 010-1234-5678"}, ensure_ascii=False).encode()
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(b"\n".join([good, good, line, good]) + b"\n")
    with pytest.raises(SourceError) as caught:
        near_file(Records(source), out, DedupSettings())
    assert said in str(caught.value)
    assert "010" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [source]


def test_a_file_cut_short_or_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.jsonl.gz", [{"text": BASE + str(i)} for i in range(2000)])
    whole.write_bytes(whole.read_bytes()[:-200])
    (tmp_path / "b.parquet").write_bytes(b"PAR1 not really")
    pq.write_table(pa.table({"body": ["가"]}), tmp_path / "c.parquet")
    pq.write_table(pa.table({"text": ["가", None]}), tmp_path / "d.parquet")
    (tmp_path / "e.txt").write_text("가")
    cases: list[tuple[str, type[HanjoError], str]] = [
        ("a.jsonl.gz", SourceError, "ends at byte"),
        ("b.parquet", SourceError, "not readable as Parquet"),
        ("c.parquet", SchemaError, "no column 'text'"),
        ("d.parquet", SourceError, "row 2"),
        ("e.txt", UsageError, "must end in"),
        ("f.jsonl", SourceError, "no such file"),
    ]
    for name, kind, said in cases:
        with pytest.raises(kind, match=said):
            near_file(Records(tmp_path / name), tmp_path / "out.jsonl", DedupSettings())
    assert not (tmp_path / "out.jsonl").exists()
    with pytest.raises(UsageError, match="the input's place"):
        near_file(Records(tmp_path / "e.txt"), tmp_path / "e.txt", DedupSettings())


def test_an_empty_file_gives_an_empty_one_and_the_old_output_is_replaced(tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(b"")
    out.write_text("old\n")
    assert near_file(Records(source), out, DedupSettings())["documents"] == 0
    assert out.read_bytes() == b""


def test_a_file_that_changes_between_the_readings_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "in.jsonl", [{"text": BASE}] * 3)
    true = Records.batches

    def growing(self: Records, ids: list[pa.Array] | None = None) -> Any:
        yield from true(self, ids)
        with source.open("a") as file:
            file.write('{"text": "새 글"}\n')

    monkeypatch.setattr(Records, "batches", growing)
    with pytest.raises(StaleError):
        near_file(Records(source), tmp_path / "out.jsonl", DedupSettings())


def test_the_command_takes_other_fields_and_says_what_it_did(tmp_path: Path) -> None:
    from hanjo.commands.dedup import app

    rows = [{"key": 7, "body": BASE + " 아주"}, {"key": 8, "body": BASE}]
    source, out = write(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl"
    arguments = ["near", str(source), str(out), "--similarity", "0.7", "--text", "body", "--id", "key", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["kept"] == 1
    assert [row["id"] for row in lines_of(out)] == [7, 8]
    assert lines_of(out)[1] | {"similarity": 0} == {"id": 8, "cluster": 7, "keep": False, "witness": 7, "similarity": 0}
