"""PDFs written by hand: fonts that map to nonsense are told, loops and bombs end in bounded time and memory."""

import os
import re
import signal
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

import corpus.sources.pdf
from corpus.documents import Record, Rejected
from corpus.garbled import garbled
from corpus.sources import ReadOptions, Skipped, named_reader

TEXT = 2 * (
    "대한민국의 주권은 국민에게 있고, 모든 권력은 국민으로부터 나온다. "
    "국회의원의 수는 법률로 정하되, 이백인 이상으로 한다. "
)
CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
PAGE = (
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
    b"/Resources<</Font<</F1 5 0 R>>/XObject<</X 6 0 R>>>>>>"
)


def read(path: Path, **options: object) -> Record | Rejected | Skipped:
    (found,) = named_reader("pdf").load()(path, ReadOptions(**options), 0, None)  # type: ignore[arg-type]
    return found


def cause(path: Path, **options: object) -> str:
    found = read(path, **options)
    assert isinstance(found, Rejected), found
    assert "국민" not in found.detail
    return found.cause


def pdf(path: Path, objects: dict[int, bytes]) -> Path:
    data, offsets = bytearray(b"%PDF-1.7\n"), {}
    for number, body in objects.items():
        offsets[number] = len(data)
        data += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start, count = len(data), max(objects) + 1
    data += b"xref\n0 %d\n0000000000 65535 f \n" % count
    for number in range(1, count):
        data += b"%010d 00000 n \n" % offsets.get(number, 0)
    path.write_bytes(data + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (count, start))
    return path


def stream(data: bytes, extra: bytes = b"") -> bytes:
    packed = zlib.compress(data, 1)
    return b"<<%s/Filter/FlateDecode/Length %d>>stream\n" % (extra, len(packed)) + packed + b"\nendstream"


def page(path: Path, content: bytes, **more: bytes) -> Path:
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    objects = {1: CATALOG, 2: pages, 3: PAGE, 4: stream(content), 5: FONT}
    return pdf(path, objects | {int(name[1:]): body for name, body in more.items()})


def lines(text: str) -> list[str]:
    return [text[at : at + 30] for at in range(0, len(text), 30)]


def with_font(path: Path, text: str, mapped: Callable[[str], str] | None) -> Path:
    """A page whose font numbers its glyphs, with a ToUnicode map that gives `mapped` of each, or none."""
    glyphs = {one: number for number, one in enumerate(sorted(set(text)), 3)}
    shown = [b"<" + b"".join(b"%04X" % glyphs[one] for one in line) + b"> Tj T* " for line in lines(text)]
    rows = b"".join(b"<%04X> <%04X>\n" % (glyph, ord(mapped(one))) for one, glyph in glyphs.items()) if mapped else b""
    cmap = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def 1 begincodespacerange "
        b"<0000> <FFFF> endcodespacerange %d beginbfchar\n%s endbfchar endcmap end end" % (len(glyphs), rows)
    )
    named = b"/ToUnicode 7 0 R" if mapped else b""
    return page(
        path,
        b"BT /F1 12 Tf 14 TL 50 780 Td " + b"".join(shown) + b"ET",
        o5=b"<</Type/Font/Subtype/Type0/BaseFont/Batang/Encoding/Identity-H/DescendantFonts[6 0 R]%s>>" % named,
        o6=b"<</Type/Font/Subtype/CIDFontType2/BaseFont/Batang/DW 1000/FontDescriptor 8 0 R"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>",
        o7=stream(cmap),
        o8=b"<</Type/FontDescriptor/FontName/Batang/Flags 4/FontBBox[0 0 1000 1000]/ItalicAngle 0/Ascent 800"
        b"/Descent -200/CapHeight 700/StemV 80>>",
    )


MAPS: dict[str, Callable[[str], str] | None] = {
    "none": None,
    "private use": lambda one: chr(0xE000 + ord(one) % 0x1000),
    "control codes": lambda one: chr(1 + ord(one) % 28),
    "signs": lambda one: chr(33 + ord(one) % 31),
    "many scripts": lambda one: chr(0x0E00 + ord(one) % 0x1000),
    "syllables by chance": lambda one: chr(0xAC00 + (ord(one) * 7919) % 11172),
}


def test_a_font_with_its_map_is_read(tmp_path: Path) -> None:
    found = read(with_font(tmp_path / "a.pdf", TEXT, lambda one: one))
    assert isinstance(found, Record)
    assert "".join(found.text.split()) == "".join(TEXT.split())
    assert (found.losses, found.meta) == ({}, {"pages": 1})


@pytest.mark.parametrize("name", MAPS)
def test_a_font_that_maps_to_nonsense_is_told(tmp_path: Path, name: str) -> None:
    assert cause(with_font(tmp_path / "a.pdf", TEXT, MAPS[name])) == "pdf.garbled"


def test_bytes_of_cp949_shown_as_latin_are_turned_back(tmp_path: Path) -> None:
    body = b"".join(b"(" + re.sub(rb"([\\()])", rb"\\\1", line.encode("cp949")) + b") Tj T* " for line in lines(TEXT))
    found = read(page(tmp_path / "a.pdf", b"BT /F1 12 Tf 14 TL 50 780 Td " + body + b"ET"))
    assert isinstance(found, Record)
    assert "".join(found.text.split()) == "".join(TEXT.split())
    assert found.losses == {"mojibake.reversed": 1}


