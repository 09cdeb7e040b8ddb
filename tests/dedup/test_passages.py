"""Repeated passages against a naive search in plain Python, over the runs that the stage leaves behind."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup.lines
from corpus.documents import document_id, text_hash
from corpus.edits import Edit
from corpus.shards import Counts, JobContext
from dedup import stage
from dedup.cuts import aligned, united, within_budget
from dedup.inputs import edited_texts, layout_of
from dedup.passages import joined, repeated_spans
from dedup.runs import Layout
from dedup.settings import DedupSettings, SubstringSettings
from dedup.unique import surviving

N = 24
ON = DedupSettings(
    substrings=SubstringSettings(cut=True, chars=N),
    similarity=1.0,
    bands=1,
    rows=32,
    cut_budget=0.9,
    prefer=("longest",),
)
Spans = list[tuple[int, int]]


def visible(text: str) -> tuple[str, list[int], list[int]]:
    """The text without white space, and each character's first byte and the byte after it."""
    bare, starts, ends, at = [], [], [], 0
    for letter in text:
        size = len(letter.encode())
        if not letter.isspace():
            bare.append(letter)
            starts.append(at)
            ends.append(at + size)
        at += size
    return "".join(bare), starts, ends


def naive(text: str, better: list[str], size: int) -> Spans:
    """Byte spans covered by windows of `size` visible characters that a better text holds too."""
    bare, starts, ends = visible(text)
    others = [visible(other)[0] for other in better]
    spans: Spans = []
    for i in range(len(bare) - size + 1):
        if any(bare[i : i + size] in other for other in others):
            if spans and starts[i] <= spans[-1][1]:
                spans[-1] = (spans[-1][0], ends[i + size - 1])
            else:
                spans.append((starts[i], ends[i + size - 1]))
    return spans


class Corpus:
    """A run of texts through the stage, and what was found in it."""

    def __init__(self, kit: Any, run_phases: Any, folder: Path) -> None:
        self.kit, self.run_phases, self.folder, self.made = kit, run_phases, folder, 0

    def __call__(self, texts: list[str], sizes: tuple[int, ...] = (3,), settings: DedupSettings = ON) -> Counts:
        self.made += 1
        self.run = self.folder / str(self.made)
        self.run.mkdir()
        documents = [self.kit.Document(f"{i:04d}", text) for i, text in enumerate(texts)]
        shards, at = [], 0
        for size in (*sizes, len(documents)):
            shards.append(documents[at : at + size])
            at += size
        self.kit.make_run(self.run, shards)
        counts: Counts = self.run_phases("dedup", stage, self.run, settings, self.kit.common(self.run))
        return counts

    def found(self, parts: int = 1) -> dict[str, Spans]:
        """Text → its verified spans, before they are drawn in to borders."""
        layout, context = layout_of(self.run), JobContext(self.run, "", 0)
        spans: dict[str, Spans] = {}
        for shard in range(len(layout.names)):
            rows = surviving(context, layout, shard)
            texts = edited_texts(self.run, layout, shard, rows)
            document, start, end = repeated_spans(context, layout, shard, rows, texts, parts, N)
            for i, text in enumerate(texts.to_pylist()):
                mine = document == i
                spans[text] = list(zip(start[mine].tolist(), end[mine].tolist(), strict=True))
        return spans

    def unique(self) -> dict[str, str]:
        """The documents' text as it was → as it goes on."""
        went_on = {}
        for path in sorted((self.run / "unique").rglob("*.parquet")):
            went_on |= {row["id"]: row for row in pq.read_table(path).to_pylist()}
        before = {}
        for path in sorted((self.run / "documents").glob("*.parquet")):
            before |= {row["id"]: row["text"] for row in pq.read_table(path, columns=["id", "text"]).to_pylist()}
        assert all(row["text_hash"] == text_hash(row["text"]) for row in went_on.values())
        return {before[name]: row["text"] for name, row in went_on.items()}


@pytest.fixture
def corpus(kit: Any, run_phases: Any, tmp_path: Path) -> Corpus:
    return Corpus(kit, run_phases, tmp_path)


def respaced(text: str, rng: random.Random) -> str:
    return "".join(letter if letter.isspace() and rng.random() < 0.5 else letter.strip() for letter in text)


