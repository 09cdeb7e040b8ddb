"""A recipe's kind, borders and weights of the tokenizer: checked with file, line and the nearest; no worker's mark."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.errors import RecipeError
from hanjo.recipe import explain, load_recipe

ROOT = Path(__file__).resolve().parents[2]
GOOD = "name: small\nas_of: 2026-11-24\n"
SOURCES = "[{path: sample/tax-rulings}, {path: sample/libreoffice-site}]"


def hanjo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hanjo.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def go(run: Path, *sets: str, until: str = "tokenize") -> subprocess.CompletedProcess[str]:
    told = [part for one in (f"collect.sources={SOURCES}", *sets) for part in ("--set", one)]
    return hanjo("run", "recipes/quickstart.yaml", "--run", run, "--until", until, "--json", *told)


@pytest.fixture(scope="module")
def deduplicated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("kinds") / "run"
    done = go(run, until="dedup")
    assert done.returncode == 0, done.stderr
    return run


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "unigram", "vocab_size": "2048", "weights": "{tax-rulings: 0.2}", "sample_bytes": "200kB"},
        pytest.param({"borders": "kiwi", "vocab_size": "1024", "sample_bytes": "60kB"}, marks=pytest.mark.slow),
    ],
    ids=["unigram, weighted", "kiwi"],
)
def test_one_worker_and_two_make_the_same_files(
    deduplicated: Path, tmp_path: Path, settings: dict[str, str], token_hashes: Callable[[Path], dict[str, str]]
) -> None:
    if settings.get("borders") == "kiwi":
        pytest.importorskip("kiwipiepy")
    sets = [f"tokenize.{name}={value}" for name, value in settings.items()]
    made = []
    for workers in ("1", "2"):
        run = tmp_path / workers
        shutil.copytree(deduplicated, run)
        done = go(run, *sets, f"execution.workers={workers}")
        assert done.returncode == 0, done.stderr
        made.append((token_hashes(run), json.loads((run / "manifest.json").read_text("utf-8"))["stages"]["tokenize"]))
    assert made[0] == made[1]
    counts = made[0][1]["counts"]
    if "weights" in settings:
        drawn = {name.partition("/")[2]: row["bytes"] for name, row in counts.items() if name.startswith("sample/")}
        text = {name.partition("/")[2]: row["bytes"] for name, row in counts.items() if name.startswith("source/")}
        share = {name: drawn[name] / sum(drawn.values()) / (text[name] / sum(text.values())) for name in text}
        assert share["tax-rulings"] < 0.75
        assert share["libreoffice-site"] > 1.5


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("kind: unigrm", r"line 4: tokenize.kind: .*'unigram' \(given: 'unigrm'\); did you mean 'unigram'\?"),
        ("borders: eojol", r"line 4: tokenize.borders: .*did you mean 'eojeol'\?"),
        ("border: none", r"line 4: unknown key 'tokenize.border'\n  → did you mean 'borders'\?"),
        ("weights: {web: -1}", r"line 4: tokenize.weights.web: .*greater than or equal to 0 \(given: -1\)"),
        ("weights: {web: .nan}", r"line 4: tokenize.weights.web: .*finite number"),
        ("weights: {web: much}", r"line 4: tokenize.weights.web: .*valid number.*\(given: 'much'\)"),
        ("weights: [web]", r"line 4: tokenize.weights: .*valid dictionary"),
        ("{kind: bpe, vocab_size: 600}", r"line 3: tokenize: .*kind bpe needs a vocab_size of at least 1,024"),
        ("{kind: bpe, path: there}", r"line 3: tokenize: .*leave out kind, or path"),
    ],
)
def test_a_wrong_tokenizer_in_a_recipe_is_refused(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(f"{GOOD}tokenize:{' ' if line.startswith('{') else chr(10) + '  '}{line}\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=message):
        load_recipe(path)


def test_settings_of_the_tokenizer_are_explained() -> None:
    rows = {row.key: row for row in explain() if row.key.startswith("tokenize.")}
    assert rows["tokenize.kind"].type == "byte-bpe | bpe | unigram"
    assert rows["tokenize.borders"].type == "eojeol | kiwi | none"
    assert (rows["tokenize.weights"].type, rows["tokenize.weights"].default) == ("mapping", {})


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_weight_of_a_source_that_is_not_there_is_told_before_anything_is_read(tmp_path: Path, command: str) -> None:
    path = tmp_path / "recipe.yaml"
    source = ROOT / "recipes" / "sample" / "tax-rulings"
    path.write_text(
        f"{GOOD}collect:\n  sources:\n    - path: {source}\ntokenize:\n  weights:\n    tax-ruling: 2\n",
        encoding="utf-8",
    )
    arguments = ("recipe", "check", path) if command == "check" else ("run", path, "--run", tmp_path / "run")
    done = hanjo(*arguments)
    assert done.returncode == 2
    assert "recipe.yaml, line 8: tokenize.weights.tax-ruling: there is no source 'tax-ruling'" in done.stderr
    assert "did you mean 'tax-rulings'?" in done.stderr
    assert not (tmp_path / "run").exists()
    done = hanjo(*arguments, "--set", "tokenize.weights.tax-ruling=3")
    assert done.returncode == 2
    assert "--set tokenize.weights.tax-ruling=3: tokenize.weights.tax-ruling: there is no source" in done.stderr
    assert "line 8" not in done.stderr