def hello(path: Path, kids: bytes, count: int) -> Path:
    pages = b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count)
    content = stream(b"BT /F1 12 Tf 72 700 Td (Hello) Tj ET")
    return pdf(path, {1: CATALOG, 2: pages, 3: PAGE, 4: content, 5: FONT})


def test_a_false_count_of_pages_is_no_matter(tmp_path: Path) -> None:
    found = read(hello(tmp_path / "a.pdf", b"3 0 R", 2_000_000_000))
    assert isinstance(found, Record)
    assert found.text == "Hello"


def loop(path: Path) -> Path:
    return pdf(path, {1: CATALOG, 2: b"<</Type/Pages/Kids[2 0 R]/Count 1>>"})


def two_loops(path: Path) -> Path:
    kids = b"<</Type/Pages/Kids[%d 0 R %d 0 R]/Count 1000>>"
    return pdf(path, {1: CATALOG, 2: kids % (3, 3), 3: kids % (2, 2)})


def too_many(path: Path) -> Path:
    return hello(path, b"3 0 R " * 30_000, 30_000)


def repeated_forms(path: Path) -> Path:
    """Each form shows the next one twice: 2³⁰ words."""
    forms = {}
    for number in range(6, 36):
        named = b"/Resources<</Font<</F1 5 0 R>>/XObject<</X %d 0 R>>>>" % (number + 1)
        body = b"/X Do /X Do" if number < 35 else b"BT /F1 9 Tf (x) Tj ET"
        forms[f"o{number}"] = stream(body, b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]" + named)
    return page(path, b"/X Do", **forms)


def long_text(path: Path) -> Path:
    return page(path, b"BT /F1 12 Tf 72 700 Td " + b"(AAAAAAAAAAAAAAAAAAAAAAAA) Tj " * 2_000_000 + b"ET")


def spaces(path: Path) -> Path:
    return page(path, b" " * (600 << 20))


@pytest.mark.parametrize(
    ("made", "causes"),
    [
        (loop, {"pdf.broken"}),
        (two_loops, {"pdf.broken"}),
        (too_many, {"pdf.too_many_pages"}),
        (repeated_forms, {"pdf.crashed", "pdf.too_slow"}),
        (long_text, {"pdf.crashed", "pdf.too_slow"}),
        (spaces, {"pdf.too_big"}),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_loops_and_bombs_are_refused_with_the_reason(
    tmp_path: Path, made: Callable[[Path], Path], causes: set[str]
) -> None:
    path = made(tmp_path / "a.pdf")
    read(hello(tmp_path / "warm.pdf", b"3 0 R", 1))
    started = time.monotonic()
    assert cause(path) in causes
    assert time.monotonic() - started < 30  # about 2 s on an idle machine; the limit counts the processor's seconds
    found = read(hello(tmp_path / "next.pdf", b"3 0 R", 1))  # and the next file is read as ever
    assert isinstance(found, Record)
    assert found.text == "Hello"


def test_time_runs_out_by_the_processor_of_one_file(tmp_path: Path) -> None:
    read(hello(tmp_path / "warm.pdf", b"3 0 R", 1))
    child = corpus.sources.pdf._child
    assert child is not None
    os.kill(child.pid, signal.SIGSTOP)  # so that the question waits until the signal comes
    os.kill(child.pid, signal.SIGXCPU)
    os.kill(child.pid, signal.SIGCONT)
    child.wait()
    found = read(hello(tmp_path / "a.pdf", b"3 0 R", 1))
    assert isinstance(found, Record)  # killed between two files: no file's fault


def test_text_over_the_limit_is_refused(tmp_path: Path) -> None:
    path = page(tmp_path / "a.pdf", b"BT /F1 12 Tf 14 TL 72 700 Td " + b"(AAAAAAAAA AAAAAAAAAA) Tj T* " * 1000 + b"ET")
    size = path.stat().st_size
    assert size < 5000
    assert cause(path, max_record=size - 1) == cause(path, max_record=5000) == "record.too_long"
    assert isinstance(read(path), Record)


@pytest.mark.parametrize(
    "text",
    [
        "1. 서론 ........................................ 1\n2. 본론 ........................................ 17",
        "x + y = z, (a - b) * c / d = 100 % [1] {2} <3> \"인용\" 'q' : ; ! ? — 수식이 많은 글이다.",
        "| 1 | 2 | 3 |\n|---|---|---|\n| 4 | 5 | 6 |\n| 7 | 8 | 9 |",
        "나랏〮말〯ᄊᆞ미〮 中듀ᇰ國귁〮에〮달아〮 文문字ᄍᆞᆼ〮와〮로〮서르ᄉᆞᄆᆞᆺ디〮아니〮ᄒᆞᆯᄊᆡ〮",
        "Déjà vu à l'été, où l'élève français a été gêné par l'œuvre naïve; ça alors, Noël!",
        "ㅋㅋㅋㅋㅋㅋㅋㅋ ㅎㅎㅎㅎ ㅠㅠㅠㅠ 뷁 쀍 뙇 헠 웱 하는 채팅 글도 글이다 그렇지 않니",
        "Ελληνικά, русский, 日本語の文、中文句子, ภาษาไทย and more in one line of English text.",
        "if (a[i] != b[j]) { return &x->y; } // C 언어",
        "가",
    ],
)
def test_text_that_looks_odd_is_no_nonsense(text: str) -> None:
    assert not garbled(text)
