"""The form of --init: collect accepts what it writes, a wrong answer is asked again, nothing is overwritten."""

from __future__ import annotations

import datetime
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.submission import read_submission
from hanjo.check_words import LANGUAGES, Words
from hanjo.submission_form import example, submission_text

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = [
    "한빛-출판사",
    "essays",
    "",
    "",
    "essay",
    "",
    "예",
    "n",
    "no",
    "YES",
    "네",
    "",
    "2030-12-31",
    "contract",
    "계약서 #3",
]


def init(folder: Path, answers: list[str], lang: str = "en") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hanjo.cli", "corpus", "check", "--init", str(folder), "--lang", lang]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, input="\n".join(answers))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_piped_answers_become_a_submission_that_is_accepted(tmp_path: Path, lang: str) -> None:
    done = init(tmp_path, [*ANSWERS, ""], lang)
    assert done.returncode == 0, done.stderr
    found = read_submission(tmp_path / "submission.yaml")
    assert (found.contributor, found.source, found.key, found.lang) == ("한빛-출판사", "essays", None, "ko")
    assert (found.domain, found.origin) == ("essay", "natural")
    rights = found.rights
    assert (rights.train, rights.publish_weights, rights.redistribute, rights.derive, rights.commercial) == (
        True,
        False,
        False,
        True,
        True,
    )
    assert (rights.attribution, rights.until) == ("", datetime.date(2030, 12, 31))
    assert (rights.license, rights.evidence) == ("contract", "계약서 #3")
    assert list(tmp_path.iterdir()) == [tmp_path / "submission.yaml"]


def test_a_wrong_answer_is_asked_again(tmp_path: Path) -> None:
    answers = ["our team", "our-team", *ANSWERS[1:5], "naturally", *ANSWERS[5:6], "maybe", *ANSWERS[6:12], "soon"]
    done = init(tmp_path, [*answers, *ANSWERS[12:13], "", *ANSWERS[13:], ""])
    assert done.returncode == 0, done.stderr
    assert read_submission(tmp_path / "submission.yaml").contributor == "our-team"
    assert "no spaces" in done.stderr
    assert "Answer yes or no" in done.stderr


@pytest.mark.parametrize(("lang", "told"), [("en", "ended before 'train'"), ("ko", "'train'에 답하기 전에")])
def test_answers_that_end_early_write_nothing(tmp_path: Path, lang: str, told: str) -> None:
    done = init(tmp_path, [*ANSWERS[:6], ""], lang)
    assert done.returncode == 2
    assert told in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_existing_submission_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "submission.yaml").write_text("mine", encoding="utf-8")
    done = init(tmp_path, [*ANSWERS, ""])
    assert done.returncode == 2
    assert "not overwritten" in done.stderr
    assert (tmp_path / "submission.yaml").read_text(encoding="utf-8") == "mine"
    assert init(tmp_path / "nowhere", [*ANSWERS, ""]).returncode == 2


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_example_is_a_good_one(tmp_path: Path, lang: str) -> None:
    path = tmp_path / "submission.yaml"
    path.write_text(example(Words(lang)), encoding="utf-8")
    assert read_submission(path).rights.train


WRITABLE = (
    st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=40).map(str.strip).filter(bool)
)


@settings(max_examples=200, deadline=None)
@given(domain=WRITABLE, license=WRITABLE, evidence=WRITABLE, attribution=st.none() | WRITABLE)
def test_whatever_is_answered_is_read_as_it_was_said(
    tmp_path_factory: pytest.TempPathFactory, domain: str, license: str, evidence: str, attribution: str | None
) -> None:
    flags = dict.fromkeys(("train", "publish_weights", "redistribute", "derive", "commercial"), True)
    answers = {"contributor": "a", "source": "b", "key": None, "lang": "ko", "domain": domain, "origin": "natural"}
    rights = {"attribution": attribution, "until": None, "license": license, "evidence": evidence}
    path = tmp_path_factory.mktemp("form") / "submission.yaml"
    path.write_text(submission_text(answers | flags | rights, Words("ko")), encoding="utf-8")
    found = read_submission(path)
    assert (found.domain, found.rights.license, found.rights.evidence) == (domain, license, evidence)
    assert found.rights.attribution == (attribution or "")
