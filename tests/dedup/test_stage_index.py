"""The stage with `dedup.index`: what an index has goes for its sake, sides are kept, what stays is given to it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dedup.index_giving
from corpus.documents import document_id
from corpus.errors import StaleError, UsageError
from corpus.shards import Counts, read_shards
from dedup import stage
from dedup.index import Index, state_of, writing
from dedup.index_check import check
from dedup.index_parameters import IndexParameters
from dedup.index_query import verdicts
from dedup.index_sources import ids_of
from dedup.index_update import Documents
from dedup.inputs import NO_DATE
from dedup.settings import DedupSettings
from dedup.splits import SPLITS

HOW = DedupSettings(valid=0.3, test=0.3, index="index")
GIVING = replace(HOW, index_add=True)
SEED = 4


class Corpus:
    """Runs beside one index, `index` in the folder of all."""

    def __init__(self, kit: Any, run_phases: Any, folder: Path) -> None:
        self.kit, self.run_phases, self.folder = kit, run_phases, folder

    def run(self, name: str, shards: Sequence[Sequence[Any]], how: DedupSettings = HOW) -> Counts:
        run = self.folder / name
        run.mkdir(exist_ok=True)
        self.kit.make_run(run, shards)
        return self.again(name, how)

    def again(self, name: str, how: DedupSettings = HOW) -> Counts:
        counts: Counts = self.run_phases("dedup", stage, self.folder / name, how, self.kit.common(self.folder, SEED))
        return counts

    def rows(self, name: str) -> list[dict[str, Any]]:
        """clusters/ with ids, in order."""
        found = []
        for shard in read_shards(self.folder / name, "collect", "documents"):
            ids = pq.read_table(self.folder / name / shard.path)["id"].to_pylist()
            clusters = self.folder / name / "clusters" / Path(shard.path).name
            table = pq.read_table(clusters).drop_columns(["cuts"]).to_pylist()
            found += [{"id": one, **row} for one, row in zip(ids, table, strict=True)]
        return found

    def add(self, texts: dict[str, str], sides: Sequence[int] | None = None, how: DedupSettings = HOW) -> None:
        """Give documents of nobody's run to the index."""
        ids = ids_of([document_id("index", key) for key in texts])
        side = None if sides is None else np.array(sides, np.int8)
        documents = Documents(*ids, np.full(len(texts), NO_DATE), pa.array(texts.values(), pa.large_string()), side)
        with writing(self.folder / "index", IndexParameters.of(how, SEED), create=True) as index:
            index.add(documents)

    def index(self) -> Index:
        return Index.open(self.folder / "index")

    def said(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        rows = verdicts(self.index().tables, ids_of(ids)).to_pylist()
        return {row["id"]: row for row in rows}


@pytest.fixture
def made(kit: Any, run_phases: Any, tmp_path: Path) -> Corpus:
    return Corpus(kit, run_phases, tmp_path)


@pytest.fixture
def texts(kit: Any) -> list[str]:
    rng = random.Random(11)
    return [kit.korean_text(rng, 60) for _ in range(30)]


def naive_jaccard(left: str, right: str, size: int = 5) -> float:
    sets = []
    for text in (left, right):
        bare = "".join(text.split())
        sets.append({bare[i : i + size] for i in range(len(bare) - size + 1)})
    return len(sets[0] & sets[1]) / max(1, len(sets[0] | sets[1]))


def near(kit: Any, text: str, seed: int, rate: float = 0.03) -> str:
    copy: str = kit.changed(text, "replace", rate, random.Random(seed))
    return copy + " 덧붙임"


def test_what_the_index_has_is_removed_with_its_witness(made: Corpus, kit: Any, texts: list[str]) -> None:
    held = {f"i{n}": text for n, text in enumerate(texts[:6])}
    made.add(held)
    documents = [
        kit.Document("same", texts[0]),
        kit.Document("spaced", texts[1].replace(" ", "")),
        kit.Document("near", near(kit, texts[2], 1)),
        kit.Document("far", near(kit, texts[2], 1) + " " + texts[20] + " " + texts[21]),
        kit.Document("new", texts[10]),
        kit.Document("of new", near(kit, texts[10], 2)),
        kit.Document("gone", texts[3], keep=False),
    ]
    counts = made.run("run", [documents[:4], [*documents[4:], kit.Document("copy", texts[0] + " ")]])
    rows = {row["id"]: row for row in made.rows("run")}
    told = {one.key: rows[document_id("test", one.key)] for one in [*documents, kit.Document("copy", "")]}
    assert {key: row["rule"] for key, row in told.items()} == {
        "same": "index.exact",
        "spaced": "index.exact",
        "near": "index.near",
        "far": None,
        "new": "dedup.near",
        "of new": None,
        "gone": None,
        "copy": "index.exact",
    }
    assert told["same"]["witness"] == told["copy"]["witness"] == document_id("index", "i0")
    assert told["near"]["witness"] == document_id("index", "i2")
    assert told["near"]["similarity"] == pytest.approx(naive_jaccard(near(kit, texts[2], 1), texts[2]))
    assert counts["removed/index.exact"]["documents"] == 3
    assert counts["removed/index.near"]["documents"] == 1
    assert counts["kept"]["documents"] == 2
    kept = {row["id"] for row in _unique(made.folder / "run")}
    assert kept == {document_id("test", "far"), document_id("test", "of new")}


def _unique(run: Path) -> list[dict[str, Any]]:
    found = []
    for split in SPLITS:
        for shard in read_shards(run, "dedup", f"unique/{split}"):
            found += [{"split": split, **row} for row in pq.read_table(run / shard.path).to_pylist()]
    return found


def corpus(kit: Any, texts: Sequence[str], seed: int) -> list[list[Any]]:
    """Documents with copies of several kinds, in two shards."""
    rng = random.Random(seed)
    made = []
    for n, text in enumerate(texts):
        copies = [text, *(kit.changed(text, kind, 0.04, rng) for kind in ("replace", "particle", "spacing"))]
        made += [kit.Document(f"{n}-{m}", copy) for m, copy in enumerate(copies[: 1 + n % 4])]
    rng.shuffle(made)
    return [made[::2], made[1::2]]


def test_an_index_that_knows_nothing_of_it_changes_nothing(made: Corpus, kit: Any, texts: list[str]) -> None:
    made.add({"other": texts[29]})
    shards = corpus(kit, texts[:20], 1)
    made.run("with", shards)
    made.run("without", shards, replace(HOW, index=None))
    assert made.rows("with") == made.rows("without")


def test_a_run_gives_what_stays_and_never_meets_itself(made: Corpus, kit: Any, texts: list[str]) -> None:
    shards = corpus(kit, texts[:20], 1)
    made.run("run", shards, GIVING)
    rows, state = made.rows("run"), state_of(made.folder / "index", IndexParameters.of(HOW, SEED))
    kept = {row["id"]: row["split"] for row in rows if row["keep"]}
    check(made.index())
    assert made.index().totals == {"documents": 20, "texts": 20, "clusters": 20, "kept": 20, "held": 0}
    assert {one: row["split"] for one, row in made.said(list(kept)).items()} == kept
    assert len(set(kept.values())) == 3
    made.again("run", GIVING)
    assert made.rows("run") == rows
    assert state_of(made.folder / "index", IndexParameters.of(HOW, SEED)) == state
    made.run("other", shards)
    assert not [row for row in made.rows("other") if row["keep"]]


def test_a_second_run_keeps_what_is_new_on_the_sides_that_were_given(made: Corpus, kit: Any, texts: list[str]) -> None:
    made.run("first", corpus(kit, texts[:15], 1), GIVING)
    first = {row["id"]: row["split"] for row in made.rows("first") if row["keep"]}
    again = [kit.Document(f"again {n}", near(kit, text, n)) for n, text in enumerate(texts[10:15])]
    made.run("second", [again, [kit.Document(f"new {n}", text) for n, text in enumerate(texts[15:])]], GIVING)
    rows = made.rows("second")
    assert [row["rule"] for row in rows] == ["index.near"] * 5 + [None] * 15
    assert all(row["witness"] in first for row in rows[:5])
    assert all(row["split"] == first[row["witness"]] for row in rows[:5])
    assert made.index().totals["documents"] == made.index().totals["kept"] == 30
    check(made.index())
    assert {one: row["split"] for one, row in made.said(list(first)).items()} == first
    made.again("first", GIVING)  # what came after it is no reason to judge the first run anew
    assert {row["id"]: row["split"] for row in made.rows("first") if row["keep"]} == first


def test_a_run_with_other_sources_takes_back_what_it_no_longer_keeps(made: Corpus, kit: Any, texts: list[str]) -> None:
    made.add({"theirs": texts[29]})
    documents = [kit.Document(str(n), text) for n, text in enumerate(texts[:10])]
    made.run("run", [documents[:5], documents[5:]], GIVING)
    changed = [*documents[1:9], kit.Document("9", texts[9] + " 새 판입니다"), kit.Document("new", texts[12])]
    made.run("run", [changed], GIVING)
    assert [row["keep"] for row in made.rows("run")] == [True] * 10
    assert made.index().totals["documents"] == 11
    said = made.said([document_id("test", key) for key in ("0", "1", "9", "new")])
    assert [row["known"] for row in said.values()] == [False, True, True, True]
    assert sorted(path.name for path in (made.folder / "run" / "index").iterdir()) == ["00000.txt", "given.json"]
    given_ids = (made.folder / "run" / "index" / "00000.txt").read_text().split()
    assert given_ids == sorted(row["id"] for row in made.rows("run"))
    made.run("run", [changed], replace(GIVING, index="another"))
    assert [row["keep"] for row in made.rows("run")] == [True] * 10
    assert Index.open(made.folder / "another").totals["documents"] == 10


def windows(rng: random.Random) -> Callable[[int, int], str]:
    """Stretches of one long text of words that are all different: what they share is what they overlap."""
    words = ["".join(chr(0xAC00 + rng.randrange(11172)) for _ in range(3)) for _ in range(200)]
    return lambda first, last: " ".join(words[first:last])


def test_who_resembles_one_side_joins_it_and_who_would_join_two_is_held_out(made: Corpus, kit: Any) -> None:
    """Two chains, w ~ x in the index and x ~ p in the run, on two sides; two documents would join them."""
    rng = random.Random(7)
    a, b = windows(rng), windows(rng)
    how = replace(GIVING, similarity=0.4, bands=60, rows=2)
    held = {
        f"{kind}{name}": of(*span)
        for name, of in (("a", a), ("b", b))
        for kind, span in (("w", (0, 101)), ("x", (35, 135)))
    }
    made.add(held, [0, 0, 2, 2], how)
    assert [made.said([document_id("index", one)])[document_id("index", one)]["keep"] for one in held] == [
        True,
        False,
        True,
        False,
    ]
    documents = [
        kit.Document("pa", a(75, 165)),
        kit.Document("pb", b(75, 165)),
        kit.Document("joins those of the run", a(75, 160) + " " + b(75, 160)),
        kit.Document("joins those of the index", a(60, 135) + " " + b(60, 135)),
        kit.Document("copy of it", a(60, 135) + "  " + b(60, 135)),
        kit.Document("like pa", a(70, 150)),
    ]
    for one in documents[2:5]:
        assert max(naive_jaccard(one.text, text) for text in (held["wa"], held["wb"])) < 0.4
    assert min(naive_jaccard(documents[2].text, documents[n].text) for n in (0, 1)) >= 0.4
    assert max(naive_jaccard(documents[2].text, text) for text in held.values()) < 0.4
    assert min(naive_jaccard(documents[3].text, held[one]) for one in ("xa", "xb")) >= 0.4
    counts = made.run("run", [documents[::2], documents[1::2]], how)
    rows = {row["id"]: row for row in made.rows("run")}
    told = {one.key: rows[document_id("test", one.key)] for one in documents}
    assert {key: (row["rule"], row["split"], row["witness"]) for key, row in told.items()} == {
        "pa": (None, "train", None),
        "pb": (None, "test", None),
        "joins those of the run": ("dedup.split", None, None),
        "joins those of the index": ("dedup.split", None, None),
        "copy of it": ("dedup.split", None, None),
        "like pa": ("dedup.near", "train", document_id("test", "pa")),
    }
    assert counts["removed/dedup.split"]["documents"] == 3
    check(made.index())
    assert [row["split"] for row in made.said([document_id("test", key) for key in ("pa", "pb")]).values()] == [
        "train",
        "test",
    ]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_near_copies_never_stand_on_two_sides_and_the_index_agrees(
    kit: Any, run_phases: Any, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    rng = random.Random(seed)
    how = replace(GIVING, similarity=0.4, bands=60, rows=2, neighbours=64)
    made = Corpus(kit, run_phases, tmp_path_factory.mktemp("corpus"))
    pool = [kit.korean_text(rng, 12) for _ in range(6)]

    def text() -> str:
        parts = rng.sample(pool, 2)
        return " ".join(kit.changed(part, "replace", 0.05, rng) for part in parts)

    texts = {str(n): text() for n in range(12)}
    made.add(texts, [rng.randrange(3) for _ in range(12)], how)
    held = [document_id("index", str(n)) for n in range(12)]
    before = made.said(held)
    documents = [kit.Document(str(n), text()) for n in range(14)]
    made.run("run", [documents[:7], documents[7:]], how)
    rows, after = made.rows("run"), made.said(held)
    assert {one: (row["split"], row["keep"]) for one, row in after.items()} == {
        one: (row["split"], row["keep"]) for one, row in before.items()
    }
    by_id = {document_id("test", one.key): one.text for one in documents}
    kept = {row["id"]: row["split"] for row in rows if row["keep"]}
    said = made.said(list(kept)) if kept else {}
    assert {one: row["split"] for one, row in said.items() if row["keep"]} == kept
    check(made.index())
    for row in rows:
        if row["rule"] in ("index.near", "index.exact"):
            assert before[row["witness"]]["keep"]
            assert row["similarity"] >= how.similarity
    of_index = {one: text for one, text in zip(held, texts.values(), strict=True) if before[one]["split"]}
    for one, split in kept.items():
        alike = [other for other in kept if other != one and naive_jaccard(by_id[one], by_id[other]) >= how.similarity]
        assert not alike
        beside = [other for other, text in of_index.items() if naive_jaccard(by_id[one], text) >= how.similarity]
        assert {before[other]["split"] for other in beside} <= {split}
        assert not any(before[other]["keep"] for other in beside)


def test_an_index_that_changed_meanwhile_is_looked_up_again(
    made: Corpus, kit: Any, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made.add({"first": texts[29]})
    documents = [kit.Document(str(n), text) for n, text in enumerate(texts[:6])]
    writing_first = dedup.index_giving.writing

    def other_comes_first(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(dedup.index_giving, "writing", writing_first)
        made.add({"meanwhile": texts[0]})
        return writing_first(*arguments, **named)

    monkeypatch.setattr(dedup.index_giving, "writing", other_comes_first)
    with pytest.raises(StaleError, match="changed after this run had looked"):
        made.run("run", [documents], GIVING)
    assert made.index().totals["documents"] == 2
    made.again("run", GIVING)
    assert [row["rule"] for row in made.rows("run")] == ["index.exact"] + [None] * 5
    assert made.index().totals["documents"] == 7


def test_giving_that_was_stopped_goes_on(
    made: Corpus, kit: Any, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after the first shard's documents were in: the run still knows them as its own."""
    shards = [[kit.Document(f"{s} {n}", text) for n, text in enumerate(texts[5 * s : 5 * s + 5])] for s in (0, 1)]
    add, calls = Index.add, []

    def once(index: Index, documents: Documents) -> Any:
        calls.append(len(documents))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return add(index, documents)

    monkeypatch.setattr(Index, "add", once)
    with pytest.raises(KeyboardInterrupt):
        made.run("run", shards, GIVING)
    monkeypatch.setattr(Index, "add", add)
    assert made.index().totals["documents"] == 5
    made.again("run", GIVING)
    assert all(row["keep"] for row in made.rows("run"))
    assert made.index().totals["documents"] == 10
    check(made.index())


def test_a_withdrawn_document_does_not_make_the_run_anew(made: Corpus, kit: Any, texts: list[str]) -> None:
    made.run("run", [[kit.Document(str(n), text) for n, text in enumerate(texts[:6])]], GIVING)
    rows = made.rows("run")
    with writing(made.folder / "index") as index:
        index.remove(ids_of([rows[2]["id"]]))
    plans = []
    plan = stage.phases(made.folder / "run", GIVING, kit.common(made.folder, SEED))
    phase = next(plan)
    while phase.name != "own":
        plans.append(phase)
        phase = plan.send([job.call(_context(made.folder / "run"), **job.arguments, **job.local) for job in phase.jobs])
    assert phase.jobs[0].arguments["state"] == ""  # the state of the index when its documents were looked up
    made.add({"copy": near(kit, texts[2], 5)})
    made.run("later", [[kit.Document("back", texts[2])]])
    assert [row["rule"] for row in made.rows("later")] == ["index.near"]


def _context(run: Path) -> Any:
    from corpus.shards import JobContext

    return JobContext(run, "0" * 32, 1 << 28)


def test_cuts_are_sought_among_what_stays_beside_an_index(made: Corpus, kit: Any, texts: list[str]) -> None:
    how = replace(HOW, lines=replace(HOW.lines, cut=True), substrings=replace(HOW.substrings, cut=True), cut_budget=0.9)
    made.add({"held": texts[0]}, how=how)
    shared = texts[9].replace("\n", " ")
    documents = [kit.Document(str(n), f"{text}\n{shared}") for n, text in enumerate(texts[1:5])]
    made.run("run", [[kit.Document("known", texts[0]), *documents]], how)
    assert [row["rule"] for row in made.rows("run")] == ["index.exact"] + [None] * 4
    assert sum(shared in row["text"] for row in _unique(made.folder / "run")) == 1


def test_what_is_no_such_index_is_refused(made: Corpus, kit: Any, texts: list[str]) -> None:
    with pytest.raises(UsageError, match="no index here"):
        made.run("run", [[kit.Document("0", texts[0])]])
    made.add({"held": texts[0]}, how=replace(HOW, similarity=0.8, bands=0, rows=0))
    with pytest.raises(StaleError, match=r"made with .*similarity 0.8, not 0.6"):
        made.run("run", [[kit.Document("0", texts[0])]])
    with pytest.raises(ValueError, match="index_add names no index"):
        replace(GIVING, index=None)


def test_the_index_is_part_of_the_fingerprint(made: Corpus, kit: Any, texts: list[str]) -> None:
    def state() -> str:
        plan = stage.phases(made.folder / "run", HOW, kit.common(made.folder, SEED))
        phase = next(plan)
        while phase.name != "known":
            done = [job.call(_context(made.folder / "run"), **job.arguments, **job.local) for job in phase.jobs]
            phase = plan.send(done)
        return str(phase.jobs[0].arguments["state"])

    made.add({"held": texts[0]})
    made.run("run", [[kit.Document("0", texts[1])]])
    before = state()
    assert state() == before
    made.add({"more": texts[2]})
    assert state() != before
