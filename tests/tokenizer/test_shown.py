"""A token shard shown to a person: borders, ids, ranges, and nothing that writes to the terminal behind their back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.documents import document_id
from corpus.errors import SourceError, StaleError, UsageError
from corpus.settings import Common
from tokenizer import stage
from tokenizer.documents import Files
from tokenizer.encode_files import encode_files
from tokenizer.shown import Shard, borders, coloured, spelling
from tokenizer.stage import TokenizeSettings
from tokenizer.vocabulary import open_vocabulary

TEXTS = ["한국어 문장은 龘", "\x1b[31m빨강\x07 <|phone|>\u202e", "", "둘째 줄\n셋째"]


@pytest.fixture
def out(tmp_path: Path, folder: Path) -> Path:
    lines = [json.dumps({"id": f"d{number}", "text": text}) for number, text in enumerate(TEXTS)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    encode_files(Files(tmp_path / "in.jsonl"), folder, tmp_path / "out")
    return tmp_path / "out"


@pytest.mark.parametrize("ending", ["", ".bin", ".idx", ".docs.parquet"])
def test_a_document_is_shown_by_its_number_and_by_its_id(out: Path, ending: str) -> None:
    shard = Shard(out / f"00000{ending}")
    for number in range(len(TEXTS)):
        assert shard.row_of(f"d{number}") == number
        told = shard.facts(number)
        assert told["id"] == f"d{number}"
        tokens = shard.shown(told["first_token"], told["first_token"] + told["tokens"])
        assert tokens[-1].special
        assert tokens[-1].text == "<|endoftext|>"


def test_the_bytes_that_tokens_spell_are_those_of_the_text(out: Path) -> None:
    shard = Shard(out / "00000")
    spelt = spelling(open_vocabulary(out / "tokenizer"))
    for number, text in enumerate(TEXTS):
        ids = shard.tokens.document(number)[:-1].tolist()
        assert b"".join(spelt[one][0] for one in ids) == text.encode()
        assert not any(spelt[one][1] for one in ids)


def test_a_range_of_tokens_is_brought_back_to_its_documents(out: Path) -> None:
    shard = Shard(out / "00000")
    spans = [shard.tokens.span(number) for number in range(len(TEXTS))]
    for number, (first, end) in enumerate(spans):
        assert shard.rows_of(first, end) == [number]
        assert shard.rows_of(end - 1, end) == [number]
    assert shard.rows_of(0, spans[-1][1]) == [0, 1, 2, 3]
    assert shard.rows_of(spans[1][0] - 1, spans[1][0] + 1) == [0, 1]
    for first, end in ((0, 0), (-1, 3), (0, spans[-1][1] + 1)):
        with pytest.raises(UsageError, match="FIRST:END"):
            shard.rows_of(first, end)


def test_control_characters_become_pictures_and_parts_of_characters_their_bytes(out: Path) -> None:
    shard = Shard(out / "00000")
    told = shard.facts(1)
    tokens = shard.shown(told["first_token"], told["first_token"] + told["tokens"])
    plain = borders(tokens)
    assert "\u241b[31m" in plain.replace("│", "")
    assert not any(one in plain for one in "\x1b\x07\u202e")
    assert "│<|phone|>│" in plain
    assert plain.endswith("«<|endoftext|>»│")
    assert coloured(tokens).count("\x1b[0m") == len(tokens)
    first = borders(shard.shown(*shard.tokens.span(0)))
    assert "<E9>" in first  # 龘 is in no token of its own


def test_a_missing_or_cut_file_and_a_missing_tokenizer_are_named(out: Path, tmp_path: Path) -> None:
    index = (out / "00000.idx").read_bytes()
    (out / "00000.idx").write_bytes(index[:-3])
    with pytest.raises(StaleError, match=r"00000\.idx: \d+ bytes, \d+ were announced"):
        Shard(out / "00000")
    (out / "00000.idx").unlink()
    with pytest.raises(StaleError, match=r"00000\.idx: the file is missing"):
        Shard(out / "00000")
    (out / "00000.idx").write_bytes(index)
    (out / "tokenizer").rename(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match="no tokenizer beside this shard"):
        Shard(out / "00000")
    assert len(Shard(out / "00000", tmp_path / "elsewhere").tokens) == len(TEXTS)


def test_a_table_of_other_documents_and_an_unknown_document_are_refused(
    out: Path, folder: Path, tmp_path: Path, make_run: Callable[..., Path]
) -> None:
    shard = Shard(out / "00000")
    with pytest.raises(UsageError, match="no document 'nowhere'"):
        shard.row_of("nowhere")
    with pytest.raises(UsageError, match="no document 4: they go from 0 to 3"):
        shard.facts(4)
    (tmp_path / "other.jsonl").write_text('{"text": "가"}\n', encoding="utf-8")
    encode_files(Files(tmp_path / "other.jsonl"), folder, tmp_path / "other")
    (out / "00000.docs.parquet").write_bytes((tmp_path / "other" / "00000.docs.parquet").read_bytes())
    with pytest.raises(StaleError, match="1 documents, the index has 4"):
        Shard(out / "00000")


def test_in_a_run_the_id_finds_the_shard(
    make_run: Callable[..., Path], run_phases: Callable[..., object], common: Common, texts: list[str]
) -> None:
    from typer.testing import CliRunner

    from hanjo.cli import app

    run = make_run({"train/00000": texts[:100], "train/00001": texts[100:150], "valid/00000": texts[150:160]})
    run_phases("tokenize", stage, run, TokenizeSettings(vocab_size=512, sample_bytes=20_000), common)
    (run / "recipe.yaml").write_text("name: a\n")
    wanted = document_id("books", "train/00001/7")
    done = CliRunner().invoke(app, ["tokenizer", "show", str(run), "--id", wanted, "--json"])
    told = json.loads(done.stdout)
    assert told["documents"][0]["id"] == wanted
    ids = [token["id"] for token in told["tokens"][:-1]]
    assert open_vocabulary(run / "tokenizer").tokenizer.decode(ids) == texts[107]
    done = CliRunner().invoke(app, ["tokenizer", "show", str(run), "--id", document_id("books", "nowhere")])
    assert isinstance(done.exception, UsageError)
