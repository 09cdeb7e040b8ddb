"""The benchmark corpus is the same for the same seed and tells its copies truly; the judge of clusters is just."""

from __future__ import annotations

import collections
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks.dedup_judging import false_joins, pairs_by_brute_force, pairs_by_kind, recall_by_kind, witnesses
from benchmarks.make_corpus import CHANGES, SAMPLE, paragraphs, write


@pytest.fixture(scope="module")
def pool() -> list[str]:
    return paragraphs(SAMPLE / "tax-rulings")


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path, pool: list[str]) -> None:
    paths = [write(tmp_path / name, pool, 300_000, seed)[0] for name, seed in (("a", 7), ("b", 7), ("c", 8))]
    first, second, other = (path.read_bytes() for path in paths)
    assert first == second != other
    assert (tmp_path / "a" / "truth.jsonl").read_bytes() == (tmp_path / "b" / "truth.jsonl").read_bytes()
    table = pq.read_table(write(tmp_path / "d", pool, 300_000, 7, "parquet")[0])
    assert table.to_pylist() == [json.loads(line) for line in first.decode().splitlines()]


def test_copies_differ_from_their_originals_as_the_truth_says(tmp_path: Path, pool: list[str]) -> None:
    path, number, size = write(tmp_path, pool, 3_000_000, 7)
    texts = {row["id"]: row["text"] for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())}
    assert (len(texts), sum(len(text.encode()) for text in texts.values())) == (number, size)
    truth = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {one["kind"] for one in truth} == {kind for kind, _, _ in CHANGES}
    changed: dict[tuple[str, float], list[float]] = collections.defaultdict(list)
    for one in truth:
        a, b, kind = texts[one["a"]], texts[one["b"]], one["kind"]
        if kind == "exact":
            assert a == b
        elif kind.startswith("spaces"):
            assert a.replace(" ", "") == b.replace(" ", "")
        elif kind == "shuffled":
            assert sorted(a.split("\n")) == sorted(b.split("\n"))
        elif kind in ("header", "footer"):
            assert a in b
            assert a != b
        else:
            words = list(zip(a.split(" "), b.split(" "), strict=True))
            changed[kind, one["rate"]].append(sum(x != y for x, y in words) / len(words))
    for (_, rate), shares in changed.items():
        assert 0.3 * rate <= sum(shares) / len(shares) <= 1.7 * rate


A = "오늘은 하늘이 맑고 바람이 불어 산책을 하기에 좋은 날이었다"
B = "도서관에서 빌린 책을 다 읽고 나서 친구에게 그 줄거리를 들려주었다"


def test_the_judge_counts_what_was_found_and_what_was_joined_falsely() -> None:
    truth = [{"a": f"d{n}", "b": f"d{n}x", "kind": "replaced", "rate": 0.05} for n in (0, 1, 9)]
    cluster = {"d0": 0, "d0x": 0, "d1": 1, "d1x": 2}
    assert recall_by_kind(truth, cluster) == {"replaced 5%": 0.5}
    ids, texts = ["d0", "d0x", "d1", "d2"], [A, A + "!", B, B + "."]
    assert false_joins(ids, texts, [0, 0, 2, 2]) == {"joined": 1, "false": 0, "documents in false": 0}
    assert false_joins(ids, texts, [0, 0, 0, 3]) == {"joined": 1, "false": 1, "documents in false": 3}


def test_copies_below_the_threshold_are_told_from_those_that_were_missed() -> None:
    truth = [{"a": f"d{n}", "b": f"d{n}x", "kind": "replaced", "rate": 0.05} for n in (0, 1, 2, 9)]
    texts = {"d0": A, "d0x": A + "!", "d1": B, "d1x": B + ".", "d2": A, "d2x": B}
    cluster = {"d0": 0, "d0x": 0, "d1": 1, "d1x": 2, "d2": 3, "d2x": 4}
    assert pairs_by_kind(truth, texts, cluster, 0.6) == {"replaced 5%": {"pairs": 2 / 3, "found": 0.5}}


def test_a_witness_that_is_gone_or_unlike_is_not_believed() -> None:
    texts = {"a": A, "b": A.replace(" ", ""), "c": B}

    def row(name: str, witness: str | None, similarity: float) -> dict[str, object]:
        return {"id": name, "keep": witness is None, "witness": witness, "similarity": similarity}

    kept, copy = row("a", None, 0.0), row("b", "a", 1.0)
    assert witnesses(texts, [kept, copy, row("c", None, 0.0)], 0.6)["precision"] == 1.0
    assert witnesses(texts, [kept, copy, row("c", "a", 0.9)], 0.6)["borne out"] == 1
    assert witnesses(texts, [kept, copy, row("c", "b", 1.0)], 0.6)["borne out"] == 1
    assert witnesses(texts, [kept, row("b", "a", 0.7), row("c", None, 0.0)], 0.6)["borne out"] == 0


def test_all_pairs_of_a_sample_are_looked_at() -> None:
    found = pairs_by_brute_force([A, A + "!", B, B], [0, 1, 2, 2], 0.6)
    assert (found["pairs at s"], found["recall at s"]) == (2, 0.5)


def test_the_stage_runs_over_the_benchmark_s_documents(tmp_path: Path, pool: list[str]) -> None:
    from benchmarks.dedup_ours import lay_out, stage_of
    from hanjo.workers import Workers

    table = pq.read_table(write(tmp_path / "docs", pool, 300_000, 7, "parquet")[0])
    lay_out(tmp_path / "run", table)
    clear, go = stage_of(tmp_path / "run", Workers(1))
    for _ in range(2):  # from nothing each time
        clear()
        go()
        manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
        counts = manifest["stages"]["dedup"]["counts"]
        assert counts["in"]["documents"] == table.num_rows
        assert counts["removed/dedup.exact"]["documents"] > 0
        assert counts["removed/dedup.near"]["documents"] > 0
