"""The sample's real texts, written as each table format by another program's writer, come back letter for letter."""

import bz2
import csv
import gzip
import json
import re
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow as pa
import pytest

from corpus.documents import Record
from corpus.sources import ReadOptions, reader_for

SAMPLE = Path(__file__).parents[2] / "recipes" / "sample"
HANGUL = re.compile("[가-힣]")
MARKUP = re.compile(r"[<{=]|\[\[|^[ \t]*[|!]", re.MULTILINE)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Rulings and help pages: long paragraphs, quotes, brackets, tables drawn by hand."""
    found: list[str] = []
    for name in ("tax-rulings/tribunal.jsonl.gz", "libreoffice-help/help.jsonl.gz"):
        with gzip.open(SAMPLE / name, "rt", encoding="utf-8") as lines:
            found += [json.loads(line)["text"] for line in lines]
    assert sum(map(len, found)) > 100_000
    return found


def read(path: Path) -> list[str]:
    reader = reader_for(path.name)
    assert reader is not None
    found = list(reader.load()(path, ReadOptions(), 0, None))
    assert all(isinstance(one, Record) for one in found)
    return [one.text for one in found if isinstance(one, Record)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
@pytest.mark.parametrize("dialect", ["excel", "excel-tab", "unix"])
def test_csv(tmp_path: Path, texts: list[str], encoding: str, dialect: str) -> None:
    if encoding == "cp949":
        texts = [text.encode("cp949", "replace").decode("cp949") for text in texts]
    path = tmp_path / "a.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, dialect).writerows([("n", "text"), *enumerate(texts)])
    assert read(path) == texts


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_json(tmp_path: Path, texts: list[str], indent: int | None, ascii_only: bool) -> None:
    path = tmp_path / "a.json"
    rows = {"info": {"n": len(texts)}, "data": [{"text": text} for text in texts]}
    path.write_text(json.dumps(rows, ensure_ascii=ascii_only, indent=indent), encoding="utf-8")
    assert read(path) == texts


def test_arrow(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "a.arrow"
    with pa.ipc.new_stream(path, pa.schema([("text", pa.string())])) as writer:
        writer.write_table(pa.table({"text": texts}), max_chunksize=100)
    assert read(path) == texts


def test_text_without_markup_keeps_its_hangul_through_a_dump(tmp_path: Path, texts: list[str]) -> None:
    texts = [text for text in texts if not MARKUP.search(text)]
    assert len(texts) > 500
    path = tmp_path / "a.xml.bz2"
    pages = (
        f"<page><id>{n}</id><revision><text>{escape(text)}</text></revision></page>" for n, text in enumerate(texts)
    )
    path.write_bytes(bz2.compress(f"<mediawiki>{''.join(pages)}</mediawiki>".encode()))
    found = read(path)
    assert len(found) == len(texts)
    assert ["".join(HANGUL.findall(one)) for one in found] == ["".join(HANGUL.findall(text)) for text in texts]
