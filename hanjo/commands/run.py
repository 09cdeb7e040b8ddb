"""`hanjo run RECIPE` and `hanjo report RUN`: carry out a recipe, write the report."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a value of the recipe; repeatable.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output instead of text.")]


def run(
    recipe: Annotated[Path, typer.Argument(help="The recipe, a YAML file.")],
    folder: Annotated[Path | None, typer.Option("--run", help="Folder of the run; default: runs/NAME.")] = None,
    sets: Sets = None,
    until: Annotated[str | None, typer.Option("--until", metavar="STAGE", help="Stop after this stage.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on any quarantined record.")] = False,
    as_json: AsJson = False,
) -> None:
    """Carry out a recipe, stage by stage; what is done already is not done again."""
    from hanjo.stages import up_to

    stages = up_to(until)
    from corpus.errors import HanjoError
    from hanjo.execution import Runner
    from hanjo.progress import Progress
    from hanjo.recipe import load_recipe
    from hanjo.recipe_text import require_weighted_sources
    from hanjo.report import write_report
    from tokenizer.stage import require_for_training

    resolved = load_recipe(recipe, sets or [])
    require_weighted_sources(resolved, recipe, sets or [])
    folder = folder or Path("runs") / resolved.name
    if "tokenize" in [stage.name for stage in stages]:
        require_for_training(folder, resolved.tokenize)
    progress = Progress("quiet" if as_json else "auto")
    runner = Runner(folder.resolve(), resolved, recipe.resolve().parent, progress, strict)
    page = folder / "report.html"
    try:
        results = runner.run_stages(stages)
    except KeyboardInterrupt:
        typer.echo(f"stopped; the same command goes on from here{_training_from(folder)}", err=True)
        raise typer.Exit(130) from None
    except HanjoError:
        if (folder / "manifest.json").exists() and not page.exists():
            write_report(folder)  # of what had been done before
        raise
    if not page.exists():
        write_report(folder)
    if as_json:
        typer.echo(json.dumps({"run": str(folder), "report": str(page), "stages": [asdict(r) for r in results]}))
        return
    if not any(result.ran for result in results):
        progress.console.print("nothing was done twice: every stage stands as the recipe asks")
    typer.echo(f"report: {page}")


def report(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run.")],
) -> None:
    """Write the report of a run again, whatever stages it has come through."""
    from hanjo.inspection import require_run
    from hanjo.report import write_report

    typer.echo(f"report: {write_report(require_run(folder))}")


def _training_from(folder: Path) -> str:
    """At which step training goes on, where it had begun and not ended."""
    from pretrain.checkpoints import model_folder, read_checkpoints

    if not (folder / "pretrain" / "train.log").exists() or model_folder(folder).exists():
        return ""
    checkpoints = read_checkpoints(folder)
    if not checkpoints:
        return ", training from its beginning: no checkpoint had been written"
    return f", training from step {checkpoints[-1].state.step}, its newest checkpoint"
