"""`hanjo corpus check PATH…`: a contributor's verdict before any upload; `--init DIR` writes a submission.yaml."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from hanjo.check_words import LANGUAGES, Words, asked_language

_HELP = Words(asked_language(sys.argv))  # a contributor may ask for help in Korean: --lang ko --help


def check(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH…", help=_HELP("help.paths"))] = None,
    lang: Annotated[str | None, typer.Option("--lang", help=_HELP("help.lang"))] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help=_HELP("help.html"))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=_HELP("help.json"))] = False,
    tokenizer: Annotated[Path | None, typer.Option("--tokenizer", metavar="DIR", help=_HELP("help.tokenizer"))] = None,
    submission: Annotated[
        Path | None, typer.Option("--submission", metavar="FILE", help=_HELP("help.submission"))
    ] = None,
    text: Annotated[str, typer.Option("--text", metavar="FIELD", help=_HELP("help.text"))] = "text",
    index: Annotated[Path | None, typer.Option("--index", metavar="DIR", help=_HELP("help.index"))] = None,
    init: Annotated[Path | None, typer.Option("--init", metavar="DIR", help=_HELP("help.init"))] = None,
) -> None:
    from corpus.errors import UsageError

    if lang is not None and lang not in LANGUAGES:
        raise UsageError(f"no language {lang!r}", fix=f"the languages are: {', '.join(LANGUAGES)}")
    words = Words(lang or asked_language(()))
    if init is not None:
        from hanjo.submission_form import ask_submission

        typer.echo(words("init.written", path=ask_submission(init, words), folder=init))
        return
    if not paths:
        raise UsageError(words("help.texts"))
    found, seconds = _checked(paths, text, submission, tokenizer, index, words, as_json)
    if html is not None:
        from corpus.shards import atomic_path
        from hanjo.check_report import page

        with atomic_path(html) as temporary:
            temporary.write_text(page(found, words), encoding="utf-8")
        typer.echo(words("written", path=html), err=True)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        from rich.console import Console

        from hanjo.check_report import show
        from hanjo.report.figures import size

        show(found, words, Console(highlight=False))
        typer.echo(words("time", size=size(found["came"]["bytes"]), seconds=f"{seconds:.1f}"), err=True)
    raise typer.Exit(0 if found["acceptable"] else 1)


check.__doc__ = _HELP("help.check")


def _checked(
    paths: list[Path],
    text: str,
    submission: Path | None,
    tokenizer: Path | None,
    index: Path | None,
    words: Words,
    quiet: bool,
) -> tuple[dict[str, Any], float]:
    """The facts, and the seconds it took to find them."""
    import datetime

    from corpus.errors import UsageError
    from hanjo.check import CheckSettings, default_workers
    from hanjo.check import check as checked
    from hanjo.progress import Progress

    for path in paths:
        if not path.exists():
            raise UsageError(words("path.missing"), where=str(path), fix=words("path.give"))
    settings = CheckSettings(datetime.date.today(), text, submission, tokenizer, default_workers(), index=index)
    steps = ("check", "divide", "lines", "read", "known", "pairs", "compare", "tokens")
    labels = {name: words(f"progress.{name}") for name in steps}
    started = time.monotonic()
    found = checked(paths, settings, Progress("quiet" if quiet else "auto"), labels)
    return found, time.monotonic() - started
