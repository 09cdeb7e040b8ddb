"""`hanjo dedup add | query | remove | index | compact INDEX`: the incremental index of accepted documents."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hanjo.commands.run import AsJson

if TYPE_CHECKING:
    from dedup.index_adding import Added
    from dedup.index_parameters import IndexParameters
    from dedup.index_query import Match

Folder = Annotated[Path, typer.Argument(metavar="INDEX", help="Folder of the index.")]
Memory = Annotated[str, typer.Option("--memory", help="Memory to plan with, e.g. 512MiB.")]
TextField = Annotated[str, typer.Option("--text-field", help="Field or column that holds the text.")]
IdField = Annotated[str, typer.Option("--id-field", help="Field or column that holds the id.")]
_UNREADABLE = 0.01  # share of records above which `add` ends with 1, as max_quarantined of a run


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    for command in (add, query, remove, index, compact):
        app.command()(command)


def add(
    folder: Folder,
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE…", help="Finished runs, or files with ids and texts.")
    ],
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Setting of a new index, e.g. similarity=0.7; repeatable."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="A row for each document: .jsonl or .parquet.")] = None,
    text_field: TextField = "text",
    id_field: IdField = "id",
    created_field: Annotated[
        str | None, typer.Option("--created-field", help="Field or column that holds the date.")
    ] = None,
    memory: Memory = "2GiB",
    as_json: AsJson = False,
) -> None:
    """Add documents; says which are new and which repeat what (exact, near). Makes the index where there is none."""
    from dedup.index import writing
    from dedup.index_adding import add_sources
    from dedup.index_sources import Fields, require_sources
    from hanjo.journal import settle
    from hanjo.progress import Progress

    require_sources(sources)
    settle(*sources)
    asked = _parameters(folder, sources, sets or [])
    fields = Fields(text_field, id_field, created_field)
    progress = Progress("quiet" if as_json else "auto")
    with (
        writing(folder, asked, _bytes(memory), create=True) as opened,
        progress.stage("dedup add") as tell,
    ):
        tell(phase="documents")
        added = add_sources(opened, sources, fields, out, lambda documents: tell(advance=documents))
        totals = opened.totals
    if as_json:
        typer.echo(json.dumps({**asdict(added), "totals": totals}, ensure_ascii=False))
    else:
        _tell_added(added, totals)
    came = sum(added.counts.values())
    if added.counts["unreadable"] > _UNREADABLE * came:
        raise typer.Exit(1)


def _tell_added(added: Added, totals: dict[str, int]) -> None:
    told = {
        "new": "stay",
        "exact": "the same text as one that stays",
        "near": "similar to one that stays",
        "split": "held out: similar to documents of two splits",
        "known": "were there already",
        "superseded": "older versions",
        "unreadable": "could not be read; the others are in the index",
    }
    for state, number in added.counts.items():
        if number or state == "new":
            typer.echo(f"{state:<12}{number:>12,}  {told[state]}")
    for name, number in (("promoted", added.promoted), ("replaced", added.replaced)):
        if number:
            what = "stay now" if name == "promoted" else "no longer stay: a better one came"
            typer.echo(f"{name:<12}{number:>12,}  were there before, {what}")
    for cause, number in added.losses.items():
        typer.secho("warning: ", fg="yellow", nl=False, err=True)
        typer.echo(f"{number:,} × {cause} in documents that are in the index", err=True)
    for one in added.unreadable:
        typer.secho("warning: ", fg="yellow", nl=False, err=True)
        typer.echo(f"{one.path}, {one.offset}: {one.cause}: {one.detail}", err=True)
    typer.echo(f"the index holds {totals['documents']:,} documents in {totals['clusters']:,} clusters")


def query(
    folder: Folder,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Documents, or a text file; - reads one text from stdin.")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="The text itself.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Matches to tell of each text, at most.")] = 5,
    text_field: TextField = "text",
    id_field: IdField = "id",
    memory: Memory = "2GiB",
    as_json: AsJson = False,
) -> None:
    """Say whether a text, or each document of a file, is in the index, exactly or nearly; shows no text."""
    from corpus.errors import UsageError
    from dedup.index import Index
    from dedup.index_query import answers
    from dedup.index_sources import Fields

    if (file is None) == (text is None):
        raise UsageError("give a file, - for standard input, or --text", fix="one of them")
    asked: str | Path = file or text or ""
    if asked == Path("-"):
        asked = sys.stdin.buffer.read().decode("utf-8-sig", "replace")
    opened = Index.open(folder, memory=_bytes(memory))
    for name, matches in answers(opened, asked, Fields(text_field, id_field, nameless=True), most):
        if as_json:
            found = "exact" if matches and matches[0].exact else "near" if matches else None
            line = {"id": name, "found": found, "matches": [asdict(match) for match in matches]}
            typer.echo(json.dumps(line, ensure_ascii=False))
        else:
            _tell_matches(name, matches)


def _tell_matches(asked: str | None, matches: list[Match]) -> None:
    name = "" if asked is None else f"{asked}: "
    if not matches:
        typer.echo(f"{name}not in the index")
    for match in matches:
        how = "exact" if match.exact else f"near {match.similarity:.3f}"
        state = "stays" if match.keep else "was removed as a copy or held out"
        split = match.split or "no split"
        typer.echo(f"{name}{how}  {match.id}  cluster {match.cluster}, {split}, {match.documents:,} documents, {state}")


def remove(
    folder: Folder,
    ids: Annotated[list[str], typer.Option("--ids", help="An id, or a file with one a line; repeatable.")],
    memory: Memory = "2GiB",
    as_json: AsJson = False,
) -> None:
    """Take documents back; tells which ones now stay in their place."""
    from dedup.index import writing
    from dedup.index_sources import ids_of
    from dedup.inputs import format_ids

    named = [one.strip() for given in ids for one in _lines(given) if one.strip()]
    with writing(folder, memory=_bytes(memory)) as opened:
        before = opened.totals["documents"]
        change = opened.remove(ids_of(named))
        gone = before - opened.totals["documents"]
        totals = opened.totals
    promoted = format_ids(*change.promoted).to_pylist()
    missing = len(change.missing)
    if as_json:
        told = {"removed": gone, "missing": missing, "promoted": promoted, "totals": totals}
        typer.echo(json.dumps(told))
        return
    typer.echo(f"{gone:,} documents removed, {missing:,} were not there")
    for one in promoted:
        typer.echo(f"promoted  {one}")


def index(
    folder: Folder,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every byte, and work out links, clusters and survivors anew.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what an index holds: documents, clusters, bytes, settings, segments."""
    from dedup.index import Index
    from dedup.index_check import check

    opened = Index.open(folder)
    if verify:
        check(opened)
    told: dict[str, Any] = {
        "totals": opened.totals,
        "bytes": sum(one.bytes for one in opened.segments),
        "parameters": asdict(opened.parameters),
        "segments": [asdict(one) for one in opened.segments],
        "verified": verify,
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    for name, number in told["totals"].items():
        typer.echo(f"{name:<12}{number:>16,}")
    typer.echo(f"{'bytes':<12}{told['bytes']:>16,}  in {len(opened.segments)} segments")
    typer.echo("made with   " + ", ".join(f"{name} {value}" for name, value in told["parameters"].items()))
    if verify:
        typer.echo("verified: files, order, links, clusters and survivors are what a build from nothing gives")


def compact(folder: Folder, memory: Memory = "2GiB", as_json: AsJson = False) -> None:
    """Merge the segments of an index into one; what was removed leaves the disk."""
    from dedup.index import writing

    with writing(folder, memory=_bytes(memory)) as opened:
        saved = opened.compact()
        size = sum(one.bytes for one in opened.segments)
    if as_json:
        typer.echo(json.dumps({"bytes": size, "saved": saved}))
    else:
        typer.echo(f"one segment of {size:,} bytes, {saved:,} fewer than before")


def _bytes(text: str) -> int:
    from corpus.errors import UsageError
    from corpus.settings import parse_size

    try:
        value = parse_size(text)
    except ValueError as error:
        raise UsageError(str(error), where="--memory") from error
    if isinstance(value, int) and value > 0:
        return value
    raise UsageError(f"not a size: {text!r}", where="--memory", fix="write it like 512MiB or 2GiB")


def _lines(given: str) -> list[str]:
    path = Path(given)
    return path.read_text(encoding="utf-8-sig").splitlines() if path.is_file() else [given]


def _parameters(folder: Path, sources: list[Path], sets: list[str]) -> IndexParameters | None:
    """What the index must have been made with: a run's recipe, `--set`, defaults for a new one; else as it is."""
    import yaml

    from corpus.errors import UsageError
    from dedup.index import Index
    from dedup.index_parameters import TAKEN, IndexParameters, from_values
    from dedup.index_sources import is_run
    from hanjo.recipe import load_recipe

    given: dict[str, Any] = {}
    for text in sets:
        key, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"not KEY=VALUE: {text!r}", where="--set", fix="write it like similarity=0.7")
        given[key.strip().removeprefix("dedup.")] = yaml.safe_load(value)
    wanted: IndexParameters | None = None
    for run in filter(is_run, sources):
        recipe = load_recipe(run / "recipe.yaml")
        parameters = IndexParameters.of(recipe.dedup, recipe.seed)
        if wanted is not None:
            wanted.refuse_other(parameters, str(run))
        wanted = parameters
    if wanted is None and (folder / "manifest.json").exists():
        wanted = Index.open(folder).parameters
    if not given:
        return wanted or from_values({}, "--set")
    values = {} if wanted is None else {name: getattr(wanted, name) for name in (*TAKEN, "seed")}
    return from_values({**values, **given}, "--set")
