"""`hanjo pretrain resize MODEL TOKENIZER OUT`: rows for a vocabulary that was extended or pruned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hanjo.commands.run import AsJson


def resize(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of the model with its own tokenizer.")],
    tokenizer: Annotated[Path, typer.Argument(metavar="TOKENIZER", help="Folder of the new tokenizer.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; it must not be there yet.")],
    corpus: Annotated[
        list[Path],
        typer.Argument(metavar="CORPUS…", help="Files, or runs (train to learn, valid and test to measure)."),
    ],
    valid: Annotated[
        list[Path] | None, typer.Option("--valid", help="Files to measure on; default: a tenth of the corpus' files.")
    ] = None,
    method: Annotated[str, typer.Option("--method", help="mean, weighted, similar or random.")] = "mean",
    warmup: Annotated[int, typer.Option("--warmup", min=0, metavar="STEPS", help="Steps for new rows alone.")] = 20,
    learning_rate: Annotated[float, typer.Option("--learning-rate", help="Of the warm-up, at first.")] = 3e-3,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Sequences a step.")] = 2,
    context: Annotated[int, typer.Option("--context", min=2, help="Tokens of a sequence.")] = 512,
    multiple: Annotated[int, typer.Option("--multiple", min=1, help="Fill rows up to a multiple of this.")] = 128,
    measure: Annotated[
        str,
        typer.Option("--measure", metavar="SIZE", help="Text to measure on, whole documents: a size, or all."),
    ] = "16kB",
    sample: Annotated[str, typer.Option("--sample", help="Text to learn from at most.")] = "16MiB",
    seed: Annotated[int, typer.Option("--seed", help="Of samples, random rows and the warm-up.")] = 0,
    field: Annotated[str, typer.Option("--text", help="Field or column of the text in files.")] = "text",
    as_json: AsJson = False,
) -> None:
    """Give a model rows for a new vocabulary, and tell bits per byte before, after, and after a short warm-up."""
    from pydantic import TypeAdapter, ValidationError

    from corpus.errors import UsageError
    from hanjo.journal import settle
    from pretrain.resize import ResizeSettings
    from pretrain.resize import resize as resized
    from tokenizer.texts import apart, byte_size

    try:
        settings = TypeAdapter(ResizeSettings).validate_python(
            {"method": method, "warmup": warmup, "learning_rate": learning_rate, "batch": batch, "context": context}
            | {"multiple": multiple, "seed": seed}
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{first['loc'][0]}: {first['msg']}", fix="see hanjo pretrain resize --help") from None
    settle(*corpus, *(valid or []))
    size = None if measure == "all" else byte_size(measure)
    learn, held_out = apart(corpus, valid or [], field, seed, byte_size(sample), size)
    say = (lambda told: None) if as_json else (lambda told: typer.echo(told, err=True))
    found = resized(model, tokenizer, out, learn, held_out, settings, say)
    if as_json:
        typer.echo(json.dumps(found.as_json()))
        return
    for name in ("before", "after", "random", "warmed"):
        if (one := getattr(found, name)) is not None:
            typer.echo(f"{name:<8} {one.told()} bits a byte")
    typer.echo(
        f"new rows {found.difference.told('+')} bits a byte against random ones; "
        f"± is the standard error over {held_out.told()}"
    )
    typer.echo(f"{found.kept:,} rows kept bit for bit, {found.new:,} new, {found.rows:,} in all → {out}")
