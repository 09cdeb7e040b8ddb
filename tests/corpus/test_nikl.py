"""NIKL 모두의 말뭉치. The files here are made from the described shape of the corpora: none of their data is here."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions, Skipped, named_reader

SPEAKER = {
    "id": "1",
    "age": "20대",
    "sex": "여성",
    "birthplace": "제주",
    "pricipal_residence": "강릉",
    "occupation": "화가",
}


def read(path: Path) -> list[Record | Rejected | Skipped]:
    return list(named_reader("nikl").load()(path, ReadOptions(), 0, None))


def corpus(tmp_path: Path, *documents: dict[str, Any], **envelope: Any) -> Path:
    path = tmp_path / "WARW1800000099.json"
    whole = {
        "id": "WARW1800000099",
        "metadata": {"title": "국립국어원 문어 말뭉치", "category": "문어 > 책-상상 > 문학"},
    }
    path.write_text(json.dumps({**whole, **envelope, "document": documents}, ensure_ascii=False), encoding="utf-8")
    return path


def written(key: str, *forms: str, name: str = "form", **metadata: str) -> dict[str, Any]:
    rows = [{"id": f"{key}.{n}", name: form} for n, form in enumerate(forms)]
    return {"id": key, "metadata": metadata, "paragraph": rows}


def talk(key: str, *forms: str, **row: str) -> dict[str, Any]:
    rows = [{"id": f"{key}.{n}", "form": form, "speaker_id": "1", **row} for n, form in enumerate(forms)]
    return {"id": key, "metadata": {"title": "N/A", "speaker": [SPEAKER]}, "utterance": rows}


def one(path: Path) -> Record:
    (record,) = read(path)
    assert isinstance(record, Record)
    return record


def test_written_documents_have_their_paragraphs_their_key_and_what_is_said_of_them(tmp_path: Path) -> None:
    told = {"title": "가", "author": "나", "publisher": "다", "date": "20070000"}
    path = corpus(
        tmp_path, written("W.1", "첫 문단이다.1999년이다.", "둘째 문단이다.", **told), written("W.2", "셋째.")
    )
    first, second = read(path)
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.text, first.key) == ("첫 문단이다.1999년이다.\n둘째 문단이다.", "W.1")
    assert first.created is None
    kept = {"title": "가", "author": "나", "publisher": "다", "year": "2007", "category": "문어 > 책-상상 > 문학"}
    assert first.meta == kept
    assert json.loads(path.read_bytes()[second.offset : second.offset + second.length])["id"] == "W.2"


@pytest.mark.parametrize(
    ("date", "day", "year"),
    [
        ("20180423", "2018-04-23", "2018"),
        ("20180000", None, "2018"),
        ("20180400", None, "2018"),
        ("2018", None, "2018"),
        ("NA", None, None),
        ("", None, None),
    ],
)
def test_a_day_is_taken_only_where_it_is_whole(tmp_path: Path, date: str, day: str | None, year: str | None) -> None:
    record = one(corpus(tmp_path, written("N.1", "기사다.", date=date)))
    assert (record.created.date().isoformat() if record.created else None) == day
    assert record.meta.get("year") == year


def test_news_and_web_forms_lose_their_wrapping_and_take_the_form_that_is_there(tmp_path: Path) -> None:
    news = written("NWRW.1", "<p>본문이다. 1<2이고 a<b>c다.</p>", topic="사회", original_topic="사회일반")
    web = written("EBRW.1", "올린 글이다.", name="original_form", title="N/A")
    first, second = read(corpus(tmp_path, news, web))
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert first.text == "본문이다. 1<2이고 a<b>c다."
    assert first.meta["original_topic"] == "사회일반"
    assert second.text == "올린 글이다."
    assert "title" not in second.meta


def test_utterances_are_lines_and_speakers_stay_out(tmp_path: Path) -> None:
    record = one(corpus(tmp_path, talk("SARW.1", "안녕하세요.", "네 &name& 씨.", note="제주에서"), metadata={}))
    assert record.text == "안녕하세요.\n네 &name& 씨."
    said = json.dumps(record.meta, ensure_ascii=False) + record.text
    assert not any(value in said for value in (*SPEAKER.values(), "speaker"))
    assert record.meta == {}


@pytest.mark.parametrize(
    ("form", "text", "marks"),
    [
        ("아 {laughing} 그래서 ((xx)) 갔지~", "아 그래서 갔지~", 2),
        ("((어제)) 본 -그ㄹ- 그림 (())", "어제 본 그ㄹ 그림", 1),
        ("&tel-num&로 &card-num1& 말고 &name2& &company-name&", "<|phone|>로 <|card|> 말고 &name2& &company-name&", 0),
        ("2018-2019-2020년 AT&T & R&D", "2018-2019-2020년 AT&T & R&D", 0),
        ("010-1234-5678 (괄호) {중괄호}", "010-1234-5678 (괄호) {중괄호}", 0),
    ],
)
def test_marks_of_transcription_go_and_words_stay(tmp_path: Path, form: str, text: str, marks: int) -> None:
    record = one(corpus(tmp_path, talk("SDRW.1", form)))
    assert record.text == text
    assert record.losses == ({"nikl.mark": marks} if marks else {})


def test_messages_keep_what_looks_like_marks(tmp_path: Path) -> None:
    assert one(corpus(tmp_path, talk("MDRW.1", "-끝- ((ㅋㅋ)) {laughing}"))).text == "-끝- ((ㅋㅋ)) {laughing}"


def test_a_bad_document_costs_itself_alone(tmp_path: Path) -> None:
    bad = [{"id": "W.2", "paragraph": "수도"}, {"id": "W.3", "paragraph": [{"text": "수도"}]}, {"id": "W.4"}]
    path = corpus(tmp_path, written("W.1", "처음."), *bad, written("W.5", "끝."))
    data = path.read_text(encoding="utf-8").replace('{"id": "W.4"}', '{"id": "W.4", "paragraph": [수도]}')
    path.write_text(data, encoding="utf-8")
    found = read(path)
    assert [x.text if isinstance(x, Record) else getattr(x, "cause", x) for x in found] == [
        "처음.",
        "nikl.shape",
        "nikl.no_form",
        "json.broken",
        "끝.",
    ]
    assert all("수도" not in x.detail for x in found if isinstance(x, Rejected))


def test_a_row_without_a_form_is_counted(tmp_path: Path) -> None:
    document = written("W.1", "있다.")
    document["paragraph"] += [{"id": "W.1.9"}, 7]
    record = one(corpus(tmp_path, document))
    assert (record.text, record.losses) == ("있다.", {"nikl.no_form": 2})


def test_a_zip_of_the_corpus_gives_its_json_and_leaves_its_papers(tmp_path: Path) -> None:
    path = tmp_path / "NIKL.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(corpus(tmp_path, written("W.1", "문단.")), "국어/W.json")
        archive.writestr("협약서.pdf", b"%PDF")
        archive.writestr("비출판물.csv", "file_id,sentence")
    record, skipped, rejected = read(path)
    assert isinstance(rejected, Rejected)
    assert (rejected.cause, rejected.member) == ("format.unknown", "비출판물.csv")
    assert isinstance(record, Record)
    assert (record.text, record.member, record.key) == ("문단.", "국어/W.json", "W.1")
    assert isinstance(skipped, Skipped)
    assert skipped.rule == "source.not_data"
