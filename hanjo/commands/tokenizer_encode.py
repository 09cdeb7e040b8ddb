"""`hanjo tokenizer encode --tokenizer DIR IN OUT`: plain files to token shards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hanjo.commands.run import AsJson


def encode(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="JSON Lines (also .gz, .zst), Parquet, or a folder of Parquet.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; not there yet, or empty.")],
    tokenizer: Annotated[
        Path, typer.Option("--tokenizer", help="Hugging Face folder with tokenizer.json, or that file.")
    ],
    text: Annotated[str, typer.Option("--text", help="Field or column of the text.")] = "text",
    identity: Annotated[str, typer.Option("--id", help="Field or column of the id; else the record's number.")] = "id",
    shard_size: Annotated[
        str, typer.Option("--shard-size", help="Tokens in a shard at most, in bytes (1GiB); up to 2GiB.")
    ] = "1GiB",
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Processes that encode; no matter to the result.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Encode text as it is, every record a document, into Megatron's .bin and .idx with a table of documents."""
    from corpus.errors import UsageError
    from corpus.settings import parse_size
    from hanjo.progress import Progress
    from tokenizer.documents import Files
    from tokenizer.encode_files import encode_files
    from tokenizer.folders import tokenizer_folder
    from tokenizer.indexed import MAX_SHARD_BYTES

    try:
        size = int(str(parse_size(shard_size)))
    except ValueError as error:
        raise UsageError(f"--shard-size: {error}") from error
    if not 1 <= size <= MAX_SHARD_BYTES:
        raise UsageError(f"--shard-size: {size} bytes, up to {MAX_SHARD_BYTES} (2GiB) are allowed")
    progress = Progress("quiet" if as_json else "auto")
    files = Files(source, text, identity)
    with progress.stage("encode") as bar:
        bar(phase="tokens", total=sum(path.stat().st_size for path in files.paths()))
        told = encode_files(
            files,
            tokenizer_folder(tokenizer),
            out,
            shard_bytes=size,
            workers=workers,
            tell=lambda amount: bar(advance=amount),
        )
    for event in told["events"]:
        progress.warn(f"shard {event['shard']}: {event['documents']} sampled documents' {event['event']}")
    if told["normaliser"]:
        progress.warn(f"the tokenizer normalises ({told['normaliser']}): decoding gives the text back in that form")
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    kept, shards = told["counts"]["kept"], len(told["shards"])
    per_token = kept["bytes"] / max(1, kept["tokens"] - kept["documents"])
    typer.echo(
        f"{kept['documents']:,} documents, {kept['tokens']:,} tokens in {shards:,} shard{'s' * (shards != 1)}, "
        f"{per_token:.2f} bytes a token → {out}"
    )
