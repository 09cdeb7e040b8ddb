"""The ledger of a real run: counted twice to the same figures, chained, told by receipts, whole after any kill."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from corpus import ledger
from corpus.errors import LedgerError, StaleError
from hanjo.ledger import current_entry, record, verify

Hanjo = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "recipes" / "sample"
RIGHTS = (
    "publish_weights: true, derive: true, commercial: true, attribution: null, until: {until}, license: L, evidence: e"
)
SMALL = ("--until", "tokenize", "--set", "tokenize.vocab_size=512", "--set", "execution.workers=1")
DOCS = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")


def write_source(folder: Path, name: str, contributor: str, texts: list[str], **told: str) -> None:
    """A folder of JSON lines with its submission.yaml."""
    folder.mkdir()
    words = {"origin": "natural", "redistribute": "true", "until": "null", **told}
    rights = f"{{train: true, redistribute: {words['redistribute']}, {RIGHTS.format(until=words['until'])}}}"
    lines = f"contributor: {contributor}\nsource: {name}\nlang: ko\ndomain: test\norigin: {words['origin']}\n"
    (folder / "submission.yaml").write_text(f"{lines}rights: {rights}\n", encoding="utf-8")
    rows = (json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    (folder / "a.jsonl").write_text("".join(rows), encoding="utf-8")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sources of two contributors: rulings; a third of the same again, licensed; rulings whose grant ends."""
    folder = tmp_path_factory.mktemp("ledger")
    with gzip.open(SAMPLE / "tax-rulings" / "tribunal.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in islice(lines, 90)]
    assert len(texts) == 90
    write_source(folder / "a", "rulings", "한빛", texts[:60])
    write_source(folder / "b", "again", "새벽", texts[:20] + texts[60:70], origin="translated", redistribute="false")
    write_source(folder / "c", "ends", "새벽", texts[70:], until="2026-12-31")
    sources = "".join(f"    - path: {name}\n" for name in "abc")
    path = folder / "recipe.yaml"
    path.write_text(f"name: 원장\nas_of: 2026-11-24\ncollect:\n  sources:\n{sources}", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(hanjo: Hanjo, recipe: Path) -> Path:
    done = hanjo("run", recipe, "--run", recipe.parent / "run", *SMALL)
    assert done.returncode == 0, done.stderr
    return recipe.parent / "run"


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "run"))


def entry_of(run: Path) -> dict[str, Any]:
    (entry,) = ledger.read_ledger(run)
    return entry


def rows_by_source(run: Path) -> dict[str, Any]:
    return {row["source"]: row for row in entry_of(run)["rows"]}


def test_the_figures_are_those_of_the_text_itself(made: Path) -> None:
    tables = [pq.read_table(path) for path in made.glob("unique/*/*.parquet")]
    unique = [pair for t in tables for pair in zip(t["text"].to_pylist(), t["source"].to_pylist(), strict=True)]
    for name, row in rows_by_source(made).items():
        texts = [text for text, source in unique if source == name]
        assert row["unique"]["documents"] == len(texts)
        assert row["unique"]["bytes"] == sum(len(text.encode()) for text in texts)
        assert row["unique"]["chars"] == sum(map(len, texts))
        assert row["unique"]["eojeol"] == sum(len(text.split()) for text in texts)


def test_axes_come_from_the_submission_the_rights_and_dedup(made: Path) -> None:
    rows = rows_by_source(made)
    told = {name: (row["contributor"], row["origin"], row["access"]) for name, row in rows.items()}
    assert told["rulings"] == ("한빛", "natural", "open")
    assert told["again"] == ("새벽", "translated", "licensed")
    assert told["ends"] == ("새벽", "natural", "open")
    copies = sum(row["repeated"]["documents"] for row in rows.values())
    assert copies >= 20  # the same text twice
    assert rows["again"]["collected"]["documents"] == 30
    axes = ledger.axes(rows.values())
    assert sum(row["documents"] for row in axes if row["part"] == "repeated") == copies
    assert all((row["tokens"] is None) == (row["part"] == "repeated") for row in axes)


def test_tokens_are_those_of_the_manifest_and_the_forecast_is_a_proportion(made: Path) -> None:
    toward = entry_of(made)["toward"]
    manifest = json.loads((made / "manifest.json").read_text())
    assert toward["unique"] == manifest["stages"]["tokenize"]["counts"]["kept"]["tokens"]
    size = sum(len(line) - 1 for path in made.parent.glob("?/a.jsonl") for line in path.open("rb"))
    assert toward["collected_bytes"] == size
    missing = 10**12 - toward["unique"]
    assert toward["missing"] == missing
    assert (
        (toward["bytes_missing"] - 1) * toward["unique"] < missing * size <= toward["bytes_missing"] * toward["unique"]
    )
    assert ledger.forecast([], 5)["bytes_missing"] is None


