"""Documents to token shards: the docs table, end of text, long texts in pieces, rights."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import RightsError, StaleError
from corpus.rights import Rights
from corpus.shards import Outcome, read_table
from tokenizer import encode, engines
from tokenizer.encode import refuse_without_rights
from tokenizer.indexed import IndexedTokens
from tokenizer.vocabulary import open_vocabulary

GRANT = Rights(True, True, True, True, True, "", None, "CC0-1.0", "test")
MakeRun = Callable[..., Path]
Encoded = Callable[[Path], Outcome]
TEXTS = ["안녕하세요 반갑습니다", "", " ", "전화 <|phone|>로 <|endoftext|> 하세요\n끝 ", "한\u3000글 ㅋㅋㅋ 2024"]


def test_every_document_ends_with_one_end_of_text_id_and_decodes_to_its_text(
    make_run: MakeRun, encoded: Encoded, folder: Path
) -> None:
    run = make_run({"train/00000": TEXTS})
    encoded(run)
    shard = IndexedTokens(run / "tokens" / "train" / "00000")
    vocabulary = open_vocabulary(folder)
    assert len(shard) == len(TEXTS)
    for row, text in enumerate(TEXTS):
        *ids, end = shard.document(row).tolist()
        assert end == vocabulary.end_of_text
        assert vocabulary.end_of_text not in ids
        assert vocabulary.tokenizer.decode(ids, skip_special_tokens=False) == text
    assert vocabulary.tokenizer.token_to_id("<|phone|>") in shard.document(3)


def test_the_docs_table_says_where_each_document_is_and_how_long(make_run: MakeRun, encoded: Encoded) -> None:
    run = make_run({"train/00000": TEXTS})
    outcome = encoded(run)
    shard = IndexedTokens(run / "tokens" / "train" / "00000")
    rows = read_table(run / "tokens" / "train" / "00000.docs.parquet").to_pylist()
    ids = read_table(run / "unique" / "train" / "00000.parquet", ["id"])["id"].to_pylist()
    assert [row["id"] for row in rows] == ids
    for number, (row, text) in enumerate(zip(rows, TEXTS, strict=True)):
        assert (row["first_token"], row["first_token"] + row["tokens"]) == shard.span(number)
        assert (row["bytes"], row["chars"]) == (len(text.encode()), len(text))
        assert row["eojeol"] == len(text.split())
        assert row["withdrawn"] is False
    told = {"documents": 5, "bytes": sum(len(t.encode()) for t in TEXTS), "chars": sum(map(len, TEXTS))}
    told |= {"eojeol": sum(len(t.split()) for t in TEXTS), "tokens": len(shard.tokens)}
    rights = rows[0]["rights_id"]
    assert outcome.counts["in"] == {name: told[name] for name in ("documents", "bytes")}
    for reason in ("kept", "split/train", "source/books", f"rights/{rights}"):
        assert outcome.counts[reason] == told


@settings(max_examples=100, deadline=None)
@given(
    text=st.text(st.sampled_from("가나ㅋ學a1 \t\n\r.,'(<|>\u3000"), max_size=120),
    aim=st.integers(1, 20),
)
def test_long_texts_in_pieces_give_the_ids_of_the_whole(folder: Path, text: str, aim: int) -> None:
    tokenizer = open_vocabulary(folder).tokenizer
    parts = engines._pieces(text, aim)
    assert "".join(parts) == text
    ids = [number for part in parts for number in tokenizer.encode(part, add_special_tokens=False).ids]
    assert ids == tokenizer.encode(text, add_special_tokens=False).ids


def test_chunks_do_not_change_the_tokens(
    make_run: MakeRun, encoded: Encoded, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run({"train/00000": texts[:50]})
    encoded(run)
    whole = (run / "tokens" / "train" / "00000.bin").read_bytes()
    monkeypatch.setattr(engines, "_CHUNK", 37)
    monkeypatch.setattr(encode, "_ROWS", 3)
    encoded(run)
    assert (run / "tokens" / "train" / "00000.bin").read_bytes() == whole


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"train": False}, "lack train"), ({"until": datetime.date(2025, 12, 31)}, "lack until as of 2026-01-01")],
)
def test_a_document_without_a_right_that_the_target_needs_is_refused(
    make_run: MakeRun, encoded: Encoded, changed: dict[str, object], said: str
) -> None:
    run = make_run({"train/00000": TEXTS}, dataclasses.replace(GRANT, **changed))
    with pytest.raises(RightsError, match=f"5 documents of source 'books' {said}"):
        encoded(run)
    assert not (run / "tokens").exists()


def test_the_last_day_of_a_grant_counts(make_run: MakeRun) -> None:
    run = make_run({"train/00000": TEXTS}, dataclasses.replace(GRANT, until=datetime.date(2026, 1, 1)))
    shard = run / "unique" / "train" / "00000.parquet"
    refuse_without_rights(run, shard, ["train"], datetime.date(2026, 1, 1))
    with pytest.raises(RightsError):
        refuse_without_rights(run, shard, ["train"], datetime.date(2026, 1, 2))


def test_another_tokenizer_than_the_stage_made_is_refused(make_run: MakeRun, encoded: Encoded) -> None:
    run = make_run({"train/00000": TEXTS})
    encoded(run)
    (run / "tokenizer" / "tokenizer_config.json").write_text('{"eos_token": "<|pad|>"}')
    with pytest.raises(StaleError, match="another tokenizer"):
        encoded(run)
