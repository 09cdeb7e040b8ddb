"""`hanjo dedup near IN OUT`: near-duplicates within one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hanjo.commands.run import AsJson


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command()(near)


def near(
    source: Annotated[Path, typer.Argument(metavar="IN", help="JSON Lines (also .gz, .zst) or Parquet.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="JSON Lines to write, a line a document, in IN's order.")],
    similarity: Annotated[
        float, typer.Option("--similarity", min=0.05, max=1.0, help="Jaccard of space-free 5-character shingles.")
    ] = 0.6,
    recall: Annotated[
        float, typer.Option("--recall", help="Share of the pairs exactly at that similarity to be found.")
    ] = 0.98,
    text: Annotated[str, typer.Option("--text", help="Field or column of the text.")] = "text",
    identity: Annotated[str, typer.Option("--id", help="Field or column of the id; else the record's number.")] = "id",
    as_json: AsJson = False,
) -> None:
    """Find near-duplicates in a file: who stays, and for who goes a witness that stays and their exact similarity."""
    from corpus.errors import UsageError
    from dedup.near_file import Records, near_file
    from dedup.settings import DedupSettings

    try:
        settings = DedupSettings(similarity=similarity, recall=recall)
    except ValueError as error:
        raise UsageError(str(error)) from error
    told = near_file(Records(source, text, identity), out, settings)
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(
        f"{told['documents']:,} documents, {told['kept']:,} kept, {told['removed']:,} removed "
        f"({told['removed_at_similarity_1']:,} at similarity 1), {told['clusters']:,} clusters → {out}"
    )