def test_access_ends_with_the_grant(hanjo: Hanjo, run: Path, recipe: Path) -> None:
    done = hanjo("run", recipe, "--run", run, *SMALL, "--set", "as_of=2027-01-01", "--set", "target.rights=[]")
    assert done.returncode == 0, done.stderr
    first, second = ledger.read_ledger(run)
    assert {row["access"] for row in second["rows"] if row["source"] == "ends"} == {"licensed"}
    assert (second["supersedes"], second["previous"]) == (first["entry"], first["hash"])


def test_a_run_that_stands_appends_nothing(hanjo: Hanjo, run: Path, recipe: Path) -> None:
    before = (run / ledger.FILE).read_bytes()
    assert record(run) is None
    assert hanjo("run", recipe, "--run", run, *SMALL).returncode == 0
    assert (run / ledger.FILE).read_bytes() == before


def test_a_line_cut_off_by_a_kill_is_written_again_to_the_same_bytes(run: Path) -> None:
    path = run / ledger.FILE
    whole = path.read_bytes()
    for kept in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:kept])
        assert ledger.read_ledger(run) == []
        assert record(run) is not None
        assert path.read_bytes() == whole
    path.unlink()
    assert record(run) is not None
    assert path.read_bytes() == whole


def test_a_line_is_added_after_a_torn_one(run: Path) -> None:
    path = run / ledger.FILE
    first = path.read_bytes()
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["target"]["tokens"] = 10
    (run / "manifest.json").write_text(json.dumps(manifest))
    path.write_bytes(first + b'{"as_of":"2026')
    second = record(run)
    assert second is not None and second["toward"]["missing"] == 0
    assert path.read_bytes().startswith(first + b'{"as_of"') and len(ledger.read_ledger(run)) == 2


def test_the_first_broken_line_is_named(hanjo: Hanjo, run: Path) -> None:
    path = run / ledger.FILE
    manifest = json.loads((run / "manifest.json").read_text())
    for target in (10, 20):
        manifest["target"]["tokens"] = target
        (run / "manifest.json").write_text(json.dumps(manifest))
        record(run)
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(ledger.read_ledger(run)) == len(lines) == 3
    changes = {
        "line 2: its hash": [lines[0], re.sub(rb'"tokens":\d+', b'"tokens":9', lines[1], count=1), lines[2]],
        "line 2: not chained": [lines[0], lines[2]],
        "line 1: not chained": lines[1:],
        "line 3: not JSON": [*lines[:2], b"nothing\n"],
        "line 3: no entry": [*lines[:2], b"{}\n"],
        "line 1: its hash": [lines[0].replace(b":", b": ", 1), *lines[1:]],
    }
    for told, changed in changes.items():
        path.write_bytes(b"".join(changed))
        with pytest.raises(LedgerError, match=told):
            ledger.read_ledger(run)
        with pytest.raises(LedgerError):
            record(run)
        assert current_entry(run) is None
    assert hanjo("corpus", "ledger", run).returncode == 1


def test_counting_anew_finds_what_a_rewritten_ledger_hides(hanjo: Hanjo, run: Path) -> None:
    entry = entry_of(run)
    assert verify(run, entry) == []
    entry["rows"][0]["unique"]["tokens"] += 1
    entry["hash"] = ledger.line_hash(entry)
    (run / ledger.FILE).write_text(ledger.canonical(entry) + "\n", encoding="utf-8")
    shown = hanjo("corpus", "ledger", run, "--json")
    assert shown.returncode == 1
    told = json.loads(shown.stdout)
    (difference,) = told["differences"]
    assert not told["verified"] and "unique tokens" in difference
    assert hanjo("corpus", "ledger", run, "--no-verify").returncode == 0


def test_the_command_shows_tables_axes_and_forecast(hanjo: Hanjo, made: Path) -> None:
    shown = hanjo("corpus", "ledger", made)
    assert shown.returncode == 0, shown.stderr
    for word in (
        "한빛",
        "새벽",
        "rulings",
        "translated",
        "licensed",
        "repeated",
        "of such text are missing",
        "chain whole",
    ):
        assert word in shown.stdout
    assert hanjo("corpus", "ledger", "show", made).stdout == shown.stdout
    assert json.loads(hanjo("corpus", "ledger", "--json", made).stdout)["verified"]


