"""The incremental index: whatever comes and goes in whatever order, it says what a build from nothing would say."""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup.bands
from dedup.index import Index, writing
from dedup.index_check import check
from dedup.index_clusters import UNDECIDED, settle
from dedup.index_parameters import IndexParameters
from dedup.index_query import query, verdicts
from dedup.index_segments import tables
from dedup.index_tables import Tables
from dedup.index_update import ACCEPTED, KNOWN, SUPERSEDED, Documents
from dedup.inputs import NO_DATE
from dedup.near import near_duplicates
from dedup.settings import DedupSettings
from dedup.splits import split_of
from dedup.unique import HELD

SAMPLE = Path(__file__).resolve().parents[2] / "recipes" / "sample"
ONE_SPLIT = DedupSettings(valid=0.0, test=0.0)
EMPTY = Tables(tables(1), [])


@cache
def paragraphs() -> list[str]:
    """Real Korean paragraphs of the sample, 60 to 400 characters."""
    whole = "\n".join(
        path.read_text(encoding="utf-8") for path in sorted((SAMPLE / "udhr").rglob("*")) if path.is_file()
    )
    found = [
        one.strip() for one in re.split(r"\n+", whole) if 60 <= len(one.strip()) <= 400 and re.search("[가-힣]", one)
    ]
    assert len(found) >= 20
    return found


