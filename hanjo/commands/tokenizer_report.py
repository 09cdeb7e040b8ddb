"""`hanjo tokenizer report A B C…`: tokenizers compared on the same text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hanjo.commands.run import AsJson


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command()(report)


def report(
    tokenizers: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]TOKENIZER…", help="Folders, tokenizer.json, *.tiktoken or sentencepiece *.model."
        ),
    ],
    texts: Annotated[
        list[Path], typer.Option("--texts", help="Files, each a domain, or runs (valid and test); repeatable.")
    ],
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with plots here too.")] = None,
    pattern: Annotated[
        str | None, typer.Option("--pattern", help="Of tiktoken files: cl100k, o200k, qwen, gpt2, or an expression.")
    ] = None,
    sample: Annotated[str, typer.Option("--sample", help="Text to measure on at most.")] = "4MiB",
    morphemes: Annotated[
        str, typer.Option("--morphemes", help="Text that Kiwi cuts into morphemes, at most; 0 leaves them out.")
    ] = "100kB",
    seed: Annotated[int, typer.Option("--seed", help="Of the sample, where there is more text.")] = 0,
    field: Annotated[str, typer.Option("--text", help="Field or column of the text in files.")] = "text",
    as_json: AsJson = False,
) -> None:
    """Compare tokenizers: bytes a token, fertility, syllables, use of the vocabulary, morphemes, losses, by domain."""
    from rich.console import Console

    from hanjo.journal import settle
    from hanjo.tokenizer_report import Request, compare, measured_on, table, write_page
    from tokenizer.measured import told
    from tokenizer.texts import byte_size

    settle(*texts)
    request = Request(tokenizers, texts, field, pattern, byte_size(sample), byte_size(morphemes), seed)
    found = compare(request, (lambda _: None) if as_json else (lambda said: typer.echo(said, err=True)))
    if html is not None:
        write_page(found, html)
    if as_json:
        typer.echo(json.dumps([told(one) for one in found], ensure_ascii=False))
        return
    typer.echo(measured_on(found))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=1000)
    console.print(table(found))
    if html is not None:
        typer.echo(f"→ {html}")
