"""Makes a corpus of any size for measurements: real paragraphs recombined into documents, with planted copies.

    python -m benchmarks.make_corpus OUT --bytes 100MB [--texts recipes/sample] [--seed 7] [--format jsonl|parquet]

OUT/docs.jsonl (or docs.parquet) holds `id` and `text`; OUT/truth.jsonl says of each copy of which document it is one,
how it was changed and how much. The texts are read as collect reads them; the same texts, size and seed give the same
bytes. It stands beside the flow: the benchmarks of the corpus and dedup packages read what it writes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # before this folder, whose corpus.py is not the package

from corpus.documents import Record  # noqa: E402
from corpus.normalising import normalise  # noqa: E402
from corpus.settings import parse_size  # noqa: E402
from corpus.sources import ReadOptions, reader_for  # noqa: E402

SAMPLE = ROOT / "recipes" / "sample"
EVERY = 4  # of so many documents one gets a copy
_SHORTEST = 20  # characters of a paragraph
_PARAGRAPHS = (2, 14)  # of a document
_ROWS = 4096
_PAIRS = ("은는", "는은", "을를", "를을", "이가", "가이", "와과", "과와")
_HEADER = "[안내] 이 글은 {}에 옮겨 실은 것이다.\n"
_FOOTER = "\n위 글은 {}에서 다시 볼 수 있다. 다른 글도 함께 읽어 보기 바란다."
_PLACES = ("자료실", "누리집", "게시판", "소식지", "기록관")

Rng = np.random.Generator


class Document(NamedTuple):
    """A document; of a copy also what it is a copy of, how it was changed, and what share was."""

    id: str
    text: str
    original: str | None = None
    kind: str = ""
    rate: float = 0.0


def paragraphs(texts: Path) -> list[str]:
    """Every different paragraph of a folder's files that holds Hangul, in the order of their names."""
    found: dict[str, None] = {}
    for path in sorted(texts.rglob("*")):
        reader = reader_for(path.name) if path.is_file() else None
        if reader is None or path.name.startswith("."):
            continue
        for record in reader.load()(path, ReadOptions(), 0, None):
            if isinstance(record, Record):
                lines = normalise(record.text).text.split("\n")
                found |= dict.fromkeys(
                    line for line in lines if len(line) >= _SHORTEST and any("가" <= one <= "힣" for one in line)
                )
    return list(found)


def replaced(text: str, rate: float, rng: Rng, pool: list[str]) -> str:
    """That share of the eojeol, to the nearest and one at least, taken from elsewhere.

    The share is held in every document: drawn for each eojeol by itself, a short text would often lose twice as many,
    and what the copy is called would say little of how alike it is.
    """
    lines = [line.split(" ") for line in text.split("\n")]
    count = sum(map(len, lines))
    chosen = np.zeros(count, bool)
    chosen[rng.choice(count, max(1, round(rate * count)), replace=False)] = True
    change = iter(chosen.tolist())

    def other() -> str:
        words = pool[rng.integers(len(pool))].split()
        return words[rng.integers(len(words))]

    return "\n".join(" ".join(other() if next(change) else word for word in line) for line in lines)


def particles(text: str, rate: float, rng: Rng, pool: list[str]) -> str:
    """That share of the eojeol, where they have one, with their particle exchanged: 은/는, 을/를, 이/가, 와/과."""
    swap = {pair[0]: pair[1] for pair in _PAIRS}

    def changed(word: str) -> str:
        there = len(word) > 1 and word[-1] in swap and rng.random() < rate * 5  # about a fifth end so
        return word[:-1] + swap[word[-1]] if there else word

    return "\n".join(" ".join(changed(word) for word in line.split(" ")) for line in text.split("\n"))


def unspaced(text: str, rate: float, rng: Rng, pool: list[str]) -> str:
    """That share of the spaces removed."""
    return "".join(one for one in text if one != " " or rng.random() >= rate)


def spaced(text: str, rate: float, rng: Rng, pool: list[str]) -> str:
    """Spaces put in behind that share of the syllables."""
    return "".join(one + " " * ("가" <= one <= "힣" and rng.random() < rate) for one in text)


def shuffled(text: str, rate: float, rng: Rng, pool: list[str]) -> str:
    """The paragraphs in another order."""
    lines = text.split("\n")
    return "\n".join(lines[index] for index in rng.permutation(len(lines)))


