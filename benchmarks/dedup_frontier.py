"""Shingle length and threshold: how many edited copies they find, and how many unrelated documents they join.

    python -m benchmarks.dedup_frontier [--texts DIR] [--out docs/images/dedup-frontier.svg]

Documents are made of distinct paragraphs, but every second one quotes the one before: of its paragraphs a share (drawn
evenly from 0 to 0.9) is the other's. Each also gets a copy with a share of its eojeol replaced. Copies should
be found, the quoting not joined. All pairs are compared exactly: nothing here depends on bands.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.recombined import SAMPLE, paragraphs, replaced
from dedup.plots import Curve, Panel, write_svg
from dedup.shingles import shingle_sets
from dedup.verify import jaccard

# Paragraphs of a document, fewest and most; documents; the axis of false joins.
KINDS = (
    ("short", 1, 1, 2000, [0, 1, 2, 3]),
    ("middle", 6, 12, 800, [0, 5, 10, 15, 20]),
    ("long", 150, 250, 120, [0, 5, 10, 15, 20]),
)
SHINGLES = (3, 5, 8)
THRESHOLDS = [round(0.3 + 0.05 * step, 2) for step in range(13)]
NAMED = (0.5, 0.6, 0.7, 0.8)
_QUOTED = 0.9


def documents(pool: list[str], fewest: int, most: int, count: int, rng: random.Random) -> list[str]:
    """Documents as above; fewer where the pool ends."""
    order = rng.sample(pool, len(pool))
    made: list[list[str]] = []
    while len(made) < count and len(order) >= most:
        made.append([order.pop() for _ in range(rng.randint(fewest, most))])
        if len(made) % 2 == 0 and most > 1:
            share, other = rng.uniform(0, _QUOTED), made[-2]
            places = range(min(len(other), len(made[-1])))
            for place in rng.sample(places, round(share * len(places))):
                made[-1][place] = other[place]
    return ["\n".join(parts) for parts in made]


def frontier(texts: list[str], copies: list[str], size: int) -> list[tuple[float, float, float]]:
    """(threshold, % of the originals joined to another original, % of the copies that are) for each."""
    count = len(texts)
    sets = shingle_sets(pa.array(texts + copies, pa.large_string()), size)
    own = np.arange(count)
    planted = jaccard(sets, own, sets, own + count)
    nearest = np.zeros(count)
    for i in range(count):
        found = jaccard(sets, np.full(count, i), sets, own)
        found[i] = 0
        nearest[i] = found.max()
    return [(t, 100 * float((nearest >= t).mean()), 100 * float((planted >= t).mean())) for t in THRESHOLDS]


def main() -> None:
    """Print the table as JSON, draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, default=SAMPLE)
    parser.add_argument("--out", type=Path, default=Path("docs/images/dedup-frontier.svg"))
    parser.add_argument("--replaced", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    pool = paragraphs(given.texts)
    words = [word for text in pool for word in text.split(" ")]
    panels, table = [], []
    for kind, fewest, most, wanted, ticks in KINDS:
        texts = documents(pool, fewest, most, wanted, rng)
        copies = [replaced(text.replace("\n", " "), given.replaced, words, rng) for text in texts]
        length = round(sum(len(text) for text in texts) / len(texts))
        curves = []
        for size in SHINGLES:
            points = frontier(texts, copies, size)
            rows = [{"threshold": t, "joined": round(x, 3), "found": round(y, 3)} for t, x, y in points]
            table.append({"kind": kind, "documents": len(texts), "characters": length, "shingle": size, "points": rows})
            names = [f"{t:g}" if t in NAMED else "" for t, _, _ in points]
            curves.append(Curve(f"{size} characters", [(x, y) for _, x, y in points], names))
        title = f"{kind}: {len(texts):,} documents of {length:,} characters"
        x_name, y_name = "% of originals joined to another", "% of copies found"
        panels.append(Panel(title, x_name, y_name, ticks, [60, 70, 80, 90, 100], curves))
    write_svg(given.out, panels)
    print(json.dumps({"replaced": given.replaced, "seed": given.seed, "table": table}, indent=1))


if __name__ == "__main__":
    main()
