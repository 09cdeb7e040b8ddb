"""The names of causes, rules, losses and identifiers as `hanjo corpus check` explains them, in English and Korean.

What is not listed is explained by the parts of its name: `csv.broken` is a format and what befell it. So a reader or a
rule that is added later is never half translated.
"""

from __future__ import annotations

Both = tuple[str, str]
"""English, Korean."""

CAUSES: dict[str, Both] = {
    "file.empty": ("The file is empty: remove it or copy it again.", "빈 파일입니다. 지우거나 다시 복사하세요."),
    "file.unreadable": (
        "The file cannot be opened: check the file and its permissions.",
        "파일을 열 수 없습니다. 파일과 권한을 확인하세요.",
    ),
    "format.unknown": (
        "No reader for a name with this ending: convert the file, or leave it out.",
        "이 확장자를 읽을 수 없습니다. 다른 형식으로 바꾸거나 빼 주세요.",
    ),
    "record.too_long": ("A record is too long: split it.", "기록 하나가 너무 깁니다. 나누어 주세요."),
    "line.blank": ("A blank line: remove it.", "빈 줄입니다. 지워 주세요."),
    "json.broken": (
        "A line is not valid JSON: mend or remove it (a quote, a comma or a bracket is often missing).",
        "올바른 JSON이 아닌 줄입니다. 고치거나 지우세요(따옴표·쉼표·괄호가 빠진 경우가 많습니다).",
    ),
    "json.not_object": (
        'A line is not an object: write {"text": …} on each line.',
        '객체가 아닌 줄입니다. 줄마다 {"text": …} 꼴로 쓰세요.',
    ),
    "json.no_text": (
        "The field of the text is missing or no text: name it with --text, or write the text there.",
        "본문 필드가 없거나 글이 아닙니다. --text로 필드 이름을 알려 주거나 그 자리에 글을 쓰세요.",
    ),
    "text.binary": (
        "Not a text file: remove it, or name it by its format.",
        "텍스트 파일이 아닙니다. 빼거나 형식에 맞는 이름을 붙이세요.",
    ),
    "text.undecodable": (
        "Neither UTF-8, CP949 nor johab: save the text as UTF-8.",
        "UTF-8도 CP949도 조합형도 아닙니다. UTF-8로 저장해 주세요.",
    ),
}

# The last part of a cause → what it says; {kind} is the part before it.
BEFALLEN: dict[str, Both] = {
    "broken": (
        "{kind}: damaged or of another format: copy the file again or write it anew.",
        "{kind}: 깨졌거나 다른 형식입니다. 파일을 다시 복사하거나 새로 만드세요.",
    ),
    "truncated": (
        "{kind}: the file ends too early: copy it again.",
        "{kind}: 파일이 중간에 끊겼습니다. 다시 복사하세요.",
    ),
    "unclosed": ("{kind}: something is left open: mend the file.", "{kind}: 닫히지 않은 부분이 있습니다. 고쳐 주세요."),
    "no_text": (
        "{kind}: no text where it should be: name its field or column with --text, or leave the file out.",
        "{kind}: 본문을 찾지 못했습니다. --text로 필드나 열 이름을 알려 주거나 파일을 빼 주세요.",
    ),
    "null_text": (
        "{kind}: the text is null: fill it in, or remove the row.",
        "{kind}: 본문이 비어 있습니다(null). 채우거나 행을 지우세요.",
    ),
    "column_twice": (
        "{kind}: a column's name stands twice: write the file anew.",
        "{kind}: 같은 이름의 열이 두 번 있습니다. 파일을 새로 만드세요.",
    ),
    "cells": (
        "{kind}: a row has another number of cells than the header: mend or remove it.",
        "{kind}: 칸 수가 머리줄과 다른 행입니다. 고치거나 지우세요.",
    ),
    "password": (
        "{kind}: protected by a password: save it without one.",
        "{kind}: 암호가 걸려 있습니다. 암호를 풀고 저장하세요.",
    ),
    "too_big": ("{kind}: too big: split it.", "{kind}: 너무 큽니다. 나누어 주세요."),
    "too_deep": (
        "{kind}: nested too deep: flatten or remove it.",
        "{kind}: 너무 깊이 겹쳐 있습니다. 풀거나 빼 주세요.",
    ),
    "bomb": (
        "{kind}: it unpacks to far more than its size: pack it again without that.",
        "{kind}: 풀면 크기가 비정상적으로 커집니다. 다시 묶어 주세요.",
    ),
    "not_object": ("{kind}: not an object: write one.", "{kind}: 객체가 아닙니다. 객체로 쓰세요."),
    "unreadable": ("{kind}: could not be read: check the file.", "{kind}: 읽지 못했습니다. 파일을 확인하세요."),
    "page_unreadable": ("{kind}: pages could not be read.", "{kind}: 읽지 못한 쪽이 있습니다."),
}
OTHERWISE: Both = (
    "{kind}: could not be read; the details say why.",
    "{kind}: 읽지 못했습니다. 까닭은 자세한 내용(영어)에 있습니다.",
)