def with_header(text: str, rate: float, rng: Rng, pool: list[str]) -> str:
    """A line put before it."""
    return _HEADER.format(_PLACES[rng.integers(len(_PLACES))]) + text


def with_footer(text: str, rate: float, rng: Rng, pool: list[str]) -> str:
    """A line put behind it."""
    return text + _FOOTER.format(_PLACES[rng.integers(len(_PLACES))])


Change = Callable[[str, float, Rng, list[str]], str]
CHANGES: tuple[tuple[str, Change, tuple[float, ...]], ...] = (
    ("exact", lambda text, rate, rng, pool: text, (0.0,)),
    ("replaced", replaced, (0.01, 0.03, 0.05, 0.1)),
    ("particles", particles, (0.01, 0.03, 0.05)),
    ("spaces_removed", unspaced, (0.05, 0.15, 1.0)),
    ("spaces_added", spaced, (0.05, 0.15)),
    ("shuffled", shuffled, (1.0,)),
    ("header", with_header, (0.0,)),
    ("footer", with_footer, (0.0,)),
)


def documents(pool: list[str], seed: int) -> Iterator[Document]:
    """Documents without end: every EVERY-th is followed by a copy, of each kind in turn."""
    copies = 0
    for number in range(1 << 62):
        rng = np.random.Generator(np.random.Philox(key=seed, counter=number))  # each by itself, whatever came before
        chosen = rng.integers(len(pool), size=rng.integers(*_PARAGRAPHS, endpoint=True))
        text = "\n".join(pool[index] for index in chosen)
        yield Document(f"d{number}", text)
        if number % EVERY == 0:
            kind, change, rates = CHANGES[copies % len(CHANGES)]
            rate = rates[copies // len(CHANGES) % len(rates)]
            yield Document(f"d{number}x", change(text, rate, rng, pool), f"d{number}", kind, rate)
            copies += 1


def write(out: Path, pool: list[str], size: int, seed: int, form: str = "jsonl") -> tuple[Path, int, int]:
    """Write documents until their texts take `size` bytes.

    Returns:
        The file of documents, how many there are, UTF-8 bytes of their texts.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"docs.{form}"
    number = took = 0
    schema = pa.schema([("id", pa.string()), ("text", pa.large_string())])
    rows: list[Document] = []
    with (out / "truth.jsonl").open("w", encoding="utf-8") as truth, path.open("wb") as handle:
        table = pq.ParquetWriter(handle, schema, compression="zstd") if form == "parquet" else None
        for one in documents(pool, seed):
            rows.append(one)
            number, took = number + 1, took + len(one.text.encode())
            if len(rows) == _ROWS or took >= size:
                _tell(truth, rows)
                if table is None:
                    lines = (json.dumps({"id": row.id, "text": row.text}, ensure_ascii=False) for row in rows)
                    handle.write(("\n".join(lines) + "\n").encode())
                else:
                    columns = [[row.id for row in rows], [row.text for row in rows]]
                    table.write_table(
                        pa.Table.from_arrays(
                            [pa.array(c, t) for c, t in zip(columns, schema.types, strict=True)], schema=schema
                        )
                    )
                rows = []
                if took >= size:
                    break
        if table is not None:
            table.close()
    return path, number, took


def _tell(truth: TextIO, rows: list[Document]) -> None:
    for row in rows:
        if row.original is not None:
            told = {"a": row.original, "b": row.id, "kind": row.kind, "rate": row.rate}
            truth.write(json.dumps(told) + "\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--bytes", default="100MB", help="UTF-8 bytes of all texts together (default 100MB)")
    parser.add_argument("--texts", type=Path, default=SAMPLE, help="folder of texts in any format that hanjo reads")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--format", choices=("jsonl", "parquet"), default="jsonl")
    told = parser.parse_args()
    pool = paragraphs(told.texts)
    if not pool:
        parser.error(f"no Korean paragraph of {_SHORTEST} characters or more in {told.texts}")
    path, number, took = write(told.out, pool, int(str(parse_size(told.bytes))), told.seed, told.format)
    print(f"{path}: {number} documents, {took} bytes of text, from {len(pool)} paragraphs")


if __name__ == "__main__":
    main()