def woven(kit: Any, rng: random.Random, count: int) -> list[str]:
    """Texts with shared stretches of many lengths, some of them with other spacing, some within one text alone."""
    pool = [kit.korean_text(rng, rng.randint(20, 40)) for _ in range(4)]
    texts = []
    for _ in range(count):
        parts = [kit.korean_text(rng, rng.randint(1, 10)) for _ in range(rng.randint(1, 4))]
        for _ in range(rng.randint(0, 3)):
            piece = rng.choice(pool)
            low = rng.randrange(len(piece) // 2)
            piece = piece[low : low + rng.randint(20, 120)]
            piece = respaced(piece, rng) if rng.random() < 0.3 else piece
            parts.insert(rng.randint(0, len(parts)), piece)
        texts.append("".join(parts) if rng.random() < 0.3 else rng.choice(" \n").join(parts))
    return list(dict.fromkeys(texts))


@pytest.mark.parametrize("seed", range(6))
def test_spans_are_those_of_a_naive_search(corpus: Corpus, kit: Any, seed: int) -> None:
    rng = random.Random(seed)
    corpus(woven(kit, rng, 14), sizes=(4, 0, 3))
    found = corpus.found()
    ids = {text: i for i, text in enumerate(found)}
    order = {}
    for path in sorted((corpus.run / "documents").glob("*.parquet")):
        for row in pq.read_table(path, columns=["id", "text"]).to_pylist():
            if row["text"] in ids:
                order[row["text"]] = (-len(row["text"].encode()), row["id"])
    assert document_id("test", "0000") in {name for _, name in order.values()}
    ranked = sorted(found, key=lambda text: order[text])
    assert any(found.values())
    for place, text in enumerate(ranked):
        assert found[text] == naive(text, ranked[:place], N), text


def test_partitions_and_shards_do_not_change_the_spans(
    corpus: Corpus, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = woven(kit, random.Random(11), 14)
    corpus(texts, sizes=(14,))
    first = corpus.found()
    monkeypatch.setattr(dedup.lines, "_ROWS_A_PARTITION", 40)
    corpus(texts, sizes=(1, 6, 2))
    passages = len(list((corpus.run / ".scratch/dedup/passages").glob("*.arrow")))
    assert passages > 1
    assert corpus.found(passages) == first


def test_the_preferred_document_keeps_the_passage(corpus: Corpus, kit: Any) -> None:
    rng = random.Random(3)
    passage = "이 글은 여러 문서에 그대로 실린 소개의 말이다. 두 번째 문장도 또한 그대로 실려 있다."
    bodies = [kit.korean_text(rng, 30 + i).replace("\n", " ") for i in range(4)]
    texts = [f"{body}\n{passage}\n{body[::-1]}" for body in bodies]
    counts = corpus(texts)
    unique = corpus.unique()
    longest = max(texts, key=lambda text: len(text.encode()))
    assert unique[longest] == longest
    for body, text in zip(bodies, texts, strict=True):
        if text != longest:
            assert unique[text] == f"{body}\n{body[::-1]}"
    size = len(passage.encode()) + 1
    assert counts["cut/repeat.passage"] == {"documents": 3, "spans": 3, "bytes": 3 * size}
    assert counts["kept"]["bytes"] == counts["in"]["bytes"] - 3 * size


def test_above_the_budget_a_document_stays_whole(corpus: Corpus, kit: Any) -> None:
    passage = kit.korean_text(random.Random(2), 30)
    texts = [passage + "\n그리고 더 길게 이어지는 글이다.", passage]
    strict = DedupSettings(substrings=ON.substrings, similarity=1.0, bands=1, rows=32, cut_budget=0.3)
    counts = corpus(texts, settings=strict)
    assert corpus.unique() == {text: text for text in texts}
    assert counts["reported/repeat.over_budget"] == {"documents": 1}


def test_cuts_speak_of_the_edited_text(kit: Any, run_phases: Any, tmp_path: Path) -> None:
    rng = random.Random(8)
    passage = "이 글은 여러 문서에 그대로 실린 소개의 말이다. 두 번째 문장도 또한 그대로 실려 있다."
    bodies = [kit.korean_text(rng, 20 + i).replace("\n", " ") for i in range(2)]
    edit = Edit(0, len("머리말\n".encode()), "boilerplate.test")
    documents = [kit.Document(str(i), f"머리말\n{passage}\n{body}", edits=(edit,)) for i, body in enumerate(bodies)]
    kit.make_run(tmp_path, [documents])
    run_phases("dedup", stage, tmp_path, ON, kit.common(tmp_path))
    cuts = pq.read_table(tmp_path / "clusters" / "00000.parquet", columns=["cuts"])["cuts"].to_pylist()
    kept, ((cut,),) = [one for one in cuts if not one], [one for one in cuts if one]
    assert kept == [[]]
    assert (cut["start"], cut["end"]) == (0, len(passage.encode()) + 1)


def test_a_passage_in_very_many_documents_is_found_in_each(corpus: Corpus, kit: Any) -> None:
    rng = random.Random(1)
    passage = "똑같은 안내문이 모든 문서의 가운데에 들어 있어 어느 문서에서나 같은 글이 나온다."
    texts = [f"{kit.korean_text(rng, 25)}\n{passage}\n{kit.korean_text(rng, 25)}" for _ in range(300)]
    corpus(texts)
    assert sum(passage in text for text in corpus.unique().values()) == 1


CASES = [
    # text, first and last words of the repeated stretch, what is left; chars = 10
    (
        "앞의 문장이다. 되풀이되는 문장이 하나 있다. 뒤의 문장이다.",
        "문장이다. 되풀이",
        "하나 있다. 뒤",
        "앞의 문장이다. 뒤의 문장이다.",
    ),
    ("머리\n되풀이되는 줄이 하나 여기 있음\n꼬리", "되풀이", "있음", "머리\n꼬리"),
    (
        "하나뿐인 긴 문장 안에서 여러 낱말이 되풀이되어 나온다",
        "에서 여러 낱말이 되풀이되어 나",
        "나",
        "하나뿐인 긴 문장 안에서 나온다",
    ),
    ("띄어쓰기없이이어진글자가되풀이되어나온다", "기없이이어진글자가되풀", "되풀", "띄어쓰이되어나온다"),
]


@pytest.mark.parametrize(("text", "first", "last", "left"), CASES)
def test_spans_are_drawn_in_to_sentences_then_words(text: str, first: str, last: str, left: str) -> None:
    low = text.index(first)
    high = text.index(last, low) + len(last)
    start, end = len(text[:low].encode()), len(text[:high].encode())
    _, starts, ends = aligned(
        pa.array([text], pa.large_string()), np.array([0]), np.array([start]), np.array([end]), 10
    )
    data = text.encode()
    assert (data[: starts[0]] + data[ends[0] :]).decode() == left


@given(st.text(st.sampled_from(list("가나 .\n'다a")), max_size=60), st.data(), st.integers(1, 8))
@settings(max_examples=200, deadline=None)
def test_drawing_in_takes_nothing_visible_from_outside_and_leaves_enough(text: str, data: Any, chars: int) -> None:
    bare, starts, ends = visible(text)
    if len(bare) < chars:
        return
    first = data.draw(st.integers(0, len(bare) - chars))
    last = data.draw(st.integers(first + chars - 1, len(bare) - 1))
    span = (np.array([0]), np.array([starts[first]]), np.array([ends[last]]))
    _, low, high = aligned(pa.array([text], pa.large_string()), *span, chars)
    cut = text.encode()[low[0] : high[0]].decode()
    inside = text.encode()[starts[first] : ends[last]].decode()
    assert "".join(cut.split()) in "".join(inside.split())
    assert len("".join(cut.split())) >= chars
    assert low[0] >= starts[first]


SPANS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(1, 6)), max_size=12)


