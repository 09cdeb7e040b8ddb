"""`hanjo dedup …`: near-duplicates of a file, plans for large corpora, the incremental index."""

from __future__ import annotations

import typer

from hanjo.commands import dedup_index, dedup_near, dedup_ngrams, dedup_plan

app = typer.Typer(help="Find duplicates, and keep an index of what is known.", no_args_is_help=True)
app.command("ngrams")(dedup_ngrams.ngrams)


@app.callback()
def group() -> None:
    """Find duplicates, and keep an index of what is known."""


dedup_near.register(app)
dedup_plan.register(app)
dedup_index.register(app)
