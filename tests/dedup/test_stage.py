"""The stage on runs as the stages before it leave them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import dedup.bands
import dedup.runs
from corpus.documents import CLUSTERS, UNIQUE, document_id, text_hash
from corpus.edits import Edit
from corpus.errors import StaleError
from corpus.shards import Counts, read_shards, read_sidecar
from dedup import stage
from dedup.locate import locate
from dedup.near import near_duplicates
from dedup.settings import DedupSettings
from dedup.splits import split_of

BASE = "오늘은 하늘이 맑고 바람이 불어 산책을 하기에 좋은 날이었다"


class Carry:
    """Makes a run, carries the stage out, reads what it wrote."""

    def __init__(self, kit: Any, run_phases: Any, folder: Path) -> None:
        self.kit, self.run_phases, self.folder, self.made = kit, run_phases, folder, 0
        self.run = folder

    def __call__(self, shards: Sequence[Sequence[Any]], settings: DedupSettings | None = None, seed: int = 1) -> Counts:
        self.made += 1
        self.run = self.folder / str(self.made)
        self.run.mkdir()
        self.kit.make_run(self.run, shards)
        common = self.kit.common(self.run, seed)
        counts: Counts = self.run_phases("dedup", stage, self.run, settings or DedupSettings(), common)
        return counts

    def clusters(self) -> list[dict[str, Any]]:
        """The rows of every sidecar with the document's id, in order."""
        rows = []
        for shard in read_shards(self.run, "collect", "documents"):
            ids = pq.read_table(self.run / shard.path, columns=["id"])["id"].to_pylist()
            sidecar = read_sidecar(self.run / "clusters" / Path(shard.path).name, shard.fingerprint, shard.rows)
            assert sidecar.schema.equals(CLUSTERS)
            rows += [{"id": one, **row} for one, row in zip(ids, sidecar.to_pylist(), strict=True)]
        return rows

    def unique(self) -> list[dict[str, Any]]:
        rows = []
        for split in ("train", "valid", "test"):
            for shard in read_shards(self.run, "dedup", f"unique/{split}"):
                table = pq.read_table(self.run / shard.path)
                assert table.schema.equals(UNIQUE)
                assert table.num_rows > 0
                rows += [{"side": split, **row} for row in table.to_pylist()]
        return rows


@pytest.fixture
def carry(kit: Any, run_phases: Any, tmp_path: Path) -> Carry:
    return Carry(kit, run_phases, tmp_path)


def corpus(kit: Any, count: int = 60) -> list[Any]:
    """Documents with exact, edited and respaced copies, some removed before, in a shuffled order."""
    rng = random.Random(9)
    made = []
    for i in range(count):
        text = kit.korean_text(rng, rng.randint(30, 90))
        texts = [text, *(kit.changed(text, kind, 0.04, rng) for kind in ("replace", "particle", "spacing"))]
        texts = texts[: 1 + i % 4] + [text] * (i % 3)
        made += [
            kit.Document(f"{i}-{j}", one, keep=(i + j) % 7 != 3, created=kit.day(1 + (i * j) % 9))
            for j, one in enumerate(texts)
        ]
    rng.shuffle(made)
    return made


def cut(documents: list[Any], sizes: Sequence[int]) -> list[list[Any]]:
    shards, at = [], 0
    for size in sizes:
        shards.append(documents[at : at + size])
        at += size
    return [*shards, documents[at:]]


def test_every_document_is_accounted_for_and_agrees_with_the_in_memory_result(carry: Carry, kit: Any) -> None:
    documents = corpus(kit)
    counts = carry(cut(documents, [40, 0, 50]))
    by_id = {document_id("test", one.key): one for one in documents}
    rows = {row["id"]: row for row in carry.clusters()}
    kept = [one for one in documents if one.keep]
    ordered = sorted(kept, key=lambda one: document_id("test", one.key))
    created = [int(one.created.timestamp() * 1e6) for one in ordered]
    memory = near_duplicates([one.text for one in ordered], DedupSettings(), created=np.array(created))
    ids = [document_id("test", one.key) for one in ordered]
    for i, name in enumerate(ids):
        row = rows[name]
        assert row["keep"] == memory.keep[i]
        assert row["cluster"] == ids[memory.cluster[i]]
        assert row["size"] == (memory.cluster == memory.cluster[i]).sum()
        assert row["witness"] == (None if memory.keep[i] else ids[memory.witness[i]])
        if not row["keep"]:
            assert rows[row["witness"]]["keep"]
            assert row["similarity"] == pytest.approx(memory.similarity[i])
            same = "".join(by_id[name].text.split()) == "".join(by_id[row["witness"]].text.split())
            assert row["rule"] == ("dedup.exact" if same else "dedup.near")
    for name, one in by_id.items():
        if not one.keep:
            told = {key: value for key, value in rows[name].items() if key not in ("id", "keep", "cuts")}
            assert not rows[name]["keep"]
            assert set(told.values()) == {None}
    assert counts["in"] == {"documents": len(kept), "bytes": sum(len(one.text.encode()) for one in kept)}
    assert counts["kept"]["documents"] == memory.keep.sum() == len(carry.unique())


