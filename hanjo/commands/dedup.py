"""`hanjo dedup …`: near-duplicates of a file, plans for large corpora, the incremental index."""

from __future__ import annotations

import typer

from hanjo.commands import dedup_index, dedup_ngrams

app = typer.Typer(help="Find duplicates, and keep an index of what is known.", no_args_is_help=True)
app.command("ngrams")(dedup_ngrams.ngrams)


@app.callback()
def group() -> None:
    """Find duplicates, and keep an index of what is known."""


dedup_index.register(app)