@given(SPANS, SPANS)
@settings(max_examples=200, deadline=None)
def test_united_spans_cover_both_and_keep_those_of_lines_whole(left: Any, right: Any) -> None:
    def columns(spans: Any) -> tuple[Any, Any, Any]:
        table = np.array([(d, s, s + n) for d, s, n in spans], np.int64).reshape(-1, 3)
        return joined(table[:, 0], table[:, 1], table[:, 2])

    def covered(*columns: Any) -> set[tuple[int, int]]:
        return {(d, i) for d, s, e in zip(*(c.tolist() for c in columns), strict=True) for i in range(s, e)}

    first, second = columns(left), columns(right)
    assert covered(*first) == {(d, i) for d, s, n in left for i in range(s, s + n)}
    document, start, end, rule = united(first, second)
    assert covered(document, start, end) == covered(*first) | covered(*second)
    assert int((end - start).sum()) == len(covered(document, start, end))
    lines = rule == 0
    assert covered(document[lines], start[lines], end[lines]) == covered(*first)
    assert list(zip(document, start, strict=True)) == sorted(zip(document, start, strict=True))


def test_the_budget_is_a_share_of_each_document() -> None:
    document, size = np.array([0, 0, 2]), np.array([10, 20, 31])
    assert within_budget(document, size, np.array([100, 0, 100]), 0.3).tolist() == [True, True, False]


def test_an_empty_run_has_no_passages(corpus: Corpus) -> None:
    assert "cut/repeat.passage" not in corpus(["가"], sizes=(0,))
    assert isinstance(layout_of(corpus.run), Layout)
