"""`hanjo tokenizer …`: token shards from plain files, and looking into them."""

from __future__ import annotations

import typer

from hanjo.commands import tokenizer_encode, tokenizer_show, tokenizer_train

app = typer.Typer(help="Train tokenizers, encode text, look into token shards.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Train tokenizers, encode text, look into token shards."""


app.command("train")(tokenizer_train.train)
app.command("encode")(tokenizer_encode.encode)
app.command("show")(tokenizer_show.show)
