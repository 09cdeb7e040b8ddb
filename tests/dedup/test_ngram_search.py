"""Items in a corpus that comes in batches, word for word and nearly; and the corpus's own n-grams asked for items."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import StaleError, UsageError
from dedup.gram_files import candidates, write_grams
from dedup.ngram_index import NgramIndex
from dedup.ngram_search import SEED, SHINGLE, near_matches, search


def column(texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.large_string())


def made(kit: Any, seed: int, items: int, documents: int) -> tuple[list[str], list[str]]:
    rng = random.Random(seed)
    return (
        [kit.korean_text(rng, rng.randint(12, 30)) for _ in range(items)],
        [kit.korean_text(rng, rng.randint(60, 200)) for _ in range(documents)],
    )


def test_shares_are_of_the_best_document_and_of_all_together(kit: Any) -> None:
    (item, other), documents = made(kit, 1, 2, 6)
    bare = "".join(item.split())
    documents[1] += bare[:40]
    documents[4] += " ".join(bare[30:])
    ids = [f"d{i}" for i in range(6)]
    found = search([item, other, "짧다"], [(ids[:3], column(documents[:3])), (ids[3:], column(documents[3:]))])
    one, none, short = found.items
    assert found.documents == 6
    assert (one.documents, none.documents, none.best, none.share, short.grams) == (2, 0, [], 0.0, 0)
    assert {match.document: match.longest for match in one.best} == {"d1": 40, "d4": len(bare) - 30}
    assert one.best_share == max(28, len(bare) - 42) / (len(bare) - 12)
    places = {*range(28), *range(30, len(bare) - 12)}
    assert one.share == pytest.approx(len(places) / (len(bare) - 12))


def test_only_the_fullest_documents_are_listed_but_all_are_counted(kit: Any) -> None:
    (item,), documents = made(kit, 2, 1, 20)
    texts = [text + item[: 20 + 2 * i] for i, text in enumerate(documents)]
    (one,) = search([item], [([f"{i:02d}" for i in range(20)], column(texts))], most=3).items
    assert one.documents == 20
    shares = [match.share for match in one.best]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) == 3
    assert one.best[0].longest == max(len("".join(item[: 20 + 2 * i].split())) for i in range(20))


@pytest.mark.parametrize(("kind", "rate"), [("replace", 0.08), ("particle", 0.05), ("spacing", 0.1)])
def test_edited_items_are_found_nearly_and_others_are_not(kit: Any, kind: str, rate: float) -> None:
    items, documents = made(kit, 3, 40, 40)
    rng = random.Random(7)
    copies = [kit.changed(item, kind, rate, rng) for item in items]
    texts = [f"{text[:200]}\n{copy}\n{text[200:]}" for text, copy in zip(documents, copies, strict=True)]
    found = near_matches(NgramIndex.of(items, SEED), column(texts), 0.6)

    def share(item: str, copy: str) -> float:
        wanted, held = (
            {"".join(text.split())[i : i + SHINGLE] for i in range(len("".join(text.split())) - SHINGLE + 1)}
            for text in (item, copy)
        )
        return len(wanted & held) / len(wanted)

    expected = {(i, i) for i in range(40) if share(items[i], copies[i]) >= 0.6}
    pairs = {(document, item): near for document, item, near, _ in found}
    assert len(expected) > 30
    assert expected <= set(pairs)
    assert all(document == item for document, item in pairs)
    assert all(pairs[pair] >= share(items[pair[1]], copies[pair[0]]) - 1e-9 for pair in expected)


def test_a_long_document_that_holds_the_shingles_far_apart_is_no_near_match(kit: Any) -> None:
    (item,), documents = made(kit, 4, 1, 1)
    bare = "".join(item.split())
    pieces = [bare[i : i + 12] for i in range(0, len(bare), 8)]
    scattered = (documents[0] + "\n").join(pieces)
    assert near_matches(NgramIndex.of([item], SEED), column([scattered]), 0.6) == []


WORDS = st.lists(st.sampled_from(["가", "나다", "라마바", "은는", "사", "아", "자차"]), max_size=30).map(" ".join)


@given(st.lists(WORDS, max_size=4), st.lists(WORDS, min_size=1, max_size=5), st.integers(1, 5), st.integers(0, 6))
@settings(max_examples=100, deadline=None)
def test_every_document_that_shares_a_stretch_of_the_reach_is_a_candidate(
    tmp_path_factory: pytest.TempPathFactory, items: list[str], texts: list[str], n: int, more: int
) -> None:
    folder = tmp_path_factory.mktemp("grams")
    half = len(texts) // 2
    write_grams(folder, "00000", texts[:half], n, n + more)
    write_grams(folder, "00001", texts[half:], n, n + more)
    found, sharing = set(), set()
    for name, item, row in candidates(folder, items):
        base = half * int(name)
        found |= {(int(i), base + int(r)) for i, r in zip(item, row, strict=True)}
    bare = ["".join(text.split()) for text in texts]
    for i, item in enumerate("".join(text.split()) for text in items):
        for place in range(len(item) - n - more + 1):
            sharing |= {(i, d) for d, text in enumerate(bare) if item[place : place + n + more] in text}
    assert sharing <= found
    hits = NgramIndex.of(items, n).scan(texts)
    assert found <= set(zip(hits.item.tolist(), hits.document.tolist(), strict=True))


def test_a_broken_or_foreign_file_of_ngrams_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StaleError, match="no n-grams"):
        list(candidates(tmp_path, ["가"]))
    path = write_grams(tmp_path, "00000", ["가나다라마바사아자차카타파하" * 4])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StaleError, match=r"00000\.grams\.arrow"):
        list(candidates(tmp_path, ["가"]))
    batch = pa.record_batch({"hash": pa.array([1], pa.uint64()), "row": pa.array([0], pa.int32())})
    with pa.ipc.new_file(str(path), batch.schema) as writer:
        writer.write_batch(batch)
    with pytest.raises(StaleError, match="version unknown, not 1"):
        list(candidates(tmp_path, ["가"]))
    with pytest.raises(UsageError, match="reach of at least n"):
        write_grams(tmp_path, "00001", ["가"], 13, 12)
