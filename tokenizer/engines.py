"""Who turns documents into ids: our compiled merges, gigatoken, or the library `tokenizers`, which is always right.

    compiled     our own tokenizers: byte-level BPE with one of the cuts of `tokenizer/pretokenize.py`
    gigatoken    others that it knows; it refuses pre-tokenizers it does not know, and sentencepiece's Unigram
    tokenizers   all others; and every document that spells a special token, since gigatoken takes such text for it

The first two are believed only as far as samples agree with the library: `differing` compares, `tokenizer/encode.py`
starts a shard again with the library where anything differs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.edits import text_buffers
from corpus.manifest import fingerprint
from tokenizer.byte_level import byte_names
from tokenizer.merging import MOST_IDS, Merges, empty_table, encode_buffer, merge_table, spots_of
from tokenizer.names import find_names, names_of, overlap
from tokenizer.pretokenize import Cut, classes, cut_of
from tokenizer.vocabulary import Vocabulary, threads

Ids = npt.NDArray[Any]  # int32 or uint32
Sizes = npt.NDArray[np.int64]
_CHUNK = 1 << 18  # characters encoded at a time: the library needs about 100 bytes of memory a token
_SAFE_CUT = re.compile(r"\n(?=\w)")  # no piece of our cuts reaches over the start of a line that begins with a word
_SAMPLED, _WINDOW = 8, 2048  # documents of a batch that are compared, and bytes of each


class Engine(Protocol):
    """Encodes documents.

    Attributes:
        name: compiled, gigatoken or tokenizers.
        aside: documents encoded by `tokenizers` one by one, since they spell a special token.
    """

    name: str
    aside: int

    def begin(self) -> None:
        """Begin a shard: nothing of another one counts, and nothing is remembered of its text."""
        ...

    def encode(self, texts: pa.Array) -> tuple[Ids, Sizes]:
        """Ids of large_string documents one after another, each with the end-of-text id; how many each has."""
        ...


def open_engine(vocabulary: Vocabulary) -> Engine:
    """The fastest engine that knows a tokenizer."""
    told: dict[str, Any] = json.loads(vocabulary.tokenizer.to_str())
    cut, merges = cut_of(told), own_merges(told)
    if cut is not None and merges is not None:
        return Compiled(vocabulary, told, cut, merges)
    return _gigatoken(vocabulary, told) or Library(vocabulary)


class Library:
    """The `tokenizers` library, its threads off: worker processes are the parallelism."""

    name = "tokenizers"
    aside = 0

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def begin(self) -> None:
        pass

    def encode(self, texts: pa.Array) -> tuple[Ids, Sizes]:
        ids: list[Ids] = []
        sizes: list[int] = []
        end = np.array([self.vocabulary.end_of_text], np.int32)
        with threads(False):
            for chunk in _chunks(texts.to_pylist()):
                pieces = [_pieces(text) if self.vocabulary.lines_apart else [text] for text in chunk]
                encoded = self._encoded([piece for document in pieces for piece in document])
                for document in pieces:
                    own = [next(encoded) for _ in document]
                    ids += [*own, end]
                    sizes.append(sum(map(len, own)) + 1)
        return np.concatenate([*ids, np.empty(0, np.int32)]), np.array(sizes, np.int64)

    def _encoded(self, pieces: Sequence[str]) -> Iterator[Ids]:
        """Ids of each piece; the library's own objects, about 100 bytes a token, live for one batch only."""
        for batch in _chunks(pieces):
            for encoding in self.vocabulary.tokenizer.encode_batch_fast(batch, add_special_tokens=False):
                yield np.array(encoding.ids, np.int32)


class Compiled:
    """Our own merges (`tokenizer/merging.py`); text that spells a special token is text like any other."""

    name = "compiled"
    aside = 0

    def __init__(self, vocabulary: Vocabulary, told: dict[str, Any], cut: Cut, merges: Merges) -> None:
        self._end, self._merges, self._known = vocabulary.end_of_text, merges, empty_table()
        self._classes = classes(cut)
        plain = [token for token in told["added_tokens"] if not token["special"]]
        self._names = names_of([token["content"] for token in plain])
        self._ids = {number: token["id"] for number, token in enumerate(plain)}

    def begin(self) -> None:
        self._known = empty_table()

    def encode(self, texts: pa.Array) -> tuple[Ids, Sizes]:
        buffer, offsets = text_buffers(texts)
        starts, ends, names, _ = find_names(buffer, offsets, self._names)
        out = np.empty(int(offsets[-1] - offsets[0]) + len(texts) + 1, np.int32)
        spots = spots_of(starts, ends, names, self._ids)
        sizes = encode_buffer(buffer, offsets, self._classes, self._merges, self._known, spots, self._end, out)
        return out[: int(sizes.sum())], sizes


