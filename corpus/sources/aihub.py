"""AI Hub data sets as they are downloaded: zips, zips in zips, zips in numbered parts, with JSON and text in them.

The shape of a JSON member is recognised by its keys; SHAPES has one function for each. A summary, a label or a question
made from a text is no part of the document. A shape that is not known is quarantined with its keys, so that the next
one can be added. The name of the format must be said (`format: aihub`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from corpus.archives import Found, Member, is_archive, read_members
from corpus.documents import Record, Rejected
from corpus.json_envelopes import Element, divide_elements, elements, plain_names, read_elements
from corpus.ranges import BigFile, Range
from corpus.sources import ReadOptions, Skipped, parse_created, reader_for
from corpus.sources.archive import member_records

ENDINGS = ()
SPLIT = "members"

_LISTS = ("data", "documents", "named_entity", "paragraphs")
_INFO = re.compile(r"(?:.*[/!_.\-])?INFO(?:[_.\-].*)?\.json")  # 대규모 구매도서: of the set, no text
_TURN = re.compile(r"([HS])S(\d+)")

Shaped = tuple[str, dict[str, object]]
"""Text, and what is kept of the rest: key → value; `date` is the day it was written."""


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Found]:
    """The records of an archive, or of a file that came out of one; [start, end) are members, or the file's own."""
    if is_archive(path.name):
        yield from read_members(path, options, lambda member: _member(member, options), start, end)
    elif path.name.lower().endswith(".json"):
        if _INFO.fullmatch(path.name):
            yield Skipped(0, path.stat().st_size, "source.not_data")
            return
        for one in read_elements(path, _LISTS, options.max_record, start, end, options.state):
            yield one if isinstance(one, Rejected) else _record(one)
    elif (reader := reader_for(path.name)) is not None:
        yield from reader.load()(path, options, start, end)
    else:
        yield Rejected(0, path.stat().st_size, "format.unknown", "no reader for this ending: leave it out by `include`")


def divide(file: BigFile, options: ReadOptions, unit_bytes: int) -> list[Range]:
    """Ranges of the objects of a JSON file, or what the reader of another file's name says."""
    if file.path.name.lower().endswith(".json"):
        whole = _INFO.fullmatch(file.path.name) is not None
        return [] if whole else divide_elements(file, _LISTS, options.max_record, unit_bytes)
    reader = reader_for(file.path.name)
    found: list[Range] = reader.module().divide(file, options, unit_bytes) if reader and reader.divides else []
    return found


def _member(member: Member, options: ReadOptions) -> Iterator[Found]:
    if not member.name.lower().endswith(".json"):
        yield from member_records(member, options)
    elif _INFO.fullmatch(member.name):
        yield Skipped(0, member.size, "source.not_data")
    else:
        for one in elements(member.stream, _LISTS, options.max_record):
            yield one if isinstance(one, Rejected) else _record(one)


def _record(element: Element) -> Record | Rejected:
    place = f"the object at byte {element.offset}"
    for name, shape in SHAPES.items():
        shaped = shape(element.value)
        if shaped is None:
            continue
        text, rest = shaped
        if not text.strip():
            detail = f"{place}: read as {name}, but the text is empty or of another type"
            return Rejected(element.offset, element.length, "aihub.no_text", detail)
        meta = {key: value for key, value in rest.items() if _told(value)}
        date = meta.pop("date", None)
        return Record(
            text,
            element.offset,
            element.length,
            created=parse_created(date) if isinstance(date, str) else None,
            meta={"shape": name, **meta},
            losses=dict(element.losses),
        )
    detail = f"{place}: no shape of a data set that is known here{plain_names(element.value)}"
    return Rejected(element.offset, element.length, "aihub.unknown_shape", detail)


