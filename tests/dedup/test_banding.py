"""Bands chosen from a target, and that real texts, cut into short, middle and long documents, are found by them."""

from __future__ import annotations

import gzip
import json
import math
import random
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from corpus.errors import UsageError
from dedup.banding import MOST_BANDS, MOST_VALUES, Banding, choose
from dedup.near import near_duplicates
from dedup.settings import DedupSettings

SAMPLE = Path(__file__).resolve().parents[2] / "recipes" / "sample"


@given(st.floats(0.4, 1.0), st.floats(0.5, 0.999), st.sampled_from([1e4, 1e6, 1e9]))
@hypothesis_settings(deadline=None)
def test_what_is_chosen_reaches_the_recall_and_one_band_fewer_does_not(s: float, recall: float, n: float) -> None:
    try:
        banding = choose(s, recall, n)
    except ValueError:
        assert math.log(1 - recall) / math.log(1 - s) > MOST_BANDS  # not even bands of one value
        return
    assert banding.found(s) >= recall - 1e-9
    assert banding.bands == 1 or Banding(banding.bands - 1, banding.rows).found(s) < recall
    assert banding.values <= MOST_VALUES


def test_the_curve_is_the_known_one_and_the_default_passes_both_targets() -> None:
    assert Banding(25, 5).found(0.6) == pytest.approx(0.868, abs=5e-4)
    assert Banding(40, 4).found(0.65) == pytest.approx(0.9996, abs=5e-5)
    default = DedupSettings()
    banding = Banding(default.bands, default.rows)
    assert banding.found(default.similarity) >= 0.98
    assert banding.found(default.similarity + 0.05) >= 0.995


def test_larger_corpora_get_more_rows_and_fixed_numbers_are_kept() -> None:
    assert choose(0.6, 0.98, 1e9).rows > choose(0.6, 0.98, 1e5).rows
    assert DedupSettings(bands=25, rows=5).bands == 25
    assert DedupSettings(rows=3).bands == 17
    assert DedupSettings(bands=60).rows == 5
    with pytest.raises(ValueError, match="no 256 bands"):
        DedupSettings(similarity=0.05, rows=8)


def sample_paragraphs() -> list[str]:
    found = set()
    with gzip.open(SAMPLE / "libreoffice-help" / "help.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    texts += pq.read_table(SAMPLE / "tax-rulings" / "supreme-court.parquet")["text"].to_pylist()
    for text in texts:
        found |= {" ".join(line.split()) for line in text.splitlines() if len("".join(line.split())) >= 8}
    return sorted(found)


def similar_pairs(texts: list[str], least: float) -> dict[tuple[int, int], float]:
    """Every pair at or above `least`, by counting shared 5-grams in an inverted index of Python strings."""
    holders: dict[str, list[int]] = defaultdict(list)
    sizes = []
    for i, text in enumerate(texts):
        bare = "".join(text.split())
        grams = {bare[j : j + 5] for j in range(len(bare) - 4)}
        sizes.append(len(grams))
        for gram in grams:
            holders[gram].append(i)
    shared: Counter[tuple[int, int]] = Counter()
    for held in holders.values():
        shared.update((a, b) for at, a in enumerate(held) for b in held[at + 1 :])
    found = {pair: both / (sizes[pair[0]] + sizes[pair[1]] - both) for pair, both in shared.items()}
    return {pair: value for pair, value in found.items() if value >= least}


@pytest.mark.parametrize(("paragraphs", "count"), [((1, 1), 900), ((2, 4), 700), ((8, 14), 300)])
def test_real_paragraphs_recombined_are_found_as_promised(kit: Any, paragraphs: tuple[int, int], count: int) -> None:
    rng = random.Random(f"{paragraphs}")
    pool = sample_paragraphs()
    texts = ["\n".join(rng.choice(pool) for _ in range(rng.randint(*paragraphs))) for _ in range(count)]
    for text in texts[:count]:
        kind, rate = rng.choice(("replace", "particle")), rng.choice((0.02, 0.05, 0.08, 0.1, 0.12))
        texts.append(kit.changed(text.replace("\n", " "), kind, rate, rng))
    rng.shuffle(texts)
    found = near_duplicates(texts)
    pairs = similar_pairs(texts, 0.6)
    near = {pair: found.cluster[pair[0]] == found.cluster[pair[1]] for pair in pairs}
    safe = [joined for pair, joined in near.items() if pairs[pair] >= 0.65]
    assert len(near) > count / 2
    assert sum(near.values()) / len(near) >= 0.98
    assert sum(safe) / len(safe) >= 0.995


def test_the_command_shows_the_curve_and_draws_it(tmp_path: Path) -> None:
    from hanjo.commands.dedup import app

    picture = tmp_path / "curve.svg"
    arguments = ["plan", "--similarity", "0.6", "--recall", "0.98", "--bands", "25", "--rows", "5"]
    told = json.loads(CliRunner().invoke(app, [*arguments, "--json", "--svg", str(picture)]).stdout)
    assert told["values"] == 125
    assert {point["similarity"]: round(point["found"], 3) for point in told["curve"]}[0.6] == 0.868
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    assert "25 bands of 5" in CliRunner().invoke(app, arguments).stdout
    refused = CliRunner().invoke(app, ["plan", "--similarity", "0.05", "--rows", "8"])
    assert isinstance(refused.exception, UsageError)
