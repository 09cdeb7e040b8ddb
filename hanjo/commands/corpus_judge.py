"""`hanjo corpus judge IN OUT`: the pipeline's verdict on every line of a JSON Lines file, for scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def judge(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="JSON Lines with a field `text`, also .gz or .zst; - reads stdin.")
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write, also .gz or .zst; - writes stdout.")],
    profile: Annotated[
        str,
        typer.Option(
            "--profile",
            help="auto (limits by register), default, passthrough (only normalise and mask), a register's name, "
            "the path of a profile, or fineweb2-kor.",
        ),
    ] = "auto",
) -> None:
    """Judge a JSON Lines file as a run would: one line of verdict, edited text and personal data's places for each."""
    from hanjo.judging import judge_file, warnings

    tally = judge_file(source, target, profile)
    for told in warnings(tally):
        typer.secho("warning: ", fg="yellow", nl=False, err=True)
        typer.echo(told, err=True)
    kept, lines = sum(n for (verdict, _), n in tally.items() if verdict == "keep"), sum(tally.values())
    typer.echo(f"{lines:,} lines judged: {kept:,} keep", err=True)