def _told(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _strings(rows: object, name: str) -> list[str]:
    """That field of every object in a list, where it is text."""
    if not isinstance(rows, list):
        return []
    return [row[name].strip() for row in rows if isinstance(row, dict) and isinstance(row.get(name), str)]


def _some(value: dict[str, Any], *names: str) -> dict[str, object]:
    return {name: value[name] for name in names if name in value}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def document_summary(value: dict[str, Any]) -> Shaped | None:
    """문서요약 텍스트: paragraphs of sentences."""
    paragraphs = value.get("text")
    if not isinstance(paragraphs, list) or "abstractive" not in value:
        return None
    lines = [" ".join(_strings(paragraph, "sentence")) for paragraph in paragraphs]
    return "\n".join(filter(None, lines)), _some(value, "id", "category")


def paper_summary(value: dict[str, Any]) -> Shaped | None:
    """논문자료 요약: the whole text, or its sections where there is no whole; `orginal_text` is spelt so."""
    parts = [_strings(value.get(name), "orginal_text") for name in ("summary_entire", "summary_section")]
    if not {"summary_entire", "summary_section"} & value.keys():
        return None
    return "\n\n".join(parts[0] or parts[1]), _some(value, "doc_id", "doc_type", "title", "ipc")


def domain_corpus(value: dict[str, Any]) -> Shaped | None:
    """전문분야 말뭉치: numbered rows of text; the named entities are left."""
    if not isinstance(value.get("rows"), list):
        return None
    return "\n".join(filter(None, _strings(value["rows"], "text"))), _some(value, "title")


def web_corpus(value: dict[str, Any]) -> Shaped | None:
    """웹데이터 기반 말뭉치: title, subtitle and content, a sentence a line."""
    if not isinstance(value.get("content"), list) or "source_site" not in value:
        return None
    lines = [line for name in ("title", "subtitle", "content") for line in _strings(value.get(name), "sentence")]
    return "\n".join(filter(None, lines)), {**_some(value, "source_site", "board"), "date": value.get("write_date")}


def dialogue_summary(value: dict[str, Any]) -> Shaped | None:
    """한국어 대화 요약: utterances, a line each."""
    turns = _object(value.get("body")).get("dialogue")
    return None if turns is None else ("\n".join(filter(None, _strings(turns, "utterance"))), {})


def bought_books(value: dict[str, Any]) -> Shaped | None:
    """대규모 구매도서: the sentences of a paragraph."""
    if not isinstance(value.get("sentences"), list) or "info" not in value:
        return None
    info = _object(value["info"])
    text = " ".join(filter(None, _strings(value["sentences"], "text")))
    return text, {**_some(value, "id"), **_some(info, "kdc", "published_year")}


def report_summary(value: dict[str, Any]) -> Shaped | None:
    """요약문·레포트: the passage; `Meta(Acqusition)` is spelt so."""
    if "Meta(Refine)" not in value:
        return None
    passage, source = _object(value["Meta(Refine)"]), _object(value.get("Meta(Acqusition)"))
    text = passage.get("passage")
    rest = {**_some(passage, "passage_id"), **_some(source, "doc_id", "doc_name", "publisher", "publisher_year")}
    return text if isinstance(text, str) else "", rest


def national_records(value: dict[str, Any]) -> Shaped | None:
    """국가기록물: the field `corpus`."""
    if "corpus" not in value or "source_id" not in value:
        return None
    kept = ("source_id", "title", "publisher_company", "category_main", "category_middle", "isbn", "collection_name")
    text = value["corpus"]
    return text if isinstance(text, str) else "", {**_some(value, *kept), "date": value.get("issue_date")}


def emotional_dialogue(value: dict[str, Any]) -> Shaped | None:
    """감성대화: the turns in their order, person (HS01) before system (SS01), empty ones left out; no profile."""
    talk = _object(value.get("talk"))
    if not isinstance(talk.get("content"), dict):
        return None
    turns = []
    for name, said in talk["content"].items():
        match = _TURN.fullmatch(name)
        if match and isinstance(said, str) and said.strip():
            turns.append((int(match[2]), match[1], said.strip()))
    return "\n".join(said for _, _, said in sorted(turns)), _some(_object(talk.get("id")), "talk-id")


SHAPES: dict[str, Callable[[dict[str, Any]], Shaped | None]] = {
    "문서요약": document_summary,
    "논문자료 요약": paper_summary,
    "전문분야 말뭉치": domain_corpus,
    "웹데이터": web_corpus,
    "한국어 대화 요약": dialogue_summary,
    "대규모 구매도서": bought_books,
    "요약문·레포트": report_summary,
    "국가기록물": national_records,
    "감성대화": emotional_dialogue,
}
