"""`hanjo corpus classifier train|eval`: a quality classifier of the user's own good and bad text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hanjo.commands.run import AsJson

app = typer.Typer(help="Train and measure a quality classifier.", no_args_is_help=True)
_SHAPES = "a file or folder of any known format; in .txt every line is a text; repeatable"
Good = Annotated[list[Path], typer.Option("--good", help=f"Good text: {_SHAPES}.")]
Bad = Annotated[list[Path], typer.Option("--bad", help=f"Bad text: {_SHAPES}.")]
Field = Annotated[str, typer.Option("--text", help="JSON field or Parquet column that holds the text.")]


@app.callback()
def group() -> None:
    """Train a quality classifier on your own good and bad text, and measure it."""


@app.command()
def train(
    good: Good,
    bad: Bad,
    out: Annotated[Path, typer.Option("--out", help="Folder to write: model.bin, card.json, README.md.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the part held out and of the training.")] = 1,
    held_out: Annotated[float, typer.Option("--held-out", min=0.01, max=0.9, help="Share kept for the scores.")] = 0.2,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="Passes over the texts; default: by size.")
    ] = None,
    text: Field = "text",
    as_json: AsJson = False,
) -> None:
    """Train a classifier; `measure.classifier: DIR` in a recipe makes its score the signal `quality`."""
    from corpus.classifier_training import TrainSettings
    from corpus.classifier_training import train as train_classifier

    card = train_classifier(good, bad, out, TrainSettings(seed=seed, held_out=held_out, epochs=epochs, text=text))
    _tell(card, as_json)
    if not as_json:
        typer.echo(f"classifier: {out}")


@app.command("eval")
def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `train` wrote.")],
    good: Good,
    bad: Bad,
    text: Field = "text",
    as_json: AsJson = False,
) -> None:
    """Measure a classifier on other text than it was trained on."""
    from corpus.classifier_training import evaluate as evaluate_classifier

    _tell(evaluate_classifier(folder, good, bad, text), as_json)


def _tell(made: dict[str, Any], as_json: bool) -> None:
    from corpus.classifier_card import score_lines

    if as_json:
        typer.echo(json.dumps(made, ensure_ascii=False))
        return
    for kind, inputs in made["inputs"].items():
        for one in inputs:
            typer.echo(f"{kind}: {one['name']}: {one['texts']:,} texts, {one['empty']:,} empty")
            for cause, number in one["unreadable"].items():
                typer.secho(f"  unreadable: {number:,} {cause}", fg="yellow")
    typer.echo("\n".join(score_lines(made["scores"])))
