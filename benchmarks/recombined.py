"""Real paragraphs from a folder of texts, recombined by a seed into documents: what the dedup benchmarks run on."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

SAMPLE = Path(__file__).resolve().parents[1] / "recipes" / "sample"
_LEAST = 8  # characters of a paragraph, white space left out


def paragraphs(folder: Path) -> list[str]:
    """Distinct paragraphs of the `text` of every .jsonl, .jsonl.gz and .parquet under a folder, sorted."""
    found: set[str] = set()
    for path in sorted(folder.rglob("*")):
        for text in _texts(path):
            lines = (" ".join(line.split()) for line in text.splitlines())
            found.update(line for line in lines if len(line.replace(" ", "")) >= _LEAST)
    if not found:
        raise SystemExit(f"{folder}: no .jsonl, .jsonl.gz or .parquet with a field `text`")
    return sorted(found)


def _texts(path: Path) -> Iterator[str]:
    if path.name.endswith((".jsonl", ".jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for line in lines:
                try:
                    row = json.loads(line)
                except ValueError:  # the sample has lines that are broken on purpose
                    continue
                if isinstance(row.get("text"), str):
                    yield row["text"]
    elif path.suffix == ".parquet" and "text" in pq.read_schema(path).names:
        yield from (text for text in pq.read_table(path, columns=["text"])["text"].to_pylist() if text)


def replaced(text: str, rate: float, words: list[str], rng: random.Random) -> str:
    """A copy with a share of its eojeol replaced by others."""
    return " ".join(rng.choice(words) if rng.random() < rate else word for word in text.split(" "))