def test_the_report_shows_the_axes_of_a_ledger_that_holds(hanjo: Hanjo, run: Path) -> None:
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "By origin, access and repetition" in page and entry_of(run)["hash"][:12] in page
    (run / ledger.FILE).unlink()
    assert hanjo("report", run).returncode == 0
    assert "By origin, access and repetition" not in (run / "report.html").read_text(encoding="utf-8")


def test_a_receipt_holds_and_says_which_figure_was_changed(hanjo: Hanjo, run: Path, tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    done = hanjo("corpus", "ledger", "receipt", "--run", run, "--contributor", "새벽", "--out", file)
    assert done.returncode == 0, done.stderr
    receipt = json.loads(file.read_text(encoding="utf-8"))
    rows = [row for row in entry_of(run)["rows"] if row["contributor"] == "새벽"]
    assert receipt["totals"]["unique"]["tokens"] == sum(row["unique"]["tokens"] for row in rows)
    assert receipt["totals"]["repeated"]["documents"] == sum(row["repeated"]["documents"] for row in rows)
    assert hanjo("corpus", "ledger", "check", file, "--run", run).returncode == 0

    receipt["unique"][0]["tokens"] += 5
    file.write_text(json.dumps(receipt), encoding="utf-8")
    wrong = hanjo("corpus", "ledger", "check", file, "--run", run, "--json")
    assert wrong.returncode == 1
    told = "\n".join(json.loads(wrong.stdout)["differences"])
    assert "the receipt was changed" in told
    assert f"{receipt['unique'][0]['path']}: unique tokens {receipt['unique'][0]['tokens']} in the receipt" in told
    assert "unique tokens: the total says" in told


def test_a_receipt_finds_a_shard_that_was_changed_and_needs_no_documents(
    hanjo: Hanjo, run: Path, tmp_path: Path
) -> None:
    file = tmp_path / "receipt.json"
    assert hanjo("corpus", "ledger", "receipt", "--run", run, "--contributor", "한빛", "--out", file).returncode == 0
    shutil.rmtree(run / "documents")
    well = hanjo("corpus", "ledger", "check", file, "--run", run)
    assert well.returncode == 0 and "copies were not counted again" in well.stdout
    path = next(iter(sorted(run.glob("tokens/train/*.docs.parquet"))))
    table = pq.read_table(path)
    first = pc.equal(pc.cast(pa.array(range(table.num_rows)), pa.int64()), 0)
    withdrawn = table.set_column(table.schema.get_field_index("withdrawn"), "withdrawn", first)
    pq.write_table(withdrawn.replace_schema_metadata(table.schema.metadata), path)
    wrong = hanjo("corpus", "ledger", "check", file, "--run", run)
    assert wrong.returncode == 1
    assert f"{path.relative_to(run)}: unique documents" in wrong.stderr and "blake2b" in wrong.stderr


def test_bad_asks_are_told(hanjo: Hanjo, run: Path, tmp_path: Path) -> None:
    nobody = hanjo("corpus", "ledger", "receipt", "--run", run, "--contributor", "아무개")
    assert nobody.returncode == 2 and "새벽, 한빛" in nobody.stderr
    (tmp_path / "x.json").write_text("[]")
    assert "no receipt" in hanjo("corpus", "ledger", "check", tmp_path / "x.json", "--run", run).stderr
    assert hanjo("corpus", "ledger", "check", tmp_path / "y.json", "--run", run).returncode == 2
    assert hanjo("corpus", "ledger", tmp_path).returncode == 2
    (run / ledger.FILE).unlink()
    assert "no ledger yet" in hanjo("corpus", "ledger", run).stderr
    (run / "manifest.json").write_text('{"stages": {}}')
    with pytest.raises(StaleError, match="collect has not finished"):
        record(run)


@pytest.mark.parametrize("number", [0, 1])
def test_the_snippets_of_the_page_count_as_hanjo_does(
    hanjo: Hanjo, number: int, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    snippet = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)[number]
    file = tmp_path / "receipt.json"
    assert hanjo("corpus", "ledger", "receipt", "--run", made, "--contributor", "한빛", "--out", file).returncode == 0
    exec(compile(snippet, "docs/ledger.md", "exec"), {"RUN": made, "RECEIPT": file})
    if number == 1:
        assert capsys.readouterr().out == f"{rows_by_source(made)['rulings']['unique']['tokens']} tokens\n"
