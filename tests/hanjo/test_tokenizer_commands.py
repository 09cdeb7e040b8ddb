"""`hanjo tokenizer train|encode|show`: from lines of text to a shard that is read again; clear words for bad input."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from corpus.errors import HanjoError, SourceError, UsageError
from hanjo.cli import app

WORDS = "가방 나비 다리 라면 마음 바람 사람 아침 자리 차표 카드 타자 파도 하늘 거울 너울 더위 러닝 머리 버스".split(" ")  # noqa: SIM905


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["tokenizer", *map(str, arguments)])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with text.jsonl, a tokenizer trained on it, and its shards."""
    folder = tmp_path_factory.mktemp("commands")
    texts = [" ".join(WORDS[(a * b) % 20] + WORDS[(a + b) % 20] for b in range(1, 12)) for a in range(400)]
    lines = [json.dumps({"id": f"d{number}", "text": text}) for number, text in enumerate(texts)]
    (folder / "text.jsonl").write_text("\n".join(lines), encoding="utf-8")
    told = run("train", folder / "tok", folder / "text.jsonl", "--vocab-size", "512", "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["entries"] == 512
    told = run("encode", "--tokenizer", folder / "tok", folder / "text.jsonl", folder / "out", "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["counts"]["kept"]["documents"] == 400
    return folder


def test_a_document_is_shown_by_number_by_id_and_by_its_range(made: Path) -> None:
    told = json.loads(run("show", made / "out" / "00000.bin", "--id", "d7", "--json").stdout)
    (document,) = told["documents"]
    assert (document["id"], document["document"]) == ("d7", 7)
    first = document["first_token"]
    text = json.loads((made / "text.jsonl").read_text(encoding="utf-8").splitlines()[7])["text"]
    assert "".join(token["text"] for token in told["tokens"][:-1]) == text
    again = run("show", made / "out" / "00000", "--tokens", f"{first}:{first + document['tokens']}", "--json")
    assert json.loads(again.stdout) == told
    shown = run("show", made / "out" / "00000", "--document", "7")
    assert shown.exit_code == 0
    assert shown.stdout.strip().replace("│", "").removesuffix("«<|endoftext|>»") == text
    assert "document 7 (d7): tokens" in shown.stderr


def test_a_folder_stands_for_its_shard_and_an_id_finds_one_of_several(made: Path, tmp_path: Path) -> None:
    shard = json.loads(run("show", made / "out" / "00000.bin", "--document", "7", "--json").stdout)
    first = shard["documents"][0]["first_token"]
    span = f"{first:,}:{first + shard['documents'][0]['tokens']:,}"
    for asked in (("--document", "7"), ("--id", "d7"), ("--tokens", span)):
        assert json.loads(run("show", made / "out", *asked, "--json").stdout) == shard
    assert "1,0" in run("show", made / "out", "--tokens", "1,000:1,100").stderr
    run("encode", "--tokenizer", made / "tok", made / "text.jsonl", tmp_path / "out", "--shard-size", "1kB")
    told = json.loads(run("show", tmp_path / "out", "--id", "d399", "--json").stdout)
    assert told["documents"][0]["id"] == "d399"
    assert "name one of them" in str(run("show", tmp_path / "out").exception)
    assert "no document 'd400'" in str(run("show", tmp_path / "out", "--id", "d400").exception)
    assert "no token shard" in str(run("show", made / "tok").exception)
    assert "write FIRST:END" in str(run("show", made / "out", "--tokens", "1,00:1,100").exception)


def test_of_a_withdrawn_document_only_the_number_of_tokens_is_told(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "out", tmp_path / "out")
    (one,) = json.loads(run("show", tmp_path / "out", "--document", "7", "--json").stdout)["documents"]
    first, end = one["first_token"], one["first_token"] + one["tokens"]
    tokens = np.memmap(tmp_path / "out" / "00000.bin", np.uint16, "r+")
    tokens[first:end] = tokens[end - 1]
    tokens.flush()
    table = pq.read_table(tmp_path / "out" / "00000.docs.parquet")
    gone = pa.array([number == 7 for number in range(len(table))])
    place = table.column_names.index("withdrawn")
    pq.write_table(table.set_column(place, table.schema.field(place), gone), tmp_path / "out" / "00000.docs.parquet")
    line = f"withdrawn: {one['tokens']} tokens, all end of text"
    shown = run("show", tmp_path / "out", "--document", "7", "--most", "2")
    assert shown.stdout == f"{line}\n"
    assert "more tokens" not in shown.stderr
    lines = run("show", tmp_path / "out", "--tokens", f"{first - 3}:{end + 3}").stdout.splitlines()
    assert lines[1] == line
    assert lines[0].endswith("«<|endoftext|>»│")
    assert lines[2].count("│") == 4


def test_train_and_encode_say_what_they_did(made: Path, tmp_path: Path) -> None:
    told = run("train", tmp_path / "tok", made / "text.jsonl", "--vocab-size", "512", "--weight", "text=2")
    assert "512 entries from 400 of 400 documents" in told.stdout
    assert (tmp_path / "tok" / "tokenizer.json").read_bytes() == (made / "tok" / "tokenizer.json").read_bytes()
    told = run("encode", "--tokenizer", made / "tok", made / "text.jsonl", tmp_path / "out", "--shard-size", "1kB")
    assert "400 documents" in told.stdout
    assert "shards, " in told.stdout
    told = run("encode", "--tokenizer", made / "tok" / "tokenizer.json", made / "text.jsonl", tmp_path / "one")
    assert " in 1 shard, " in told.stdout
    assert (tmp_path / "one" / "00000.bin").read_bytes() == (made / "out" / "00000.bin").read_bytes()
    assert len(list((tmp_path / "out").glob("*.bin"))) > 3


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (("encode", "--tokenizer", "{}/tok", "{}/text.jsonl", "{}/new", "--shard-size", "3GiB"), UsageError, "2GiB"),
        (("encode", "--tokenizer", "{}/tok", "{}/text.jsonl", "{}/new", "--shard-size", "much"), UsageError, "no size"),
        (("encode", "--tokenizer", "{}/out", "{}/text.jsonl", "{}/new"), SourceError, "the file is missing"),
        (("encode", "--tokenizer", "{}/tok", "{}", "{}/new"), UsageError, r"one by one: .*text\.jsonl"),
        (("train", "{}/new", "{}"), UsageError, r"one by one: .*/\*\.jsonl"),
        (("train", "{}/text.jsonl", "{}/new"), UsageError, "OUT comes before the inputs"),
        (("train", "{}/new", "{}/text.jsonl", "--weight", "text=0"), SourceError, "left: text has the weight 0"),
        (("train", "{}/new", "{}/text.jsonl", "--weight", "text"), UsageError, "write SOURCE=NUMBER"),
        (("train", "{}/new", "{}/text.jsonl", "--vocab-size", "9000"), SourceError, "give more text, or --vocab-size"),
        (("show", "{}/out/00000", "--tokens", "3"), UsageError, "write FIRST:END"),
        (("show", "{}/out/00000", "--tokens", "3:4", "--document", "1"), UsageError, "give one of them"),
        (("show", "{}/out/00001"), HanjoError, r"00001\.bin: the file is missing"),
    ],
)
def test_wrong_usage_is_refused_with_the_reason(
    made: Path, arguments: tuple[str, ...], kind: type[HanjoError], said: str
) -> None:
    done = run(*(one.format(made) for one in arguments))
    assert isinstance(done.exception, kind)
    assert not (made / "new").exists()
    with pytest.raises(kind, match=said):
        raise done.exception


def test_a_run_wants_an_id_and_is_no_text(made: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("name: a\n")
    done = run("show", tmp_path)
    assert isinstance(done.exception, UsageError)
    assert "RUN/tokens/train" in str(done.exception)
    done = run("encode", "--tokenizer", made / "tok", tmp_path, tmp_path / "new")
    assert f"a run: its tokens are in tokens/\n  → give {tmp_path}/unique/train" in str(done.exception)
