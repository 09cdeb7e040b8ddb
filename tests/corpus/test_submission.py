"""submission.yaml is read strictly, and every refusal says what to write."""

import datetime
from pathlib import Path

import pytest

from corpus.errors import SourceError
from corpus.submission import EXAMPLE, read_submission


def written(folder: Path, text: str) -> Path:
    path = folder / "submission.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_in_the_message_is_itself_valid(tmp_path: Path) -> None:
    submission = read_submission(written(tmp_path, EXAMPLE))
    assert (submission.source, submission.key) == ("company-blog", "id")
    assert not submission.rights.redistribute
    assert submission.rights.until is None


def test_a_last_day_is_a_date(tmp_path: Path) -> None:
    submission = read_submission(written(tmp_path, EXAMPLE.replace("until: null", "until: 2030-12-31")))
    assert submission.rights.until == datetime.date(2030, 12, 31)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("domain: blog", "domian: blog", "did you mean 'domain'"),
        ("domain: blog\n", "", "'domain' is missing"),
        ("  train: true", "  train: no", "true or false"),
        ("  train: true", "  train: true\n  train: true", "twice"),
        ("origin: natural", "origin: real", "natural, synthetic, translated"),
        ("until: null", "until: soon", "2030-12-31"),
        ("source: company-blog", "source: a/b", "short name"),
        ("  evidence: contract", "  evidences: contract", "did you mean 'evidence'"),
        ("lang: ko", "lang: 5", "not text"),
        ("domain: blog", "domain: blog\nlicence: contract", "did you mean 'rights.license'?"),
        ("  train: true", "  train: true\n  domain: blog", "did you mean 'domain', not below 'rights'?"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(SourceError) as error:
        read_submission(written(tmp_path, EXAMPLE.replace(old, new, 1)))
    assert said in str(error.value)
    assert "submission.yaml" in str(error.value)


def test_a_missing_file_shows_an_example(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="contributor: our-team"):
        read_submission(tmp_path / "submission.yaml")
