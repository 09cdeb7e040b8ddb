"""`hanjo tokenizer show SHARD|FOLDER|RUN`: a token shard as text with the borders of its tokens."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hanjo.commands.run import AsJson

if TYPE_CHECKING:
    from tokenizer.shown import Shard, Token


def show(
    where: Annotated[
        Path,
        typer.Argument(
            metavar="SHARD|FOLDER|RUN",
            help="00000.bin of any folder; a folder of one shard; with --id of several; a run.",
        ),
    ],
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
    from tokenizer.folders import tokenizer_folder
    from tokenizer.shown import Shard

    settle(where)
    tokenizer = tokenizer and tokenizer_folder(tokenizer)
    if sum(one is not None for one in (document, identity, tokens)) > 1:
        raise UsageError("--document, --id and --tokens ask for different things", fix="give one of them")
    if (where / "recipe.yaml").exists():
        shard, document = _of_run(where, identity, tokenizer)
        identity = None
    elif where.is_dir():
        shard, found = _of_folder(where, identity, tokenizer)
        document, identity = (document if found is None else found), None
    else:
        shard = Shard(where, tokenizer)
    if tokens is not None:
        first, end = _range(tokens)
        rows = shard.rows_of(first, end)
    else:
        rows = [shard.row_of(identity) if identity is not None else document or 0]
        only = shard.facts(rows[0])
        first, end = only["first_token"], only["first_token"] + only["tokens"]
    if as_json:
        facts = [shard.facts(row) for row in rows]
        told = [
            {"id": one.id, "text": one.text, "special": one.special}
            for one in shard.shown(first, min(end, first + most))
        ]
        typer.echo(json.dumps({"documents": facts, "first_token": first, "tokens": told}, ensure_ascii=False))
    else:
        _tell(shard, rows, first, end, most)


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


def _of_folder(folder: Path, identity: str | None, tokenizer: Path | None) -> tuple[Shard, int | None]:
    """The shard that holds the id, with its row; without an id the only shard of the folder, and None."""
    from corpus.errors import UsageError
    from tokenizer.locate import shard_of, shards_in
    from tokenizer.shown import Shard

    shards = shards_in(folder)
    if not shards:
        fix = "give OUT of `hanjo tokenizer encode`, a run's folder, or 00000.bin"
        raise UsageError("no token shard in this folder", where=str(folder), fix=fix)
    if identity is not None:
        found = shard_of(folder, identity)
        if found is None:
            raise UsageError(f"no document {identity!r} here", where=str(folder), fix="check the id and the folder")
        return Shard(found[0], tokenizer), found[1]
    if len(shards) > 1:
        fix = f"name one of them, {shards[0]} to {shards[-1].name}, or a document with --id"
        raise UsageError(f"this folder has {len(shards):,} shards", where=str(folder), fix=fix)
    return Shard(shards[0], tokenizer), None


def _range(told: str) -> tuple[int, int]:
    from corpus.errors import UsageError

    number = "[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+"  # with commas, as commands print them
    found = re.fullmatch(f"({number}):({number})", told)
    if found is None:
        raise UsageError(f"--tokens {told}", fix="write FIRST:END, two whole numbers; END is not shown")
    first, end = (int(one.replace(",", "")) for one in found.groups())
    return first, end


def _tell(shard: Shard, rows: list[int], first: int, end: int, most: int) -> None:
    """Print tokens [first, end), `most` of them; of a withdrawn document only how many there are."""
    facts = [shard.facts(row) for row in rows]
    for one in facts:
        name = f"{one['id']}" if one.get("id") else "no id"
        gone = ", withdrawn" if one.get("withdrawn") else ""
        last = one["first_token"] + one["tokens"]
        typer.echo(f"document {one['document']:,} ({name}): tokens {one['first_token']:,}:{last:,}{gone}", err=True)
    at = first
    held: list[Token] = []
    for one in facts:
        stop = min(end, one["first_token"] + one["tokens"])
        if one.get("withdrawn") and shard.only_ends(at, stop):
            _print(held)
            typer.echo(f"withdrawn: {stop - at:,} tokens, all end of text")
            at, held = stop, []
            continue
        part = shard.shown(at, min(stop, at + most))
        most -= len(part)
        at += len(part)
        held += part
        if at < stop:
            break
    _print(held)
    if at < end:
        typer.echo(f"… {end - at:,} more tokens: --most, or --tokens {at:,}:{end:,}", err=True)


def _print(tokens: list[Token]) -> None:
    from tokenizer.shown import borders, coloured

    if tokens:
        colour = sys.stdout.isatty()
        typer.echo(coloured(tokens) if colour else borders(tokens), color=colour)