# A rule, or the part of it before the dot → what it says.
RULES: dict[str, Both] = {
    "text.empty": ("no text in it", "글이 없음"),
    "boilerplate.share": (
        "mostly boilerplate: menus, notices, by-lines",
        "메뉴·저작권 문구·기자 서명 등 상투 문구가 대부분",
    ),
    "script.mojibake": ("broken characters", "깨진 글자가 많음"),
    "script.hangul": ("too little Hangul among the letters", "글자 가운데 한글이 적음"),
    "script.visible_hangul": ("too little Hangul in all", "전체에서 한글이 적음"),
    "script.digits": ("mostly digits", "숫자가 많음"),
    "script.symbols": ("mostly symbols", "기호가 많음"),
    "script.jamo": ("mostly single jamo", "낱자(ㅋㅋ, ㅠㅠ 등)가 많음"),
    "length.chars": ("too few characters", "글자 수가 적음"),
    "length.eojeol": ("too few words", "어절 수가 적음"),
    "form.eojeol_length": ("words far too long", "어절이 지나치게 김"),
    "form.singles": ("mostly words of one character", "한 글자 어절이 많음"),
    "form.particles": ("hardly a particle or an ending: a list of words", "조사와 어미가 거의 없음(낱말 나열)"),
    "form.urls": ("mostly web addresses", "웹 주소가 많음"),
    "form.cut_off": ("cut off by … 더보기", "‘… 더보기’로 잘림"),
    "form.entropy": ("hardly any variety of characters", "글자 종류가 지나치게 적음"),
    "repeat.lines": ("lines repeat", "같은 줄이 되풀이됨"),
    "repeat.fives": ("passages repeat", "같은 구절이 되풀이됨"),
    "repeat.top_pair": ("one pair of words repeats", "같은 어절 쌍이 되풀이됨"),
    "repeat.runs": ("one character repeats", "같은 글자가 이어짐"),
    "spam.density": ("terms of advertisements", "광고 용어가 많음"),
    "source.http_status": ("the server answered with an error", "서버가 오류로 답한 문서"),
    "source.no_text": ("no text in it", "글이 없음"),
    "source.not_html": ("not a web page", "웹 문서가 아님"),
    "source": ("no document, by a rule of its source", "출처의 규칙으로 보아 문서가 아님"),
    "text": ("no usable text", "쓸 수 있는 글이 없음"),
    "boilerplate": ("boilerplate", "상투 문구"),
    "script": ("its characters are not those of Korean text", "한국어 글의 글자 구성이 아님"),
    "length": ("too short or too long", "너무 짧거나 긺"),
    "form": ("not formed like text", "글의 꼴이 아님"),
    "repeat": ("it repeats itself", "되풀이가 많음"),
    "spam": ("advertisement", "광고"),
    "quality": ("judged poor by the classifier", "분류기가 낮게 평가함"),
    "toxicity": ("toxic", "유해한 표현"),
}
OTHER_RULE: Both = ("by the rule {name}", "{name} 규칙에 걸림")

