"""`hanjo dedup …`: near-duplicates of a file, plans for large corpora, the incremental index."""

from __future__ import annotations

import typer

from hanjo.commands import dedup_near, dedup_plan

app = typer.Typer(help="Find duplicates, and keep an index of what is known.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Find duplicates, and keep an index of what is known."""


dedup_near.register(app)
dedup_plan.register(app)
