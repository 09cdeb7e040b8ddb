"""The benchmark corpus is the same for the same seed and says truly how its copies differ."""

from __future__ import annotations

import collections
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

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
