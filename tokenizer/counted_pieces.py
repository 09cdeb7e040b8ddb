"""The pieces that a tokenizer cuts texts into before it merges, counted: what new merges are learned from.

Only pieces with Hangul count. The sums do not depend on the order of texts, so any number of processes gives the same.
A sentencepiece-style tokenizer cuts hardly or not at all: its pieces are cut further (`tokenizer/hangul_runs.py`).
"""

from __future__ import annotations

import json
import multiprocessing
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

from tokenizer.byte_level import HANGUL_CLASS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LONGEST = 4096  # characters of a piece: longer ones are no words, and cost memory
_BATCH = 1 << 20  # characters of text
_HANGUL = re.compile(f"[{HANGUL_CLASS}]")
Count = Callable[[list[str]], "Counter[str]"]


def count_pieces(
    tokenizer: Tokenizer, texts: Iterable[str], workers: int = 1, border: str | None = None
) -> Counter[str]:
    """Pieces with Hangul, as the tokenizer's own normaliser and pre-tokenizer make them, and how often each occurs.

    What spells an added token is cut out first, as the library does; memory goes by the different pieces.

    Args:
        border: a regular expression of places where pieces are cut further; None where the tokenizer's are in bytes.
    """
    total: Counter[str] = Counter()
    if workers == 1:
        count = counter(tokenizer, border)
        for batch in _batches(texts):
            total.update(count(batch))
        return total
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, _start, (tokenizer.to_str(), border)) as pool:
        waiting: list[Future[Counter[str]]] = []
        for batch in _batches(texts):
            waiting.append(pool.submit(_count, batch))
            if len(waiting) > 2 * workers:
                total.update(waiting.pop(0).result())
        for one in waiting:
            total.update(one.result())
    return total


def counter(tokenizer: Tokenizer, border: str | None = None) -> Count:
    """A function that counts the pieces of some texts; for `border` see `count_pieces`."""
    added = sorted(json.loads(tokenizer.to_str())["added_tokens"], key=lambda token: -len(token["content"]))
    split = re.compile("|".join(re.escape(token["content"]) for token in added)).split if added else None
    normalizer, cutter = tokenizer.normalizer, tokenizer.pre_tokenizer
    words: Any = re.compile(border).split if border is not None else None

    def pieces(text: str) -> Iterator[str]:
        for part in split(text) if split else [text]:
            if part and _HANGUL.search(part):
                normal = normalizer.normalize_str(part) if normalizer else part
                yield from in_bytes(normal) if words is None else in_characters(normal)

    def in_bytes(normal: str) -> Iterator[str]:
        for piece, (start, end) in cutter.pre_tokenize_str(normal):
            if end - start <= LONGEST and _HANGUL.search(normal, start, end):
                yield piece

    def in_characters(normal: str) -> Iterator[str]:
        for piece in [piece for piece, _ in cutter.pre_tokenize_str(normal)] if cutter else [normal]:
            for word in words(piece):
                if len(word) <= LONGEST and _HANGUL.search(word):
                    yield word

    def count(texts: list[str]) -> Counter[str]:
        found: Counter[str] = Counter()
        for text in texts:
            found.update(pieces(text))
        return found

    return count


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    stream = iter(texts)
    while first := list(islice(stream, 1)):
        batch, held = first, len(first[0])
        while held < _BATCH and (more := list(islice(stream, 1))):
            batch += more
            held += len(more[0])
        yield batch


_counter: list[Any] = []  # of a worker process


def _start(written: str, border: str | None) -> None:
    from tokenizers import Tokenizer

    _counter[:] = [counter(Tokenizer.from_str(written), border)]


def _count(texts: list[str]) -> Counter[str]:
    counted: Counter[str] = _counter[0](texts)
    return counted
