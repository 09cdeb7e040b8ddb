"""`hanjo corpus check --init DIR`: write a submission.yaml by asking for each of its fields, in English or Korean.

Rights have no default: who gives text says so, in words that can be checked. The file appears only when the reader of
submissions (`corpus/submission.py`) accepts it, and an existing one is never touched.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
import yaml

from corpus import strict_yaml
from corpus.errors import UsageError
from corpus.rights import FLAGS
from corpus.shards import atomic_path
from corpus.submission import NAME, ORIGINS, read_submission
from hanjo.check_names import Both
from hanjo.check_words import Words

_YES = {"y", "yes", "true", "예", "네"}
_NO = {"n", "no", "false", "아니요", "아니오", "아뇨"}
_SHORT_NAME = re.compile(r"\w[\w.\-]{0,99}")


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        ask: the question. say: the comment beside it in the file.
        parse: the value of an answer; raises ValueError where it is none.
        wrong: what to answer instead.
        sample: its value in the example that the check shows.
        default: taken for an empty answer; None where one must be given.
    """

    name: str
    ask: Both
    say: Both
    parse: Callable[[str], Any]
    wrong: Both
    sample: Any
    default: str | None = None


def _name(answer: str) -> str:
    if not _SHORT_NAME.fullmatch(answer):
        raise ValueError(answer)
    return answer


def _text(answer: str) -> str:
    if not answer:
        raise ValueError(answer)
    return answer


def _origin(answer: str) -> str:
    if answer not in ORIGINS:
        raise ValueError(answer)
    return answer


def _flag(answer: str) -> bool:
    if answer.lower() not in _YES | _NO:
        raise ValueError(answer)
    return answer.lower() in _YES


def _day(answer: str) -> datetime.date | None:
    return datetime.date.fromisoformat(answer) if answer else None


_SHORT: Both = (
    "Use letters, digits, -, _ and . only, no spaces.",
    "글자·숫자와 - _ . 만 쓰고 띄어 쓰지 마세요.",
)
_SOME: Both = ("Write something here.", "비워 둘 수 없습니다.")
_YES_NO: Both = ("Answer yes or no.", "예 또는 아니요로 답하세요.")

FIELDS = (
    Field(
        "contributor",
        ("Who gives the text (a short name)", "글을 주는 사람이나 단체(짧은 이름)"),
        ("who gives the text", "글을 주는 곳"),
        _name,
        _SHORT,
        "our-team",
    ),
    Field(
        "source",
        ("Name of this collection, unique", "이 자료의 이름(겹치지 않게)"),
        ("a name for this collection", "이 자료의 이름"),
        _name,
        _SHORT,
        "company-blog",
    ),
    Field(
        "key",
        ("Field that names a record, e.g. id (empty: none)", "기록을 가리키는 필드, 예: id (없으면 빈칸)"),
        ("the field that names a record, or null", "기록을 가리키는 필드, 없으면 null"),
        lambda answer: answer or None,
        _SOME,
        "id",
        "",
    ),
    Field("lang", ("Language", "언어"), ("language", "언어"), _text, _SOME, "ko", "ko"),
    Field(
        "domain",
        ("Kind of text: news, law, essay, chat …", "글의 종류: news, law, essay, chat …"),
        ("kind of text", "글의 종류"),
        _text,
        _SOME,
        "blog",
    ),
    Field(
        "origin",
        (
            "Origin: natural, synthetic or translated",
            "유래: natural(사람이 씀), synthetic(기계가 만듦), translated(번역)",
        ),
        ("natural, synthetic or translated", "natural, synthetic, translated 가운데 하나"),
        _origin,
        ("Write natural, synthetic or translated.", "natural, synthetic, translated 가운데 하나를 쓰세요."),
        "natural",
        "natural",
    ),
    Field(
        "train",
        ("May a model be trained on it? (yes/no)", "이 글로 모델을 학습해도 됩니까? (예/아니요)"),
        ("may a model be trained on it", "모델 학습"),
        _flag,
        _YES_NO,
        True,
    ),
    Field(
        "publish_weights",
        ("May such a model be published? (yes/no)", "그 모델을 공개해도 됩니까? (예/아니요)"),
        ("may that model be published", "학습한 모델 공개"),
        _flag,
        _YES_NO,
        True,
    ),
    Field(
        "redistribute",
        ("May the text be passed on? (yes/no)", "글을 남에게 넘겨도 됩니까? (예/아니요)"),
        ("may the text be passed on", "원문 재배포"),
        _flag,
        _YES_NO,
        False,
    ),
    Field(
        "derive",
        ("May it be cut, masked, translated? (yes/no)", "자르거나 가리거나 번역해도 됩니까? (예/아니요)"),
        ("may it be cut, masked, translated", "자르기·가리기·번역"),
        _flag,
        _YES_NO,
        True,
    ),
    Field(
        "commercial",
        ("Also for money? (yes/no)", "상업적으로 써도 됩니까? (예/아니요)"),
        ("also for money", "상업적 이용"),
        _flag,
        _YES_NO,
        True,
    ),
    Field(
        "attribution",
        ("Words that must be named (empty: none)", "밝혀야 할 출처 표시 (없으면 빈칸)"),
        ("words that must be named, or null", "출처 표시, 없으면 null"),
        lambda answer: answer or None,
        _SOME,
        "Our Team",
        "",
    ),
    Field(
        "until",
        (
            "Last day of these rights, as 2030-12-31 (empty: no end)",
            "권리의 마지막 날, 예: 2030-12-31 (기한이 없으면 빈칸)",
        ),
        ("last day of these rights, or null", "권리의 마지막 날, 없으면 null"),
        _day,
        ("Write a day as 2030-12-31, or nothing.", "2030-12-31처럼 쓰거나 비워 두세요."),
        None,
        "",
    ),
    Field(
        "license",
        ("Licence: an SPDX tag or a short name, e.g. contract", "이용 허락: SPDX 이름이나 짧은 이름, 예: contract"),
        ("an SPDX tag or a short name", "SPDX 이름이나 짧은 이름"),
        _text,
        _SOME,
        "contract",
    ),
    Field(
        "evidence",
        ("Where the right is written", "권리가 적혀 있는 곳"),
        ("where the right is written", "권리가 적혀 있는 곳"),
        _text,
        _SOME,
        "contract 2026-11 with the publisher, section 3",
    ),
)
_RIGHTS = (*FLAGS, "attribution", "until", "license", "evidence")


