"""`hanjo status RUN` and `hanjo trace ID --run RUN`: how far a run is, and where one document went."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hanjo.commands.run import AsJson

_NARROW = {"quarantined": "quaran-\ntined", "withdrawn": "with-\ndrawn"}


def status(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run.")],
    as_json: AsJson = False,
) -> None:
    """Show how far a run is: documents by stage and reason, quarantined records, training, scores."""
    from hanjo.inspection import require_run
    from hanjo.inspection import status as status_of

    told = status_of(require_run(folder))
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, default=str))
        return
    _show_stages(told)
    for row in told["quarantined"]:
        place = f"{row['source']}/{row['path']}, byte {row['offset']}"
        typer.secho(f"quarantined  {place}: {row['cause']}", fg="yellow")
        typer.echo(f"             {row['detail']}")
    if (more := told["quarantined_in_all"] - len(told["quarantined"])) > 0:
        typer.echo(f"             … and {more:,} more: the run's quarantine/ has them all")
    if told["training"]:
        last = told["training"]["last"]
        typer.echo(f"training: {last['step'] + 1:,} steps, loss {last['loss']:.3f}; checkpoints: ", nl=False)
        typer.echo(", ".join(told["training"]["checkpoints"]) or "none yet")
    for score in (told["scores"] or {}).get("scores", []):
        bounds = "" if score["low"] is None else f" ({score['low']:.3f} to {score['high']:.3f})"
        typer.echo(f"score: {score['suite']} {score['metric']}, {score['model']}: {score['value']:.3f}{bounds}")


def _show_stages(told: dict[str, Any]) -> None:
    from itertools import zip_longest

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    withdrawn = any(row.get("withdrawn") for row in told["stages"])  # only with it such rows add up
    names = ["stage", "in", "kept", "removed", "quarantined", *["withdrawn"] * withdrawn, "tokens"]
    rows = [_cells(row, withdrawn) for row in told["stages"]]
    table = Table(title=f"run {told['name']}", box=None, header_style="bold", title_justify="left")
    console = Console()
    columns = [cells for _, *cells in zip_longest(names, *rows, fillvalue="")]
    widths = [[len(Text.from_markup(cell)) for cell in cells] for cells in columns]
    if sum(max(len(name), *cells) + 2 for name, cells in zip(names, widths, strict=True)) > console.width:
        names = [_NARROW.get(name, name) for name in names]
    for name in names:
        table.add_column(name, justify="left" if name == "stage" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    least = [max(*map(len, name.split("\n")), *cells) + 2 for name, cells in zip(names, widths, strict=True)]
    console.width = max(console.width, sum(least))  # a line that the terminal breaks has all its digits
    console.print(table)
    for row in told["stages"]:
        for kind in ("removed", "quarantined"):
            for rule, number in sorted(row.get(kind, {}).items(), key=lambda item: -item[1]):
                typer.echo(f"  {row['stage']}: {kind} by {rule}: {number:,}")
        if "withdrawn" in row:
            typer.echo(f"  {row['stage']}: withdrawn: {row['withdrawn']:,}")


def _cells(row: dict[str, Any], withdrawn: bool) -> list[str]:
    """A stage's row of the table, with markup; `withdrawn`: there is a column of what was withdrawn."""
    if not row["done"]:
        return [row["stage"], "[dim]not done[/]"]
    numbers = [row.get("in"), row.get("kept")]
    numbers += [sum(row[k].values()) if k in row else None for k in ("removed", "quarantined")]
    if withdrawn:
        numbers += [row.get("withdrawn", 0) if "in" in row else None]
    numbers += [row.get("tokens")]
    if all(number is None for number in numbers):
        return [row["stage"], "[dim]done[/]"]
    return [row["stage"], *("" if n is None else f"{n:,}" for n in numbers)]


def trace(
    document: Annotated[
        str, typer.Argument(metavar="DOC_ID", help="32 hex digits, as in the report; with --source its record's key.")
    ],
    folder: Annotated[Path, typer.Option("--run", help="Folder of the run.")],
    source: Annotated[
        str | None,
        typer.Option("--source", help="Name of the source whose key for its record DOC_ID is."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Follow one document: source and offset, verdict, cluster, token range, training steps, checkpoints."""
    from corpus.documents import document_id
    from hanjo.inspection import require_run
    from hanjo.tracing import tell
    from hanjo.tracing import trace as trace_of

    name = document.strip().lower() if source is None else document_id(source, document)
    found = trace_of(require_run(folder), name)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, default=str))
    else:
        typer.echo(tell(found))
