"""Where a sentencepiece-style BPE can be gone on with: words to count, and the runs of tokens that may be merged.

Such a tokenizer has no borders between words: the whole text is one piece. It merges what stands together most, and
sentencepiece's trainer keeps that within words and scripts: no token of Llama 2, Mistral or Gemma with Hangul holds
anything else but a leading ▁. New tokens do likewise: Hangul alone, at most a ▁ before it. So no new merge has a ▁ in
its right half, and a text may be cut before a ▁ for counting without a change to any merge, old or new, as long as no
*old* token reaches across: `word_border` leaves out those places (Gemma 3 has one token like that, `>▁</`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tokenizer.byte_level import HANGUL_CLASS

SPACE = "▁"
_HEAD = re.compile(f"{SPACE}[{HANGUL_CLASS}]*")
_INNER = re.compile(f"[{HANGUL_CLASS}]+")
_OTHER, _BEGINS, _FOLLOWS = range(3)


def word_border(tokens: Iterable[str]) -> str:
    """A regular expression of the places where a text may be cut: before a ▁, unless a token lies across such a place.

    The tokens that an old merge makes are merges of what stands within a cut-out part, and so those of the text.
    """
    before = {token[at - 1] for token in tokens for at in range(1, len(token)) if token[at] == SPACE}
    return f"(?<=[^{''.join(sorted(map(re.escape, before)))}])(?={SPACE})" if before else f"(?!^)(?={SPACE})"


def roles(tokens: Sequence[str]) -> npt.NDArray[np.uint8]:
    """What each token may be in a run: its beginning (▁ and any Hangul), within it (Hangul alone), nothing."""
    found = np.zeros(len(tokens), np.uint8)
    for number, token in enumerate(tokens):
        if _INNER.fullmatch(token):
            found[number] = _FOLLOWS
        elif _HEAD.fullmatch(token):
            found[number] = _BEGINS
    return found


def runs(ids: Iterable[int], role: npt.NDArray[np.uint8]) -> Iterator[list[int]]:
    """The parts of a word's tokens within which every merge gives Hangul with at most a ▁ before it."""
    run: list[int] = []
    for one in ids:
        if role[one] != _FOLLOWS:
            yield run
            run = []
        if role[one] != _OTHER:
            run.append(one)
    yield run