def edited(text: str, rng: random.Random) -> str:
    """The text with a few words replaced or gone, its spaces or its end changed, or as it is."""
    words = text.split(" ")
    kind = rng.randrange(7)
    if kind == 0:
        return text
    if kind == 1:
        return "".join(words)  # the same but for white space
    if kind == 2:
        return text + " " + rng.choice(paragraphs())[: rng.randint(5, 120)]
    if kind == 3:  # half of it and half of another: a bridge between two families
        other = rng.choice(paragraphs())
        return text[: len(text) // 2] + other[len(other) // 2 :]
    for _ in range(rng.randint(1, max(1, len(words) // 6))):
        words[rng.randrange(len(words))] = rng.choice(("사람", "권리와", "법", "모든", ""))
    return " ".join(words)


@dataclass
class Pool:
    """Documents to add: text and date by id (a small number, spread over both halves of the 128 bits)."""

    texts: list[str]
    dates: list[int]

    @classmethod
    def drawn(cls, rng: random.Random, count: int, families: int) -> Pool:
        bases = [rng.choice(paragraphs()) for _ in range(families)]
        texts: list[str] = []
        for _ in range(count):  # edits of edits: chains of likenesses
            texts.append(edited(rng.choice(texts) if texts and rng.random() < 0.7 else rng.choice(bases), rng))
        return cls(texts, [rng.choice((NO_DATE, 1, 2, 3)) for _ in range(count)])

    def ids(self, chosen: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        numbers = np.array(chosen, np.uint64)
        return numbers // np.uint64(7), numbers % np.uint64(7)

    def documents(self, chosen: Sequence[int]) -> Documents:
        texts = pa.array([self.texts[one] for one in chosen], pa.large_string())
        return Documents(*self.ids(chosen), np.array([self.dates[one] for one in chosen], np.int64), texts)


@dataclass
class Said:
    """Of each document: cluster, size, whether it stays, witness, similarity."""

    rows: dict[int, tuple[int, int, bool, int | None, float | None]] = field(default_factory=dict)


def said_by_index(index: Index, pool: Pool) -> Said:
    everyone = list(range(len(pool.texts)))
    rows = verdicts(index.tables, pool.ids(everyone)).to_pylist()
    number = {row["id"]: one for one, row in enumerate(rows)}
    return Said(
        {
            number[row["id"]]: (
                number[row["cluster"]],
                row["size"],
                row["keep"],
                row["witness"] and number[row["witness"]],
                row["similarity"],
            )
            for row in rows
            if row["known"]
        }
    )


def said_from_nothing(pool: Pool, present: set[int], how: DedupSettings) -> Said:
    order = sorted(present)
    dates = np.array([pool.dates[one] for one in order], np.int64)
    found = near_duplicates([pool.texts[one] for one in order], how, dates)
    sizes = np.bincount(found.cluster, minlength=len(order))
    return Said(
        {
            one: (
                order[found.cluster[i]],
                int(sizes[found.cluster[i]]),
                bool(found.keep[i]),
                None if found.keep[i] else order[found.witness[i]],
                None if found.keep[i] else float(found.similarity[i]),
            )
            for i, one in enumerate(order)
        }
    )


SEEDS = st.integers(0, 2**63)


def steps(rng: random.Random, count: int) -> Iterator[tuple[str, list[int]]]:
    """A history: what is done, with which of `count` documents."""
    for _ in range(rng.randint(2, 9)):
        kind = rng.choice(("add", "add", "add", "remove", "remove", "compact"))
        yield kind, rng.sample(range(count), rng.choice((1, 3, 10, 25)))


@pytest.mark.parametrize(
    ("how", "large"),
    [
        (ONE_SPLIT, 256),
        (replace(ONE_SPLIT, neighbours=1), 256),
        (replace(ONE_SPLIT, neighbours=3, bands=6, rows=2, similarity=0.4), 4),
        (replace(ONE_SPLIT, neighbours=0, prefer=("earliest", "shortest")), 256),
    ],
    ids=["default", "one neighbour", "crowded buckets", "best only"],
)
@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_any_order_of_coming_and_going_ends_as_a_build_from_nothing(how: DedupSettings, large: int, seed: int) -> None:
    rng = random.Random(seed)
    pool = Pool.drawn(rng, 60, rng.randint(1, 6))
    present: set[int] = set()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(dedup.bands, "_LARGE", large)
        with writing(Path(folder) / "index", IndexParameters.of(how), create=True) as index:
            for kind, chosen in steps(rng, 60):
                before = said_by_index(index, pool)
                if kind == "add":
                    change = index.add(pool.documents(chosen))
                    present |= set(chosen)
                elif kind == "remove":
                    change = index.remove(pool.ids(chosen))
                    present -= set(chosen)
                else:
                    index.compact()
                    continue
                now = said_by_index(index, pool)
                assert now == said_from_nothing(pool, present, how)
                stayed = {one for one, row in before.rows.items() if row[2]}
                stays = {one for one, row in now.rows.items() if row[2]}
                assert sorted(number_of(change.promoted)) == sorted(stays & before.rows.keys() - stayed)
                assert sorted(number_of(change.replaced)) == sorted(stayed & now.rows.keys() - stays)
            check(index)
            assert index.totals["documents"] == len(present)
            assert index.totals["kept"] == sum(row[2] for row in said_by_index(index, pool).rows.values())


@pytest.mark.parametrize(
    "how",
    [
        replace(ONE_SPLIT, valid=0.35, test=0.35),
        replace(ONE_SPLIT, valid=0.35, test=0.35, similarity=0.3, bands=12, rows=2),
        replace(ONE_SPLIT, valid=0.35, test=0.35, similarity=0.2, bands=1, rows=1, neighbours=0),
    ],
    ids=["default", "many bridges", "found late"],
)
@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_nothing_changes_sides_and_no_cluster_stands_on_two(how: DedupSettings, seed: int) -> None:
    rng = random.Random(seed)
    pool = Pool.drawn(rng, 60, rng.randint(1, 6))
    present: set[int] = set()
    sides: dict[str, str | None] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        writing(Path(folder) / "index", IndexParameters.of(how, seed % 5), create=True) as index,
    ):
        for kind, chosen in steps(rng, 60):
            if kind == "add":
                given = np.array([rng.choice((UNDECIDED, UNDECIDED, UNDECIDED, 0, 1, 2)) for _ in chosen], np.int8)
                index.add(replace(pool.documents(chosen), side=given))
                present |= set(chosen)
            elif kind == "remove":
                index.remove(pool.ids(chosen))
                present -= set(chosen)
            else:
                index.compact()
            rows = verdicts(index.tables, pool.ids(range(60))).to_pylist()
            for row in rows:
                if not row["known"]:
                    sides.pop(row["id"], None)
                else:
                    assert row["split"] in (sides.setdefault(row["id"], row["split"]), None)  # or held out
                    assert not (row["keep"] and row["split"] is None)
            if not index.totals["held"]:  # else some stay that would have yielded to one that is held out
                assert said_by_index(index, pool) == said_from_nothing(pool, present, how)
            assert_sides_are_apart(index)
        check(index)


def assert_sides_are_apart(index: Index) -> None:
    """No verified pair, and so no chain of them, joins texts of two sides unless one of them is held out."""
    for segment in index.tables.segments:
        edges = segment.tables["edges"]
        similarity = index.tables.find("edges", edges["one"], edges["other"])[1]["similarity"]
        one, other = (index.tables.find("texts", edges[name])[1] for name in ("one", "other"))
        free = (similarity >= 0) & (one["side"] != HELD) & (other["side"] != HELD)
        assert (one["side"][free] == other["side"][free]).all()


def number_of(ids: tuple[np.ndarray, np.ndarray]) -> list[int]:
    return [int(high) * 7 + int(low) for high, low in zip(*ids, strict=True)]


BASE = (
    "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다 인간은 천부적으로 이성과 양심을 부여받았으며"
)


def chain() -> Pool:
    """0 ~ 1 ~ 2, where 0 and 2 have too little in common; 1 is the longest."""
    size = len(BASE)
    return Pool([BASE[: size * 7 // 10], BASE, BASE[size * 3 // 10 :]], [NO_DATE] * 3)


def test_a_removed_bridge_splits_its_cluster_and_promotes_what_it_stood_for(tmp_path: Path) -> None:
    pool = chain()
    how = replace(ONE_SPLIT, similarity=0.5, bands=50, rows=1)
    with writing(tmp_path / "index", IndexParameters.of(how), create=True) as index:
        index.add(pool.documents([0, 2]))
        assert index.totals["clusters"] == 2
        change = index.add(pool.documents([1]))
        assert (index.totals["clusters"], index.totals["kept"]) == (1, 1)
        assert number_of(change.replaced) == [0, 2]
        change = index.remove(pool.ids([1]))
        assert number_of(change.promoted) == [0, 2]
        assert (index.totals["clusters"], index.totals["kept"]) == (2, 2)


def seeds_that_part(how: DedupSettings, pool: Pool) -> int:
    """A seed under which documents 0 and 2 stand on two sides."""
    for seed in range(100):
        names = [row["id"] for row in verdicts(EMPTY, pool.ids([0, 2])).to_pylist()]
        if len({split_of(name, seed, how.valid, how.test) for name in names}) == 2:
            return seed
    raise AssertionError("no such seed")


def test_a_bridge_between_two_sides_is_held_out_and_nothing_moves(tmp_path: Path) -> None:
    pool = chain()
    how = DedupSettings(similarity=0.5, bands=50, rows=1, valid=0.3, test=0.3)
    seed = seeds_that_part(how, pool)
    with writing(tmp_path / "index", IndexParameters.of(how, seed), create=True) as index:
        index.add(pool.documents([0, 2]))
        before = verdicts(index.tables, pool.ids([0, 2])).to_pylist()
        change = index.add(pool.documents([1]))
        after = verdicts(index.tables, pool.ids([0, 1, 2])).to_pylist()
        assert len(change.replaced[0]) == 0
        assert [row["split"] for row in before] == [after[0]["split"], after[2]["split"]]
        assert [row["keep"] for row in after] == [True, False, True]
        assert (after[1]["rule"], after[1]["split"], after[1]["witness"]) == ("dedup.split", None, None)
        assert {row["size"] for row in after} == {3}
        assert index.totals["held"] == 1
        check(index)
        index.remove(pool.ids([0, 2]))  # it was never accepted, and stays so until it is taken back and comes again
        assert not verdicts(index.tables, pool.ids([1])).to_pylist()[0]["keep"]
        index.remove(pool.ids([1]))
        index.add(pool.documents([1]))
        assert verdicts(index.tables, pool.ids([1])).to_pylist()[0]["keep"]
        check(index)


def test_two_of_two_sides_that_are_found_similar_late_do_not_both_stay() -> None:
    """A pair that a crowded bucket kept apart: the worse one is held out."""
    rows = {
        "best_hi": np.array([0, 0], np.uint64),
        "best_lo": np.array([1, 2], np.uint64),
        "least_hi": np.array([0, 0], np.uint64),
        "least_lo": np.array([1, 2], np.uint64),
        "length": np.array([90, 100]),
        "created": np.array([NO_DATE, NO_DATE]),
        "count": np.array([1, 1]),
        "side": np.array([0, 2], np.int8),
    }
    edges = np.array([5]), np.array([8]), np.array([0.9])
    undecided = np.full(2, UNDECIDED, np.int8)
    found = settle(np.array([5, 8]), rows, undecided, edges, IndexParameters.of(DedupSettings()))
    assert found["side"].tolist() == [HELD, 2]
    assert found["witness"].tolist() == [8, -1]


def test_of_documents_with_the_same_id_the_latest_stays_in_any_order(tmp_path: Path) -> None:
    old, new = BASE[:40], BASE[30:]
    for order in ([0, 1], [1, 0]):
        pool = Pool([old, new], [1, 2])
        documents = [replace(pool.documents([one]), id_hi=pool.ids([0])[0], id_lo=pool.ids([0])[1]) for one in order]
        with writing(tmp_path / str(order), IndexParameters.of(ONE_SPLIT), create=True) as index:
            outcomes = [int(index.add(one).outcome[0]) for one in documents]
            assert outcomes == ([ACCEPTED, ACCEPTED] if order == [0, 1] else [ACCEPTED, SUPERSEDED])
            assert (index.totals["documents"], index.totals["texts"]) == (1, 1)
            assert query(index.tables, pa.array([new], pa.large_string()), index.parameters)[0][0].exact
            assert not query(index.tables, pa.array([old], pa.large_string()), index.parameters)[0]
            assert index.add(documents[order.index(1)]).outcome.tolist() == [KNOWN]
            check(index)


def test_without_dates_the_one_that_comes_last_stays(tmp_path: Path) -> None:
    pool = Pool([BASE[:40], BASE[30:], BASE[30:]], [NO_DATE] * 3)
    zeros = np.zeros(3, np.uint64)
    with writing(tmp_path / "index", IndexParameters.of(ONE_SPLIT), create=True) as index:
        change = index.add(replace(pool.documents([0, 1, 2]), id_hi=zeros, id_lo=zeros))
        assert change.outcome.tolist() == [SUPERSEDED, KNOWN, ACCEPTED]
        assert index.totals["documents"] == 1


def test_many_small_additions_are_merged_and_say_the_same(tmp_path: Path) -> None:
    rng = random.Random(3)
    pool = Pool.drawn(rng, 60, 3)
    with writing(tmp_path / "index", IndexParameters.of(ONE_SPLIT), memory=1 << 12, create=True) as index:
        for one in rng.sample(range(60), 60):
            index.add(pool.documents([one]))
        assert len(index.segments) <= 9
        assert said_by_index(index, pool) == said_from_nothing(pool, set(range(60)), ONE_SPLIT)
        index.remove(pool.ids(range(0, 60, 2)))
        assert index.compact() > 0
        assert len(index.segments) == 1
        check(index)
        assert said_by_index(index, pool) == said_from_nothing(pool, set(range(1, 60, 2)), ONE_SPLIT)
    assert len(list((tmp_path / "index" / "segments").iterdir())) == 1


def test_a_hundred_thousand_copies_of_one_text_cost_no_comparison(tmp_path: Path) -> None:
    count = 100_000
    numbers = np.arange(count).astype(np.uint64)
    copies = Documents(numbers, numbers, np.full(count, NO_DATE), pa.array([BASE] * count, pa.large_string()))
    with writing(tmp_path / "index", IndexParameters.of(ONE_SPLIT), create=True) as index:
        index.add(copies)
        assert index.totals == {"documents": count, "texts": 1, "clusters": 1, "kept": 1, "held": 0}
        change = index.remove((numbers[:1], numbers[:1]))
        assert change.promoted[0].tolist() == [1]
        assert len(index.tables.segments[0].tables["edges"]["one"]) == 0


def test_texts_without_a_shingle_are_compared_exactly_only(tmp_path: Path) -> None:
    pool = Pool(["가나다라", "가나 다라", "가나다마", "", " \n"], [NO_DATE] * 5)
    with writing(tmp_path / "index", IndexParameters.of(ONE_SPLIT), create=True) as index:
        index.add(pool.documents(range(5)))
        assert said_by_index(index, pool) == said_from_nothing(pool, set(range(5)), ONE_SPLIT)
        index.remove(pool.ids([1, 4]))
        assert said_by_index(index, pool) == said_from_nothing(pool, {0, 2, 3}, ONE_SPLIT)
        check(index)


@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_a_query_finds_what_a_comparison_with_everything_finds(seed: int) -> None:
    rng = random.Random(seed)
    pool = Pool.drawn(rng, 40, 3)
    how = replace(ONE_SPLIT, bands=60, rows=2, similarity=0.7)
    asked = [*(edited(rng.choice(pool.texts), rng) for _ in range(5)), rng.choice(pool.texts), "", "없는 글"]
    with (
        tempfile.TemporaryDirectory() as folder,
        writing(Path(folder) / "index", IndexParameters.of(how), create=True) as index,
    ):
        for start in range(0, 40, 10):
            index.add(pool.documents(range(start, start + 10)))
        found = query(index.tables, pa.array(asked, pa.large_string()), index.parameters, most=100)
    for text, matches in zip(asked, found, strict=True):
        bare = "".join(text.split())
        near = {
            "".join(one.split()): naive_jaccard(text, one)
            for one in pool.texts
            if naive_jaccard(text, one) >= 0.7 and "".join(one.split()) != bare
        }
        same = any("".join(one.split()) == bare for one in pool.texts)
        assert [match.exact for match in matches] == [True] * same + [False] * len(near)
        assert [match.similarity for match in matches if not match.exact] == sorted(near.values(), reverse=True)


def naive_jaccard(left: str, right: str, size: int = 5) -> float:
    sets = []
    for text in (left, right):
        bare = "".join(text.split())
        sets.append({bare[i : i + size] for i in range(len(bare) - size + 1)})
    return len(sets[0] & sets[1]) / max(1, len(sets[0] | sets[1]))
