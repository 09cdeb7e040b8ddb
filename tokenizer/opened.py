"""Any local tokenizer behind one face, for reports: of Hugging Face, tiktoken or sentencepiece.

    folder or tokenizer.json   read by `tokenizers`
    *.tiktoken                 base64 tokens with ranks; its pattern is not in the file and is named by --pattern or
                               known by the file's name; turned into the BPE that the ranks mean
    *.model                    read by `sentencepiece`, or as tiktoken's where it is written like that (Llama 3)

What spells a special token is encoded as text, as documents are.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from corpus.errors import MissingExtraError, SourceError, UsageError
from tokenizer.byte_level import from_bytes, to_bytes
from tokenizer.hangul_runs import SPACE
from tokenizer.vocabulary import TOKENIZER

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
PATTERNS = {
    "cl100k": rf"{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|{_REST}",
    "qwen": rf"{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}|{_REST}",
    "o200k": rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_CONTRACTION}?|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*"
    rf"{_CONTRACTION}?|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
}
"""Patterns of tiktoken files: OpenAI's from tiktoken (openai_public.py), Qwen's from its tokenizer.json."""
_BY_NAME = {"cl100k": "cl100k", "o200k": "o200k", "qwen": "qwen", "r50k": "gpt2", "p50k": "gpt2", "llama": "cl100k"}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text's tokens: ids, and for each where it begins and ends in the text, in characters.

    Parts of one character have all that character's place; a space put before the text has an empty one.
    """

    ids: list[int]
    spans: list[tuple[int, int]]


class Opened(Protocol):
    """An opened tokenizer: its name for tables, its kind, its entries."""

    name: str
    kind: str
    entries: int

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Tokens of each text."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, special tokens included."""

    def token_bytes(self) -> dict[int, bytes]:
        """The bytes of every id that stands for text."""


def open_any(path: Path, name: str | None = None, pattern: str | None = None) -> Opened:
    """Open a tokenizer by what it is.

    Args:
        name: for tables; default: the folder's or file's name.
        pattern: of a tiktoken file, a key of PATTERNS or a regular expression.

    Raises:
        UsageError: no such file, or a kind that is not known. SourceError: it cannot be read.
    """
    told = name or (path.parent.name if path.name == TOKENIZER else path.stem if path.is_file() else path.name)
    if path.is_dir():
        for one in (path / TOKENIZER, *sorted(path.glob("*.tiktoken")), *sorted(path.glob("*.model"))):
            if one.is_file():
                return open_any(one, told, pattern)
        raise UsageError(
            "no tokenizer here", where=str(path), fix="give a folder with tokenizer.json, *.tiktoken or *.model"
        )
    if not path.is_file():
        raise UsageError("no such file or folder", where=str(path), fix="check the path")
    if path.suffix == ".json":
        return OfLibrary(told, _from_json(path))
    head = path.read_bytes()[:64]
    if path.suffix == ".tiktoken" or (path.suffix == ".model" and head.partition(b" ")[0].endswith(b"=")):
        return OfLibrary(told, _from_ranks(path, pattern), "BPE by ranks")
    if path.suffix == ".model":
        return OfPieces(told, path)
    raise UsageError(
        "not a tokenizer that is known", where=str(path), fix="its name must end in .json, .tiktoken or .model"
    )


class OfLibrary:
    """A tokenizer of the `tokenizers` library."""

    def __init__(self, name: str, tokenizer: Tokenizer, kind: str | None = None) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        tokenizer.encode_special_tokens = True
        self.name, self.tokenizer = name, tokenizer
        self.vocabulary = tokenizer.get_vocab(with_added_tokens=True)
        self.entries = max(self.vocabulary.values()) + 1
        self.state: dict[str, Any] = json.loads(tokenizer.to_str())
        self.bytewise = "ByteLevel" in json.dumps(self.state["decoder"])
        self.kind = kind or self._kind()

    def _kind(self) -> str:
        model = self.state["model"]
        return "byte-level BPE" if self.bytewise else model["type"] + (" with bytes" if self._falls_back() else "")

    def _falls_back(self) -> bool:
        return bool(self.state["model"].get("byte_fallback"))

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        found = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [
            Encoded(one.ids, one.offsets if self.bytewise else self._placed(text, one))
            for text, one in zip(texts, found, strict=True)
        ]

    def _placed(self, text: str, one: Any) -> list[tuple[int, int]]:
        """A space that was put before the text takes no place of it."""
        begin = one.offsets[:1]
        if begin and one.tokens[0] == SPACE and not text.startswith((" ", SPACE)):
            begin = [(0, 0)]
        return [*begin, *one.offsets[1:]]

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=False)
        return text

    def token_bytes(self) -> dict[int, bytes]:
        added = {token["content"] for token in self.state["added_tokens"]}
        table: dict[int, bytes] = {}
        for token, number in self.vocabulary.items():
            if token not in added:
                data = to_bytes(token) if self.bytewise else _piece_bytes(token)
                if data is not None:
                    table[number] = data
        return table


