"""check --index: what an index has already does not count, and is told by its place in the submission alone."""

from __future__ import annotations

import csv
import datetime
import gzip
import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from corpus.errors import StaleError, UsageError
from corpus.manifest import fingerprint
from corpus.submission import EXAMPLE
from dedup.index import Index, writing
from dedup.index_adding import add_sources
from dedup.index_parameters import IndexParameters
from dedup.index_query import query
from dedup.index_sources import Fields
from dedup.settings import DedupSettings
from hanjo.check import CheckSettings, check
from hanjo.check_report import page, show
from hanjo.check_words import LANGUAGES, Words
from hanjo.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "recipes" / "sample"
DAY = datetime.date(2026, 11, 24)
STEPS = ("check", "lines", "read", "known", "pairs", "compare", "tokens")
OWNER = "다른출판사"


def checked(*paths: Path, **settings: Any) -> dict[str, Any]:
    settings.setdefault("workers", 1)
    return check(paths, CheckSettings(DAY, **settings), Progress("quiet"), {name: name for name in STEPS})


def hanjo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hanjo.cli", "corpus", "check", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def written(facts: dict[str, Any], lang: str, tmp_path: Path) -> str:
    with (tmp_path / "null").open("w", encoding="utf-8") as null:
        console = Console(width=200, record=True, file=null)
        show(facts, Words(lang), console)
        return console.export_text()


