"""Unigram and BPE of characters with byte fallback, by sentencepiece: `tokenizer.model` and the same as a fast one.

    0            <|endoftext|>   1 <|pad|>   2 <unk>, never used: bytes stand in for what is unknown
    3 – 5        roles, then placeholders and reserved tokens, 256 bytes, pieces

Spaces are written as ▁ (U+2581), so that a ▁ in a text comes back as a space. Pieces are learned within the same
borders as those of a byte-level BPE (`tokenizer/pretokenize.py`), told by a delimiter; none is needed to encode.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from corpus.edits import text_buffers
from corpus.errors import MissingExtraError, SourceError
from corpus.interrupts import heard
from tokenizer.hangul_runs import SPACE
from tokenizer.piece_counts import Borders
from tokenizer.pieces import find_ends
from tokenizer.pretokenize import EOJEOL, Cut, classes
from tokenizer.train import added_token, batches_without
from tokenizer.vocabulary import END_OF_TEXT, MULTIPLE, PAD, ROLES, SPECIAL

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Kind = Literal["unigram", "bpe"]
_UNKNOWN = "<unk>"
_DELIMITER = "\x1f"  # unit separator: taken out of the text before
_DIGITS = "0123456789"
_THREADS = 16  # sentencepiece sums by thread: another number would give other scores
LEAST = 1024  # entries: bytes, added tokens and something to learn
_LONGEST = 1 << 16  # bytes of a sentence; it is made of whole pieces


def train_sentencepiece(
    texts: Iterable[str],
    kind: Kind,
    *,
    vocab_size: int,
    placeholders: Sequence[str] = (),
    cut: Cut = EOJEOL,
    borders: Borders | None = None,
) -> tuple[bytes, Tokenizer]:
    """Learn pieces of characters; the contents of a `.model` and the same tokenizer for the `tokenizers` library.

    Args:
        vocab_size: entries, filled up to a multiple of 128 with pieces.

    Raises:
        SourceError: there is no text, or too little for that many entries. MissingExtraError: no sentencepiece.
    """
    try:
        import sentencepiece
    except ImportError as error:
        raise MissingExtraError("sentencepiece is not installed", extra="corpus") from error

    written = io.BytesIO()
    entries = vocab_size + -vocab_size % MULTIPLE
    settings: dict[str, Any] = {
        "sentence_iterator": _sentences(texts, (*SPECIAL, *placeholders), cut, borders, kind == "unigram"),
        "model_writer": written,
        "model_type": kind,
        "vocab_size": entries,
        **_ids(placeholders),
        "byte_fallback": True,
        "character_coverage": 0.9995,
        "normalization_rule_name": "identity",
        "add_dummy_prefix": False,
        "remove_extra_whitespaces": False,
        "allow_whitespace_only_pieces": True,
        "split_digits": cut.digits,
        "split_by_number": cut.digits,
        "split_by_unicode_script": False,
        "split_by_whitespace": cut.spaces,
        "pretokenization_delimiter": _DELIMITER,
        "max_sentence_length": 2 * _LONGEST,
        "num_threads": _THREADS,
        "minloglevel": 2,
    }
    try:
        heard(lambda: sentencepiece.SentencePieceTrainer.train(**settings))
    except RuntimeError as error:
        raise SourceError(
            f"sentencepiece cannot make {entries} entries of this text ({_reason(error)})",
            where="the sample",
            fix=_smaller(error),
        ) from error
    model = written.getvalue()
    return model, _fast(model, kind, set(placeholders))


def _ids(placeholders: Sequence[str]) -> dict[str, Any]:
    ends = {"eos_id": 0, "eos_piece": END_OF_TEXT, "pad_id": 1, "pad_piece": PAD}
    return ends | {
        "unk_id": 2,
        "unk_piece": _UNKNOWN,
        "bos_id": -1,
        "control_symbols": list(ROLES),
        "user_defined_symbols": list(placeholders),
    }


def _smaller(error: RuntimeError) -> str:
    """What to do, with the most entries that can be asked for where sentencepiece says how many it can make."""
    told = re.search(r"value <= (\d+)", str(error))
    most = int(told[1]) // MULTIPLE * MULTIPLE if told else None
    if most is not None and most < LEAST:
        return f"give more text: a vocabulary of this kind has at least {LEAST:,} entries"
    asked = "fewer entries" if most is None else f"at most {most:,} entries"
    return f"give more text, or ask for {asked} (--vocab-size; tokenize.vocab_size in a recipe)"


def _reason(error: RuntimeError) -> str:
    return str(error).strip().rpartition("] ")[2].rstrip(".") or "no reason given"


def _sentences(
    texts: Iterable[str], named: Sequence[str], cut: Cut, borders: Borders | None, brackets: bool
) -> Iterator[str]:
    """Lines with a delimiter between their pieces; what sentencepiece cannot take is left out (NUL, the delimiter).

    Args:
        brackets: every `<` is a piece of its own.
    """
    table = classes(cut)
    for batch in batches_without(texts, named):
        cleaned = [part for text in batch for part in text.replace(_DELIMITER, " ").split("\x00") if part]
        column = pa.array(cleaned, pa.large_string())
        buffer, offsets = text_buffers(column)
        ends = np.empty(len(buffer), np.int64)
        ends = ends[: find_ends(buffer, offsets, table, ends)]
        if borders is not None:
            ends = np.union1d(ends, borders(column))
        if brackets:
            places = np.flatnonzero(buffer[: offsets[-1]] == ord("<"))
            ends = np.union1d(ends, np.concatenate([places[places > 0], places + 1]))
        yield from _lines(buffer[: offsets[-1]].tobytes(), ends, cut)


def _lines(data: bytes, ends: np.ndarray[Any, np.dtype[np.int64]], cut: Cut) -> Iterator[str]:
    """Lines of pieces; between two that sentencepiece would part anyway no delimiter: it would cost a tenth."""
    line: list[str] = []
    held, start, last = 0, 0, " "
    for end in ends.tolist():
        piece = data[start:end].decode()
        start = end
        body = piece.rstrip("\r\n")
        if body:
            digit = cut.digits and (last in _DIGITS or body[0] in _DIGITS)
            parted = digit or (cut.spaces and body[0] == " ")
            line.append(body if parted or not line else _DELIMITER + body)
            held, last = held + len(body), body[-1]
        if line and (len(body) < len(piece) or held > _LONGEST // 4):
            yield "".join(line)
            line, held = [], 0
    if line:
        yield "".join(line)


def _fast(model: bytes, kind: Kind, placeholders: set[str]) -> Tokenizer:
    """The model as the `tokenizers` library has it: the same pieces, scores and ids."""
    import sentencepiece
    from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
    from tokenizers.models import BPE, Unigram

    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    entries = [(processor.id_to_piece(number), processor.get_score(number)) for number in range(len(processor))]
    if kind == "unigram":
        tokenizer = Tokenizer(Unigram(entries, unk_id=2, byte_fallback=True))
    else:
        vocab = {piece: number for number, (piece, _) in enumerate(entries)}
        merges = _merges(processor, vocab)
        tokenizer = Tokenizer(BPE(vocab, merges, unk_token=_UNKNOWN, byte_fallback=True, fuse_unk=True))
    if kind == "unigram":
        # The library matches every entry in a text, `<0x41>` and `<|endoftext|>` too, which sentencepiece never does.
        tokenizer.pre_tokenizer = pre_tokenizers.Split("<", "isolated")
    tokenizer.normalizer = normalizers.Replace(" ", SPACE)
    tokenizer.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()])
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [
        added_token(number, piece, piece not in placeholders)
        for number, (piece, _) in enumerate(entries)
        if processor.is_control(number) or processor.is_unknown(number) or piece in placeholders
    ]
    return Tokenizer.from_str(json.dumps(state))


def _merges(processor: Any, vocab: dict[str, int]) -> list[tuple[str, str]]:
    """Every way to make a piece of two others, the pieces in the order they were learned (as Llama's are converted)."""
    merges = []
    for piece, number in vocab.items():
        if processor.is_byte(number) or processor.is_control(number) or processor.is_unknown(number):
            continue
        parts = [(piece[:at], piece[at:]) for at in range(1, len(piece))]
        ways = [(vocab[a], vocab[b], a, b) for a, b in parts if a in vocab and b in vocab]
        merges += [(-processor.get_score(number), number, *way) for way in ways]
    return [(a, b) for *_, a, b in sorted(merges)]
