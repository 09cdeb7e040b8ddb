"""Seeded damage to good files of the text formats: no crash, no hang, each byte told once, no text in a message."""

import csv
import gzip
import io
import json
import random
import time
from pathlib import Path

import pytest

from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions, Skipped, named_reader

WORDS = [
    "대한민국의",
    "수도는",
    "서울이다",
    '"따옴표"',
    "{괄호}",
    "[목록]",
    "쉼표,",
    "줄\n바꿈",
    "漢字",
    "$5",
    "&amp;",
    "||칸||",
]
SEEDS = 100


def sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=chance.randrange(1, 20)))


def table() -> bytes:
    chance, made = random.Random(1), io.StringIO()
    csv.writer(made).writerows([("id", "text"), *((n, sentence(chance)) for n in range(40))])
    return made.getvalue().encode()


def objects(indent: int | None = None, within: bool = False) -> bytes:
    chance = random.Random(2)
    rows = [{"namespace": "0", "title": f"t{n}", "text": sentence(chance), "n": [n, {}]} for n in range(40)]
    return json.dumps({"data": rows} if within else rows, ensure_ascii=False, indent=indent).encode()


def dump() -> bytes:
    chance = random.Random(3)
    texts = (sentence(chance).replace("&", "&amp;") for _ in range(40))
    pages = (
        f"<page><ns>0</ns><id>{n}</id><revision><text>{text}</text></revision></page>" for n, text in enumerate(texts)
    )
    return f"<mediawiki>{''.join(pages)}</mediawiki>".encode()


FILES = {
    "delimited": (table(), ".csv"),
    "delimited, packed": (gzip.compress(table()), ".csv.gz"),
    "objects": (objects(), ".json"),
    "objects, indented": (objects(2), ".json"),
    "objects, within": (objects(within=True), ".json"),
    "objects, packed": (gzip.compress(objects()), ".json.gz"),
    "namuwiki": (objects(), ".json"),
    "mediawiki": (dump(), ".xml"),
}


def damaged(good: bytes, seed: int) -> bytes:
    """A copy that is cut short, has flipped bytes, or a range twice, or a range gone, or another range over it."""
    chance, data = random.Random(seed), bytearray(good)
    for _ in range(chance.randrange(1, 4)):
        if not data:
            break
        kind, at = chance.randrange(5), chance.randrange(len(data))
        end = min(len(data), at + chance.randrange(1, 400))
        if kind == 0 and chance.random() < 0.3:
            del data[at:]
        elif kind == 1:
            data[at] = chance.choice(b'"\\{}[],:<>\n\x00\xff')
        elif kind == 2:
            data[at:at] = data[at:end]
        elif kind == 3:
            del data[at:end]
        else:
            data[at] = chance.randrange(256)
    return bytes(data)


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_read_to_their_end_and_counted(tmp_path: Path, name: str) -> None:
    good, ending = FILES[name]
    path = tmp_path / f"a{ending}"
    read = named_reader(name.partition(",")[0]).load()
    for seed in range(SEEDS):
        path.write_bytes(damaged(good, seed))
        started = time.monotonic()
        found = list(read(path, ReadOptions(max_record=1 << 16), 0, None))
        assert time.monotonic() - started < 10
        assert found, seed
        reached = 0
        for one in found:
            assert isinstance(one, Record | Rejected | Skipped)
            assert one.length >= 0
            if "packed" not in name and one.length:
                assert one.offset >= reached, (seed, one)
                reached = one.offset + one.length
            if isinstance(one, Rejected):
                assert one.detail
                assert "서울" not in one.detail, seed


@pytest.mark.parametrize("name", [name for name in FILES if "packed" not in name])
def test_one_flipped_byte_costs_few_records(tmp_path: Path, name: str) -> None:
    good, ending = FILES[name]
    path = tmp_path / f"a{ending}"
    read = named_reader(name.partition(",")[0]).load()
    path.write_bytes(good)
    whole = sum(isinstance(one, Record) for one in read(path, ReadOptions(), 0, None))
    assert whole == 40
    lost = []
    for seed in range(SEEDS):
        data, chance = bytearray(good), random.Random(seed)
        data[chance.randrange(len(data) // 4, len(data))] = chance.choice(b'"\\{}[],:<>')
        path.write_bytes(data)
        lost.append(whole - sum(isinstance(one, Record) for one in read(path, ReadOptions(), 0, None)))
    assert sorted(lost)[len(lost) * 99 // 100] <= 2, lost
