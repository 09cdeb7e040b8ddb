"""한글 documents written by hand: tables, notes, boxes come in the order of reading; what is protected is told."""

import struct
import zipfile
from pathlib import Path

import pytest

from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions, Skipped, named_reader

NAMES = 'xmlns:hs="http://www.hancom.co.kr/hwpml/2011/section" xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph"'


def read(path: Path) -> Record | Rejected | Skipped:
    (found,) = named_reader("hwp").load()(path, ReadOptions(), 0, None)
    return found


def text_of(path: Path) -> str:
    found = read(path)
    assert isinstance(found, Record), found
    return found.text


def run(inner: str) -> str:
    return f'<hp:run charPrIDRef="0">{inner}</hp:run>'


def text(said: str) -> str:
    return run(f"<hp:t>{said}</hp:t>")


def paragraph(*runs: str) -> str:
    return f'<hp:p id="0" paraPrIDRef="0" styleIDRef="0">{"".join(runs)}</hp:p>'


def cell(*paragraphs: str) -> str:
    return f'<hp:tc name="" header="0"><hp:subList id="">{"".join(paragraphs)}</hp:subList></hp:tc>'


def table(*rows: tuple[str, ...]) -> str:
    return run("<hp:tbl>" + "".join("<hp:tr>" + "".join(row) + "</hp:tr>" for row in rows) + "</hp:tbl>")


def note(kind: str, said: str) -> str:
    return f'<hp:ctrl><hp:{kind} number="1"><hp:subList>{paragraph(text(said))}</hp:subList></hp:{kind}></hp:ctrl>'


def hwpx(path: Path, *sections: str, order: list[int] | None = None, extra: dict[str, str] | None = None) -> Path:
    """A package of the shape that 한글 writes; `order` is that of the spine."""
    items = "".join(
        f'<opf:item id="s{n}" href="Contents/section{n}.xml" media-type="application/xml"/>'
        for n in range(len(sections))
    )
    spine = "".join(f'<opf:itemref idref="s{n}"/>' for n in order or range(len(sections)))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/hwp+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        package = f"<opf:manifest>{items}</opf:manifest><opf:spine>{spine}</opf:spine>"
        archive.writestr(
            "Contents/content.hpf", f'<opf:package xmlns:opf="http://www.idpf.org/2007/opf/">{package}</opf:package>'
        )
        for number, section in enumerate(sections):
            archive.writestr(f"Contents/section{number}.xml", f"<hs:sec {NAMES}>{section}</hs:sec>")
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return path


def test_paragraphs_tables_boxes_and_marks_come_in_the_order_of_reading(tmp_path: Path) -> None:
    inner = table((cell(paragraph(text("안쪽 칸"))),))
    outer = table(
        (cell(paragraph(text("가1")), paragraph(text("가1 둘째"))), cell(paragraph(text("나1")))),
        (cell(paragraph(text("가2"))), cell(paragraph(inner, text("나2")))),
    )
    box = run(f"<hp:rect><hp:drawText><hp:subList>{paragraph(text('글상자'))}</hp:subList></hp:drawText></hp:rect>")
    marks = "줄<hp:lineBreak/>바꿈<hp:tab/>탭<hp:nbSpace/>칸 <hp:markpenBegin/>형광<hp:markpenEnd/>펜"
    section = "".join(
        [
            paragraph(text("첫 문단이다.")),
            paragraph(outer),
            paragraph(text("표 다음 문단.")),
            paragraph(box, text("상자 옆 글.")),
            paragraph(text(marks)),
        ]
    )
    assert text_of(hwpx(tmp_path / "a.hwpx", section)).splitlines() == [
        "첫 문단이다.",
        "가1",
        "가1 둘째",
        "나1",
        "가2",
        "안쪽 칸",
        "나2",
        "표 다음 문단.",
        "글상자",
        "상자 옆 글.",
        "줄",
        "바꿈\t탭\u00a0칸 형광펜",
    ]


@pytest.mark.parametrize("kind", ["footNote", "endNote"])
def test_a_note_stands_behind_its_paragraph_not_within_the_sentence(tmp_path: Path, kind: str) -> None:
    sentence = paragraph(run(f"<hp:t>판결은</hp:t>{note(kind, '대법원 판결.')}<hp:t> 확정되었다.</hp:t>"), text(" 끝."))
    within = paragraph(table((cell(sentence),)))
    lines = text_of(hwpx(tmp_path / "a.hwpx", sentence + paragraph(text("다음.")) + within)).splitlines()
    told = ["판결은 확정되었다. 끝.", "대법원 판결."]
    assert lines == [*told, "다음.", *told]


def test_sections_come_in_the_order_of_the_package(tmp_path: Path) -> None:
    sections = [paragraph(text(f"구역 {n}")) for n in range(12)]
    assert text_of(hwpx(tmp_path / "a.hwpx", *sections)).split("\n\n") == [f"구역 {n}" for n in range(12)]
    assert text_of(hwpx(tmp_path / "a.hwpx", *sections[:2], order=[1, 0])) == "구역 1\n\n구역 0"


def test_bombs_and_nonsense_in_a_package_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.hwpx"
    big = paragraph(text("footNote" + " " * (70 << 20)))
    found = read(hwpx(path, big))
    assert isinstance(found, Rejected)
    assert found.cause == "hwp.too_big"
    deep = "<hp:p>" * 20_000 + "footNote" + "</hp:p>" * 20_000
    found = read(hwpx(path, deep))
    assert isinstance(found, Rejected)
    assert found.cause == "hwp.no_text"
    found = read(hwpx(path, "<hp:p>footNote 열린"))
    assert isinstance(found, Rejected)
    assert found.cause == "hwp.no_text"


def ole(path: Path, flags: int) -> Path:
    """A compound file of one stream, FileHeader of HWP 5 with these flags."""
    header = b"HWP Document File".ljust(32, b"\0") + struct.pack("<II", 0x05010000, flags)
    end, free = 0xFFFFFFFE, 0xFFFFFFFF

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        raw = (name + "\0").encode("utf-16-le") if name else b""
        return struct.pack("<64sHBBIII16sIQQIQ", raw, len(raw), kind, 1, free, free, child, b"", 0, 0, 0, start, size)

    sectors = [
        struct.pack("<128I", 0xFFFFFFFD, end, end, end, *[free] * 124),  # the table of sectors
        entry("Root Entry", 5, 1, 2, 256) + entry("FileHeader", 2, free, 0, 256) + entry("", 0, free, 0, 0) * 2,
        header.ljust(512, b"\0"),  # short streams, in pieces of 64 bytes
        struct.pack("<128I", 1, 2, 3, end, *[free] * 124),  # the table of those pieces
    ]
    start = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    start += struct.pack("<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, 3, 1, end, 0, 0)
    path.write_bytes(start + struct.pack("<108I", *[free] * 108) + b"".join(sectors))
    return path


@pytest.mark.parametrize(
    ("flags", "cause", "said"),
    [
        (0b11, "hwp.password", "password"),
        (0b101, "hwp.distribution", "배포용"),
        (0b10001, "hwp.drm", "original"),
        (0b1, "hwp.no_text", "damaged"),
    ],
)
def test_what_protects_a_document_is_told(tmp_path: Path, flags: int, cause: str, said: str) -> None:
    found = read(ole(tmp_path / "a.hwp", flags))
    assert isinstance(found, Rejected)
    assert found.cause == cause
    assert said in found.detail
