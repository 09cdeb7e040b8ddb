"""`hanjo recipe new|check|schema|explain`: write, check and understand recipes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hanjo.commands.run import AsJson, Sets

app = typer.Typer(help="Write, check and understand recipes.", no_args_is_help=True)


@app.command()
def new(
    path: Annotated[Path, typer.Argument(help="File to write; must not exist.")],
    source: Annotated[
        list[Path] | None, typer.Option("--source", help="Folder with data and a submission.yaml; repeatable.")
    ] = None,
) -> None:
    """Write a commented recipe to begin from."""
    from hanjo.recipe_text import new_recipe

    new_recipe(path, source or [])
    typer.echo(f"wrote {path}; next: hanjo recipe check {path}")


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="The recipe, a YAML file.")],
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Check a recipe and show it resolved, every default written out."""
    from hanjo.recipe import as_values, dump, load_recipe
    from hanjo.recipe_text import missing_sources, require_weighted_sources

    recipe = load_recipe(path, sets or [])
    missing = missing_sources(recipe, path.resolve().parent)
    if not missing:
        require_weighted_sources(recipe, path, sets or [])
    typer.echo(json.dumps(as_values(recipe), default=str, ensure_ascii=False) if as_json else dump(recipe), nl=as_json)
    if not as_json:
        for told in missing:
            typer.secho("warning: ", fg="yellow", nl=False, err=True)
            typer.echo(told, err=True)
        typer.echo(f"{path}: a good recipe" + (", but its data is not in place yet" if missing else ""), err=True)


@app.command()
def schema() -> None:
    """Print the JSON Schema of recipes, for editors."""
    from hanjo.recipe import schema as recipe_schema

    typer.echo(json.dumps(recipe_schema(), indent=1, ensure_ascii=False))


@app.command()
def explain(
    key: Annotated[str, typer.Argument(help="A key or a beginning of one, e.g. dedup; all where left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say what each value means, its unit and default, and where the default comes from."""
    from corpus.errors import UsageError
    from hanjo.recipe import explain as explain_all
    from hanjo.recipe_text import one_line, suggest_key

    rows = list(explain_all())
    found = [row for row in rows if row.key == key or row.key.startswith(f"{key}.") or not key]
    if not found:
        raise UsageError(f"no key {key!r} in a recipe", fix=suggest_key(key, rows))
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in found], default=str, ensure_ascii=False))
        return
    for row in found:
        typer.secho(row.key, bold=True, nl=False)
        default = "" if row.default == "" else f" = {one_line(row.default)}"
        typer.echo(f"  ({row.type}{', in ' + row.unit if row.unit else ''}){default}")
        typer.echo(f"    {row.doc}" + (f". From: {row.origin}" if row.origin else ""))
