"""`hanjo trace`: one document's way, told from the tables of every stage, checked against those tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

Hanjo = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def run(hanjo: Hanjo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trace") / "run"
    done = hanjo(
        "run", ROOT / "recipes/quickstart.yaml", "--run", folder, "--until", "tokenize",
        "--set", "collect.sources=[{path: sample/tax-rulings}, {path: sample/shop-strings}]",
        "--set", "tokenize.vocab_size=1024",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def trace(hanjo: Hanjo, run: Path, document: str) -> Any:
    return json.loads(hanjo("trace", document, "--run", run, "--json").stdout)


def rows(run: Path, folder: str) -> list[dict[str, Any]]:
    return [row for path in sorted((run / folder).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_a_kept_document_s_tokens_are_its_text(hanjo: Hanjo, run: Path) -> None:
    from tokenizers import Tokenizer

    document = rows(run, "unique/train")[3]
    found = trace(hanjo, run, document["id"])
    assert found["source"]["path"] == document["path"]
    assert found["verdict"]["keep"]
    assert found["cluster"]["cluster"] == document["cluster"]
    place = found["tokens"]
    tokens = np.fromfile(run / "tokens" / place["split"] / f"{place['shard']}.bin", np.uint16)
    mine = tokens[place["first_token"] : place["first_token"] + place["tokens"]]
    tokenizer = Tokenizer.from_file(str(run / "tokenizer" / "tokenizer.json"))
    assert tokenizer.decode(mine[:-1].tolist(), skip_special_tokens=False) == document["text"]
    assert mine[-1] == tokenizer.token_to_id("<|endoftext|>")
    span = f"{place['first_token']:,}:{place['first_token'] + place['tokens']:,}"
    assert f"tokens {span}\n" in hanjo("trace", document["id"], "--run", run).stdout
    shown = hanjo("tokenizer", "show", run / "tokens" / place["split"] / f"{place['shard']}.bin", "--tokens", span)
    assert document["id"] in shown.stderr


def test_a_removed_document_is_told_with_rule_value_and_limit(hanjo: Hanjo, run: Path) -> None:
    documents, verdicts = rows(run, "documents"), rows(run, "verdicts")
    document, verdict = next(pair for pair in zip(documents, verdicts, strict=True) if not pair[1]["keep"])
    found = trace(hanjo, run, document["id"])
    assert found["verdict"] == verdict
    assert found["tokens"] is None
    told = hanjo("trace", document["id"], "--run", run).stdout
    assert f"removed by {verdict['rule']}" in told
    assert f"limit {verdict['limit']:g}" in told


def test_a_duplicate_is_told_with_its_witness(hanjo: Hanjo, run: Path) -> None:
    documents, clusters = rows(run, "documents"), rows(run, "clusters")
    document, cluster = next(pair for pair in zip(documents, clusters, strict=True) if pair[1]["witness"])
    assert trace(hanjo, run, document["id"])["cluster"]["witness"] == cluster["witness"]
    assert f"repeats {cluster['witness']}" in hanjo("trace", document["id"], "--run", run).stdout


def test_tables_of_a_stage_that_is_being_made_anew_have_no_say(hanjo: Hanjo, run: Path, tmp_path: Path) -> None:
    import shutil

    document = rows(run, "unique/train")[0]
    other = tmp_path / "run"
    shutil.copytree(run, other)
    manifest = json.loads((other / "manifest.json").read_text())
    del manifest["stages"]["tokenize"]
    (other / "manifest.json").write_text(json.dumps(manifest))
    assert trace(hanjo, other, document["id"])["tokens"] is None
    assert "not encoded yet" in hanjo("trace", document["id"], "--run", other).stdout
    refused = hanjo("pretrain", "train", other, "--until-step", "1")
    assert refused.returncode == 1
    assert "stage tokenize has not finished" in refused.stderr


@pytest.mark.parametrize(("document", "message"), [("xyz", "no document id"), ("0" * 32, "no document 0000")])
def test_an_id_that_is_none_is_a_mistake(hanjo: Hanjo, run: Path, document: str, message: str) -> None:
    done = hanjo("trace", document, "--run", run)
    assert done.returncode == 2
    assert message in done.stderr
