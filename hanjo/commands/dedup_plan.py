"""`hanjo dedup plan`: the bands that a similarity and recall need, and what they find."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hanjo.commands.run import AsJson

if TYPE_CHECKING:
    from dedup.banding import Banding

_BAR = 40  # characters


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command()(plan)


def plan(
    similarity: Annotated[float, typer.Option("--similarity", min=0.05, max=1.0, help="Jaccard threshold.")] = 0.6,
    recall: Annotated[float, typer.Option("--recall", help="Share of the pairs exactly there to be found.")] = 0.98,
    bands: Annotated[int, typer.Option("--bands", min=0, max=256, help="Fixed number of bands; 0: chosen.")] = 0,
    rows: Annotated[int, typer.Option("--rows", min=0, max=32, help="Fixed values in a band; 0: chosen.")] = 0,
    documents: Annotated[
        str, typer.Option("--documents", help="Documents of the corpus (1e9, 200M), for pairs compared in vain.")
    ] = "1M",
    svg: Annotated[Path | None, typer.Option("--svg", help="Draw the curve into this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Choose bands for a similarity and recall, and show the share of pairs found at every similarity (S-curve)."""
    from corpus.errors import UsageError
    from corpus.settings import parse_count
    from dedup.banding import choose

    if not 0 < recall < 1:
        raise UsageError(f"--recall {recall:g} is no share", fix="give a number above 0 and below 1")
    try:
        count = int(parse_count(documents))  # type: ignore[call-overload]
        banding = choose(similarity, recall, count, bands, rows)
    except ValueError as error:
        raise UsageError(str(error)) from error
    curve = [(x, banding.found(x)) for x in _points(similarity)]
    if svg is not None:
        _draw(svg, banding, similarity, recall)
    if as_json:
        told = {
            "similarity": similarity,
            "recall": recall,
            "documents": count,
            "bands": banding.bands,
            "rows": banding.rows,
            "values": banding.values,
            "vain_pairs_a_document": banding.vain(count),
            "curve": [{"similarity": x, "found": found} for x, found in curve],
        }
        typer.echo(json.dumps(told))
        return
    typer.secho(f"{banding.bands} bands of {banding.rows}: {banding.values} values a signature", bold=True)
    typer.echo(f"among {count:,} documents, each meets {banding.vain(count):.3g} unrelated ones by chance\n")
    typer.secho(f"{'similarity':>10}  {'found':>8}", bold=True)
    for x, found in curve:
        here = "  ← threshold" if x == similarity else ""
        typer.echo(f"{x:>10g}  {found:>8.4f}  {'█' * round(found * _BAR)}{here}")


def _points(similarity: float) -> list[float]:
    """Tenths, the threshold, and 0.05 beside it on both sides."""
    beside = {round(similarity - 0.05, 4), similarity, round(similarity + 0.05, 4)}
    return sorted({x for x in beside | {n / 10 for n in range(1, 11)} if 0 < x <= 1})


def _draw(path: Path, banding: Banding, similarity: float, recall: float) -> None:
    from dedup.banding import choose
    from dedup.plots import Curve, Panel, write_svg

    def curve(one: Banding) -> Curve:
        name = f"{one.bands} × {one.rows}"
        return Curve(name, [(n / 200, one.found(n / 200)) for n in range(201)])

    curves = [curve(banding)]
    for rows in (banding.rows - 1, banding.rows + 1):
        with suppress(ValueError):  # out of the limits: nothing to compare with
            if rows:
                curves.append(curve(choose(similarity, recall, rows=rows)))
    tenths = [n / 10 for n in range(11)]
    title = f"Pairs found by {banding.bands} bands of {banding.rows}"
    marks = [(similarity, f"{banding.found(similarity):.3f} at {similarity:g}")]
    write_svg(path, [Panel(title, "Jaccard similarity", "share of pairs compared", tenths, tenths[::2], curves, marks)])
