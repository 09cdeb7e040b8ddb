"""Every kind of tokenizer file behind one face: its own library's ids, places in the text, bad files named."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, normalizers
from tokenizers.pre_tokenizers import Split

from corpus.errors import SourceError, UsageError
from tokenizer.extendable import open_bpe
from tokenizer.measured import cut_characters
from tokenizer.opened import PATTERNS, Opened, open_any

TEXT = "한국어 사람은 뷁 the other one, 1234번!\n  끝"


@pytest.fixture(scope="module")
def folder(make_base: Callable[[Path, str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base") / "base", "llama3")


@pytest.fixture(scope="module")
def ranks(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiktoken file made of the same vocabulary."""
    path = tmp_path_factory.mktemp("ranks") / "cl100k_like.tiktoken"
    table = [data for data in open_bpe(folder).token_bytes() if data]
    path.write_bytes(b"".join(base64.b64encode(data) + f" {rank}\n".encode() for rank, data in enumerate(table)))
    return path


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentencepiece model with byte fallback."""
    sentencepiece = pytest.importorskip("sentencepiece")
    folder = tmp_path_factory.mktemp("pieces")
    (folder / "text.txt").write_text("한국어 사람은 한국말을 한다\nthe other one\n" * 20, encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "text.txt"),
        model_prefix=str(folder / "small"),
        vocab_size=300,
        model_type="bpe",
        byte_fallback=True,
        character_coverage=1.0,
        minloglevel=2,
    )
    return folder / "small.model"


def places(opened: Opened, text: str) -> list[str]:
    (one,) = opened.encode([text])
    return [text[start:end] for start, end in one.spans]


def test_a_hugging_face_folder_and_its_file_are_the_same(folder: Path) -> None:
    opened, file = open_any(folder), open_any(folder / "tokenizer.json")
    (one,), (other,) = opened.encode([TEXT]), file.encode([TEXT])
    assert one.ids == other.ids
    assert opened.decode(one.ids) == TEXT
    assert opened.name == file.name == "base"
    assert opened.kind == "byte-level BPE"
    table = opened.token_bytes()
    assert b"".join(table[number] for number in one.ids) == TEXT.encode()


def by_ranks(piece: bytes, ranks: dict[bytes, int]) -> list[int]:
    """tiktoken's own rule: join the neighbours whose whole has the lowest rank, until none has one."""
    if piece in ranks:
        return [ranks[piece]]
    parts = [piece[i : i + 1] for i in range(len(piece))]
    while True:
        found = [(ranks[a + b], i) for i, (a, b) in enumerate(pairwise(parts)) if a + b in ranks]
        if not found:
            return [ranks[part] for part in parts]
        _, i = min(found)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]


@settings(max_examples=200, deadline=None)
@given(text=st.text("한국어사람은 theor.1\n뷁", max_size=30))
def test_a_tiktoken_file_merges_by_rank_as_tiktoken_does(ranks: Path, text: str) -> None:
    opened = open_any(ranks)
    table = {data: number for number, data in opened.token_bytes().items()}
    cut = Split(Regex(PATTERNS["cl100k"]), "isolated").pre_tokenize_str(text)
    wanted = [number for piece, _ in cut for number in by_ranks(piece.encode(), table)]
    (one,) = opened.encode([text])
    assert one.ids == wanted
    assert opened.decode(one.ids) == text


def test_a_sentencepiece_model_gives_its_own_ids(pieces: Path) -> None:
    import sentencepiece

    opened = open_any(pieces)
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(pieces))
    (one,) = opened.encode([TEXT])
    assert one.ids == theirs.encode(TEXT)
    assert opened.kind == "sentencepiece with bytes"
    assert opened.entries == 300
    assert b"\xeb" in opened.token_bytes().values()


@pytest.mark.parametrize("kind", ["folder", "ranks", "pieces"])
def test_a_character_in_several_tokens_is_told_by_their_places(kind: str, request: pytest.FixtureRequest) -> None:
    opened = open_any(request.getfixturevalue(kind))
    (one,) = opened.encode(["뷁 뙠"])
    assert cut_characters(one) == 2
    (whole,) = opened.encode(["the"])
    assert cut_characters(whole) == 0
    assert "".join(places(opened, "the one")).replace(" ", "") == "theone"


def test_a_space_that_the_tokenizer_puts_before_the_text_cuts_no_character(tmp_path: Path) -> None:
    """As Llama 2's tokenizer.json is made: a normaliser that prepends, bytes to fall back to (made)."""
    vocabulary = {"▁": 0, "한": 1, "▁한": 2, **{f"<0x{byte:02X}>": 3 + byte for byte in range(256)}}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    opened = open_any(tmp_path)
    (one, other) = opened.encode(["한", "뷁"])
    assert (cut_characters(one), cut_characters(other)) == (0, 1)
    assert opened.decode(one.ids) == "한"
    assert opened.kind == "BPE with bytes"


@pytest.mark.parametrize(
    ("name", "content", "error", "said"),
    [
        ("tokenizer.json", b"{", SourceError, "not a readable tokenizer"),
        ("x_cl100k.tiktoken", b"YQ== 0\nnot base64! 1\n", SourceError, "line 2: not a token in base64"),
        ("x_cl100k.tiktoken", b"", SourceError, "no tokens in the file"),
        ("x.tiktoken", b"YQ== 0\n", UsageError, "does not say how text is cut"),
        ("x.model", b"\x00\x01", SourceError, "not a readable sentencepiece model"),
        ("x.bin", b"", UsageError, "not a tokenizer that is known"),
    ],
)
def test_a_file_that_is_none_is_told_so(
    tmp_path: Path, name: str, content: bytes, error: type[Exception], said: str
) -> None:
    if name.endswith(".model"):
        pytest.importorskip("sentencepiece")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=said):
        open_any(tmp_path / name)


def test_a_folder_without_and_a_path_to_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no tokenizer here"):
        open_any(tmp_path)
    with pytest.raises(UsageError, match="no such file or folder"):
        open_any(tmp_path / "nowhere")


def test_a_pattern_may_be_given(ranks: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.tiktoken"
    path.write_bytes(ranks.read_bytes())
    (one,) = open_any(path, pattern=r"\s+|\S+").encode(["the other"])
    assert one.ids == open_any(path, pattern=r"\s+|\S+").encode(["the other"])[0].ids
    with pytest.raises(UsageError, match="not a regular expression"):
        open_any(path, pattern="(")
    assert json.dumps(PATTERNS)
