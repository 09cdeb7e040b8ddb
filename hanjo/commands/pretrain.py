"""`hanjo pretrain train RUN`: go on training where a run stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hanjo.commands import pretrain_resize

app = typer.Typer(help="Train a model on a run's tokens.", no_args_is_help=True)
app.command()(pretrain_resize.resize)


@app.callback()
def group() -> None:
    """Train a model on a run's tokens."""


@app.command()
def train(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run.")],
    ranks: Annotated[
        int | None, typer.Option("--ranks", min=1, help="Training processes, one a GPU; default: the recipe's.")
    ] = None,
    until_step: Annotated[
        int | None, typer.Option("--until-step", min=1, metavar="S", help="Stop after S steps, with a checkpoint.")
    ] = None,
) -> None:
    """Train from where the run stands: to the end, or up to a step. Killed, it goes on from the last checkpoint."""
    from hanjo.inspection import require_run
    from hanjo.training import train as go_on

    typer.echo(go_on(require_run(folder), ranks=ranks, until_step=until_step))


@app.command()
def plan(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run.")],
    ranks: Annotated[int, typer.Option("--ranks", min=1, help="Processes in all, over all machines.")],
) -> None:
    """Write the plan that ranks started by another launcher read (several nodes), and show how to start them."""
    from hanjo.inspection import require_run
    from hanjo.training import plan as plan_ranks

    typer.echo(plan_ranks(require_run(folder), ranks))
