"""A second opinion: what ko-pii (MIT) finds in our cases and in the sample, and we do not, is listed with reasons."""

from __future__ import annotations

import gzip
import importlib.util
import json
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

from corpus.normalising import normalise
from corpus.privacy import private_spans

SAMPLE = Path(__file__).parents[2] / "recipes" / "sample"
# Theirs → ours. Their other labels are no identifiers by our table: titles, nationality, age, postal codes, cases …;
# PERSON takes any noun that begins with a surname for a name.
LABELS = {
    "RRN": "rrn",
    "FRN": "rrn",
    "BUSINESS_REG": "brn",
    "CORP_REG": "corporation",
    "DRIVER_LICENSE": "license",
    "CARD": "card",
    "ACCOUNT": "account",
    "MEDICAL_INSURANCE": "health",
    "PASSPORT": "passport",
    "PHONE": "phone",
    "FAX": "phone",
    "EMAIL": "email",
    "IP": "ip",
    "VEHICLE": "plate",
    "ADDRESS": "address",
}
# What they find and we leave, by label and what it looks like. Anything else fails the test.
ALLOWED = {
    "ADDRESS": "no digit in it: names of provinces and towns alone are no personal data (they stay)",
    "PHONE": "15xx, 16xx and 18xx: lines of businesses (they stay)",
}


def allowed(label: str, text: str) -> bool:
    if label == "ADDRESS":
        return not any(character.isdigit() for character in text)
    return label == "PHONE" and text[:2] in ("15", "16", "18")


def measured() -> ModuleType:
    """The cases of test_privacy_measured.py (tests are no package)."""
    name = "privacy_cases"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("test_privacy_measured.py"))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def left(texts: list[str]) -> list[str]:
    """What they find and we do not, with reasons for none of it: label and text."""
    detect = pytest.importorskip("ko_pii.detect", reason="ko-pii is in the extra dev").detect_all
    found = []
    for text, ours in zip(texts, private_spans(texts, measured().POLICIES), strict=True):
        for theirs in detect(text, include=list(LABELS)):
            overlapped = any(span.start < theirs.end and theirs.start < span.end for span in ours)
            if not overlapped and not allowed(theirs.label, theirs.text):
                found.append(f"{theirs.label}: {theirs.text}")
    return found


def test_they_find_nothing_in_our_cases_that_we_do_not() -> None:
    cases = [text for _, text, _, _ in measured().positives(11, 1)]
    random.Random(11).shuffle(cases)
    assert left(cases[:1200]) == []


def test_they_find_nothing_in_real_text_that_we_do_not() -> None:
    with gzip.open(SAMPLE / "libreoffice-help" / "help.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [normalise(json.loads(line)["text"]).text for line, _ in zip(lines, range(60), strict=False)]
    assert sum(map(len, texts)) > 30_000 and left(texts) == []


def test_we_find_what_they_do_not() -> None:
    detect = pytest.importorskip("ko_pii.detect", reason="ko-pii is in the extra dev").detect_all
    texts = ["연락은 공일공 일이삼사 오육칠팔", "hong골뱅이naver.com 으로", "전화 0 1 0 - 1 2 3 4 - 5 6 7 8"]
    ours = private_spans(texts, measured().POLICIES)
    assert [len(spans) for spans in ours] == [1, 1, 1]
    assert not any(LABELS.get(found.label) == ours[0][0].type for found in detect(texts[0]))