class OfPieces:
    """A sentencepiece model."""

    def __init__(self, name: str, path: Path) -> None:
        try:
            import sentencepiece
        except ImportError as error:
            raise MissingExtraError("sentencepiece is not installed", extra="corpus") from error
        self.name = name
        try:
            self.processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
        except (RuntimeError, OSError) as error:
            raise SourceError("not a readable sentencepiece model", where=str(path), fix="copy it again") from error
        self.entries = int(self.processor.vocab_size())
        self.bytewise = any(self.processor.is_byte(number) for number in range(min(self.entries, 1000)))
        self.kind = "sentencepiece" + (" with bytes" if self.bytewise else "")

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        found = []
        for text in texts:
            one: Any = self.processor.encode(text, out_type="offset_mapping")
            spans = [
                (start, end + (start == end and self.processor.is_byte(number)))  # all but a character's last byte
                for number, (start, end) in zip(one["ids"], one["offsets"], strict=True)
            ]
            found.append(Encoded(one["ids"], spans))
        return found

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self.processor.decode(list(ids))
        return text

    def token_bytes(self) -> dict[int, bytes]:
        table = {}
        for number in range(self.entries):
            if not (self.processor.is_control(number) or self.processor.is_unknown(number)):
                table[number] = _piece_bytes(self.processor.id_to_piece(number))
        return table


def _piece_bytes(piece: str) -> bytes:
    if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
        return bytes([int(piece[3:5], 16)])
    return piece.replace(SPACE, " ").encode()


def _from_json(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower; what is wrong is its message
        raise SourceError(
            f"not a readable tokenizer ({error})", where=str(path), fix="save it again with save_pretrained"
        ) from error


def _from_ranks(path: Path, pattern: str | None) -> Tokenizer:
    """The BPE that a tiktoken file means: a pair is merged by the rank of what comes out, however it is split."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    expression = _pattern(path, pattern)
    ranks = read_ranks(path)
    merges: list[tuple[int, int, int, str, str]] = []
    for token, rank in ranks.items():
        for cut in range(1, len(token)):
            left, right = token[:cut], token[cut:]
            if left in ranks and right in ranks:
                merges.append((rank, ranks[left], ranks[right], from_bytes(left), from_bytes(right)))
    merges.sort()
    vocabulary = {from_bytes(token): rank for token, rank in ranks.items()}
    tokenizer = Tokenizer(models.BPE(vocabulary, [one[3:] for one in merges], ignore_merges=True))
    try:
        splits = pre_tokenizers.Split(Regex(expression), "isolated")
    except Exception as error:  # as above
        raise UsageError(f"not a regular expression ({error})", where="--pattern") from error
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def read_ranks(path: Path) -> dict[bytes, int]:
    """Tokens and their ranks.

    Raises:
        SourceError: a line is not a token in base64 and a number; with the line.
    """
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        token, _, rank = line.partition(b" ")
        try:
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except (ValueError, binascii.Error):
            told = "not a token in base64 and its rank"
            raise SourceError(told, where=f"{path}, line {number}", fix="copy the file again") from None
    if not ranks:
        raise SourceError("no tokens in the file", where=str(path), fix="copy it again")
    return ranks


def _pattern(path: Path, given: str | None) -> str:
    if given is not None:
        return PATTERNS.get(given, given)
    for part, known in _BY_NAME.items():
        if part in str(path).lower():
            return PATTERNS[known]
    raise UsageError(
        "a tiktoken file does not say how text is cut before it merges",
        where=str(path),
        fix=f"name the pattern with --pattern: {', '.join(PATTERNS)}, or a regular expression",
    )
