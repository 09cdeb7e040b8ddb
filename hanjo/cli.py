"""The command `hanjo`: gathers the commands, turns errors into one message and an exit code.

Exit codes: 0 done, 1 the work failed, 2 wrong usage. Heavy libraries are imported inside the commands that need them.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

import typer

from corpus.errors import HanjoError, StorageError
from hanjo.commands import corpus, dedup, doctor, evaluation, pretrain, recipe, run, runs, tokenizer, withdraw
from hanjo.guard import check_packages
from hanjo.version import __version__

_INTERRUPTED = 130  # exit code after Ctrl-C

app = typer.Typer(
    name="hanjo",
    help="From Korean text to a trained, ranked language model.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("status")(runs.status)
app.command("trace")(runs.trace)
app.command("report")(run.report)
app.command("withdraw")(withdraw.withdraw)
app.command("doctor")(doctor.doctor)
app.add_typer(recipe.app, name="recipe")
app.add_typer(corpus.app, name="corpus")
app.add_typer(dedup.app, name="dedup")
app.add_typer(tokenizer.app, name="tokenizer")
app.add_typer(pretrain.app, name="pretrain")
app.add_typer(evaluation.app, name="eval")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hanjo {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """From Korean text to a trained, ranked language model."""


def main() -> None:
    """Entry point of the command."""
    try:
        check_packages()
        _run_app()
    except HanjoError as error:
        _fail(error)
    except OSError as error:
        what = f"{error.strerror or error}".lower()
        _fail(StorageError(what, where=str(error.filename or ""), fix="mend that and run the same command again"))


def _run_app() -> None:
    """Carry out the command; after Ctrl-C end at once, whatever compiled code still runs (`corpus/interrupts.py`)."""
    try:
        app()
    except SystemExit as ended:
        if ended.code != _INTERRUPTED:
            raise
        if isinstance(getattr(ended.__context__, "__cause__", None), KeyboardInterrupt):  # nobody has said so yet
            typer.echo("stopped", err=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_INTERRUPTED)


def _fail(error: HanjoError) -> NoReturn:
    typer.secho("error: ", fg="red", bold=True, err=True, nl=False)
    typer.echo(str(error), err=True)
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
