"""`hanjo tokenizer report`: several tokenizers measured on the same texts, as a table, as JSON and as one HTML page.

The figures come from `tokenizer/measured.py`; the page loads nothing from anywhere and shows no text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hanjo.report.charts as charts
import hanjo.report.figures as figures
from corpus.errors import SourceError, UsageError
from corpus.shards import atomic_path
from hanjo.version import __version__
from tokenizer.measured import Measured, measure, told
from tokenizer.morpheme_borders import morpheme_borders
from tokenizer.opened import open_any
from tokenizer.texts import read_domains, sampled, sampled_pairs

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """A column: its key in the JSON, its heading, whether it is a share, and what it means."""

    key: str
    head: str
    share: bool
    means: str


FIGURES = (
    Figure("bytes_per_token", "bytes a token", False, "UTF-8 bytes of the text over its tokens; higher is better."),
    Figure(
        "chars_per_token", "characters a token", False, "Code points of the text over its tokens; higher is better."
    ),
    Figure("tokens_per_eojeol", "tokens an eojeol", False, "Fertility: tokens over pieces between white space."),
    Figure("single_syllables", "syllables", True, "Share of the 11,172 Hangul syllables that are tokens."),
    Figure("cut_characters", "cut characters", True, "Characters that stand in several tokens, as bytes."),
    Figure("renyi_efficiency", "Rényi", False, "Entropy of order 2.5 of the tokens over log entries; 1 is even use."),
    Figure("unused", "unused", True, "Entries that do not occur in these texts; it falls with more text."),
    Figure("unreachable", "unreachable", False, "Entries that their own text is not cut into, in any context tried."),
    Figure("lost", "lost", False, "Texts that do not come back from their tokens."),
    Figure("changed_up_to_nfc", "to NFC", False, "Texts that come back in another normal form: the tokenizer's own."),
    Figure(
        "morpheme_precision", "precision", True, "Token borders within eojeol that are borders of Kiwi's morphemes."
    ),
    Figure("morpheme_recall", "recall", True, "Borders of Kiwi's morphemes within eojeol that are token borders."),
)


@dataclass(frozen=True, slots=True)
class Request:
    """What to measure: tokenizers as PATH or NAME=PATH, texts, and how much of them."""

    tokenizers: Sequence[str]
    texts: Sequence[Path]
    field: str
    pattern: str | None
    size: int
    morphemes: int
    seed: int


def compare(request: Request, say: Callable[[str], None]) -> list[Measured]:
    """Measure every tokenizer on the same texts.

    Raises:
        UsageError: two tokenizers with one name. SourceError: there is no text.
    """
    opened = [open_any(Path(path), name or None, request.pattern) for name, path in map(_named, request.tokenizers)]
    names = [one.name for one in opened]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"two tokenizers are called {twice!r}", fix="name them: NAME=PATH")
    pairs = sampled_pairs(
        (pair for pair in read_domains(request.texts, request.field) if pair[1]), request.seed, request.size
    )
    if not pairs:
        raise SourceError(
            f"no text that fits into {figures.size(request.size)}",
            where=", ".join(map(str, request.texts)),
            fix="give texts, or raise --sample",
        )
    sample = sampled((text for _, text in pairs), request.seed, request.morphemes) if request.morphemes else []
    borders = morpheme_borders(sample) if sample else []
    found = []
    for one in opened:
        say(f"measuring {one.name}")
        found.append(measure(one, pairs, sample, borders))
    return found


def _named(given: str) -> tuple[str, str]:
    name, equals, path = given.partition("=")
    return (name, path) if equals and not Path(given).exists() else ("", given)


def cell(row: dict[str, Any], figure: Figure) -> str:
    """A figure as a person reads it."""
    value = row[figure.key]
    if value is None:
        return "–"
    if figure.share:
        return f"{100 * value:.1f} %"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}" if value < 1 else f"{value:.2f}"


def measured_on(found: Sequence[Measured]) -> str:
    """How much text the figures come from, as a line for a terminal."""
    row = told(found[0])
    counted = ((row["texts"], "text"), (row["bytes"], "byte"), (len(row["domains"]), "domain"))
    amounts = ", ".join(f"{number:,} {name}{'s' * (number != 1)}" for number, name in counted)
    return f"measured on {amounts}"


def table(found: Sequence[Measured]) -> Table:
    """The figures for a terminal: a row a figure, a column a tokenizer."""
    from rich.table import Table as Grid

    rows = [told(one) for one in found]
    grid = Grid(box=None, header_style="bold", padding=(0, 2, 0, 0))
    grid.add_column("", no_wrap=True)
    for row in rows:
        grid.add_column(row["name"], justify="right")
    grid.add_row("kind", *(row["kind"] for row in rows))
    grid.add_row("entries", *(f"{row['entries']:,}" for row in rows))
    for figure in FIGURES:
        grid.add_row(figure.head, *(cell(row, figure) for row in rows))
    domains = list(rows[0]["domains"])
    if len(domains) > 1:
        grid.add_row("")
        for name in domains:
            grid.add_row(f"{name}, bytes a token", *(_bytes(row["domains"][name]) for row in rows))
    return grid


def _bytes(row: dict[str, Any]) -> str:
    value = row["bytes_per_token"]
    return "–" if value is None else f"{value:.2f}"


def write_page(found: Sequence[Measured], path: Path) -> None:
    """Write the comparison as one HTML page."""
    page = render(found)
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def render(found: Sequence[Measured]) -> str:
    """The page as HTML text."""
    from hanjo.report.templates import environment

    rows = [told(one) for one in found]
    best = max(rows, key=lambda row: row["bytes_per_token"] or 0.0)
    return (
        environment()
        .get_template("tokenizer.html.jinja")
        .render(
            rows=rows,
            best=best,
            figures=FIGURES,
            cell=cell,
            bar=lambda name, value, whole: charts.share_bar([(name, "accent", value or 0.0)], whole),
            domains=list(rows[0]["domains"]),
            widest=max(d["bytes_per_token"] or 0.0 for row in rows for d in row["domains"].values()),
            curves=[(one.name, _curve(one, found)) for one in found],
            size=figures.size(rows[0]["bytes"]),
            texts=figures.whole(rows[0]["texts"]),
            version=__version__,
        )
    )


def _curve(one: Measured, found: Sequence[Measured]) -> object:
    others = [charts.Series(other.name, _percent(other), "muted") for other in found if other is not one]
    mine = charts.Series(one.name, _percent(one), "accent")
    return charts.line_chart(
        f"{one.name}: share of the text by its most frequent tokens",
        [*others, mine],
        "% of the entries that occur",
        "% of the tokens of the text",
        zero=True,
    )


def _percent(one: Measured) -> list[tuple[float, float]]:
    return [(0.0, 0.0), *((100 * x, 100 * y) for x, y in one.curve)]
