"""Damaged input of every format: no crash, no hang, nothing lost. Every reader of the registry takes part.

Seeds are real files: the sample, `HANJO_RAW_SAMPLES` (a folder of more) where it is set, and small files made here for
formats that neither has. A mutation is a function of its number, so that one that fails can be looked at again.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import subprocess
import sys
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.collect import read_unit
from corpus.decoding import UndecodableError, decode, meta_charset
from corpus.manifest import check_counts
from corpus.mojibake import reverse_mojibake
from corpus.normalising import normalise
from corpus.shards import JobContext, Outcome
from corpus.sources import reader_for as reader_of_name
from corpus.sources import readers

SAMPLE = Path(__file__).parents[2] / "recipes" / "sample"
RAW = os.environ.get("HANJO_RAW_SAMPLES", "")
FEW, MANY = 200, 2000
SLOWEST = 10.0  # seconds a file
BIGGEST = 300_000  # bytes of a seed: what is mutated is small, so that many can be
LIMIT = 1 << 20
COLUMNS = {"source": "s", "contributor": "c", "rights_id": "r", "lang": "ko", "domain": "other", "origin": "natural"}
OPTIONS = {"text": "text", "key": None, "url": None, "created": None, "meta": [], "page": "main", "max_record": LIMIT}
OPTIONS |= {"splits": [], "subset": None, "columns": {}, "reviews": "joined", "extractor": "resiliparse"}
SENTENCE = "대한민국의 수도는 서울이다."
# Formats that no ending tells, made in their described shapes; a data set is a folder and has tests of its own.
UNREAD = {"seed.hwp"}  # no HWP 5 file can be made here; a folder of real ones may be named by HANJO_RAW_SAMPLES
NAMED = {
    "nikl": {"id": "N", "document": [{"id": f"N.{n}", "paragraph": [{"form": SENTENCE}]} for n in range(20)]},
    "aihub": {"data": [{"title": "제목", "rows": [{"no": n, "text": SENTENCE} for n in range(20)]}]},
    "namuwiki": [{"namespace": "0", "title": f"글 {n}", "text": f"'''{SENTENCE}''' [[링크|글]]"} for n in range(20)],
    "catalogue": [{"상품명": f"의자 {n}", "사양": {"색": "흰색"}, "설명": SENTENCE} for n in range(20)],
}


def collected(tmp_path: Path, file: Path, form: str | None = None, max_record: int = LIMIT) -> Outcome:
    """What collect's job makes of a file: every record accounted for, rows on disk as counted, in time."""
    reader = readers()[form] if form else reader_of_name(file.name)
    assert reader is not None
    for name in ("documents", "quarantine"):
        (tmp_path / name).mkdir(exist_ok=True)
    started = time.monotonic()
    outcome = read_unit(
        JobContext(tmp_path, "0" * 32, 1 << 30),
        name="00000",
        pieces=[[file.name, reader.name, 0, None, 1]],
        columns=COLUMNS,
        options={**OPTIONS, "max_record": max_record},
        shard_bytes=1 << 26,
        files=[[str(file)]],
    )
    assert time.monotonic() - started < SLOWEST
    check_counts("collect", outcome.counts)
    rows = {"documents": 0, "quarantine": 0}
    for output in outcome.outputs:
        table = pq.read_table(tmp_path / output.path)
        rows[output.path.split("/")[0]] += table.num_rows
        if "detail" in table.column_names:
            assert not any(str(tmp_path) in detail for detail in table["detail"].to_pylist())
    assert rows["documents"] == outcome.counts.get("kept", {}).get("documents", 0)
    assert rows["quarantine"] == sum(
        amounts["documents"] for reason, amounts in outcome.counts.items() if reason.startswith("quarantined/")
    )
    return outcome


def causes(outcome: Outcome) -> set[str]:
    return {reason.partition("/")[2] for reason in outcome.counts if reason.startswith("quarantined/")}


@cache
def seeds() -> tuple[tuple[str, bytes, str | None], ...]:
    """Name, bytes and, where a name does not tell it, format of what is mutated; at most three files of an ending."""
    found: dict[str, list[tuple[str, bytes]]] = {}
    folders = [SAMPLE, *([Path(RAW)] if RAW else [])]
    for path in sorted(one for folder in folders for one in folder.rglob("*")):
        reader = reader_of_name(path.name) if path.is_file() else None
        if reader is None or path.name.lower().startswith(("readme", "notice", "submission")):
            continue
        ending = next(one for one in sorted(reader.endings, key=len, reverse=True) if path.name.lower().endswith(one))
        kept = found.setdefault(ending, [])
        if len(kept) < 3:
            kept.append((f"seed{ending}", path.read_bytes()[:BIGGEST]))
    told: list[tuple[str, bytes, str | None]] = [(*one, None) for kept in found.values() for one in kept]
    for one in readers().values():
        told += [(f"seed{ending}", made(ending), None) for ending in one.endings if ending not in found]
    told += [
        (f"{form}.json", json.dumps(value, ensure_ascii=False).encode(), form) for form, value in sorted(NAMED.items())
    ]
    return tuple(told)


