"""Zips of files, zips in zips and in parts. The AI Hub files here are made from the described shapes of its sets."""

import io
import json
import random
import time
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

import corpus.archives
from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions, Skipped, named_reader, reader_for

Found = Record | Rejected | Skipped


def read(path: Path, form: str = "archive", **options: Any) -> list[Found]:
    return list(named_reader(form).load()(path, ReadOptions(**options), 0, None))


class _OldName(zipfile.ZipInfo):
    """A member whose name is written as Windows in Korea does: CP949, without the flag of UTF-8."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802
        return self.filename.encode("cp949"), self.flag_bits & ~0x800


def zipped(members: dict[str, bytes | str], kind: type[zipfile.ZipInfo] = zipfile.ZipInfo) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(kind(name), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def emotional(*turns: str) -> dict[str, Any]:
    names = [f"{who}S{n:02}" for n in (1, 2, 3) for who in ("H", "S")]
    content = dict(sorted(zip(names, [*turns, *[""] * 6], strict=False)))
    profile = {"persona": {"persona-id": "A02_G01_C01", "human": ["A02", "G01"], "computer": ["C01"]}}
    return {"profile": profile, "talk": {"id": {"talk-id": "Pro_1"}, "content": content}}


SHAPES: list[tuple[str, Any, list[str]]] = [
    (
        "문서요약",
        {
            "name": "x",
            "documents": [
                {
                    "id": "1",
                    "category": "사회",
                    "text": [[{"sentence": "첫 문장."}, {"sentence": "둘째."}], [{"sentence": "다음 문단."}]],
                    "extractive": [0],
                    "abstractive": ["요약"],
                }
            ],
        },
        ["첫 문장. 둘째.\n다음 문단."],
    ),
    (
        "논문자료 요약",
        [
            {
                "data": [
                    {
                        "doc_id": "A",
                        "title": "제목",
                        "summary_entire": [{"orginal_text": "전문.", "summary_text": "요약"}],
                    },
                    {"doc_id": "B", "summary_section": [{"orginal_text": "1장."}, {"orginal_text": "2장."}]},
                ]
            }
        ],
        ["전문.", "1장.\n\n2장."],
    ),
    (
        "전문분야 말뭉치",
        {
            "data": [
                {"title": "판례", "rows": [{"no": 1, "text": "첫 행.", "NE": [{"entity": "행"}]}, {"text": "둘째 행."}]}
            ]
        },
        ["첫 행.\n둘째 행."],
    ),
    (
        "웹데이터",
        {
            "named_entity": [
                {
                    "title": [{"sentence": "제목"}],
                    "subtitle": [],
                    "content": [{"sentence": "본문 하나."}, {"sentence": "본문 둘."}],
                    "source_site": "a.kr",
                    "write_date": "2021-03-04",
                    "board": "자유",
                }
            ]
        },
        ["제목\n본문 하나.\n본문 둘."],
    ),
    (
        "한국어 대화 요약",
        {"data": [{"body": {"dialogue": [{"utterance": "안녕"}, {"utterance": "반가워"}], "summary": "인사"}}]},
        ["안녕\n반가워"],
    ),
    (
        "대규모 구매도서",
        {
            "paragraphs": [
                {
                    "id": "p",
                    "info": {"kdc": "810", "published_year": "2019"},
                    "sentences": [{"text": "한 문장.", "original_text": "한  문장."}, {"text": "또 한 문장."}],
                }
            ]
        },
        ["한 문장. 또 한 문장."],
    ),
    (
        "요약문·레포트",
        {
            "Meta(Acqusition)": {"doc_name": "연설", "publisher": "나라"},
            "Meta(Refine)": {"passage": "본문이다.", "passage_id": "7"},
            "Annotation": None,
        },
        ["본문이다."],
    ),
    (
        "국가기록물",
        {"data": [{"source_id": "1", "title": "백서", "corpus": "기록이다.", "issue_date": "20180000"}]},
        ["기록이다."],
    ),
    ("감성대화", [emotional("힘들다.", "왜요?", "몰라.")], ["힘들다.\n왜요?\n몰라."]),
]


@pytest.mark.parametrize(("shape", "made", "texts"), SHAPES, ids=[shape for shape, _, _ in SHAPES])
def test_each_described_shape_of_ai_hub_is_known_by_its_keys(
    tmp_path: Path, shape: str, made: Any, texts: list[str]
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
    found = read(path, "aihub")
    assert [one.text for one in found if isinstance(one, Record)] == texts
    assert all(isinstance(one, Record) and one.meta["shape"] == shape for one in found)
    told = json.dumps([one.meta for one in found if isinstance(one, Record)], ensure_ascii=False)
    assert '요약"]' not in told
    assert "persona" not in told


def test_an_unknown_shape_is_told_by_its_plain_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"data": [{"utter": "수도", "홍길동": 1, "audio_id": 2}]}), encoding="utf-8")
    (rejected,) = read(path, "aihub")
    assert isinstance(rejected, Rejected)
    assert rejected.cause == "aihub.unknown_shape"
    assert "there are: utter, audio_id" in rejected.detail
    assert "홍길동" not in rejected.detail


def test_zips_in_zips_give_members_by_their_korean_names(tmp_path: Path) -> None:
    inner = zipped({"라벨/대화.json": json.dumps([emotional("응.")]), "빈.json": "", "폴더/": ""}, _OldName)
    path = tmp_path / "119.zip"
    more = {"읽어.txt": "글이다.".encode("cp949"), "표.xlsx": b"PK", "INFO.json": '{"kdc": 1}'}
    path.write_bytes(zipped({"TL_1.zip": inner, **more}))
    found = read(path, "aihub")
    assert [(x.member, getattr(x, "text", None) or x.cause) for x in found if not isinstance(x, Skipped)] == [  # type: ignore[union-attr]
        ("TL_1.zip!라벨/대화.json", "응."),
        ("읽어.txt", "글이다."),
        ("표.xlsx", "format.unknown"),
    ]
    assert [x.rule for x in found if isinstance(x, Skipped)] == ["source.empty_member", "source.not_data"]


def test_parts_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    rng = random.Random(0)
    text = "".join(chr(rng.randrange(0xAC00, 0xD7A3)) for _ in range(50_000))
    packed = zipped({"a.txt": text, "b.txt": "끝이다."})
    cut = len(packed) // 3
    for start in range(0, len(packed), cut):
        (tmp_path / f"x.zip.part{start}").write_bytes(packed[start : start + cut])
    (tmp_path / "y.zip.part0").write_bytes(b"of another")
    first, second = read(tmp_path / "x.zip.part0")
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.text, second.text) == (text, "끝이다.")
    (tmp_path / f"x.zip.part{cut}").unlink()
    found = read(tmp_path / "x.zip.part0")
    assert found
    assert {x.cause for x in found if isinstance(x, Rejected)} == {"archive.broken"}


def test_members_go_to_the_reader_of_their_name(tmp_path: Path) -> None:
    path = tmp_path / "mixed.zip"
    line = json.dumps({"id": "7", "text": "줄이다."}, ensure_ascii=False)
    page = "<html><body><p>쪽이다.</p></body></html>"
    members = {
        "a/b.jsonl": f"{line}\n{{broken",
        "c.html": page,
        "README.md": "no",
        "__MACOSX/._c.html": "no",
        "d.png": "x",
    }
    path.write_bytes(zipped(members))
    assert reader_for(path.name) == named_reader("archive")
    found = read(path, key="id")
    shown = [getattr(x, "text", None) or getattr(x, "cause", None) or x.rule for x in found]  # type: ignore[union-attr]
    assert shown == ["줄이다.", "json.broken", "쪽이다.", "source.not_data", "source.not_data", "format.unknown"]
    assert isinstance(found[0], Record)
    assert (found[0].key, found[0].member) == ("7", "a/b.jsonl")


def test_a_damaged_member_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "첫째 글이다.")
        archive.writestr("b.txt", "둘째 글이다.")
    path.write_bytes(path.read_bytes().replace("첫째".encode(), "셋째".encode()))
    rejected, record = read(path)
    assert isinstance(rejected, Rejected)
    assert (rejected.cause, rejected.member) == ("archive.broken", "a.txt")
    assert isinstance(record, Record)
    assert record.text == "둘째 글이다."


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04" + b"x" * 1000, zipped({"a.txt": "x" * 5000})[:-40]])
def test_what_is_no_zip_is_one_rejected(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    (rejected,) = read(path)
    assert isinstance(rejected, Rejected)
    assert (rejected.cause, rejected.length) == ("archive.broken" if data else "file.empty", len(data))


def test_a_bomb_is_refused_in_bounded_time_and_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    zeros = zipped({"a.txt": bytes(30 << 20)})
    path.write_bytes(zipped({f"{n}.zip": zeros for n in range(20)}))
    tracemalloc.start()
    started = time.monotonic()
    found = read(path, max_record=1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(found[-1], Rejected)
    assert found[-1].cause == "archive.bomb"
    assert "100 times" in found[-1].detail
    assert time.monotonic() - started < 10
    assert peak < 100 << 20


def test_nesting_and_members_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = zipped({"a.txt": "깊다."})
    for _ in range(6):
        data = zipped({"in.zip": data})
    path = tmp_path / "deep.zip"
    path.write_bytes(data)
    (rejected,) = read(path)
    assert isinstance(rejected, Rejected)
    assert (rejected.cause, rejected.member) == ("archive.too_deep", "in.zip!in.zip!in.zip!in.zip")
    monkeypatch.setattr(corpus.archives, "_MEMBERS", 10)
    path.write_bytes(zipped({f"{n}.txt": "글" for n in range(20)}))
    found = read(path)
    assert isinstance(found[-1], Rejected)
    assert (len(found), found[-1].cause) == (11, "archive.bomb")
