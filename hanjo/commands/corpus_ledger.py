"""`hanjo corpus ledger RUN`, `… ledger receipt`, `… ledger check`: what a run counts for whom, and proof of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hanjo.commands.run import AsJson


class _ShowByDefault(TyperGroup):
    """`ledger RUN` means `ledger show RUN`; a run's folder called like a verb is written ./receipt."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["show", *args]
        return list(super().parse_args(ctx, args))


app = typer.Typer(
    cls=_ShowByDefault, help="What a run counts, by source, contributor and rights.", no_args_is_help=True
)
Run = Annotated[Path, typer.Option("--run", help="Folder of the run.")]


@app.callback()
def group() -> None:
    """What a run counts: eojeol, characters, bytes and tokens by source, contributor and rights.

    `hanjo corpus ledger RUN` counts the shards anew, compares with the ledger's last line and shows it.
    """


@app.command()
def show(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run.")],
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Count the shards anew and compare, or believe the last line.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Count a run's shards anew, compare with its ledger, show the tables and what is missing to the target."""
    from hanjo.inspection import require_run
    from hanjo.ledger import last_entry
    from hanjo.ledger import verify as count_anew

    run = require_run(folder)
    entry = last_entry(run)
    wrong = count_anew(run, entry) if verify else []
    if as_json:
        typer.echo(json.dumps({**entry, "verified": verify and not wrong, "differences": wrong}, ensure_ascii=False))
    else:
        _show(run, entry)
        if verify:
            _tell(wrong, f"entry {entry['entry']}: chain whole, every figure counted anew from the shards")
    if wrong:
        raise typer.Exit(1)


@app.command()
def receipt(
    folder: Run,
    contributor: Annotated[str, typer.Option("--contributor", help="As in submission.yaml.")],
    out: Annotated[Path | None, typer.Option("--out", help="File to write; default: standard output.")] = None,
) -> None:
    """Write a contributor's receipt: totals and counts by shard, so that anyone with the shards can count again."""
    from corpus.receipts import receipt as receipt_of
    from corpus.shards import write_json
    from hanjo.inspection import require_run
    from hanjo.ledger import last_entry, shards_of

    run = require_run(folder)
    made = receipt_of(run, last_entry(run), contributor, shards_of(run))
    if out is None:
        typer.echo(json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True))
    else:
        write_json(out, made)
        typer.echo(f"receipt: {out}")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="RECEIPT", help="A file that `receipt` wrote.")],
    folder: Run,
    as_json: AsJson = False,
) -> None:
    """Count a receipt's figures again from a run's shards; says which one differs (exit code 1)."""
    from corpus.ledger import read_ledger
    from corpus.receipts import check as check_receipt
    from corpus.receipts import read_receipt
    from hanjo.inspection import require_run
    from hanjo.ledger import shards_of

    run, made = require_run(folder), read_receipt(file)
    documents = (run / "documents").is_dir()
    wrong = check_receipt(made, run, read_ledger(run), shards_of(run, documents=documents))
    if as_json:
        typer.echo(json.dumps({"holds": not wrong, "copies": documents, "differences": wrong}, ensure_ascii=False))
    else:
        _tell(wrong, "the receipt holds: every figure was counted again from the shards")
        if not documents:
            typer.echo("copies were not counted again: the run's documents are not here")
    if wrong:
        raise typer.Exit(1)


def _tell(wrong: Sequence[str], well: str) -> None:
    if not wrong:
        typer.secho(well, fg="green")
    for one in wrong:
        typer.secho(f"differs: {one}", fg="red", err=True)


def _show(run: Path, entry: dict[str, Any]) -> None:
    from rich.console import Console

    from corpus.ledger import axes
    from corpus.rights import read_rights

    console = Console(soft_wrap=True)
    licences = {key: f"{key} {rights.license}" for key, rights in read_rights(run).items()}
    rows = [{**row, "rights": licences.get(row["rights_id"], row["rights_id"])} for row in entry["rows"]]
    for name in ("source", "contributor", "rights"):
        console.print(_table(name, ((key, [row for row in rows if row[name] == key]) for key in _keys(rows, name))))
    table = _bare("axes", ("origin", "access", "unique or repeated"))
    for row in axes(rows):
        table.add_row(row["origin"], row["access"], row["part"], *_numbers(row))
    console.print(table)
    toward = entry["toward"]
    share = toward["unique"] / toward["target"] if toward["target"] else 0
    told = f"{toward['unique']:,} of {toward['target']:,} tokens ({share:.3g} of the target)"
    console.print(f"toward the target: {told}, tokenizer {entry['tokenizer'][:12]}, rights as of {entry['as_of']}")
    if toward["bytes_missing"] is None:
        console.print("forecast: no tokens yet, so no rate")
    elif toward["missing"]:
        rate = f"{toward['unique']:,} unique tokens from {toward['collected_bytes']:,} collected bytes"
        console.print(f"forecast: at {rate}, {toward['bytes_missing']:,} more bytes of such text are missing")


def _keys(rows: Iterable[dict[str, Any]], name: str) -> list[str]:
    return sorted({row[name] for row in rows})


def _table(name: str, groups: Iterable[tuple[str, list[dict[str, Any]]]]) -> Any:
    table = _bare(f"unique text by {name}", (name,))
    for key, rows in groups:
        table.add_row(key, *_numbers({n: sum(r["unique"][n] for r in rows) for n in rows[0]["unique"]}))
    return table


def _bare(title: str, names: Sequence[str]) -> Any:
    from rich.table import Table

    table = Table(title=title, box=None, header_style="bold", title_justify="left")
    for name in names:
        table.add_column(name, overflow="fold")
    for name in ("documents", "bytes", "chars", "eojeol", "tokens"):
        table.add_column(name, justify="right")
    return table


def _numbers(row: dict[str, Any]) -> list[str]:
    names = ("documents", "bytes", "chars", "eojeol", "tokens")
    return ["–" if row.get(name) is None else f"{row[name]:,}" for name in names]