def made(ending: str) -> bytes:
    """A small file for an ending that no sample has, in its format and packed as its name says."""
    if ending.endswith(".gz"):
        return gzip.compress(made(ending.removesuffix(".gz")), mtime=0)
    if ending.endswith(".bz2"):
        return bz2.compress(made(ending.removesuffix(".bz2")))
    if ending.endswith(".zst"):
        import zstandard

        return zstandard.ZstdCompressor().compress(made(ending.removesuffix(".zst")))
    rows = [{"id": str(n), "title": "제목", "text": f"{n}번째 문장이다. {SENTENCE}"} for n in range(20)]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    if ending in (".csv", ".tsv", ".tab"):
        mark = "," if ending == ".csv" else "\t"
        return "\n".join([mark.join(rows[0]), *(mark.join(row.values()) for row in rows)]).encode("cp949")
    if ending in (".arrow", ".feather", ".ipc"):
        table, out = pa.Table.from_pylist(rows), pa.BufferOutputStream()
        with (pa.ipc.new_stream if ending == ".ipc" else pa.ipc.new_file)(out, table.schema) as writer:
            writer.write_table(table)
        return bytes(out.getvalue())
    if ending == ".xml":
        page = "<page><title>{id}</title><ns>0</ns><id>{id}</id><revision><text>'''{text}'''</text></revision></page>"
        return f"<mediawiki>{''.join(page.format(**row) for row in rows)}</mediawiki>".encode()
    if ending in (".warc", ".wet"):
        head = "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <urn:uuid:{}>\r\nContent-Length: {}\r\n\r\n"
        texts = [row["text"].encode() for row in rows]
        return b"".join(head.format(n, len(text)).encode() + text + b"\r\n\r\n" for n, text in enumerate(texts))
    if ending in (".zip", ".docx", ".docm", ".epub"):
        return packed(ending, lines)
    return json.dumps(rows, ensure_ascii=False).encode() if ending == ".json" else lines


