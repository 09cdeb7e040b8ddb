"""`hanjo corpus show RUN`: look at documents of a run, those removed by a rule among them."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from hanjo.commands import corpus_check, corpus_classifier, corpus_judge, corpus_ledger, corpus_signals, corpus_tune
from hanjo.commands.run import AsJson

app = typer.Typer(help="Check, judge and look at documents; what they count for.", no_args_is_help=True)
app.command("check")(corpus_check.check)
app.command("judge")(corpus_judge.judge)
app.command("signals")(corpus_signals.signals)
corpus_tune.register(app)
app.add_typer(corpus_ledger.app, name="ledger")
app.add_typer(corpus_classifier.app, name="classifier")


@app.callback()
def group() -> None:
    """Check, judge and look at documents; what they count for."""


@app.command()
def show(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run.")],
    removed: Annotated[bool, typer.Option("--removed", help="Only documents that decide or dedup removed.")] = False,
    rule: Annotated[str | None, typer.Option("--rule", help="Only those removed by this rule.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 20,
    full: Annotated[bool, typer.Option("--full", help="Whole texts, not their beginnings.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show documents as edited text: boilerplate cut, personal data masked."""
    from corpus.view import shown
    from hanjo.inspection import require_rule, require_run, require_stage

    run = require_run(folder)
    stages = require_stage(run, "decide")
    if rule is not None:
        require_rule(run, rule)
    found = shown(run, removed=removed, rule=rule, deduplicated="dedup" in stages)
    for document in islice(found, limit):
        if as_json:
            typer.echo(json.dumps(asdict(document), ensure_ascii=False))
            continue
        value = "" if document.value is None else f" {document.value:g}"
        bound = "" if document.limit is None else f", limit {document.limit:g}"
        detail = "" if document.detail is None else f" ({document.detail})"
        why = f"{document.rule}:{value}{bound}{detail}" if document.rule else "kept"
        typer.secho(f"{document.id}  {why}", bold=True)
        typer.secho(f"  {document.source}/{document.path}, offset {document.offset:,}", dim=True)
        text = document.text if full or len(document.text) <= 300 else document.text[:300] + " …"
        typer.echo("  " + text.replace("\n", "\n  "))
