"""`hanjo corpus tune RUN`, `hanjo corpus calibrate REFERENCE…`: other thresholds, tried on a run or derived."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hanjo.commands.run import AsJson

if TYPE_CHECKING:
    from corpus.calibrate import Calibration
    from corpus.tune import Tuned

_SHOWN = 300  # characters of a sample


def register(app: typer.Typer) -> None:
    """Add both commands to the group."""
    app.command()(tune)
    app.command()(calibrate)


def tune(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run that has been measured.")],
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A key of decide, e.g. max_digits=0.5; repeatable."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", help="Judge all sources but those named under decide.profiles by it.")
    ] = None,
    samples: Annotated[int, typer.Option("--samples", min=0, help="Documents to show of each way.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Try other thresholds on a run in seconds; nothing in the run changes."""
    from corpus.tune import tune as tuned
    from hanjo.inspection import require_run
    from hanjo.recipe import load_recipe

    run = require_run(folder)
    changes = [text if text.lstrip().startswith("decide.") else f"decide.{text.lstrip()}" for text in sets or []]
    changes += [] if profile is None else [f"decide.profile={json.dumps(profile)}"]
    old = load_recipe(run / "recipe.yaml")
    new = load_recipe(run / "recipe.yaml", changes, base=Path.cwd())
    found = tuned(run, old.decide, new.decide, old.common(run), samples)
    if as_json:
        typer.echo(json.dumps({"run": run.name, **asdict(found)}, ensure_ascii=False))
        return
    _tell(found)


def _tell(found: Tuned) -> None:
    typer.secho(f"{'documents':<32}{'before':>12}{'after':>12}{'change':>12}", bold=True)
    for reason, before, after in found.funnel():
        change = f"{after - before:+,}" if after != before else ""
        typer.echo(f"{reason.removeprefix('removed/'):<32}{before:>12,}{after:>12,}{change:>12}")
    for way, number in (("lost", found.lost), ("regained", found.regained)):
        typer.secho(f"\n{way}: {number:,}", bold=True)
        for flip in found.flips:
            if flip.way == way:
                detail = f", {flip.detail}" if flip.detail else ""
                rule = flip.after if way == "lost" else flip.before
                value = "" if flip.value is None else f": {flip.value:g}, limit {flip.limit:g}"
                typer.echo(f"{flip.id}  {flip.source}  {rule}{value}{detail}")
                text = flip.text if len(flip.text) <= _SHOWN else flip.text[:_SHOWN] + " …"
                typer.secho("  " + text.replace("\n", "\n  "), dim=True)


def calibrate(
    reference: Annotated[
        list[Path], typer.Argument(metavar="REFERENCE…", help="Files or folders of trusted text, or one run.")
    ],
    lose: Annotated[float, typer.Option("--lose", help="Share of the reference that each rule may lose.")] = 0.01,
    deviations: Annotated[
        float | None, typer.Option("--deviations", help="Limits at the mean ± so many standard deviations instead.")
    ] = None,
    sources: Annotated[
        list[str] | None, typer.Option("--source", help="Of a run, only documents of this source; repeatable.")
    ] = None,
    text: Annotated[str, typer.Option("--text", help="Of files, the field or column that holds the text.")] = "text",
    as_json: AsJson = False,
) -> None:
    """Derive thresholds from text that you trust; prints a profile to save and to name under decide.profile."""
    from corpus.calibrate import calibrate as calibrated
    from corpus.calibrate import profile_text, signals_of_files, signals_of_run
    from corpus.errors import UsageError
    from hanjo.journal import settle

    settle(*reference)
    runs = [path for path in reference if (path / "recipe.yaml").exists()]
    if runs and len(reference) > 1:
        raise UsageError("a run beside other references", where=str(runs[0]), fix="name one run, or files and folders")
    if sources and not runs:
        raise UsageError("--source is for runs", fix="leave it out: files are read whole")
    signals = signals_of_run(runs[0], sources or []) if runs else signals_of_files(reference, text)
    found = calibrated(signals, lose, deviations)
    if as_json:
        typer.echo(json.dumps(_plain(found), ensure_ascii=False))
        return
    how = f"each rule loses at most {lose:g}" if deviations is None else f"mean ± {deviations:g} standard deviations"
    typer.echo(profile_text(found, ", ".join(path.name for path in reference), how), nl=False)


def _plain(found: Calibration) -> dict[str, object]:
    derived = [
        {"rule": one.rule.id, "key": one.rule.limit, "documents": one.documents, "limit": one.limit}
        | {"before": one.before, "loses": one.loses, "lost": one.lost}
        for one in found.derived
    ]
    return {"documents": found.documents, "loses": found.loses, "lost": found.lost, "derived": derived}