def packed(ending: str, lines: bytes) -> bytes:
    """A zip file, Word document or EPUB book."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    word = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    members: dict[str, str | bytes] = {"a.jsonl": lines, "폴더/b.txt": SENTENCE.encode("cp949")}
    if ending in (".docx", ".docm"):
        members = {
            "_rels/.rels": f'<Relationships><Relationship Id="1" Type="{kind}" Target="d.xml"/></Relationships>',
            "d.xml": f"<w:document {word}><w:body><w:p><w:r><w:t>{SENTENCE}</w:t></w:r></w:p></w:body></w:document>",
        }
    elif ending == ".epub":
        item = '<item id="c" href="c.xhtml" media-type="application/xhtml+xml"/>'
        book = f'<package><manifest>{item}</manifest><spine><itemref idref="c"/></spine></package>'
        container = '<container><rootfiles><rootfile full-path="b.opf"/></rootfiles></container>'
        page = f"<html><body><p>{SENTENCE}</p></body></html>"
        members = {"META-INF/container.xml": container, "b.opf": book, "c.xhtml": page}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """One to four damages: bytes flipped, cut, doubled, overwritten or moved, the file cut short, NULs put in."""
    out = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        size = len(out)
        if not size:
            break
        at, long = int(rng.integers(size)), int(rng.integers(1, 1 + min(4096, size)))
        damage = int(rng.integers(8))
        if damage == 0:
            for place in rng.integers(size, size=1 + size // 2000):
                out[place] ^= 1 << int(rng.integers(8))
        elif damage == 1:
            del out[at : at + long]
        elif damage == 2:
            out[at:at] = out[at : at + long]
        elif damage == 3:
            out[at : at + long] = rng.bytes(min(long, size - at))
        elif damage == 4:
            del out[at:]
        elif damage == 5:
            out[at:at] = bytes(long)
        elif damage == 6:
            part = out[at : at + long]
            del out[at : at + long]
            back = int(rng.integers(len(out) + 1))
            out[back:back] = part
        else:
            out[at : at + 4] = (0xFFFFFFFF if rng.random() < 0.5 else int(rng.integers(1 << 32))).to_bytes(4, "little")
    return bytes(out)


def fuzz(tmp_path: Path, numbers: range) -> None:
    told = seeds()
    for number in numbers:
        name, data, form = told[number % len(told)]
        file = tmp_path / name
        file.write_bytes(mutated(data, np.random.Generator(np.random.Philox(number))))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                collected(tmp_path, file, form)
        except Exception as error:
            raise AssertionError(f"mutation {number} of {name}: {type(error).__name__}: {error}") from error


def test_every_reader_has_a_seed() -> None:
    told = {readers()[form] if form else reader_of_name(name) for name, _, form in seeds()}
    assert told == set(readers().values()) - {readers()["datasets"]}


def test_every_seed_is_read_before_it_is_damaged(tmp_path: Path) -> None:
    for name, data, form in seeds():
        file = tmp_path / name
        file.write_bytes(data)
        if len(data) < BIGGEST and name not in UNREAD:  # not cut short
            assert collected(tmp_path, file, form).counts.get("kept"), (name, form)


def test_damaged_files_of_every_format_lose_nothing(tmp_path: Path) -> None:
    fuzz(tmp_path, range(FEW))


@pytest.mark.slow
def test_two_thousand_damaged_files_lose_nothing(tmp_path: Path) -> None:
    fuzz(tmp_path, range(FEW, FEW + MANY))


@pytest.mark.parametrize("form", sorted(set(readers()) - {"datasets"}))
@pytest.mark.parametrize("kind", ["noise", "zeros", "utf16", "every_byte", "korean", "zip", "ole"])
def test_any_bytes_under_any_name_are_read_or_refused(tmp_path: Path, form: str, kind: str) -> None:
    noise = np.random.Generator(np.random.Philox(5)).bytes(60_000)
    data = {
        "noise": noise,
        "zeros": bytes(50_000),
        "utf16": "대한민국의 수도는 서울이다. ".encode("utf-16") * 200,
        "every_byte": bytes(range(256)) * 100,
        "korean": "대한민국의 수도는 서울이다. 똠방각하!\n".encode("cp949") * 200,
        "zip": b"PK\x03\x04" + noise,
        "ole": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise,
    }[kind]
    file = tmp_path / f"x{(readers()[form].endings or ('.json',))[0]}"
    file.write_bytes(data)
    collected(tmp_path, file, form)


@given(st.binary(max_size=600), st.sampled_from(["utf-8", "cp949", "johab", "utf-16", "shift_jis", "iso-8859-1", None]))
def test_any_bytes_become_text_in_one_form_or_are_refused(data: bytes, http: str | None) -> None:
    try:
        text = decode(data, http, meta_charset(data)).text
    except UndecodableError as error:
        assert error.cause in ("text.binary", "text.undecodable")
        return
    once = normalise(reverse_mojibake(text)[0]).text
    once.encode()
    assert normalise(once).text == once


@given(st.text(max_size=200), st.integers(0, 2**32))
def test_damaged_korean_in_any_encoding_is_read_or_refused(text: str, seed: int) -> None:
    for encoding in ("utf-8", "cp949", "johab", "utf-16"):
        data = (text + "대한민국의 수도는 서울이다. " * 3).encode(encoding, "replace")
        try:
            decoded = decode(mutated(data, np.random.Generator(np.random.Philox(seed))))
        except UndecodableError:
            continue
        normalise(decoded.text).text.encode()


Make = Callable[[Path], Path]


def zip_bomb(folder: Path) -> Path:
    """A HWPX whose section unpacks to 1 GiB of one letter."""
    path = folder / "bomb.hwpx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/hwp+zip")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        with archive.open("Contents/section0.xml", "w", force_zip64=True) as section:
            section.write(
                b'<hs:sec xmlns:hs="x" xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph"><hp:p><hp:run><hp:t>'
            )
            for _ in range(1024):
                section.write(b"a" * (1 << 20))
            section.write(b"</hp:t></hp:run></hp:p></hs:sec>")
    return path


def entity_bomb(folder: Path) -> Path:
    """A HWPX whose XML entities would expand to a billion."""
    path = folder / "entities.hwpx"
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    section = f'<!DOCTYPE s [<!ENTITY e0 "ha">{levels}]><s>&e9;</s>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/hwp+zip")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("Contents/section0.xml", section)
    return path


def deep_page(folder: Path) -> Path:
    path = folder / "deep.html"
    path.write_text("<html><body>" + "<div>" * 100_000 + "끝이다" + "</div>" * 100_000, encoding="utf-8")
    return path


def deep_json(folder: Path) -> Path:
    path = folder / "deep.jsonl"
    path.write_text('{"text": ' + "[" * 200_000 + "]" * 200_000 + "}\n" + '{"a":' * 100_000, encoding="utf-8")
    return path


def looping_pdf(folder: Path) -> Path:
    """A PDF whose page tree holds itself."""
    path = folder / "loop.pdf"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 100000000 /Parent 2 0 R >>",
        b"<< /Type /Pages /Kids [2 0 R] /Count 2 /Parent 2 0 R >>",
    ]
    return _written(path, objects)


def looping_drawing(folder: Path) -> Path:
    """A PDF page that draws a form that draws itself."""
    draw = b"<< /Length 6 >>\nstream\n/F Do \nendstream"
    form = b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 5 0 R >> >> "
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /XObject << /F 5 0 R >> >> >>",
        draw,
        form + b"/Length 6 >>\nstream\n/F Do \nendstream",
    ]
    return _written(folder / "drawing.pdf", objects)


def drawing_bomb(folder: Path, layers: int = 1) -> Path:
    """A PDF page of a gigabyte of drawing in a megabyte, or packed twice in a kilobyte."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(1024)) + packer.flush()
    for _ in range(layers - 1):
        data = zlib.compress(data, 9)
    filters = b"/FlateDecode " * layers
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
        b"<< /Length %d /Filter [%s] >>\nstream\n%s\nendstream" % (len(data), filters, data),
    ]
    return _written(folder / "bomb.pdf", objects)


