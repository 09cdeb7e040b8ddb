"""Suites are found by listing their folder; the documents of the test split are chosen by seed alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.documents import document_id
from corpus.errors import RecipeError, SourceError
from eval.suites import FOLDER, find, suites
from eval.suites.rows import choose, from_test_split


def test_both_suites_are_found_with_what_guessing_scores() -> None:
    found = suites()
    assert set(found) >= {"korean_cloze", "bits_per_byte"}
    assert (found["korean_cloze"].chance, found["bits_per_byte"].chance) == (0.25, None)
    assert found["bits_per_byte"].metrics == {"bits_per_byte": False}


def test_listing_suites_imports_neither_lm_eval_nor_torch() -> None:
    code = "import sys, eval.suites as s; s.suites(); print({'lm_eval', 'torch', 'datasets'} & set(sys.modules))"
    root = Path(__file__).parents[2]
    told = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def test_an_unknown_suite_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(RecipeError, match="did you mean korean_cloze"):
        find(["korean_close"])
    with pytest.raises(RecipeError, match="twice"):
        find(["korean_cloze", "korean_cloze"])


def test_a_suites_fingerprint_follows_its_items(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "korean_cloze.yaml", tmp_path)
    items = tmp_path / "korean_cloze.jsonl"
    shutil.copy(FOLDER / items.name, items)
    before = suites(tmp_path)["korean_cloze"].fingerprint()
    assert before == suites()["korean_cloze"].fingerprint()
    items.write_text(items.read_text(encoding="utf-8").replace("다", "라", 1), encoding="utf-8")
    assert suites(tmp_path)["korean_cloze"].fingerprint() != before


@pytest.mark.parametrize("text", ["task: x\n", "- 1\n", "task: [\n", ""])
def test_a_yaml_that_is_no_suite_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "broken.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=r"broken\.yaml"):
        suites(tmp_path)


def test_an_empty_test_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no documents"):
        from_test_split(run=str(tmp_path))


@settings(max_examples=40)
@given(
    texts=st.lists(st.text(max_size=3), max_size=30),
    cut=st.integers(0, 30),
    documents=st.integers(1, 12),
    seed=st.integers(-(2**70), 2**70),
)
def test_the_choice_of_documents_knows_no_shards(texts: list[str], cut: int, documents: int, seed: int) -> None:
    ids = [document_id("test", str(number)) for number in range(len(texts))]
    full = {name for name, text in zip(ids, texts, strict=True) if text}
    schema = pa.schema([("id", pa.string()), ("text", pa.large_string())])

    def chosen(*parts: slice) -> set[str]:
        with tempfile.TemporaryDirectory() as folder:
            for number, part in enumerate(parts):
                table = pa.table({"id": ids[part], "text": texts[part]}, schema=schema)
                pq.write_table(table, Path(folder) / f"{number:05d}.parquet")
            return {name for names in choose(Path(folder), documents, seed).values() for name in names}

    whole = chosen(slice(None))
    assert whole <= full
    assert len(whole) == min(documents, len(full))
    assert chosen(slice(None, cut), slice(cut, None)) == whole
