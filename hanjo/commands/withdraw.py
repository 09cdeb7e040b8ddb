"""`hanjo withdraw --run RUN --ids FILE | --contributor X | --source S`: take documents out of a finished run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hanjo.commands.run import AsJson

if TYPE_CHECKING:
    from hanjo.withdraw import Asked, Withdrawn

_SHOWN = 20


def withdraw(
    folders: Annotated[list[Path], typer.Option("--run", help="Folder of the run; repeatable.")],
    ids: Annotated[
        list[str] | None,
        typer.Option("--ids", help="An id, or a file with one a line; repeatable. With --source: keys of its records."),
    ] = None,
    contributor: Annotated[str | None, typer.Option("--contributor", help="All that this contributor gave.")] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="All of this source; with --ids, those of its records.")
    ] = None,
    indexes: Annotated[
        list[Path] | None,
        typer.Option("--index", help="Index of `hanjo dedup add` that they leave too; the run's own does anyway."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, tell what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take documents out of a run: text, tokens, clusters, counts. Tells which steps and checkpoints have seen them."""
    from corpus.errors import HanjoError, UsageError
    from hanjo.inspection import require_run
    from hanjo.report import write_report
    from hanjo.withdraw import withdraw as withdraw_from

    asked = _asked(ids or [], contributor, source)
    told, refused, failed = [], [], None
    for run in [require_run(folder) for folder in folders]:
        had_report = (run / "report.html").exists()
        try:
            told.append(withdraw_from(run, asked, indexes=indexes or [], dry_run=dry_run))
        except UsageError as error:  # a contributor or source that one of several runs does not have
            refused.append(error)
        except HanjoError as error:
            failed = error
            break
        if had_report and not (run / "report.html").exists():
            write_report(run)
    if not told:
        raise failed or refused[0]
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in told] if len(told) > 1 else asdict(told[0]), ensure_ascii=False))
    else:
        for one in told:
            _tell(one)
    if failed is not None:  # of the runs before it is told what was done
        raise failed
    if not any(one.documents or one.before or one.quarantined for one in told):
        fix = "ids stand in the report and in the column `id` of documents/ and unique/; see `hanjo trace`"
        raise UsageError("no document that was asked for is in the run", where=str(folders[0]), fix=fix)


def _asked(ids: list[str], contributor: str | None, source: str | None) -> Asked:
    import re

    from corpus.documents import document_id
    from corpus.errors import UsageError
    from hanjo.withdraw import Asked

    if (contributor is not None) + bool(ids or source is not None) != 1:
        raise UsageError("say what is to go", fix="give one of --ids, --contributor and --source")
    if not ids:
        return Asked(contributor=contributor, source=source)
    named: dict[str, str] = {}
    for given in ids:
        path = Path(given)
        lines = path.read_text(encoding="utf-8-sig").splitlines() if path.is_file() else [given]
        for number, line in enumerate(lines, 1):
            if not (name := line.strip()):
                continue
            if source is None and not re.fullmatch("[0-9a-f]{32}", name := name.lower()):
                fix = "give 32 hex digits a line, an existing file, or --source with the keys of its records"
                if not path.is_file():
                    raise UsageError("no such file, and no id", where=f"--ids {given}", fix=fix)
                raise UsageError("no document id", where=f"{path}, line {number}", fix=fix)
            named[name if source is None else document_id(source, name)] = ""
    if not named:
        raise UsageError("no id in it", where=", ".join(ids), fix="write one a line")
    return Asked(ids=tuple(named))


def _tell(told: Withdrawn) -> None:
    would, be = ("would go", "would be ") if told.dry_run else ("withdrawn", "")
    typer.echo(f"{told.run}")
    _line("documents", f"{told.documents:,} {would}" + (f", {told.before:,} were before" if told.before else ""))
    if told.quarantined:
        _line("quarantine", f"{told.quarantined:,} records {would}")
    if told.tokens:
        _line("tokens", f"{told.tokens:,} in {len(told.shards):,} shards {be}overwritten with end of text, none moved")
    if told.promoted:
        _line(
            "promoted", f"{len(told.promoted):,} documents stay in their place, of {told.judged:,} that repeated them"
        )
        for one in told.promoted[:_SHOWN]:
            _line("", f"{one['id']}  {one['split']}")
    for index in told.indexes:
        _line("index", index)
    _tell_training(told.steps, told.checkpoints, told.untraced)
    if told.model:
        _line("model", "pretrain/model was made from a checkpoint that has seen them: train anew to be rid of them")
    for other in told.elsewhere:
        _tell_other(other)
    if told.missing:
        typer.secho("warning: ", fg="yellow", nl=False, err=True)
        typer.echo(f"{len(told.missing):,} ids are not in {told.run}: {_some(told.missing)}", err=True)


def _tell_training(steps: list[int], checkpoints: dict[str, int], untraced: list[str]) -> None:
    if steps:
        _line("steps", f"{_some(steps)} ({len(steps):,}) have used them")
    for name, number in checkpoints.items():
        _line("checkpoint", f"{name} contains {number:,} of these steps")
    if untraced:
        _line("unknown", f"{_some(untraced)}: of other tokens, so it cannot be told what they have seen")


def _tell_other(other: dict[str, Any]) -> None:
    if "documents" not in other:
        _line("other run", f"{other['run']} could not be asked: {other['error']}")
        return
    _line("other run", f"{other['run']} holds {other['documents']:,} of them: withdraw there too")
    _tell_training(other.get("steps", []), other.get("checkpoints", {}), other.get("untraced", []))


def _some(values: list[Any]) -> str:
    return ", ".join(map(str, values[:_SHOWN])) + (" …" if len(values) > _SHOWN else "")


def _line(name: str, text: str) -> None:
    typer.echo(f"{name:<12}{text}")
