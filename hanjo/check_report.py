"""A check's verdict drawn: on the terminal with rich, and as one HTML page that loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hanjo.check_sections import Code, Sample, Share, Table, Text, sections, tokens, verdict
from hanjo.check_words import Words
from hanjo.version import __version__

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {"plain": "", "note": "dim", "good": "bold green", "bad": "red"}


def show(facts: Mapping[str, Any], words: Words, console: Console) -> None:
    """Print the verdict on a terminal."""
    first, *rest = verdict(facts, words)
    console.print(_styled(first), soft_wrap=False)
    for text in rest:
        console.print(_styled(text), soft_wrap=False)
    for section in sections(facts, words):
        console.print()
        console.print(section.title, style="bold underline", markup=False)
        for block in section.blocks:
            console.print(_drawn(block), soft_wrap=isinstance(block, Code))
    console.print()
    console.print(words("footer", version=__version__, day=facts["as_of"]), style="dim", markup=False)


def _styled(text: Text) -> Any:
    from rich.text import Text as Styled

    return Styled(text.text, style=_STYLES[text.kind])


def _drawn(block: Text | Code | Table | Sample) -> Any:
    from rich.padding import Padding
    from rich.table import Table as Grid
    from rich.text import Text as Styled

    if isinstance(block, Text):
        return _styled(block)
    if isinstance(block, Code):
        return Padding(Styled(block.text, style="cyan"), (0, 0, 0, 2))
    if isinstance(block, Sample):
        styled = Styled.assemble((f"{block.head}\n", "bold"), (f"{block.place}\n", "dim"), block.text)
        return Padding(styled, (1, 0, 0, 2))
    grid = Grid(box=None, header_style="dim", show_header=any(block.heads), padding=(0, 2, 0, 0))
    for column, head in enumerate(block.heads):
        share = any(isinstance(row[column], Share) for row in block.rows)
        grid.add_column(head, justify="right" if column in block.numbers or share else "left", overflow="fold")
    for row in block.rows:
        grid.add_row(*(Styled(str(cell)) for cell in row))
    return grid


def page(facts: Mapping[str, Any], words: Words) -> str:
    """The verdict as one HTML page."""
    from hanjo.report.charts import share_bar
    from hanjo.report.figures import size, whole
    from hanjo.report.templates import environment

    unique = facts["unique"]
    found = facts["tokens"]
    cards = [
        (words("documents"), whole(unique["documents"]), ""),
        (words("eojeol"), whole(unique["eojeol"]), ""),
        (words("tokens"), whole(found["tokens"]) if found else "–", tokens(facts, words)),
        (words("chars"), whole(unique["chars"]), ""),
        (words("bytes"), size(unique["bytes"]), ""),
        (words("unreadable"), whole(sum(row["documents"] for row in facts["quarantined"])), ""),
    ]
    return (
        environment()
        .get_template("check.html.jinja")
        .render(
            words=words,
            lang=words.lang,
            verdict=verdict(facts, words),
            cards=cards,
            sections=list(sections(facts, words)),
            paths=[one["path"] for one in facts["rights"]],
            kind=lambda block: type(block).__name__,
            bar=lambda share: share_bar([(share.name, "accent", share.part)], share.whole),
            footer=words("footer", version=__version__, day=facts["as_of"]),
        )
    )