LOSSES: dict[str, Both] = {
    "bytes.replaced": ("broken bytes replaced by U+FFFD", "깨진 바이트를 U+FFFD로 바꿈"),
    "mojibake.reversed": ("text read in the wrong encoding, repaired", "잘못된 인코딩으로 읽힌 글을 되살림"),
    "text.control": ("control characters removed", "제어 문자 제거"),
    "text.surrogate": ("halves of characters removed", "반쪽 문자 제거"),
    "text.noncharacter": ("code points that are no characters removed", "문자가 아닌 코드 제거"),
    "text.zero_width": ("invisible characters removed", "보이지 않는 문자 제거"),
    "text.private_use": ("characters of private fonts, left unread", "사용자 정의 글자(읽지 못함)"),
    "key.missing": ("records without their key", "키가 없는 기록"),
    "url.unreadable": ("web addresses that could not be read", "읽지 못한 웹 주소"),
    "created.unreadable": ("dates that could not be read", "읽지 못한 날짜"),
    "meta.unreadable": ("fields that could not be read", "읽지 못한 필드"),
    "pdf.page_unreadable": ("pages of PDF that could not be read", "읽지 못한 PDF 쪽"),
}
OTHER_LOSS: Both = ("other: {name}", "그 밖: {name}")

IDENTIFIERS: dict[str, Both] = {
    "rrn": ("resident registration numbers", "주민등록번호·외국인등록번호"),
    "passport": ("passport numbers", "여권번호"),
    "license": ("driver's licences", "운전면허번호"),
    "phone": ("telephone numbers", "전화번호"),
    "email": ("e-mail addresses", "전자우편 주소"),
    "card": ("card numbers", "카드 번호"),
    "account": ("bank accounts", "계좌 번호"),
    "plate": ("vehicle plates", "차량 번호"),
    "brn": ("business registration numbers of firms", "사업자등록번호"),
    "corporation": ("corporation registration numbers", "법인등록번호"),
    "address": ("postal addresses", "주소"),
    "name": ("names", "이름"),
    "ip": ("IP addresses", "IP 주소"),
    "insurance": ("health insurance numbers", "건강보험증 번호"),
}
OTHER_IDENTIFIER: Both = ("other: {name}", "그 밖: {name}")

LANGUAGE_NAMES: dict[str, Both] = {
    "ko": ("Korean", "한국어"),
    "ko_mixed": ("Korean mixed with another script", "다른 글자가 섞인 한국어"),
    "ja": ("Japanese", "일본어"),
    "zh": ("Chinese characters", "한자(중국어 등)"),
    "latin": ("Latin letters (English and others)", "로마자(영어 등)"),
    "other": ("other letters", "그 밖의 글자"),
    "none": ("no letters", "글자 없음"),
}


def cause(name: str) -> Both:
    """What befell a record that could not be read, and what to do about it."""
    if name in CAUSES:
        return CAUSES[name]
    kind, _, last = name.rpartition(".")
    return _filled(BEFALLEN.get(last, OTHERWISE), kind=(kind or name).upper())


def rule(name: str) -> Both:
    """What a rule says of a document that it removed."""
    found = RULES.get(name) or RULES.get(name.partition(".")[0])
    return found or _filled(OTHER_RULE, name=name)


def loss(name: str) -> Both:
    """What was lost or repaired."""
    return LOSSES.get(name) or _filled(OTHER_LOSS, name=name)


def identifier(name: str) -> Both:
    """A kind of personal data."""
    return IDENTIFIERS.get(name) or _filled(OTHER_IDENTIFIER, name=name)


def language(name: str) -> Both:
    """A language as far as script tells it."""
    return LANGUAGE_NAMES[name]


def _filled(both: Both, **values: str) -> Both:
    return both[0].format(**values), both[1].format(**values)
