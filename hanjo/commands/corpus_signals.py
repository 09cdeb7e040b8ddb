"""`hanjo corpus signals`: what is measured of every document, as a list or as the page docs/signals.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hanjo.commands.run import AsJson


def signals(
    doc: Annotated[
        Path | None,
        typer.Option("--doc", metavar="SAMPLE", help="Print docs/signals.md, with histograms over this folder's text."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what each signal of a document means, and its unit."""
    if doc is not None:
        from corpus.signal_page import signal_page

        typer.echo(signal_page(doc), nl=False)
        return
    from corpus.signals import SIGNALS

    if as_json:
        rows = [{"name": s.name, "doc": s.doc, "unit": s.unit, "source": s.source} for s in SIGNALS]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for signal in SIGNALS:
        typer.secho(signal.name, bold=True, nl=False)
        typer.echo(f"  ({signal.unit})")
        typer.echo(f"    {signal.doc}" + (f". From: {signal.source}" if signal.source else ""))