def test_the_result_does_not_depend_on_shards_or_partitions(
    carry: Carry, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = corpus(kit)
    results = []
    for sizes, partition in (([], 10**6), ([1, 30, 30], 20), ([50, 0, 70], 7)):
        monkeypatch.setattr(dedup.runs, "_DOCUMENTS_A_PARTITION", partition)
        monkeypatch.setattr(dedup.bands, "_BYTES_A_KEY", 10**9 // partition)  # partitions taken in turns
        counts = carry(cut(documents, sizes))
        results.append((counts, carry.clusters(), sorted(row["id"] for row in carry.unique())))
    assert results[0] == results[1] == results[2]


def test_the_same_run_gives_the_same_bytes(carry: Carry, kit: Any) -> None:
    digests = []
    for _ in range(2):
        carry(cut(corpus(kit, 20), [25]))
        files = sorted(path for folder in ("clusters", "unique") for path in (carry.run / folder).rglob("*.parquet"))
        digests.append([(str(p.relative_to(carry.run)), hashlib.sha256(p.read_bytes()).hexdigest()) for p in files])
    assert digests[0] == digests[1]


def test_edited_text_is_what_is_compared_and_written(carry: Carry, kit: Any) -> None:
    head = "메뉴 로그인 회원가입\n"
    edits = (Edit(0, len(head.encode()), "boilerplate.menu", ""),)
    counts = carry([[kit.Document("a", head + BASE, edits=edits), kit.Document("b", BASE)]])
    assert counts["removed/dedup.exact"] == {"documents": 1, "bytes": len(BASE.encode())}
    (row,) = carry.unique()
    assert row["text"] == BASE
    assert row["text_hash"] == text_hash(BASE)
    assert row["size"] == 2


def test_a_newer_version_takes_the_place_of_the_older(carry: Carry, kit: Any) -> None:
    old = kit.Document("page", BASE + " 그리고 길었다", created=kit.day(1))
    undated = kit.Document("page", "날짜가 없는 판입니다")
    new = kit.Document("page", "새 판은 아주 짧습니다", created=kit.day(2))
    counts = carry([[old, kit.Document("other", BASE)], [new, undated]])
    assert counts["removed/version.superseded"]["documents"] == 2
    rows = carry.clusters()
    assert [row["rule"] for row in rows] == ["version.superseded", None, None, "version.superseded"]
    assert rows[0]["cluster"] is None
    assert {row["text"] for row in carry.unique()} == {BASE, new.text}


def test_a_newer_version_that_was_removed_still_supersedes(carry: Carry, kit: Any) -> None:
    old, new = kit.Document("page", BASE, created=kit.day(1)), kit.Document("page", "x", False, kit.day(2))
    counts = carry([[old, new]])
    assert counts["in"]["documents"] == counts["removed/version.superseded"]["documents"] == 1
    assert carry.unique() == []


def test_equal_dates_go_to_the_later_path(carry: Carry, kit: Any) -> None:
    first = kit.Document("page", BASE, created=kit.day(1), path="b.jsonl")
    second = kit.Document("page", "다른 글입니다", created=kit.day(1), path="a.jsonl")
    carry([[first], [second]])
    assert [row["text"] for row in carry.unique()] == [BASE]


@pytest.mark.parametrize("shards", [[], [[]], [["removed"]], [["short"], []]])
def test_empty_and_tiny_runs_go_through(carry: Carry, kit: Any, shards: list[list[str]]) -> None:
    documents = [[kit.Document(name, "가", keep=name == "short") for name in shard] for shard in shards]
    counts = carry(documents)
    kept = sum(one.keep for shard in documents for one in shard)
    assert counts.get("kept", {"documents": 0})["documents"] == kept == len(carry.unique())


def test_a_cluster_stands_on_one_side_and_the_sides_have_their_share(carry: Carry, kit: Any) -> None:
    carry(cut(corpus(kit, 150), [100]), DedupSettings(valid=0.2, test=0.3), seed=4)
    sides: dict[str, set[str]] = {}
    for row in carry.clusters():
        if row["cluster"]:
            sides.setdefault(row["cluster"], set()).add(row["split"])
            assert row["split"] == split_of(row["cluster"], 4, 0.2, 0.3)
    assert all(len(side) == 1 for side in sides.values())
    share = sum(side == {"test"} for side in sides.values()) / len(sides)
    assert 0.18 < share < 0.42
    assert all(row["side"] in sides[row["cluster"]] for row in carry.unique())


def test_locate_tells_what_became_of_a_document(carry: Carry, kit: Any) -> None:
    carry([[kit.Document("a", BASE), kit.Document("b", BASE + " 정말로")]])
    told = locate(carry.run, document_id("test", "a"), "00000", 0)
    assert told["rule"] == "dedup.near"
    assert told["witness"] == document_id("test", "b")
    assert told["size"] == 2
    with pytest.raises(StaleError, match="row 1 holds"):
        locate(carry.run, document_id("test", "a"), "00000", 1)


def test_a_sidecar_of_other_documents_is_refused(carry: Carry, kit: Any, run_phases: Any, tmp_path: Path) -> None:
    run = kit.make_run(tmp_path, [[kit.Document("a", BASE)], [kit.Document("b", BASE)]])
    (run / "verdicts" / "00001.parquet").replace(run / "verdicts" / "00000.parquet")
    with pytest.raises(StaleError, match="belongs to"):
        run_phases("dedup", stage, run, DedupSettings(), kit.common(run))
