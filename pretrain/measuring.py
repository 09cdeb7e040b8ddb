"""What `hanjo pretrain resize` measures: nats of each document under a model, and how two models differ on them.

Documents stand one after the other in windows of `context` tokens that do not see across their ends, so there is no
padding to save. A window goes through the model by itself: several at a time were no faster on processors (16 windows
of 512 tokens with SmolLM2-135M, seconds of one core: 22.8 one by one, 23.3 by two, 22.3 by four), longer ones slower.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretrain.bits import BitsPerByte, bits_over_documents
from pretrain.packing import IGNORED, cut, pack
from pretrain.validation import token_nats
from tokenizer.vocabulary import Vocabulary

_BATCH = 1000  # texts
SURE = 2.0  # standard errors


def encoded(vocabulary: Vocabulary, texts: Sequence[str]) -> Iterator[list[int]]:
    """Ids of each text, without end of text."""
    for start in range(0, len(texts), _BATCH):
        batch = list(texts[start : start + _BATCH])
        for one in vocabulary.tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            yield one.ids


def nats_on(model: Any, vocabulary: Vocabulary, texts: Sequence[str], context: int) -> NDArray[np.float64]:
    """Summed negative log-likelihood of each text, float64 (texts,): as validation counts, end of text left out."""
    import torch

    end = vocabulary.end_of_text
    documents = [np.array([*ids, end], np.int64) for ids in encoded(vocabulary, texts)]
    windows = cut(np.concatenate(documents), context, end)
    owner = np.repeat(np.arange(len(documents)), [len(one) for one in documents])
    nats = np.zeros(len(documents))
    model.eval()
    with torch.no_grad():
        for number, window in enumerate(windows):
            mine = owner[number * context : (number + 1) * context]
            batch = pack(window[None, : len(mine) + 1], end)
            found = token_nats(model, batch).double().cpu().numpy()[0]
            text = (batch.labels[0] != end) & (batch.labels[0] != IGNORED)
            np.add.at(nats, mine[text], found[text])
    return nats


def sizes_of(texts: Sequence[str]) -> list[int]:
    """UTF-8 bytes of each text."""
    return [len(text.encode()) for text in texts]


def bits_on(model: Any, vocabulary: Vocabulary, texts: Sequence[str], context: int) -> BitsPerByte:
    """Bits per byte of a model on texts."""
    return bits_over_documents(nats_on(model, vocabulary, texts, context), sizes_of(texts))


def surely_better(difference: BitsPerByte) -> bool:
    """Whether a difference of bits per byte on the same documents is below 0, by more than they may do by chance.

    Of a single document, which has no standard error, its own difference decides.
    """
    margin = SURE * difference.error if difference.documents > 1 else 0.0
    return difference.value + margin < 0
