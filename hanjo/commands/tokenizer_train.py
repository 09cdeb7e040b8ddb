"""`hanjo tokenizer train OUT IN…`: a tokenizer out of files, folders or runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hanjo.commands.run import AsJson


def train(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; not there yet, or empty.")],
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="IN…", help="JSON Lines (also .gz, .zst), Parquet, folders of Parquet, runs."),
    ],
    vocab_size: Annotated[
        int, typer.Option("--vocab-size", help="Entries, added tokens included; filled up to a multiple of 128.")
    ] = 32_000,
    kind: Annotated[str, typer.Option("--kind", help="byte-bpe, or bpe or unigram by sentencepiece.")] = "byte-bpe",
    borders: Annotated[
        str, typer.Option("--borders", help="What no token reaches across: eojeol, kiwi (when training only), none.")
    ] = "eojeol",
    digits: Annotated[
        str, typer.Option("--digits", help="single, each a token; together, as tokens that hold numbers.")
    ] = "single",
    sample: Annotated[str, typer.Option("--sample", help="Text to learn from, at most (256MiB).")] = "256MiB",
    weights: Annotated[
        list[str] | None,
        typer.Option("--weight", metavar="SOURCE=W", help="How much likelier a source is drawn, beside 1; repeatable."),
    ] = None,
    min_frequency: Annotated[
        int, typer.Option("--min-frequency", min=1, help="Times that a pair must occur to be merged (byte-bpe).")
    ] = 2,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the sample.")] = 0,
    without_hangul: Annotated[
        bool, typer.Option("--without-hangul", help="Take text in which there is no Hangul.")
    ] = False,
    text: Annotated[str, typer.Option("--text", help="Field or column of the text.")] = "text",
    identity: Annotated[str, typer.Option("--id", help="Field or column of the id; else the record's number.")] = "id",
    as_json: AsJson = False,
) -> None:
    """Train a tokenizer on a seeded sample; AutoTokenizer opens the folder, and a recipe takes it as tokenize.path."""
    from typing import cast

    from hanjo.journal import settle
    from tokenizer.kinds import Border, Digits, Kind
    from tokenizer.train_files import TrainSettings, train_files

    settings = TrainSettings(
        vocab_size=vocab_size,
        kind=cast(Kind, kind),
        borders=cast(Border, borders),
        digits=cast(Digits, digits),
        sample_bytes=_size(sample),
        min_frequency=min_frequency,
        seed=seed,
        weights=dict(_weight(one) for one in weights or []),
        without_hangul=without_hangul,
    )
    settle(*inputs)
    card = train_files(inputs, out, settings, text, identity, (lambda told: None) if as_json else _say)
    if as_json:
        typer.echo(json.dumps(card, ensure_ascii=False))
        return
    drawn = card["sample"]
    typer.echo(
        f"{card['entries']:,} entries from {drawn['documents']:,} of {drawn['of_documents']:,} documents "
        f"({drawn['bytes']:,} bytes) → {out}"
    )


def _say(told: str) -> None:
    typer.echo(told, err=True)


def _size(told: str) -> int:
    from corpus.errors import UsageError
    from corpus.settings import parse_size

    try:
        return int(str(parse_size(told)))
    except ValueError as error:
        raise UsageError(f"--sample: {error}") from error


def _weight(told: str) -> tuple[str, float]:
    from corpus.errors import UsageError

    source, _, weight = told.rpartition("=")
    try:
        return source, float(weight)
    except ValueError:
        raise UsageError(f"--weight {told}", fix="write SOURCE=NUMBER, e.g. --weight web=0.5") from None
