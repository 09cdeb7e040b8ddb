"""NIKL 모두의 말뭉치: every `document` of a JSON file or zip; written, newspaper, web, spoken, messenger corpora.

Paragraphs, or utterances, a line each. What is known of speakers (age, sex, birthplace, …) is personal data: it enters
neither text nor meta. The name of the format must be said (`format: nikl`), since `.json` says nothing.

Transcription marks. Sounds that are no words ({laughing}) and what was not understood (((xx)), (())) go and are counted
as `nikl.mark`; a guess (((추정))) and a broken-off word (-불완전-) were said and stay without their signs; ~ stays.
Masks that have a placeholder here become it, so that a model sees one sign for one thing (&tel-num& → <|phone|>); the
others (&name&, &address&, …) stay as they came: any word put in their place would be invented.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus.archives import Found, Member, is_archive, read_members
from corpus.documents import Record, Rejected
from corpus.json_envelopes import Element, divide_elements, elements, plain_names, read_elements
from corpus.ranges import BigFile, Range
from corpus.sources import ReadOptions, Skipped, parse_created

ENDINGS = ()
SPLIT = "members"

_LISTS = ("document",)
_PAPERS = (".pdf", ".hwp", ".hwpx", ".doc", ".docx", ".txt", ".md")  # that come with a corpus: agreements, guides
_META = ("title", "author", "publisher", "topic", "original_topic")
_UNKNOWN = ("", "NA", "N/A")
_YEAR = re.compile(r"[12]\d{3}")
_PLACEHOLDERS = {"social-security-num": "<|rrn|>", "card-num": "<|card|>", "tel-num": "<|phone|>"}
_MASK = re.compile(rf"&({'|'.join(_PLACEHOLDERS)})\d*&")
_WRAP = re.compile(r"</?p(?:\s[^<>]*)?>", re.IGNORECASE)
_GONE = re.compile(r"\{(?:laughing|clearing|singing|applauding)\}|\(\(\s*x*\s*\)\)")
_GUESS = re.compile(r"\(\(([^()]*)\)\)")
_BROKEN_OFF = re.compile(r"(?<![\w-])-([가-힣ㄱ-ㅎㅏ-ㅣ][가-힣ㄱ-ㅎㅏ-ㅣ ]{0,18})-(?![\w-])")
_BLANKS = re.compile(r"[ \t]{2,}")


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Found]:
    """The documents of a JSON file, or of every JSON file in a zip; [start, end) are members, or bytes."""
    if is_archive(path.name):
        yield from read_members(path, options, lambda member: _member(member, options), start, end)
    else:
        for one in read_elements(path, _LISTS, options.max_record, start, end, options.state):
            yield one if isinstance(one, Rejected) else _document(one)


def divide(file: BigFile, options: ReadOptions, unit_bytes: int) -> list[Range]:
    """Ranges of the documents of a JSON file."""
    return divide_elements(file, _LISTS, options.max_record, unit_bytes)


def _member(member: Member, options: ReadOptions) -> Iterator[Found]:
    if member.name.lower().endswith(_PAPERS):
        yield Skipped(0, member.size, "source.not_data")
        return
    if not member.name.lower().endswith(".json"):
        detail = "no JSON: unpack it and read it as a source of its own, by its own format"
        yield Rejected(0, member.size, "format.unknown", detail)
        return
    for one in elements(member.stream, _LISTS, options.max_record):
        yield one if isinstance(one, Rejected) else _document(one)


def _document(element: Element) -> Record | Rejected:
    value, place = element.value, f"the object at byte {element.offset}"

    def rejected(cause: str, detail: str) -> Rejected:
        return Rejected(element.offset, element.length, cause, f"{place}: {detail}")

    rows = value.get("utterance" if "utterance" in value else "paragraph")
    # Messages are written as they were sent: their hyphens and brackets are no signs of a transcription.
    spoken = "utterance" in value and not str(value.get("id")).startswith("M")
    if not isinstance(rows, list):
        names = plain_names(value)
        return rejected("nikl.shape", f"neither `paragraph` nor `utterance` is a list{names}: is it a NIKL corpus?")
    forms = [_form(row) for row in rows]
    lost = sum(form is None for form in forms)
    if forms and lost == len(forms):
        return rejected("nikl.no_form", "no `form` and no `original_form` in any of its rows")
    losses = dict(element.losses)
    if lost:
        losses["nikl.no_form"] = lost
    lines, marks = [], 0
    for form in filter(None, forms):
        line, gone = _clean(form, spoken)
        marks += gone
        if line:
            lines.append(line)
    if marks:
        losses["nikl.mark"] = marks
    key = value.get("id")
    if not isinstance(key, str) or not key:
        key, losses["key.missing"] = None, 1
    meta, date = _meta(value, element.envelope)
    return Record(
        "\n".join(lines),
        element.offset,
        element.length,
        key=key,
        created=parse_created(date) if date else None,
        meta=meta,
        losses=losses,
    )


def _form(row: object) -> str | None:
    """The text of a paragraph or utterance: `form`, or `original_form` where it is the one that is there."""
    if not isinstance(row, dict):
        return None
    forms = [row[name] for name in ("form", "original_form") if isinstance(row.get(name), str)]
    return next((form for form in forms if form.strip()), forms[0] if forms else None)


def _clean(form: str, spoken: bool) -> tuple[str, int]:
    """A line without the signs of markup and transcription, and how many sounds and gaps were taken from it."""
    line = _WRAP.sub("", form) if "<" in form else form
    gone = 0
    if "&" in line:
        line = _MASK.sub(lambda match: _PLACEHOLDERS[match[1]], line)
    if spoken:
        line, gone = _GONE.subn("", line)
        line = _GUESS.sub(r"\1", line)
        line = _BROKEN_OFF.sub(r"\1", line)
        line = _BLANKS.sub(" ", line) if gone else line
    return line.strip(), gone


def _meta(value: dict[str, Any], envelope: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Title, author, publisher, topic, category and year, as far as they are known; and the date as it stands."""
    own, file = value.get("metadata"), envelope.get("metadata")
    own, file = own if isinstance(own, dict) else {}, file if isinstance(file, dict) else {}
    meta = {name: own[name].strip() for name in _META if isinstance(own.get(name), str)}
    category = own.get("category") or file.get("category")
    if isinstance(category, str):
        meta["category"] = category.strip()
    date = own.get("date")
    date = date.strip() if isinstance(date, str) else ""
    if year := _YEAR.match(date):
        meta["year"] = year[0]
    return {name: said for name, said in meta.items() if said not in _UNKNOWN}, date
