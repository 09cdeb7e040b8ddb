"""`hanjo tokenizer extend`, `verify` and `prune`: an existing model's vocabulary, larger or smaller."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hanjo.commands.run import AsJson

if TYPE_CHECKING:
    from tokenizer.verify_extension import Check

Base = Annotated[Path, typer.Argument(metavar="BASE", help="Folder of the old tokenizer (tokenizer.json).")]
Corpus = Annotated[
    list[Path], typer.Argument(metavar="CORPUS…", help="JSON Lines or Parquet files, or runs (their train split).")
]
Field = Annotated[str, typer.Option("--text", help="Field or column of the text in files.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    app.command()(extend)
    app.command()(verify)
    app.command()(prune)


def extend(
    base: Base,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; it must not be there yet.")],
    corpus: Corpus,
    add: Annotated[int, typer.Option("--add", min=1, metavar="N", help="New tokens.")],
    least: Annotated[int, typer.Option("--least", min=1, help="Times that a pair must occur to be merged.")] = 2,
    sample: Annotated[str, typer.Option("--sample", help="Text to learn from at most, e.g. 256MiB.")] = "256MiB",
    seed: Annotated[int, typer.Option("--seed", help="Of the sample, where there is more text.")] = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes; the result is the same.")] = 1,
    field: Field = "text",
    as_json: AsJson = False,
) -> None:
    """Add tokens for Hangul by going on with a tokenizer's own merge list; every old id is kept, and verified."""
    from hanjo.journal import settle
    from tokenizer.extend import extend as extended
    from tokenizer.extend import notes, write_extension
    from tokenizer.extendable import open_bpe
    from tokenizer.texts import byte_size, read_texts, sampled
    from tokenizer.verify_extension import verify as verified

    settle(*corpus)
    opened = open_bpe(base)
    texts = sampled(read_texts(corpus, field), seed, byte_size(sample))
    made = extended(opened, texts, add, least=least, workers=workers)
    checks = verified(made.base, made.extended, texts[:1000])
    write_extension(made, checks, out)
    if as_json:
        about = {"entries": made.extended.entries, "new": add, "first_new_id": opened.entries, "out": str(out)}
        about["notes"] = notes(made)
        typer.echo(json.dumps({**about, "checks": _plain(checks)}, ensure_ascii=False))
        return
    _tell(checks)
    for note in notes(made):
        typer.echo(f"note    {note}")
    typer.echo(f"{add:,} new tokens, ids {opened.entries:,} to {made.extended.entries - 1:,} → {out}")


def verify(
    base: Base,
    extended: Annotated[Path, typer.Argument(metavar="EXTENDED", help="Folder of the extended tokenizer.")],
    texts: Annotated[
        list[Path] | None, typer.Option("--texts", help="Files or runs to look at beside made text; repeatable.")
    ] = None,
    field: Field = "text",
    as_json: AsJson = False,
) -> None:
    """Check that an extended tokenizer lost nothing of its base; exit code 1 where a check fails."""
    from hanjo.journal import settle
    from tokenizer.extendable import open_bpe
    from tokenizer.texts import SPLITS, read_texts
    from tokenizer.verify_extension import verify as verified

    settle(*texts or [])
    checks = verified(open_bpe(base), open_bpe(extended), read_texts(texts or [], field, SPLITS))
    if as_json:
        typer.echo(json.dumps({"passed": all(one.passed for one in checks), "checks": _plain(checks)}))
    else:
        _tell(checks)
    if not all(one.passed for one in checks):
        raise typer.Exit(1)


def prune(
    base: Base,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; it must not be there yet.")],
    corpus: Corpus,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, metavar="N", help="Entries at most; default: all that is used.")
    ] = None,
    field: Field = "text",
    as_json: AsJson = False,
) -> None:
    """Drop tokens that a corpus does not use; ids move, and `hanjo pretrain resize` makes the model follow."""
    from hanjo.journal import settle
    from tokenizer.extendable import open_bpe
    from tokenizer.prune import prune as pruned
    from tokenizer.prune import require_same, write_pruned
    from tokenizer.texts import read_texts

    settle(*corpus)
    made = pruned(open_bpe(base), read_texts(corpus, field), keep)
    if keep is None:
        require_same(made, read_texts(corpus, field))
    write_pruned(made, out)
    before, after = made.base.entries, made.pruned.entries
    if as_json:
        typer.echo(json.dumps({"before": before, "after": after, "used": made.used, "out": str(out)}))
        return
    typer.echo(f"{before:,} entries → {after:,}, {made.used:,} of them used by the texts → {out}")


def _plain(checks: Sequence[Check]) -> list[dict[str, object]]:
    return [asdict(one) | {"passed": one.passed} for one in checks]


def _tell(checks: Sequence[Check]) -> None:
    for one in checks:
        word = typer.style("passed", fg="green") if one.passed else typer.style("FAILED", fg="red", bold=True)
        typer.echo(f"{word}  {one.name:<11} {one.asks} ({one.checked:,})")
        if not one.passed:
            typer.echo(f"        {one.failed:,} failed, the first: {one.first}")
