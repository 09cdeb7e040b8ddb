"""check tells a contributor what a run would: the same counts, every error with its line, nothing private."""

from __future__ import annotations

import datetime
import json
import re
import string
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

import corpus.collect
import corpus.decide
import corpus.measure
from corpus.collect import CollectSettings
from corpus.edits import apply_edits, one_array
from corpus.measure import MeasureSettings
from corpus.rules import DecideSettings
from corpus.settings import Common, Target
from corpus.submission import EXAMPLE
from corpus.work_units import SourceSettings
from dedup.near import near_duplicates
from hanjo import check_names
from hanjo.check import CheckSettings, check
from hanjo.check_report import page, show
from hanjo.check_sections import sections
from hanjo.check_tokens import sample_of, scaled
from hanjo.check_words import LANGUAGES, WORDS, Words, asked_language
from hanjo.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "recipes" / "sample"
LABELLED = ROOT.parent / "shared" / "data" / "filter_labels.jsonl"
DAY = datetime.date(2026, 11, 24)
LABELS = {name: name for name in ("check", "divide", "lines", "read", "pairs", "compare", "tokens")}
SECRETS = ("010-2345-6789", "gildong@example.kr", "900101-1234568")


def checked(*paths: Path, **settings: Any) -> dict[str, Any]:
    settings.setdefault("workers", 1)
    return check(paths, CheckSettings(DAY, **settings), Progress("quiet"), LABELS)