def rulings() -> list[str]:
    with gzip.open(SAMPLE / "tax-rulings" / "tribunal.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file]


def edited(text: str, every: int) -> str:
    """A copy of which each so-manieth eojeol is another."""
    words = text.split(" ")
    return " ".join("다르게" if place % every == every - 1 else word for place, word in enumerate(words))


def lines(texts: list[str]) -> str:
    return "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Rulings that check keeps as they are and that resemble none of the others."""
    found = rulings()[:40]
    assert len(found) == 40
    return found


@pytest.fixture
def known(tmp_path: Path, texts: list[str]) -> Path:
    """An index of two segments that holds the first twenty rulings, from somebody else."""
    for number, part in enumerate((texts[:10], texts[10:20])):
        rows = [{"id": f"{OWNER}-{number}-{place}", "text": text} for place, text in enumerate(part)]
        file = tmp_path / f"known-{number}.jsonl"
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        with writing(tmp_path / "known", IndexParameters.of(DedupSettings()), create=True) as index:
            add_sources(index, [file], Fields())
    return tmp_path / "known"


@pytest.fixture
def data(tmp_path: Path, texts: list[str]) -> Path:
    """Three texts that the index has (one twice, one respaced), four near-copies (one twice), ten new ones; made."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "submission.yaml").write_text(EXAMPLE, encoding="utf-8")
    new = texts[30:40]
    near = [edited(text, 30) for text in texts[10:14]]
    rows = [*new[:5], texts[0], texts[0], texts[1].replace(" ", "  "), texts[2], *near, near[0] + " ", *new[5:]]
    (folder / "a.jsonl").write_text("{\n" + lines(rows), encoding="utf-8")
    return folder


def test_what_the_index_has_does_not_count(data: Path, known: Path) -> None:
    alone, facts = checked(data), checked(data, index=known)
    found = facts["index"]
    assert (alone["index"], alone["duplicates"]["exact"]) == (None, 2)
    assert (found["documents"], found["exact"], found["near"]) == (9, 4, 5)
    assert (facts["duplicates"]["exact"], facts["repeated"]["documents"]) == (0, 0)
    for name in ("documents", "bytes", "chars", "eojeol"):
        assert facts["unique"][name] + facts["repeated"][name] + found[name] == facts["kept"][name]
    assert facts["unique"]["documents"] == 10
    assert facts["unique"]["eojeol"] == checked_new(data, known)


def checked_new(data: Path, known: Path) -> int:
    """Eojeol of the new texts, checked by themselves."""
    lines_of = (data / "a.jsonl").read_text(encoding="utf-8").splitlines()
    folder = data.parent / "new"
    folder.mkdir()
    (folder / "a.jsonl").write_text("\n".join([*lines_of[1:6], *lines_of[-5:]]), encoding="utf-8")
    eojeol: int = checked(folder, index=known)["unique"]["eojeol"]
    return eojeol


def test_the_first_ones_are_told_by_line_kind_and_similarity(data: Path, known: Path, texts: list[str]) -> None:
    first = checked(data, index=known)["index"]["first"]
    assert [one["line"] for one in first] == [7, 8, 9, 10, 11, 12, 13, 14, 15]
    assert [one["kind"] for one in first] == ["exact"] * 4 + ["near"] * 5
    content = (data / "a.jsonl").read_bytes()
    assert all(content[: one["offset"]].count(b"\n") + 1 == one["line"] for one in first)
    asked = [edited(text, 30) for text in texts[10:14]]
    index = Index.open(known)
    matches = query(index.tables, pa.array(asked, pa.large_string()), index.parameters)
    assert [one["similarity"] for one in first[4:8]] == pytest.approx([match[0].similarity for match in matches])


@pytest.mark.parametrize(("name", "line"), [("a.jsonl.gz", 7), ("a.csv", 8), ("a.parquet", None)])
def test_lines_are_told_of_formats_that_have_lines(
    tmp_path: Path, data: Path, known: Path, name: str, line: int | None
) -> None:
    rows = [json.loads(one)["text"] for one in (data / "a.jsonl").read_text(encoding="utf-8").splitlines()[1:]]
    file = tmp_path / name
    if name.endswith(".gz"):
        file.write_bytes(gzip.compress((data / "a.jsonl").read_bytes()))
    elif name.endswith(".csv"):
        with file.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(["text"])
            writer.writerows(
                [["제목이 두 줄인\n글입니다. 그리고 아무 문제 없이 읽히는 문장입니다."], *([one] for one in rows)]
            )
    else:
        pq.write_table(pa.table({"text": rows}), file)
    first = checked(file, index=known)["index"]["first"][0]
    if name.endswith(".csv"):
        content = file.read_bytes()
        line = content[: first["offset"]].count(b"\n") + 1
        assert line > len(rows[:5]) + 3  # texts of several lines stand before it
    assert first["line"] == line
    assert first["kind"] == "exact"


def test_nothing_of_the_index_is_shown(data: Path, known: Path, tmp_path: Path, texts: list[str]) -> None:
    facts = checked(data, index=known)
    told = json.dumps(facts, ensure_ascii=False)
    told += "".join(written(facts, lang, tmp_path) + page(facts, Words(lang)) for lang in LANGUAGES)
    index = Index.open(known)
    ids = {
        f"{high:016x}{low:016x}"
        for one in index.tables.segments
        for high, low in zip(
            one.tables["documents"]["id_hi"].tolist(), one.tables["documents"]["id_lo"].tolist(), strict=True
        )
    }
    assert len(ids) == 20
    assert OWNER not in told
    assert not [one for one in ids if one in told]
    assert not [text for text in texts[3:20] if text[:40] in told]


def test_both_languages_and_the_page_say_it(data: Path, known: Path, tmp_path: Path) -> None:
    facts = checked(data, index=known)
    english, korean = (written(facts, lang, tmp_path) for lang in ("en", "ko"))
    assert "9 documents are in the index already and do not count: 4 with the same text" in english
    assert "line 7" in english
    assert "문서 9건은 이미 색인에 있어 인정되지 않습니다" in korean
    assert "7번째 줄" in korean
    for lang in LANGUAGES:
        html = page(facts, Words(lang))
        assert '<section id="index">' in html
        assert Words(lang)("funnel.index") in html
    assert '<section id="index">' not in page(checked(data), Words("en"))


def test_blocks_units_and_processes_of_any_size_find_the_same(
    data: Path, known: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = checked(data, index=known)
    monkeypatch.setattr("hanjo.check_index._BLOCK", 3)
    monkeypatch.setattr("dedup.index_lookup._STRETCH", 2)
    monkeypatch.setattr("dedup.index_lookup._FOUND", 2)
    monkeypatch.setattr("dedup.index_lookup._COMPARED", 4000)
    monkeypatch.setattr("dedup.index_lookup._PAIRS", 1)
    monkeypatch.setattr("hanjo.check.UNIT_BYTES", 4000)
    found = checked(data, index=known)
    assert found["index"]["first"] == whole["index"]["first"]
    assert found == whole
    assert checked(data, index=known, workers=2) == whole


def test_a_text_that_only_resembles_a_removed_one_of_the_index_counts(tmp_path: Path, texts: list[str]) -> None:
    """As in a run: only what stays is a witness."""
    words = " ".join(texts[20:30]).split()
    longest, removed, asked = (" ".join(words[at : at + size]) for at, size in ((0, 100), (20, 95), (40, 90)))
    file = tmp_path / "pair.jsonl"
    rows = [{"id": "longest", "text": longest}, {"id": "removed", "text": removed}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with writing(tmp_path / "known", IndexParameters.of(DedupSettings()), create=True) as index:
        add_sources(index, [file], Fields())
        assert index.totals["kept"] == 1
    (tmp_path / "asked.jsonl").write_text(lines([asked]), encoding="utf-8")
    index = Index.open(tmp_path / "known")
    (matches,) = query(index.tables, pa.array([asked], pa.large_string()), index.parameters)
    assert [match.keep for match in matches] == [False]
    facts = checked(tmp_path / "asked.jsonl", index=tmp_path / "known")
    assert (facts["index"]["documents"], facts["unique"]["documents"]) == (0, 1)


def test_tokens_that_do_not_count_are_estimated_too(data: Path, known: Path, tmp_path: Path) -> None:
    from tokenizer.train import train_tokenizer, write_tokenizer
    from tokenizer.vocabulary import open_vocabulary

    write_tokenizer(train_tokenizer(rulings()[:20], vocab_size=600, min_frequency=2), tmp_path / "tokenizer")
    facts = checked(data, index=known, tokenizer=tmp_path / "tokenizer")
    encode = open_vocabulary(tmp_path / "tokenizer").tokenizer.encode
    rows = [json.loads(one)["text"] for one in (data / "a.jsonl").read_text(encoding="utf-8").splitlines()[1:]]
    listed = facts["index"]["tokens"]
    assert listed["documents"] == listed["sampled"] == 9
    assert listed["tokens"] == pytest.approx(sum(len(encode(text).ids) + 1 for text in rows[5:14]), rel=0.02)
    assert facts["tokens"]["documents"] == 10


@pytest.mark.parametrize(
    ("make", "message", "kind"),
    [
        (lambda folder: folder.mkdir(), "no index here", UsageError),
        (lambda folder: None, "no index here", UsageError),
        (lambda folder: made(folder, similarity=0.7), "made with .*similarity 0.7, not 0.6", StaleError),
        (lambda folder: made(folder, shingle=4), "made with shingle 4, not 5", StaleError),
        (lambda folder: with_format(folder, 99), "format 99; this version of hanjo reads format", StaleError),
    ],
)
def test_what_is_no_such_index_is_refused_with_the_reason(
    tmp_path: Path, data: Path, make: Any, message: str, kind: type[Exception]
) -> None:
    make(tmp_path / "other")
    for workers in (1, 2):
        with pytest.raises(kind, match=message) as refused:
            checked(data, index=tmp_path / "other", workers=workers)
        assert refused.value.fix  # type: ignore[attr-defined]


def made(folder: Path, **settings: Any) -> None:
    with writing(folder, IndexParameters.of(replace(DedupSettings(), bands=0, rows=0, **settings)), create=True):
        pass


def with_format(folder: Path, number: int) -> None:
    made(folder)
    held = json.loads((folder / "manifest.json").read_text()) | {"format": number}
    held.pop("check")
    (folder / "manifest.json").write_text(json.dumps({**held, "check": fingerprint(held)}))


def test_an_index_with_another_seed_split_and_preference_is_accepted(tmp_path: Path, data: Path) -> None:
    made(tmp_path / "other", prefer=("shortest",), valid=0.3)
    assert checked(data, index=tmp_path / "other")["index"]["documents"] == 0


def test_the_command_takes_an_index_and_refuses_a_folder_that_is_none(data: Path, known: Path, tmp_path: Path) -> None:
    html = tmp_path / "verdict.html"
    done = hanjo(data, "--index", known, "--json", "--html", html)
    assert json.loads(done.stdout)["index"]["documents"] == 9, done.stderr
    assert 'id="index"' in html.read_text(encoding="utf-8")
    done = hanjo(data, "--index", tmp_path)
    assert done.returncode == 2
    assert "no index here" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_crowd_of_texts_that_share_a_band_is_searched(tmp_path: Path, texts: list[str]) -> None:
    """Three hundred texts that share most of their shingles: in a bucket of so many only the best are asked."""
    rng = random.Random(3)
    common, rest = texts[0][:300], " ".join(texts[1:30]).split(" ")
    crowd = [common + " " + " ".join(rng.sample(rest, 60)) for _ in range(300)]
    file = tmp_path / "crowd.jsonl"
    file.write_text("".join(json.dumps({"id": str(n), "text": t}) + "\n" for n, t in enumerate(crowd)))
    with writing(tmp_path / "known", IndexParameters.of(DedupSettings()), create=True) as index:
        add_sources(index, [file], Fields())
        assert index.totals["documents"] == 300
    (tmp_path / "asked.jsonl").write_text(lines([edited(one, 25) for one in crowd[:20]]))
    facts = checked(tmp_path / "asked.jsonl", index=tmp_path / "known")
    assert (
        facts["index"]["near"]
        == facts["kept"]["documents"] - facts["duplicates"]["near"] - facts["unique"]["documents"]
    )
    assert facts["index"]["near"] >= 18
