"""`hanjo tokenizer …`: train, extend, compare and apply tokenizers."""

from __future__ import annotations

import typer

from hanjo.commands import tokenizer_extend, tokenizer_report

app = typer.Typer(help="Train, extend, compare and apply tokenizers.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Train, extend, compare and apply tokenizers."""


tokenizer_extend.register(app)
tokenizer_report.register(app)