def twice_packed_bomb(folder: Path) -> Path:
    return drawing_bomb(folder, 2)


def _written(path: Path, objects: list[bytes]) -> Path:
    """A PDF of these objects, numbered from 1."""
    data, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    tail = b"trailer << /Root 1 0 R /Size %d >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(data))
    path.write_bytes(data + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + tail)
    return path


def packed_bomb(folder: Path) -> Path:
    """Half a gigabyte of one line in half a megabyte of gzip."""
    path = folder / "bomb.txt.gz"
    with gzip.open(path, "wb", compresslevel=9) as handle:
        for _ in range(512):
            handle.write(b"a" * (1 << 20))
    return path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (zip_bomb, {"hwp.too_big"}),
        (entity_bomb, {"hwp.no_text"}),
        (deep_json, {"json.broken"}),
        (looping_pdf, {"pdf.broken", "pdf.no_text"}),
        (looping_drawing, {"pdf.no_text"}),
        (twice_packed_bomb, {"pdf.too_big"}),
        (packed_bomb, {"record.too_long"}),
    ],
)
def test_what_is_made_to_hurt_is_refused_with_the_reason(tmp_path: Path, make: Make, said: set[str]) -> None:
    found = causes(collected(tmp_path, make(tmp_path)))
    assert found
    assert found <= said


def test_a_page_of_a_hundred_thousand_levels_is_read(tmp_path: Path) -> None:
    outcome = collected(tmp_path, deep_page(tmp_path), max_record=4 << 20)
    assert outcome.counts["kept"]["documents"] == 1
    assert outcome.counts["lost/html.too_deep"] == {"times": 1}


def test_a_hwp_that_says_it_has_a_password_is_refused_with_the_reason(tmp_path: Path) -> None:
    protected = Path(RAW) / "hwp" / "extract-hwp_protected_document.hwp" if RAW else None
    if protected is None or not protected.exists():
        pytest.skip("no protected HWP: set HANJO_RAW_SAMPLES to the folder of raw samples")
    file = tmp_path / "p.hwp"
    file.write_bytes(protected.read_bytes())
    assert causes(collected(tmp_path, file)) == {"hwp.password"}


READ_ALONE = """
import sys
from pathlib import Path
from corpus.sources import ReadOptions, Skipped, readers
from corpus.documents import Rejected
found = []
for one in readers()[sys.argv[1]].load()(Path(sys.argv[2]), ReadOptions(), 0, None):
    found.append(one.cause if isinstance(one, Rejected) else one.rule if isinstance(one, Skipped) else "kept")
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(",".join(found[:5]), int(peak.split()[1]) * 1024)
"""


def read_alone(form: str, file: Path) -> tuple[str, int]:
    """What a reader makes of a file in a process of its own (the first five outcomes), and its peak memory in bytes."""
    started = time.monotonic()
    command = [sys.executable, "-c", READ_ALONE, form, str(file)]
    done = subprocess.run(command, cwd=SAMPLE.parents[1], capture_output=True, text=True, check=True)
    assert time.monotonic() - started < 2 * SLOWEST  # with the start of the process
    causes_found, peak = done.stdout.split()
    return causes_found, int(peak)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("form", sorted(readers()))
def test_a_line_of_a_gigabyte_is_refused_in_bounded_memory(tmp_path: Path, form: str) -> None:
    file = tmp_path / f"x{(readers()[form].endings or ('.json',))[0]}"
    with file.open("wb") as handle:
        handle.write(b'{"text": "')
        handle.truncate(1 << 30)  # NULs that take no disk
    found, peak = read_alone(form, file)
    assert "kept" not in found
    assert peak < 700 << 20


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize(
    ("make", "form"), [(zip_bomb, "hwp"), (entity_bomb, "hwp"), (packed_bomb, "plain"), (drawing_bomb, "pdf")]
)
def test_a_bomb_is_refused_in_bounded_memory(tmp_path: Path, make: Make, form: str) -> None:
    found, peak = read_alone(form, make(tmp_path))
    assert "kept" not in found
    assert peak < 700 << 20
