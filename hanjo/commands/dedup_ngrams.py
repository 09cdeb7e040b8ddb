"""`hanjo dedup ngrams ITEMS RUN|FILE…`: which benchmark items stand in a corpus, in full, in part or nearly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def ngrams(
    items: Annotated[
        Path, typer.Argument(metavar="ITEMS", help="Benchmark items: JSON Lines (also .gz, .zst) or Parquet.")
    ],
    corpus: Annotated[
        list[Path], typer.Argument(metavar="RUN|FILE…", help="Runs (their unique text), JSON Lines or Parquet files.")
    ],
    n: Annotated[int, typer.Option("--n", min=1, max=200, help="Characters of an n-gram, spaces left out.")] = 13,
    share: Annotated[
        float,
        typer.Option("--share", min=0, max=1, help="List items of which some document holds at least this share."),
    ] = 0.0,
    near: Annotated[
        float | None,
        typer.Option("--near", min=0.3, max=1, help="Look for near matches too: least share of an item's shingles."),
    ] = None,
    field: Annotated[str, typer.Option("--field", help="Field or column of the text in files.")] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: all documents of each item.")] = False,
) -> None:
    """List the items whose n-grams stand in a corpus, with the documents' ids; no text is shown."""
    from dedup.ngram_search import search
    from hanjo.journal import settle
    from hanjo.ngram_files import read_documents, read_items, told, told_short

    settle(*corpus)
    ids, texts = read_items(items, field)
    result = search(texts, read_documents(corpus, field), n=n, near=near)
    listed = {
        name: one
        for name, one in zip(ids, result.items, strict=True)
        if one.near or (one.best and one.best[0].share >= share)
    }
    short = sum(one.grams == 0 for one in result.items)
    if as_json:
        about = {"items": len(ids), "too_short": short, "documents": result.documents, "n": n}
        rows = [told(name, one, near is not None) for name, one in listed.items()]
        typer.echo(json.dumps({**about, "found": rows}, ensure_ascii=False))
        return
    for name, one in sorted(listed.items(), key=lambda pair: (-pair[1].best_share, pair[0])):
        typer.echo(told_short(name, one))
    unsearched = f"; {short:,} are shorter than {n} characters and were not searched" if short else ""
    typer.echo(f"{len(listed):,} of {len(ids):,} items found in {result.documents:,} documents{unsearched}", err=True)
