"""DOCX and EPUB (made here, by hand, from the formats' described shape): their text comes whole, traps are refused."""

import random
import struct
import time
import zipfile
from pathlib import Path

import pytest

from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions, Skipped, reader_for

TEXT = "대한민국의 수도는 서울이다. 똠방각하 펲시콜라."
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
CHAPTER = "<html xmlns='http://www.w3.org/1999/xhtml'><head><title/></head><body><p>{}</p></body></html>"


def read(path: Path, **options: object) -> list[Record | Rejected | Skipped]:
    reader = reader_for(path.name)
    assert reader is not None
    return list(reader.load()(path, ReadOptions(**options), 0, None))  # type: ignore[arg-type]


def one_text(path: Path) -> str:
    (record,) = read(path)
    assert isinstance(record, Record), record
    assert record.length == path.stat().st_size
    return record.text


def one_cause(path: Path, **options: object) -> str:
    (rejected,) = read(path, **options)
    assert isinstance(rejected, Rejected)
    assert "수도" not in rejected.detail
    assert str(path.parent) not in rejected.detail
    return rejected.cause


def pack(path: Path, members: dict[str, str | bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def docx(path: Path, body: str, **parts: str | bytes) -> None:
    relations = f'<Relationships><Relationship Id="1" Type="{RELATIONS}" Target="/word/document.xml"/></Relationships>'
    document = f"<?xml version='1.0'?><w:document {W}><w:body>{body}</w:body></w:document>"
    others = {f"word/{name}.xml": data for name, data in parts.items()}
    pack(path, {"_rels/.rels": relations, "word/document.xml": document, **others})


def p(*runs: str) -> str:
    return "<w:p>" + "".join(f'<w:r><w:t xml:space="preserve">{run}</w:t></w:r>' for run in runs) + "</w:p>"


def epub(path: Path, chapters: dict[str, str | bytes], **more: str) -> None:
    items = "".join(
        f'<item id="c{n}" href="{name.replace(" ", "%20")}" media-type="application/xhtml+xml"/>'
        for n, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in reversed(range(len(chapters))))
    nav = "<item id='nav' href='nav.xhtml' media-type='application/xhtml+xml' properties='nav'/>"
    book = f"<package><manifest>{items}{nav}</manifest><spine><itemref idref='nav'/>{spine}</spine></package>"
    members: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OEBPS/b.opf"/></rootfiles></container>',
        "OEBPS/b.opf": f"<!DOCTYPE package><?x?>{book}",
        "OEBPS/nav.xhtml": CHAPTER.format("차례"),
        **{f"OEBPS/{name}": data for name, data in chapters.items()},
        **more,
    }
    pack(path, members)


def test_word_gives_paragraphs_cells_and_notes_in_reading_order(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    table = f"<w:tbl><w:tr><w:tc>{p('칸 1')}</w:tc><w:tc>{p('칸 2')}</w:tc></w:tr></w:tbl>"
    reference = '<w:r><w:footnoteReference w:id="{}"/></w:r>'
    noted = p("주 있음.").replace("</w:p>", reference.format(2) + reference.format(1) + "</w:p>")
    notes = "".join(f'<w:footnote w:id="{n}">{p(f"각주 {n}")}</w:footnote>' for n in (0, 1, 2))
    docx(path, p("첫 ", "줄.") + table + noted + p(TEXT), footnotes=f"<w:footnotes {W}>{notes}</w:footnotes>")
    assert one_text(path).split("\n") == ["첫 줄.", "칸 1", "칸 2", "주 있음.", TEXT, "각주 2", "각주 1"]


def test_word_leaves_out_what_is_deleted_repeated_or_a_field(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    inner = f"<w:txbxContent>{p('글상자')}</w:txbxContent>"
    box = f"<w:r><Alternate><Choice>{inner}</Choice><Fallback>{inner}</Fallback></Alternate></w:r>"
    body = (
        "<w:p><w:del><w:r><w:delText>지운</w:delText></w:r></w:del><w:ins><w:r><w:t>넣은</w:t></w:r></w:ins>"
        "<w:moveFrom><w:r><w:t>옮긴</w:t></w:r></w:moveFrom><w:r><w:instrText>PAGE</w:instrText></w:r>"
        "<w:r><w:t>앞</w:t><w:tab/><w:t>뒤</w:t><w:br/><w:t>&lt;다음&gt;</w:t></w:r></w:p>"
    )
    docx(path, body + f"<w:p>{box}<w:r><w:t>본문</w:t></w:r></w:p>")
    assert one_text(path) == "넣은앞\t뒤\n<다음>\n글상자\n본문"


def test_broken_notes_cost_the_notes_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    noted = p(TEXT).replace("</w:p>", '<w:r><w:footnoteReference w:id="1"/></w:r></w:p>')
    docx(path, noted, footnotes="<broken")
    (record,) = read(path)
    assert isinstance(record, Record)
    assert (record.text, record.losses) == (TEXT, {"docx.notes_unreadable": 1})


def test_a_book_gives_its_chapters_in_the_order_of_the_spine(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    old = f"<html><head><meta charset='euc-kr'></head><body>{TEXT}</body></html>".encode("cp949")
    epub(path, {"둘 째.xhtml": CHAPTER.format(f"{TEXT}<a id='x'/> 끝"), "a/first.xhtml": old})
    assert one_text(path) == f"{TEXT}\n\n{TEXT} 끝"


def test_a_missing_chapter_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    epub(path, {"a.xhtml": CHAPTER.format(TEXT), "b.xhtml": bytes(range(256)) * 9})
    (record,) = read(path)
    assert isinstance(record, Record)
    assert (record.text, record.losses) == (TEXT, {"epub.chapter_unreadable": 1})


def test_a_locked_book_says_so_and_locked_fonts_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    lock = (
        "<encryption><EncryptedData><CipherData><CipherReference URI='{}'/></CipherData></EncryptedData></encryption>"
    )
    for uri in ("OEBPS/a.xhtml", "OEBPS/font.otf"):
        epub(path, {"a.xhtml": CHAPTER.format(TEXT)}, **{"META-INF/encryption.xml": lock.format(uri)})
        if uri.endswith("otf"):
            assert one_text(path) == TEXT
        else:
            assert one_cause(path) == "epub.locked"


@pytest.mark.parametrize("name", ["a.docx", "a.epub"])
def test_what_is_no_such_document_says_why(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    form = name[2:]
    for data, cause in [
        (b"", "file.empty"),
        (b"\x89PNG" * 50, f"{form}.broken"),
        (b"PK\x03\x04" + bytes(100), f"{form}.broken"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), f"{form}.password"),
    ]:
        path.write_bytes(data)
        assert one_cause(path) == cause
    pack(path, {"other": "x"})
    assert one_cause(path) == f"{form}.unknown"


def test_documents_without_text_say_so(tmp_path: Path) -> None:
    docx(tmp_path / "a.docx", p(" "))
    epub(tmp_path / "a.epub", {"a.xhtml": CHAPTER.format("")})
    assert one_cause(tmp_path / "a.docx") == "docx.no_text"
    assert one_cause(tmp_path / "a.epub") == "epub.no_text"


def test_bombs_are_refused_before_they_are_held(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    docx(path, p("가" * 40_000_000))
    assert one_cause(path) == "docx.bomb"  # a thousandfold
    noise = "".join(random.Random(0).choices("가나다라마바사아", k=1_000_000))
    docx(path, p(noise))
    assert one_cause(path, max_record=2 << 20) == "docx.bomb"  # more than a record may take
    epub(tmp_path / "a.epub", {f"{n}.xhtml": CHAPTER.format(noise[:400_000]) for n in range(5)})
    assert one_cause(tmp_path / "a.epub", max_record=2 << 20) == "epub.bomb"  # all chapters together


def test_entities_and_a_list_of_members_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    document = f'<!DOCTYPE d [<!ENTITY l0 "하">{laughs}]><w:document {W}>{p("&l9;")}</w:document>'
    pack(path, {"word/document.xml": document})
    assert one_cause(path) == "docx.entities"
    docx(path, p(TEXT))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.rfind(b"PK\5\6") + 12, 1 << 30)
    path.write_bytes(data)
    assert one_cause(path) == "docx.bomb"


def test_elements_nested_100000_deep_are_read_in_time(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    started = time.monotonic()
    docx(path, "<w:sdt>" * 100_000 + p(TEXT) + "</w:sdt>" * 100_000)
    assert one_text(path) == TEXT
    docx(path, "<w:p>" * 100_000 + p(TEXT) + "</w:p>" * 100_000)
    assert one_text(path) == TEXT
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("name", ["a.docx", "a.epub"])
def test_damage_anywhere_is_one_rejected_record_or_none(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.docx":
        docx(path, p(TEXT) * 20)
    else:
        epub(path, {"a.xhtml": CHAPTER.format(TEXT * 9), "b.xhtml": CHAPTER.format("끝")})
    good = path.read_bytes()
    for seed in range(300):
        chance, data = random.Random(seed), bytearray(good)
        if seed % 3 == 0:
            del data[chance.randrange(len(data)) :]
        else:
            for _ in range(chance.randrange(1, 9)):
                data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        assert len(read(path)) == 1
