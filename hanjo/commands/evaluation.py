"""`hanjo eval run RUN`: score the model of a run again, as its recipe says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Score a run's model.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Score a run's model."""


@app.command()
def run(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run.")],
) -> None:
    """Evaluate the exported model by the run's own recipe, and write the report; what is done is not done again."""
    from hanjo.inspection import require_run
    from hanjo.training import evaluate

    typer.echo(f"report: {evaluate(require_run(folder))}")
