"""Text that other pipelines are known to damage comes through normalising and measuring as it was.

Written for this test, but for poems whose authors died before 1951. Each text must come out byte for byte: nothing
normalised away, no line taken for boilerplate, no number for personal data.
"""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.edits import apply_edits
from corpus.measure import PrivacySettings, measure_batch
from corpus.mojibake import reverse_mojibake
from corpus.normalising import normalise
from corpus.shards import Counts

# "=== name ===" on a line of its own, then the text to the newline before the next.
_PARTS = re.split(r"(?m)^=== (\w+) ===\n", Path(__file__).with_name("unharmed.txt").read_bytes().decode())[1:]
TEXTS = {name: text[:-1] for name, text in zip(_PARTS[::2], _PARTS[1::2], strict=True)}


def measured(text: str) -> tuple[str, list[str]]:
    """The text with measure's edits applied, and the rules that edited it."""
    counts: Counts = {}
    texts = pa.array([text], pa.large_string())
    edits, _ = measure_batch(texts, 0.5, PrivacySettings().policies(), counts)
    return apply_edits(texts, edits)[0].as_py(), [one["rule"] for one in edits[0].as_py()]


@pytest.mark.parametrize("name", TEXTS)
def test_it_comes_out_of_normalising_as_it_was(name: str) -> None:
    text = TEXTS[name]
    assert reverse_mojibake(text) == (text, {})
    done = normalise(text)
    assert done.text == text
    assert done.losses == {}


@pytest.mark.parametrize("name", TEXTS)
def test_measure_cuts_and_masks_nothing_in_it(name: str) -> None:
    assert measured(TEXTS[name]) == (TEXTS[name], [])


def test_lines_around_it_change_nothing() -> None:
    prose = "정부는 어제 새로운 정책을 발표했다. 이번 정책은 내년부터 시행될 예정이다."
    for name, text in TEXTS.items():
        page = f"{prose}\n{text}\n{prose}"
        assert measured(normalise(page).text) == (page, []), name
