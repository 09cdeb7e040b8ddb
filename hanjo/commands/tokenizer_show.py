"""`hanjo tokenizer show SHARD|RUN`: a token shard as text with the borders of its tokens."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hanjo.commands.run import AsJson

if TYPE_CHECKING:
    from tokenizer.shown import Shard


def show(
    where: Annotated[Path, typer.Argument(metavar="SHARD|RUN", help="00000.bin of any folder; a run with --id.")],
    document: Annotated[int | None, typer.Option("--document", help="Show the document of this number.")] = None,
    identity: Annotated[str | None, typer.Option("--id", help="Show the document of this id.")] = None,
    tokens: Annotated[
        str | None, typer.Option("--tokens", metavar="FIRST:END", help="Show these tokens, and whose they are.")
    ] = None,
    tokenizer: Annotated[
        Path | None, typer.Option("--tokenizer", help="Its folder; else the one beside the shard, or the run's.")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Tokens of a document that are shown.")] = 2000,
    as_json: AsJson = False,
) -> None:
    """Show documents of a token shard with the borders of their tokens: the first, or those you ask for."""
    from corpus.errors import UsageError
    from hanjo.journal import settle
    from tokenizer.shown import Shard

    settle(where)
    if sum(one is not None for one in (document, identity, tokens)) > 1:
        raise UsageError("--document, --id and --tokens ask for different things", fix="give one of them")
    if (where / "recipe.yaml").exists():
        shard, document = _of_run(where, identity, tokenizer)
        identity = None
    else:
        shard = Shard(where, tokenizer)
    if tokens is not None:
        first, end = _range(tokens)
        rows = shard.rows_of(first, end)
    else:
        rows = [shard.row_of(identity) if identity is not None else document or 0]
        told = shard.facts(rows[0])
        first, end = told["first_token"], told["first_token"] + told["tokens"]
    _tell(shard, rows, first, min(end, first + most), end, as_json)


def _of_run(run: Path, identity: str | None, tokenizer: Path | None) -> tuple[Shard, int]:
    from corpus.errors import UsageError
    from tokenizer.locate import locate
    from tokenizer.shown import Shard

    if identity is None:
        fix = "give --id, or a shard of it: RUN/tokens/train/00000.bin"
        raise UsageError("a run has many shards", where=str(run), fix=fix)
    found = locate(run, identity)
    if found is None:
        raise UsageError(f"no document {identity} was encoded in this run", where=str(run), fix="see `hanjo trace`")
    return Shard(run / "tokens" / found["split"] / found["shard"], tokenizer), int(found["row"])


def _range(told: str) -> tuple[int, int]:
    from corpus.errors import UsageError

    first, _, end = told.partition(":")
    if not (first.isascii() and first.isdigit() and end.isascii() and end.isdigit()):
        raise UsageError(f"--tokens {told}", fix="write FIRST:END, two whole numbers; END is not shown")
    return int(first), int(end)


def _tell(shard: Shard, rows: list[int], first: int, shown: int, end: int, as_json: bool) -> None:
    from tokenizer.shown import borders, coloured

    facts, tokens = [shard.facts(row) for row in rows], shard.shown(first, shown)
    if as_json:
        told = [{"id": one.id, "text": one.text, "special": one.special} for one in tokens]
        typer.echo(json.dumps({"documents": facts, "first_token": first, "tokens": told}, ensure_ascii=False))
        return
    for one in facts:
        name = f"{one['id']}" if one.get("id") else "no id"
        gone = ", withdrawn" if one.get("withdrawn") else ""
        last = one["first_token"] + one["tokens"]
        typer.echo(f"document {one['document']:,} ({name}): tokens {one['first_token']:,}:{last:,}{gone}", err=True)
    colour = sys.stdout.isatty()
    typer.echo(coloured(tokens) if colour else borders(tokens), color=colour)
    if shown < end:
        typer.echo(f"… {end - shown:,} more tokens: --most, or --tokens {shown}:{end}", err=True)
