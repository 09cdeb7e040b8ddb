"""`hanjo tokenizer …`: train, extend, compare and apply tokenizers, look into token shards."""

from __future__ import annotations

import typer

from hanjo.commands import tokenizer_encode, tokenizer_extend, tokenizer_report, tokenizer_show, tokenizer_train

app = typer.Typer(help="Train, extend, compare and apply tokenizers; look into token shards.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Train, extend, compare and apply tokenizers; look into token shards."""


app.command("train")(tokenizer_train.train)
app.command("encode")(tokenizer_encode.encode)
app.command("show")(tokenizer_show.show)
tokenizer_extend.register(app)
tokenizer_report.register(app)