def ask_submission(folder: Path, words: Words) -> Path:
    """Ask on the terminal (or of piped standard input), write FOLDER/submission.yaml; its path.

    Raises:
        UsageError: no such folder, the file exists already, or the answers ended too early.
    """
    if not folder.is_dir():
        raise UsageError(words("init.no_folder"), where=str(folder), fix=words("init.make_it"))
    target = folder / NAME
    if target.exists():
        raise UsageError(words("init.exists"), where=str(target), fix=words("init.edit_it"))
    answers = {}
    for field in FIELDS:
        try:
            answers[field.name] = _ask(field, words)
        except typer.Abort as error:
            what = words("init.ended", field=field.name)
            raise UsageError(what, where=str(target), fix=words("init.answer_all")) from error
    with atomic_path(target) as temporary:
        temporary.write_text(submission_text(answers, words), encoding="utf-8")
        read_submission(temporary)  # what the form lets through, collect must accept
    return target


def _ask(field: Field, words: Words) -> Any:
    while True:
        answer = typer.prompt(words.choose(field.ask), default=field.default, show_default=bool(field.default))
        try:
            return field.parse(str(answer).strip())
        except ValueError:
            typer.echo(words.choose(field.wrong), err=True)


def submission_text(answers: dict[str, Any], words: Words) -> str:
    """A submission.yaml with a comment beside each field."""
    lines = []
    for field in FIELDS:
        if field.name == _RIGHTS[0]:
            lines.append("rights:")
        written = f"{'  ' if field.name in _RIGHTS else ''}{field.name}: {_scalar(answers[field.name])}"
        lines.append(f"{written:<32}  # {words.choose(field.say)}")
    return "\n".join(lines) + "\n"


def example(words: Words) -> str:
    """A submission.yaml to write one's own by."""
    return submission_text({field.name: field.sample for field in FIELDS}, words)


def _scalar(value: Any) -> str:
    written: str = yaml.safe_dump(value, allow_unicode=True, width=10**9, default_flow_style=True)
    plain = written.removesuffix("\n").removesuffix("\n...")
    # PyYAML leaves 1e-4 without quotes, which our own loader reads as a number.
    return plain if strict_yaml.scalar(plain) == value else json.dumps(value, ensure_ascii=False)
