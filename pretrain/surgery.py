"""New rows for a model whose vocabulary was changed: which old row each id takes, and what new rows are made of.

`hanjo pretrain resize` (pretrain/resize.py) works with it. A token that the old vocabulary has keeps its row, bit for
bit, under whatever id it now has; a new one gets a weighted mean of old rows, the same weights for the input and the
output matrix.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from corpus.errors import TrainingError
from tokenizer.extendable import Bpe

Method = Literal["mean", "weighted", "similar", "random"]
_RARE = 1e-3  # the share of tokens at which a part counts half


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows of the new matrices come from.

    Attributes:
        kept: int64 (new entries,): the old id whose row an id takes; -1 for a new token or an id without a name.
        parts: for each new id, the old ids that its text is cut into.
    """

    kept: NDArray[np.int64]
    parts: dict[int, list[int]]


def plan_rows(old: Bpe, new: Bpe) -> Rows:
    """Match tokens by what they are, not by their ids, so that a pruned vocabulary finds its rows too.

    Raises:
        TrainingError: the old vocabulary cannot spell a new token, which would have no row to begin with.
    """
    kept = np.full(new.entries, -1, np.int64)
    parts: dict[int, list[int]] = {}
    model = old.tokenizer.model
    for token, number in new.ids.items():
        if token in old.ids:
            kept[number] = old.ids[token]
            continue
        parts[number] = [one.id for one in model.tokenize(token)]
        if not parts[number]:
            raise TrainingError(
                f"the old vocabulary has no tokens for the text of the new token {token!r}",
                where=str(new.folder),
                fix="extend the tokenizer that lies beside the model",
            )
    return Rows(kept, parts)


Mixture = dict[int, tuple[list[int], list[float]]]
"""For each new id, the old ids and weights (their sum is 1) of its row."""


def mean_of_parts(rows: Rows) -> Mixture:
    """Each part of the text weighs the same (Yao et al. 2021 and others)."""
    return {number: (ids, [1 / len(ids)] * len(ids)) for number, ids in rows.parts.items()}


def weighted_parts(rows: Rows, counts: Counter[int]) -> Mixture:
    """Parts weigh by how much they tell: a / (a + share), where a part's share is that of all tokens of the texts.

    Bytes that begin thousands of syllables say little of the one that they begin. Smooth inverse frequency: Arora,
    Liang, Ma 2017, with their a = 1e-3.

    Args:
        counts: how often each old id occurs in Korean text, as the old vocabulary cuts it.
    """
    total = max(counts.total(), 1)
    mixture: Mixture = {}
    for number, ids in rows.parts.items():
        weights = np.array([_RARE / (_RARE + counts[one] / total) for one in ids])
        mixture[number] = (ids, (weights / weights.sum()).tolist())
    return mixture


def similar_tokens(rows: Rows, vectors: dict[int, NDArray[np.float32]], fallback: Mixture) -> Mixture:
    """Rows of old tokens that stand in like contexts, weighted by sparsemax over cosines (FOCUS, Dobler, de Melo 2023).

    Args:
        vectors: of the new vocabulary's ids that occur in the texts (see `token_vectors`).
        fallback: for new tokens without a vector.
    """
    anchors = [number for number in sorted(vectors) if rows.kept[number] >= 0]
    if not anchors:
        return fallback
    matrix = np.stack([_unit(vectors[number]) for number in anchors])
    old = rows.kept[anchors]
    mixture: Mixture = {}
    for number in rows.parts:
        if number not in vectors:
            mixture[number] = fallback[number]
            continue
        weights = sparsemax(matrix @ _unit(vectors[number]))
        chosen = np.flatnonzero(weights)
        mixture[number] = (old[chosen].tolist(), weights[chosen].tolist())
    return mixture


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm else vector


def sparsemax(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """The point of the simplex nearest to the scores: a softmax with mostly 0 (Martins, Astudillo 2016)."""
    values = scores.astype(np.float64)
    ordered = np.sort(values)[::-1]
    sums = np.cumsum(ordered)
    inside = 1 + np.arange(1, len(ordered) + 1) * ordered > sums
    size = int(inside.sum())
    return np.maximum(values - (sums[size - 1] - 1) / size, 0.0)


def token_vectors(documents: Iterable[Sequence[int]], scratch: str) -> dict[int, NDArray[np.float32]]:
    """Vectors of ids by the company they keep: fastText's CBOW over ids as words.

    On one thread, so that the same ids give the same vectors (fastText seeds itself with 0).

    Args:
        documents: ids of each text in the new vocabulary.
        scratch: path of a file to write the ids to.

    Raises:
        MissingExtraError: fastText is not installed.
    """
    from corpus.errors import MissingExtraError

    try:
        import fasttext
    except ImportError as error:
        raise MissingExtraError("similarity needs fastText", extra="corpus") from error
    with open(scratch, "w", encoding="ascii") as file:  # noqa: PTH123
        for ids in documents:
            file.write(" ".join(map(str, ids)) + "\n")
    model: Any = fasttext.train_unsupervised(
        scratch, model="cbow", dim=100, epoch=3, minCount=5, minn=0, maxn=0, thread=1, verbose=0
    )
    return {int(word): model.get_word_vector(word) for word in model.words if word.isdigit()}


def new_matrix(old: Any, rows: Rows, mixture: Mixture | None, size: int, seed: int) -> Any:
    """A matrix (size, width) with old rows as they are and new ones mixed; random ones where there is no mixture.

    Random rows have the mean and the spread of the old ones in each dimension. Ids that name no token get the mean.

    Args:
        old: torch tensor (old rows, width).
    """
    import torch

    source = old.detach().float()
    mean, spread = source.mean(0), source.std(0)
    matrix = mean.expand(size, -1).clone()
    generator = torch.Generator().manual_seed(seed)
    for number in sorted(rows.parts):
        if mixture is None:
            matrix[number] = mean + spread * torch.randn(source.shape[1], generator=generator)
        else:
            ids, weights = mixture[number]
            matrix[number] = torch.tensor(weights, dtype=torch.float32) @ source[ids]
    matrix = matrix.to(old.dtype)
    kept = torch.from_numpy(np.flatnonzero(rows.kept >= 0))
    matrix[kept] = old.detach()[torch.from_numpy(rows.kept)[kept]]
    return matrix
