"""`hanjo dedup plan`: the bands that a similarity and recall need, what they find, and what a corpus takes."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hanjo.commands.run import AsJson

if TYPE_CHECKING:
    from dedup.banding import Banding
    from dedup.plan import Plan, Rates

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
    mean_bytes: Annotated[
        float | None, typer.Option("--mean-bytes", min=1, help="UTF-8 bytes of a document: plan for the corpus too.")
    ] = None,
    duplicates: Annotated[
        float, typer.Option("--duplicates", min=0, max=1, help="Share of the documents that resemble another.")
    ] = 0.3,
    memory: Annotated[str, typer.Option("--memory", help="execution.memory of the recipe.")] = "2GiB",
    rate: Annotated[
        list[str] | None,
        typer.Option("--rate", metavar="NAME=NUMBER", help="A rate a second, instead of measuring; repeatable."),
    ] = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="Draw the curve into this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Choose bands for a similarity and recall, show the share of pairs found (S-curve), and plan for a corpus."""
    from corpus.errors import UsageError
    from corpus.settings import parse_count, parse_size
    from dedup.banding import choose

    if not 0 < recall < 1:
        raise UsageError(f"--recall {recall:g} is no share", fix="give a number above 0 and below 1")
    try:
        count = int(parse_count(documents))  # type: ignore[call-overload]
        allowed = int(parse_size(memory))  # type: ignore[call-overload]
        banding = choose(similarity, recall, count, bands, rows)
    except ValueError as error:
        raise UsageError(str(error)) from error
    curve = [(x, banding.found(x)) for x in _points(similarity)]
    if svg is not None:
        _draw(svg, banding, similarity, recall)
    planned = None if mean_bytes is None else _estimate(count, mean_bytes, banding, duplicates, allowed, rate or [])
    if as_json:
        told = {
            "similarity": similarity,
            "recall": recall,
            "documents": count,
            **asdict(banding),
            "values": banding.values,
            "vain_pairs_a_document": banding.vain(count),
            "curve": [{"similarity": x, "found": found} for x, found in curve],
        }
        if planned is not None:
            told["plan"] = planned[0].as_json() | {"rates": asdict(planned[1])}
        typer.echo(json.dumps(told))
        return
    _tell_curve(banding, count, similarity, curve)
    if planned is not None:
        _tell_plan(*planned)


def _tell_curve(banding: Banding, documents: int, similarity: float, curve: list[tuple[float, float]]) -> None:
    typer.secho(f"{banding.bands} bands of {banding.rows}: {banding.values} values a signature", bold=True)
    typer.echo(f"among {documents:,} documents, each meets {banding.vain(documents):.3g} unrelated ones by chance\n")
    typer.secho(f"{'similarity':>10}  {'found':>8}", bold=True)
    for x, found in curve:
        here = "  ← threshold" if x == similarity else ""
        typer.echo(f"{x:>10g}  {found:>8.4f}  {'█' * round(found * _BAR)}{here}")


def _estimate(
    documents: int, mean_bytes: float, banding: Banding, duplicates: float, memory: int, given: list[str]
) -> tuple[Plan, Rates]:
    """The plan, by the rates given and, for those not given, by rates measured here."""
    from corpus.errors import UsageError
    from dedup.plan import Rates, estimate

    names = [field.name for field in fields(Rates)]
    told = {}
    for text in given:
        name, _, value = text.partition("=")
        try:
            told[name] = float(value)
        except ValueError:
            told[name] = 0.0
        if name not in names or told[name] <= 0:
            raise UsageError(f"--rate {text}", fix=f"write one of {', '.join(names)}, =, and a number above 0")
    if len(told) == len(names):
        rates = Rates(**told)
    else:
        from dedup.rates import measure

        rates = replace(measure(int(mean_bytes)), **told)
    return estimate(documents, mean_bytes, banding, rates, duplicates, memory), rates


def _tell_plan(plan: Plan, rates: Rates) -> None:
    typer.echo("")
    typer.secho(f"{plan.documents:,.0f} documents, {_size(plan.text)} of text", bold=True)
    typer.echo(
        f"{plan.shards:,} shards, {plan.partitions:,} partitions, {plan.files:,} scratch files, opened "
        f"{plan.opens:,.0f} times; {plan.pairs:,.0f} pairs compared"
    )
    scratch = dict(plan.scratch) | {"in all": plan.scratch_bytes}
    for title, sizes in (("scratch on disk", scratch), ("memory of a worker, by phase", plan.memory)):
        typer.secho(f"\n{title}", bold=True)
        for name, size in sizes.items():
            typer.echo(f"  {name:<20} {_size(size):>12}")
    typer.secho("\ncore-hours", bold=True)
    for name, seconds in plan.seconds.items():
        typer.echo(f"  {name:<20} {seconds / 3600:>12,.2f}")
    typer.echo(f"  {'in all':<20} {plan.core_hours:>12,.2f}")
    told = ", ".join(f"{name} {value:.3g}" for name, value in asdict(rates).items())
    typer.secho(f"\nby these rates of one core, a second: {told}", dim=True)


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.3g} {unit}"
        size /= 1000
    return f"{size:,.2f} TB"


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
