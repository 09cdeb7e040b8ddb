"""Judges clusters of near-duplicates by plain Python sets: recall by kind of copy, false joins, witnesses, pairs.

Nothing here uses hanjo's shingles or comparison, so that it can contradict them.
"""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import Any

import numpy as np

SIZE = 5  # characters of a shingle, white space left out
_UNLIKE = 0.5  # Jaccard below which documents of different families have no business together
_LARGEST = 300  # members of a cluster that are compared with one another


def shingles(text: str) -> frozenset[str]:
    """Its sequences of 5 characters without white space."""
    bare = "".join(text.split())
    return frozenset(bare[at : at + SIZE] for at in range(len(bare) - SIZE + 1))


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """Common shingles over all of both; 0 of two empty sets."""
    common = len(left & right)
    return common / max(1, len(left) + len(right) - common)


def kind_of(copy: dict[str, Any]) -> str:
    """How a copy was changed, with the rate where there are several."""
    return str(copy["kind"]) if copy["rate"] in (0.0, 1.0) else f"{copy['kind']} {copy['rate']:.0%}"


def recall_by_kind(truth: Sequence[dict[str, Any]], cluster: dict[str, int]) -> dict[str, float]:
    """Share of the planted copies, by kind and rate, that stand in one cluster with their original.

    Args:
        cluster: id → cluster, of the documents that were given to the tool; copies of others are left out.
    """
    found: dict[str, list[bool]] = collections.defaultdict(list)
    for one in truth:
        if one["a"] in cluster and one["b"] in cluster:
            found[kind_of(one)].append(cluster[one["a"]] == cluster[one["b"]])
    return {kind: sum(hits) / len(hits) for kind, hits in sorted(found.items())}


def pairs_by_kind(
    truth: Sequence[dict[str, Any]], texts: dict[str, str], cluster: dict[str, int], similarity: float
) -> dict[str, dict[str, float]]:
    """By kind and rate: the share of the copies whose exact Jaccard with their original is at least `similarity` — of
    the others no threshold of it can ask that they be found — and the share of those that were.

    Args:
        texts, cluster: by id, of the documents that were given to the tool.
    """
    found: dict[str, list[tuple[bool, bool]]] = collections.defaultdict(list)
    for one in truth:
        if one["a"] in cluster and one["b"] in cluster:
            bare, other = ("".join(texts[one[side]].split()) for side in "ab")
            pair = bare == other or jaccard(shingles(bare), shingles(other)) >= similarity
            found[kind_of(one)].append((pair, cluster[one["a"]] == cluster[one["b"]]))
    return {
        kind: {
            "pairs": sum(pair for pair, _ in hits) / len(hits),
            "found": sum(pair and hit for pair, hit in hits) / max(1, sum(pair for pair, _ in hits)),
        }
        for kind, hits in sorted(found.items())
    }


def false_joins(ids: Sequence[str], texts: Sequence[str], cluster: Sequence[int]) -> dict[str, int]:
    """How many clusters join different families of original and copies, and how many of them falsely.

    Paragraphs recur in the corpus, so that documents of different families may truly be alike. A join is false where
    the cluster falls apart once only links of one family, or of an exact Jaccard of .5 and more, are left.
    """
    members = collections.defaultdict(list)
    for number, name in enumerate(cluster):
        members[name].append(number)
    joined = false = documents = 0
    for group in members.values():
        families = [ids[number].removesuffix("x") for number in group]
        if len(set(families)) == 1:
            continue
        joined += 1
        parts = _parts(families[:_LARGEST], [shingles(texts[number]) for number in group[:_LARGEST]])
        if parts > 1:
            false, documents = false + 1, documents + len(group)
    return {"joined": joined, "false": false, "documents in false": documents}


def _parts(families: list[str], sets: list[frozenset[str]]) -> int:
    """Connected parts under links of one family or of likeness."""
    left, parts = set(range(len(sets))), 0
    while left:
        parts, reached = parts + 1, [left.pop()]
        while reached:
            one = reached.pop()
            near = {o for o in left if families[o] == families[one] or jaccard(sets[o], sets[one]) >= _UNLIKE}
            left -= near
            reached += near
    return parts


def witnesses(texts: dict[str, str], clusters: Sequence[dict[str, Any]], similarity: float) -> dict[str, Any]:
    """How many removed documents there are, and of how many the kept witness is as like as was said and asked.

    Args:
        texts: id → text.
        clusters: rows of the stage's clusters, each with `id`.
    """
    keep = {row["id"]: row["keep"] for row in clusters}
    removed = [row for row in clusters if not row["keep"]]
    good = 0
    for row in removed:
        bare, other = ("".join(texts[name].split()) for name in (row["id"], row["witness"]))
        found = 1.0 if bare == other else jaccard(shingles(bare), shingles(other))
        good += keep[row["witness"]] and found >= similarity and abs(found - row["similarity"]) < 1e-6
    return {"removed": len(removed), "borne out": good, "precision": good / max(1, len(removed))}


def pairs_by_brute_force(texts: Sequence[str], cluster: Sequence[int], similarity: float) -> dict[str, Any]:
    """Of all pairs of a sample at or above a Jaccard, the share that stand in one cluster.

    Every pair with a common shingle is counted, by inverted lists of plain sets.
    """
    sets = [shingles(text) for text in texts]
    holders: dict[str, list[int]] = collections.defaultdict(list)
    margins = {"at s": similarity, "at s + .05": similarity + 0.05}
    found: dict[str, list[bool]] = {name: [] for name in margins}
    sizes = np.array([len(one) for one in sets])
    for number, one in enumerate(sets):
        earlier = [np.asarray(holders[shingle]) for shingle in one if holders[shingle]]
        if earlier:
            common = np.bincount(np.concatenate(earlier), minlength=number)
            alike = common / (sizes[: len(common)] + sizes[number] - common)
            for name, least in margins.items():
                found[name] += [cluster[other] == cluster[number] for other in np.flatnonzero(alike >= least).tolist()]
        for shingle in one:
            holders[shingle].append(number)
    return {
        "documents": len(texts),
        **{f"pairs {name}": len(hits) for name, hits in found.items()},
        **{f"recall {name}": sum(hits) / max(1, len(hits)) for name, hits in found.items()},
    }
