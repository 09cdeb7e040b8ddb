"""`hanjo doctor`: what this machine has, and what each missing extra would give."""

from __future__ import annotations

import json

import typer

from hanjo.commands.run import AsJson


def doctor(as_json: AsJson = False) -> None:
    """Say what is installed, which devices and DeepSpeed ops there are, and how much memory and disk is free."""
    from hanjo.diagnosis import diagnose

    found = diagnose()
    if as_json:
        typer.echo(json.dumps([{"what": w, "state": s, "detail": d} for w, s, d in found], ensure_ascii=False))
        return
    colours = {"ok": "green", "note": "yellow", "missing": "red"}
    for what, state, detail in found:
        typer.secho(f"{state:<8}", fg=colours[state], nl=False)
        typer.echo(f"{what:<22} {detail}")