def hanjo(*arguments: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hanjo.cli", "corpus", "check", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, input=given)


def written(facts: dict[str, Any], lang: str) -> str:
    """The verdict as terminal text."""
    console = Console(width=200, record=True, quiet=False, file=(Path(tempfile.gettempdir()) / "null").open("w"))
    show(facts, Words(lang), console)
    return console.export_text()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Good text in two formats, copies and near-copies, broken lines, personal data that nobody owns; made."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "submission.yaml").write_text(EXAMPLE, encoding="utf-8")
    rulings = SAMPLE / "tax-rulings" / "tribunal.jsonl.gz"
    (folder / "rulings.jsonl.gz").write_bytes(rulings.read_bytes())
    shop = (SAMPLE / "shop-strings" / "strings.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in shop]
    long = " ".join(row["text"] for row in rows[:60])
    lines = [*shop, *shop[:50]]
    lines += [json.dumps({"id": f"near{n}", "text": f"{long} 끝에 {n} 번을 덧붙입니다."}) for n in range(4)]
    told = "연락은 {} 로, 편지는 {} 로, 번호는 주민등록번호 {} 입니다. 고맙습니다."
    lines.append(json.dumps({"id": "private", "text": told.format(*SECRETS)}, ensure_ascii=False))
    lines.insert(10, '{"text": "닫히지 않은')
    (folder / "shop.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def by_pipeline(folder: Path, tmp_path: Path, run_phases: Any) -> tuple[dict[str, Any], list[str]]:
    """Counts of collect and decide on a folder, and the edited texts of what decide kept."""
    common = Common("t", 0, DAY, Target(), tmp_path)
    run = tmp_path / "run"
    source = SourceSettings(path=str(folder))
    collected = run_phases("collect", corpus.collect, run, CollectSettings(sources=(source,)), common)
    run_phases("measure", corpus.measure, run, MeasureSettings(), common)
    decided = run_phases("decide", corpus.decide, run, DecideSettings(), common)
    texts: list[str] = []
    for path in sorted((run / "documents").glob("*.parquet")):
        text, edits = (
            one_array(pq.read_table(run / kind / path.name)[column])
            for kind, column in (("documents", "text"), ("edits", "edits"))
        )
        keep = pq.read_table(run / "verdicts" / path.name)["keep"].to_pylist()
        texts += [one for one, kept in zip(apply_edits(text, edits).to_pylist(), keep, strict=True) if kept]
    removed = {reason: row["documents"] for reason, row in decided.items() if reason.startswith("removed/")}
    return {"in": collected["in"]["documents"], **removed}, texts


def test_the_counts_are_those_of_a_run(tmp_path: Path, data: Path, run_phases: Any) -> None:
    facts = checked(data)
    counts, texts = by_pipeline(data, tmp_path, run_phases)
    assert facts["came"]["documents"] == counts.pop("in")
    assert {f"removed/{row['rule']}": row["documents"] for row in facts["removed"]} == counts
    assert facts["kept"]["documents"] == len(texts)
    found = near_duplicates(texts)
    unique = [text for text, keep in zip(texts, found.keep, strict=True) if keep]
    assert facts["unique"] == {
        "documents": len(unique),
        "bytes": sum(len(text.encode()) for text in unique),
        "chars": sum(map(len, unique)),
        "eojeol": sum(len(text.split()) for text in unique),
    }
    assert facts["duplicates"]["exact"] >= 20
    assert facts["duplicates"]["near"] >= 3
    unread = sum(row["documents"] for row in facts["quarantined"])
    gone = sum(row["documents"] for row in facts["removed"]) + facts["repeated"]["documents"]
    assert facts["came"]["documents"] == unread + gone + facts["unique"]["documents"]


def test_units_of_any_size_and_two_processes_find_the_same(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f'{n},"표의 {n} 번째 줄에는\n따옴표 ""안에"" 줄바꿈이 있습니다."\n' for n in range(200)]
    (data / "table.csv").write_text("id,text\n" + "".join([*rows[:90], '90,"닫히지 않은\n', *rows[91:]]))
    elements = [{"id": n, "text": f"목록의 {n} 번째 글은 이렇게 짧게 끝납니다."} for n in range(200)]
    (data / "list.json").write_text(json.dumps(elements, ensure_ascii=False, indent=1))
    whole = checked(data)
    monkeypatch.setattr("hanjo.check.UNIT_BYTES", 4000)
    assert checked(data) == whole
    monkeypatch.setattr("hanjo.check_duplicates._PARTITION", 100)
    monkeypatch.setattr("hanjo.check_duplicates._COMPARED", 5000)
    assert checked(data, workers=2) == whole


def test_every_error_is_counted_and_the_first_have_their_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = '{"text": "이 문장은 아무 문제 없이 잘 읽히는 문장입니다."}'
    lines = [good if n % 3 else "{" for n in range(99)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr("hanjo.check.UNIT_BYTES", 300)
    facts = checked(tmp_path)
    (row,) = facts["quarantined"]
    assert (row["cause"], row["documents"], len(row["first"])) == ("json.broken", 33, 20)
    assert [re.search(r"line (\d+)", one["detail"])[1] for one in row["first"]] == [str(3 * n + 1) for n in range(20)]  # type: ignore[index]
    content = (tmp_path / "a.jsonl").read_bytes()
    assert all(content[one["offset"] :].startswith(b"{\n") for one in row["first"])
    assert facts["mend"] == ["rights", "quarantine"]
    assert all(one["path"] == f"{tmp_path}/a.jsonl" for one in row["first"])


def test_what_is_private_is_counted_and_shown_nowhere(data: Path) -> None:
    facts = checked(data)
    assert {"phone", "email", "rrn"} <= set(facts["masked"])
    told = json.dumps(facts, ensure_ascii=False) + "".join(
        written(facts, lang) + page(facts, Words(lang)) for lang in LANGUAGES
    )
    assert not [secret for secret in SECRETS if secret in told]


def test_nothing_is_left_behind(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    checked(data)
    assert not list(folder.iterdir())
    monkeypatch.setattr("hanjo.check.Store", None)
    with pytest.raises(TypeError):
        checked(data)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("change", "state", "acceptable"),
    [
        (None, "missing", False),
        (("", ""), "granted", True),
        (("train: true", "train: false"), "not_granted", False),
        (("until: null", "until: 2026-11-23"), "ended", False),
        (("until: null", "until: 2026-11-24"), "granted", True),
        (("license: contract", "licence: contract"), "broken", False),
    ],
)
def test_rights_decide_first(tmp_path: Path, change: tuple[str, str] | None, state: str, acceptable: bool) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": "a", "text": "이 문장은 아무 문제 없이 잘 읽히는 문장입니다."}', encoding="utf-8")
    if change is not None:
        (tmp_path / "submission.yaml").write_text(EXAMPLE.replace(*change), encoding="utf-8")
    facts = checked(file)
    assert (facts["rights"][0]["state"], facts["acceptable"]) == (state, acceptable)
    assert facts["mend"] == ([] if acceptable else ["rights"])
    for lang in LANGUAGES:
        text = written(facts, lang)
        assert ("contributor: our-team" in text) == (state == "missing")
        assert ("licence" in text) or state != "broken"


def test_another_submission_may_be_named(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": "a", "text": "이 문장은 아무 문제 없이 잘 읽히는 문장입니다."}', encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(EXAMPLE, encoding="utf-8")
    assert checked(file, submission=tmp_path / "mine.yaml")["acceptable"]


def test_files_are_told_with_format_and_encoding(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes("똠방각하는 옛날에 나온 이야기라고 합니다. 재미있게 읽었습니다.".encode("cp949"))
    (tmp_path / "scan.tiff").write_bytes(b"II*\0")
    (tmp_path / "p.parquet").write_bytes((SAMPLE / "tax-rulings" / "supreme-court.parquet").read_bytes())
    facts = checked(tmp_path)
    rows = {Path(row["path"]).name: (row["format"], row["encoding"]) for row in facts["files"]}
    assert rows == {"old.txt": ("plain", "cp949"), "scan.tiff": ("", None), "p.parquet": ("parquet", None)}
    assert [row["cause"] for row in facts["quarantined"]] == ["format.unknown"]


def test_an_empty_folder_and_text_that_counts_for_nothing_are_not_acceptable(tmp_path: Path) -> None:
    (tmp_path / "submission.yaml").write_text(EXAMPLE, encoding="utf-8")
    assert checked(tmp_path)["mend"] == ["files", "nothing"]
    (tmp_path / "en.txt").write_text("This is English and nothing but English, a whole sentence of it.")
    facts = checked(tmp_path)
    assert (facts["mend"], facts["remarks"]) == (["nothing"], ["language"])
    assert facts["removed"][0]["rule"] == "script.hangul"
    assert facts["removed"][0]["example"]["text"].startswith("This is English")


def test_the_labelled_paragraphs_come_out_as_judge_says(tmp_path: Path) -> None:
    if not LABELLED.exists():
        pytest.skip(f"{LABELLED} is not here: the check cannot be held against the labelled paragraphs")
    facts = checked(LABELLED)
    out = tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "hanjo.cli", "corpus", "judge", str(LABELLED), str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    rules = [json.loads(line)["rule"] for line in out.read_text(encoding="utf-8").splitlines()]
    assert {row["rule"]: row["documents"] for row in facts["removed"]} == {
        rule: rules.count(rule) for rule in set(rules) if rule
    }


def test_the_sample_is_seeded_and_the_interval_holds_the_truth() -> None:
    documents = np.arange(100_000)
    sample = sample_of(documents, 7)
    assert len(sample) == 1000
    assert (sample_of(documents, 7) == sample).all()
    assert not (sample_of(documents, 8) == sample).all()
    assert len(sample_of(np.arange(150), 0)) == 150
    random = np.random.Generator(np.random.Philox(1))
    sizes = random.integers(100, 5000, len(documents))
    tokens = (sizes / 3.4 * random.normal(1, 0.1, len(documents))).astype(int)
    held = 0
    for seed in range(40):
        drawn = sample_of(documents, seed)
        found = scaled(tokens[drawn].tolist(), sizes[drawn].tolist(), int(sizes.sum()), len(documents))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= tokens.sum() <= found.high
    assert held >= 34  # 95 % of 40 are 38


def test_tokens_are_counted_by_the_given_tokenizer(data: Path, tmp_path: Path) -> None:
    from tokenizer.train import train_tokenizer, write_tokenizer
    from tokenizer.vocabulary import open_vocabulary

    text = [json.loads(line)["text"] for line in (SAMPLE / "shop-strings" / "strings.jsonl").open(encoding="utf-8")]
    write_tokenizer(train_tokenizer(text, vocab_size=450, min_frequency=2), tmp_path / "tokenizer")
    file = tmp_path / "few.jsonl"
    file.write_text("\n".join(json.dumps({"text": f"{n}번째 문장은 {n}번째로 쓴 것입니다."}) for n in range(9)))
    found = checked(file, tokenizer=tmp_path / "tokenizer")["tokens"]
    encode = open_vocabulary(tmp_path / "tokenizer").tokenizer.encode
    truth = sum(len(encode(f"{n}번째 문장은 {n}번째로 쓴 것입니다.").ids) + 1 for n in range(9))
    assert found == {"tokens": truth, "low": truth, "high": truth, "sampled": 9, "documents": 9}
    many = checked(data, tokenizer=tmp_path / "tokenizer")["tokens"]
    assert many["low"] < many["tokens"] < many["high"]
    assert many["sampled"] == 200


def test_both_languages_say_the_same_things(data: Path) -> None:
    names = [*WORDS.items()]
    for table in ("CAUSES", "BEFALLEN", "RULES", "LOSSES", "IDENTIFIERS", "LANGUAGE_NAMES"):
        names += getattr(check_names, table).items()
    for key, (english, korean) in names:
        blanks = [sorted(name for _, name, _, _ in string.Formatter().parse(one) if name) for one in (english, korean)]
        assert blanks[0] == blanks[1] or "…" in english, key  # {"text": …} is no blank
        assert re.search("[가-힣]", korean) or not re.search("[a-z]{3}", english), key
        assert not re.search("[가-힣]", english.replace("… 더보기", "")), key
    for unheard in (check_names.cause("csv.broken"), check_names.cause("zip.odd"), check_names.rule("new.rule")):
        assert re.search("[가-힣]", unheard[1])
    facts = checked(data)
    english, korean = ([[one.id for one in sections(facts, Words(lang))] for lang in LANGUAGES][n] for n in (0, 1))
    assert english == korean


def test_the_page_is_whole_in_itself(data: Path) -> None:
    facts = checked(data)
    for lang in LANGUAGES:
        html = page(facts, Words(lang))
        assert f'<html lang="{lang}">' in html
        assert set(re.findall(r'(?:src|href)="([^"]{0,1})', html)) == {"#"}
        assert "<script" not in html
        assert "@import" not in html


def test_the_command_says_it_in_korean_and_ends_with_one_where_something_is_to_mend(tmp_path: Path, data: Path) -> None:
    html = tmp_path / "verdict.html"
    done = hanjo(data, "--lang", "ko", "--html", html)
    assert done.returncode == 0, done.stderr
    assert "문제없습니다" in done.stdout
    assert html.read_text(encoding="utf-8").count("<section") == 10
    (data / "submission.yaml").unlink()
    done = hanjo(data, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["mend"] == ["rights"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["nowhere"], "no such file or folder"), ([], "--init"), (["docs", "--lang", "fr"], "no language 'fr'")],
)
def test_wrong_usage_ends_with_two(arguments: list[str], told: str) -> None:
    done = hanjo(*arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_help_speaks_the_language_that_is_asked_for() -> None:
    assert "올리기 전에" in hanjo("--lang", "ko", "--help").stdout
    assert "before any upload" in hanjo("--lang", "en", "--help").stdout
    assert asked_language([], {"LANG": "ko_KR.UTF-8"}) == "ko"
    assert asked_language([], {"LC_ALL": "C.UTF-8", "LANG": "ko_KR.UTF-8"}) == "en"
    assert asked_language(["x", "--lang=en"], {"LANG": "ko_KR.UTF-8"}) == "en"
