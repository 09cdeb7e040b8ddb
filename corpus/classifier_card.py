"""The card of a trained classifier: card.json for programs, README.md for people, both from the same figures.

What it saw by name, count and hash, how it was trained, what its scores were worth on the part held out, where it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpus.classifier import CARD
from corpus.shards import atomic_path, write_json

LIMITS = (
    "It knows the difference between these good and these bad texts, nothing else: other kinds of either are judged by "
    "likeness.",
    "The part held out is from the same sources: near-copies of a text may stand on both sides of the split, so on "
    "other text expect less (`hanjo corpus classifier eval` measures it).",
    "A score is a probability at the proportion of good and bad that it was trained on.",
    "Of a long text the first and the last half of the characters named above are looked at, no more.",
    "Eojeol that occurred often enough stand in the model's file as they are: whoever has the file can read them.",
)


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write card.json and README.md; the same card gives the same bytes."""
    write_json(folder / CARD, card)
    with atomic_path(folder / "README.md") as temporary:
        temporary.write_text(page(card), encoding="utf-8")


def page(card: Mapping[str, Any]) -> str:
    """The card as Markdown."""
    texts, settings = card["texts"], card["settings"]
    lines = [
        "# Quality classifier",
        "",
        f"fastText ({card['library']}) over eojeol spelled in jamo; it looks at {card['seen']:,} characters of a text.",
        f"Model `{card['model']}` (BLAKE2b-128 of model.bin), features version {card['features']}.",
        "",
        "## What it saw",
        "| kind | path | files | texts | bytes | unreadable | empty | hash |",
        "|-|-|-:|-:|-:|-:|-:|-|",
    ]
    for kind in ("good", "bad"):
        for one in card["inputs"][kind]:
            unread = sum(one["unreadable"].values())
            counts = f"{one['files']:,} | {one['texts']:,} | {one['bytes']:,} | {unread:,} | {one['empty']:,}"
            lines.append(f"| {kind} | {one['name'].replace('|', '/')} | {counts} | `{one['hash']}` |")
    parts = "; ".join(
        f"{k}: {texts[k]['train']:,} to train on, {texts[k]['held_out']:,} held out" for k in ("good", "bad")
    )
    lines += [
        "",
        f"{parts}. Left out: {texts['on_both_sides']:,} that stood on both sides, {texts['repeated']:,} repeated.",
        "Personal data that measure knows was masked, boilerplate cut, before anything was learned.",
        "",
        "## Settings",
        ", ".join(f"{name} {value}" for name, value in sorted(settings.items())),
        "",
        "## Scores on the part held out",
        *score_lines(card["scores"]),
        "",
        "## Limits",
        *(f"- {limit}" for limit in LIMITS),
    ]
    return "\n".join(lines) + "\n"


def score_lines(scores: Mapping[str, Any]) -> list[str]:
    """Scores as Markdown: intervals are of 95 %."""
    lines = [
        f"{scores['good']:,} good and {scores['bad']:,} bad texts, {scores['unscored']:,} without a score. "
        f"Accuracy at 0.5: {shown(scores['accuracy'])}; AUC: {shown(scores['auc'])}. Intervals are of 95 %.",
        "",
        "| min_quality | precision (good of what is kept) | good kept | bad removed |",
        "|-:|-|-|-|",
    ]
    for row in scores["thresholds"]:
        cells = (shown(row[name]) for name in ("precision", "kept_good", "removed_bad"))
        lines.append(f"| {row['min_quality']:g} | {' | '.join(cells)} |")
    return lines


def shown(figure: Mapping[str, Any]) -> str:
    """A figure with its interval, a dash where there was nothing to count."""
    if figure["value"] is None:
        return "–"
    return f"{figure['value']:.3f} ({figure['low']:.3f}–{figure['high']:.3f})"
