"""`hanjo pretrain train` and `plan`, `hanjo eval run`: the last stages of a run that stands, here or on more nodes."""

from __future__ import annotations

from pathlib import Path

from corpus.errors import UsageError
from corpus.manifest import read_manifest
from hanjo.execution import Runner
from hanjo.inspection import last_line
from hanjo.lock import locked
from hanjo.progress import Progress
from hanjo.recipe import load_recipe
from hanjo.stages import named


def train(run: Path, *, ranks: int | None = None, until_step: int | None = None) -> str:
    """Go on training; at the last step the stage is finished as `hanjo run` would: model exported, manifest written.

    Args:
        ranks: instead of the recipe's; refused, with the reason, where a checkpoint was written by other ranks.
        until_step: steps after which to stop with a checkpoint.

    Returns:
        a line that says where the run stands.

    Raises:
        StaleError: tokens are missing. TrainingError: the ranks failed. UsageError: the numbers do not fit.
    """
    recipe = load_recipe(run / "recipe.yaml")
    progress = Progress()
    runner = Runner(run, recipe, run, progress)
    if until_step is not None or ranks not in (None, recipe.pretrain.ranks):
        from pretrain.stage import train as train_ranks

        with locked(run):
            runner.finished("tokenize")
            train_ranks(
                run,
                recipe.pretrain,
                recipe.common(run),
                ranks=ranks,
                until_step=until_step,
                say=lambda line: progress.console.print(line, markup=False),
            )
    last = last_line(run / "pretrain" / "metrics.jsonl")
    if until_step is None and ranks in (None, recipe.pretrain.ranks):
        runner.run_stages([named("pretrain")])
        last = last_line(run / "pretrain" / "metrics.jsonl")
    steps = last["step"] + 1 if last else 0
    finished = "pretrain" in read_manifest(run)["stages"] and (run / "pretrain" / "model").exists()
    then = "`hanjo pretrain train` goes on from here"
    if finished:
        then = "the model is in pretrain/model/; `hanjo eval run` scores it"
    return f"{steps} of {recipe.pretrain.steps} steps; {then}"


def evaluate(run: Path) -> Path:
    """Score the model of a run by its own recipe; the path of its report.

    Raises:
        StaleError: there is no trained model. Others as the stage raises.
    """
    from hanjo.report import write_report

    runner = Runner(run, load_recipe(run / "recipe.yaml"), run, Progress())
    runner.run_stages([named("evaluate")])
    return write_report(run)


def plan(run: Path, ranks: int) -> str:
    """Write the plan of a training run whose ranks another launcher starts.

    Args:
        ranks: processes in all; must be what the recipe says, for the run to be finished by `train` afterwards.

    Returns:
        the command that starts them.

    Raises:
        UsageError: the recipe says another number. StaleError: tokens are missing.
    """
    from pretrain.plan import write_plan
    from pretrain.stage import plan_training

    recipe = load_recipe(run / "recipe.yaml")
    if ranks != recipe.pretrain.ranks:
        raise UsageError(
            f"the recipe says pretrain.ranks: {recipe.pretrain.ranks}, not {ranks}",
            where=str(run / "recipe.yaml"),
            fix=f"run the recipe with --set pretrain.ranks={ranks} --until tokenize first",
        )
    with locked(run):
        Runner(run, recipe, run, Progress("quiet")).finished("tokenize")
        write_plan(run, plan_training(run, recipe.pretrain, recipe.seed, here=False))
    return f"deepspeed --hostfile HOSTS --module pretrain.train --run {run}"