class Gigatoken:
    """gigatoken on one thread; documents that spell an added token, or came out with a special one, go to the library.

    Args:
        backend: a `gigatoken.Tokenizer`.
    """

    name = "gigatoken"

    def __init__(self, vocabulary: Vocabulary, told: dict[str, Any], backend: Any) -> None:
        self.aside = 0
        self._backend, self._library, self._end = backend, Library(vocabulary), vocabulary.end_of_text
        self._names = names_of([token["content"] for token in told["added_tokens"]])
        self._special = np.zeros(vocabulary.entries, np.bool_)
        self._special[[token["id"] for token in told["added_tokens"] if token["special"]]] = True

    def begin(self) -> None:
        self.aside = 0

    def encode(self, texts: pa.Array) -> tuple[Ids, Sizes]:
        import awkward

        told = self._backend.encode_batch(awkward.from_arrow(texts), parallel=False).layout.to_packed()
        ids, bounds = np.asarray(told.content.data), np.asarray(told.offsets.data, np.int64)
        odd = find_names(*text_buffers(texts), self._names)[3]
        special = np.flatnonzero(self._special[ids])
        if len(special):
            odd = np.concatenate([odd, np.searchsorted(bounds, special, side="right") - 1])
        sizes = np.diff(bounds) + 1
        ids = np.insert(ids, bounds[1:], self._end)
        return (ids, sizes) if not len(odd) else self._mended(texts, ids, sizes, np.unique(odd))

    def _mended(self, texts: pa.Array, ids: Ids, sizes: Sizes, rows: npt.NDArray[np.int64]) -> tuple[Ids, Sizes]:
        """The same with some documents as the library encodes them."""
        self.aside += len(rows)
        theirs, their_sizes = self._library.encode(texts.take(pa.array(rows)))
        ends, their_ends = np.cumsum(sizes), np.cumsum(their_sizes)
        parts, at = [], 0
        for row, end, size in zip(rows.tolist(), their_ends.tolist(), their_sizes.tolist(), strict=True):
            parts += [ids[at : ends[row] - sizes[row]], theirs[end - size : end]]
            at = int(ends[row])
        mended = sizes.copy()
        mended[rows] = their_sizes
        return np.concatenate([*parts, ids[at:]]).astype(np.int32), mended


def _gigatoken(vocabulary: Vocabulary, told: dict[str, Any]) -> Gigatoken | None:
    """The engine where gigatoken is there and knows the tokenizer."""
    try:
        from gigatoken import Tokenizer
    except ImportError:
        return None
    try:
        backend = Tokenizer.from_json(json.dumps(told))
    except (RuntimeError, ValueError):  # what it raises for what it does not know; its message names the pattern
        return None
    return Gigatoken(vocabulary, told, backend)


def own_merges(told: dict[str, Any]) -> Merges | None:
    """The merges of a `tokenizer.json` that is one of ours in all that matters to the ids, None of any other."""
    model, added = told["model"], told["added_tokens"]
    plain = (
        model["type"] == "BPE"
        and told["normalizer"] is None
        and cut_of(told) is not None
        and not any(model.get(name) for name in ("dropout", "unk_token", "byte_fallback", "ignore_merges"))
        and not any(model.get(name) for name in ("continuing_subword_prefix", "end_of_word_suffix"))
        and not any(token[name] for token in added for name in ("lstrip", "rstrip", "single_word", "normalized"))
    )
    names = byte_names()
    if not plain or any(name not in model["vocab"] for name in names) or overlap([one["content"] for one in added]):
        return None
    vocab: dict[str, int] = model["vocab"]
    merges = [tuple(one) if isinstance(one, list) else tuple(one.split(" ")) for one in model["merges"]]
    results = [vocab[left + right] for left, right in merges]
    if max(vocab.values()) >= MOST_IDS or set(results) & {token["id"] for token in added}:
        return None
    byte_of = {name: bytes([byte]) for byte, name in enumerate(names)}
    spelt = {vocab[name]: b"".join(map(byte_of.__getitem__, name)) for name in (*names, *(a + b for a, b in merges))}
    return merge_table(spelt, [(vocab[a], vocab[b]) for a, b in merges], results)


@dataclass(frozen=True)
class Check:
    """Compares an engine with the library on samples; what is compared depends on `seed` alone.

    Attributes:
        seed: 32 hex digits, of the shard.
    """

    vocabulary: Vocabulary
    seed: str

    @cached_property
    def _library(self) -> Library:
        return Library(self.vocabulary)

    def differing(self, engine: Engine, texts: pa.Array, number: int) -> int:
        """Of a batch's sampled documents, how many get other ids; a window of a longer document is compared.

        Args:
            number: of the batch in its shard.
        """
        if isinstance(engine, Library) or not len(texts):
            return 0
        key = int(fingerprint("hanjo.encode", self.seed, number), 16)
        random = np.random.Generator(np.random.Philox(key=key))
        rows = np.sort(random.choice(len(texts), min(_SAMPLED, len(texts)), replace=False))
        windows = pa.array([_window(texts[int(row)].as_py(), random) for row in rows], pa.large_string())
        ours, our_sizes = engine.encode(windows)
        theirs, their_sizes = self._library.encode(windows)
        pairs = zip(_split(ours, our_sizes), _split(theirs, their_sizes), strict=True)
        return sum(not np.array_equal(a, b) for a, b in pairs)


def _window(text: str, random: np.random.Generator) -> str:
    data = text.encode()
    start = int(random.integers(max(1, len(data) - _WINDOW + 1)))
    return data[start : start + _WINDOW].decode("utf-8", "ignore")


def _split(ids: Ids, sizes: Sizes) -> list[Ids]:
    return np.split(ids, np.cumsum(sizes)[:-1])


def _chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    """Texts in order, in lists of about _CHUNK characters; a longer text stands alone."""
    chunk: list[str] = []
    held = 0
    for text in texts:
        if chunk and held + len(text) > _CHUNK:
            yield chunk
            chunk, held = [], 0
        chunk.append(text)
        held += len(text)
    if chunk:
        yield chunk


def _pieces(text: str, aim: int = _CHUNK) -> list[str]:
    """A text in pieces of about `aim` characters that encode, one after another, to the ids of the whole."""
    pieces, start = [], 0
    while len(text) - start > aim:
        cut = _SAFE_CUT.search(text, start + aim - 1)
        if cut is None:
            break
        pieces.append(text[start : cut.end()])
        start = cut.end()
    return [*pieces, text[start:]]
