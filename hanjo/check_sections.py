"""The facts of a check as sections of text, tables and samples in one language: terminal and HTML draw the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from corpus.sources import readers
from hanjo import check_names as names
from hanjo.check_words import Words
from hanjo.report.figures import percent, size, trim, whole
from hanjo.submission_form import example

SHOWN_FILES = 30


@dataclass(frozen=True, slots=True)
class Share:
    """A cell that is a part of a whole: drawn as a bar where there is room, else as a percentage."""

    part: float
    whole: float
    name: str

    def __str__(self) -> str:
        return percent(self.part, self.whole)


Cell = str | Share


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence; `good` and `bad` are what a person must see."""

    text: str
    kind: Literal["plain", "note", "good", "bad"] = "plain"


@dataclass(frozen=True, slots=True)
class Code:
    """Text to be copied as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the columns of `numbers` are set to the right."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Sample:
    """A masked beginning of a document: a headline, where it stands, and the text ("" where there is none to show)."""

    head: str
    place: str
    text: str


Block = Text | Code | Table | Sample


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the verdict."""

    id: str
    title: str
    blocks: list[Block] = field(default_factory=list)


def verdict(facts: Mapping[str, Any], words: Words) -> list[Text]:
    """What a person reads first: acceptable or not, what to mend, what else to look at."""
    found = [Text(words("acceptable"), "good") if facts["acceptable"] else Text(words("not_acceptable"), "bad")]
    unread = sum(row["documents"] for row in facts["quarantined"])
    filled = {"share": percent(unread, facts["came"]["documents"]), "paths": ", ".join(facts["empty"])}
    found += [Text(words(f"mend.{one}", **filled), "bad") for one in facts["mend"]]
    times = whole(facts["losses"].get("key.missing", {}).get("times", 0))
    found += [Text(words(f"remark.{one}", times=times), "note") for one in facts["remarks"]]
    unique = facts["unique"]
    found.append(Text(words("counts", eojeol=whole(unique["eojeol"]), documents=whole(unique["documents"]))))
    return found


def sections(facts: Mapping[str, Any], words: Words) -> Iterator[Section]:
    """All sections, in the order they are read."""
    for about in (
        _funnel,
        _rights,
        _files,
        _errors,
        _quality,
        _private,
        _duplicates,
        _index,
        _languages,
        _losses,
        _cut,
    ):
        if about is not _index or facts["index"] is not None:
            yield about(facts, words)


def _funnel(facts: Mapping[str, Any], words: Words) -> Section:
    came, unread = facts["came"], facts["quarantined"]
    removed = {name: sum(row[name] for row in facts["removed"]) for name in ("documents", "eojeol", "chars", "bytes")}
    steps: list[tuple[str, Mapping[str, Any]]] = [
        ("came", {"documents": came["documents"]}),
        ("unread", {"documents": sum(row["documents"] for row in unread)}),
        ("removed", removed),
        *([] if facts["index"] is None else [("index", facts["index"])]),
        ("repeated", facts["repeated"]),
        ("counts", facts["unique"]),
    ]
    rows: list[list[Cell]] = [
        [
            words(f"funnel.{name}"),
            whole(row["documents"]),
            Share(row["documents"], came["documents"], words(f"funnel.{name}")),
            *(whole(row.get(amount)) for amount in ("eojeol", "chars")),
            size(row.get("bytes")),
        ]
        for name, row in steps
    ]
    heads = ["", words("documents"), words("share"), words("eojeol"), words("chars"), words("bytes")]
    table = Table(heads, rows, frozenset({1, 3, 4, 5}))
    notes = [Text(tokens(facts, words)), Text(words("funnel.note"), "note")]
    return Section("funnel", words("section.funnel"), [table, *notes])


def tokens(facts: Mapping[str, Any], words: Words) -> str:
    """The sentence on tokens, of all that counts or (`facts["index"]`) of what an index has."""
    found = facts["tokens"]
    if found is None:
        return words("tokens.unknown")
    filled = {name: whole(value) for name, value in found.items() if value is not None}
    if found["sampled"] == found["documents"]:
        return words("tokens.exact", **filled)
    return words("tokens.guess" if found["low"] is None else "tokens.estimate", **filled)


def _rights(facts: Mapping[str, Any], words: Words) -> Section:
    section = Section("rights", words("section.rights"))
    for one in facts["rights"]:
        says = one["says"] or {"contributor": "", "source": "", "rights": {"license": "", "until": None}}
        filled = {"path": one["path"], "submission": one["submission"], "until": says["rights"]["until"]}
        filled |= {name: says[name] for name in ("contributor", "source")} | {"license": says["rights"]["license"]}
        kind: Literal["plain", "bad"] = "plain" if one["state"] == "granted" else "bad"
        section.blocks.append(Text(words(f"rights.{one['state']}", **filled), kind))
        if one["detail"]:
            section.blocks.append(Code(one["detail"]))
        if one["state"] == "missing":
            section.blocks.append(Code(example(words)))
        if one["says"]:
            section.blocks.append(Table(["", ""], [*_granted(says["rights"], words)]))
    return section


def _granted(rights: Mapping[str, Any], words: Words) -> Iterator[list[Cell]]:
    for name, value in rights.items():
        if isinstance(value, bool):
            told = words("yes" if value else "no")
        elif name == "until":
            told = value or words("no_end")
        else:
            told = value or words("none")
        yield [words(f"right.{name}"), told]


def _files(facts: Mapping[str, Any], words: Words) -> Section:
    heads = [words(name) for name in ("file", "format", "encoding", "documents", "kept", "unreadable")]
    rows: list[list[Cell]] = [
        [
            row["path"],
            row["format"] or words("unknown"),
            row["encoding"] or words("not_text"),
            whole(row["documents"]),
            whole(row["kept"]),
            whole(row["quarantined"]),
        ]
        for row in sorted(facts["files"], key=lambda row: -row["quarantined"])[:SHOWN_FILES]
    ]
    section = Section("files", words("section.files"), [Table(heads, rows, frozenset({3, 4, 5}))])
    if len(facts["files"]) > SHOWN_FILES:
        section.blocks.append(Text(words("files.more", number=whole(len(facts["files"]) - SHOWN_FILES)), "note"))
    if facts["left_out"]:
        section.blocks.append(Text(words("files.left_out", number=whole(facts["left_out"])), "note"))
    return section


def _errors(facts: Mapping[str, Any], words: Words) -> Section:
    section = Section("errors", words("section.errors"))
    if not facts["quarantined"]:
        section.blocks.append(Text(words("errors.none")))
    for row in facts["quarantined"]:
        number = whole(row["documents"])
        section.blocks.append(Text(f"{number} × {words.choose(names.cause(row['cause']))} ({row['cause']})", "bad"))
        if row["documents"] > len(row["first"]):
            section.blocks.append(Text(words("errors.first", number=len(row["first"]), documents=number), "note"))
        lines: list[list[Cell]] = [[error["path"], _offset(error, words), error["detail"]] for error in row["first"]]
        section.blocks.append(Table([words("file"), words("place"), words("what_to_do")], lines))
    return section


def _quality(facts: Mapping[str, Any], words: Words) -> Section:
    section = Section("quality", words("section.quality"))
    came = facts["came"]["documents"]
    kept = facts["kept"]
    heads = [words("rule"), words("documents"), words("share"), words("eojeol")]
    rows: list[list[Cell]] = [
        [words("kept"), whole(kept["documents"]), Share(kept["documents"], came, words("kept")), whole(kept["eojeol"])]
    ]
    rows += [
        [
            f"{words.choose(names.rule(row['rule']))} ({row['rule']})",
            whole(row["documents"]),
            Share(row["documents"], came, row["rule"]),
            whole(row["eojeol"]),
        ]
        for row in facts["removed"]
    ]
    section.blocks.append(Table(heads, rows, frozenset({1, 3})))
    if not facts["removed"]:
        section.blocks.append(Text(words("quality.none")))
    for row in [{"rule": "", "example": kept["example"]}, *facts["removed"]]:
        shown = row["example"]
        if shown is None:
            continue
        head = words.choose(names.rule(row["rule"])) if row["rule"] else words("kept")
        if shown["value"] is not None:
            head += f" · {words('value')} {trim(shown['value'])}, {words('limit')} {trim(shown['limit'])}"
        section.blocks.append(Sample(head, _place(shown, words), shown["text"]))
    return section


def _place(shown: Mapping[str, Any], words: Words) -> str:
    return f"{shown['path']}, {_offset(shown, words)}"


def _offset(shown: Mapping[str, Any], words: Words) -> str:
    """Where in its file: columnar formats count rows, all others bytes."""
    known = readers().get(shown["format"])
    by_rows = known is not None and known.split == "row_groups"
    return words("row" if by_rows else "byte", offset=whole(shown["offset"]))


def _private(facts: Mapping[str, Any], words: Words) -> Section:
    section = Section("private", words("section.private"))
    rows: list[list[Cell]] = [
        [words.choose(names.identifier(name)), words(f"private.{kind}"), whole(row["spans"]), whole(row["documents"])]
        for kind in ("masked", "reported")
        for name, row in sorted(facts[kind].items(), key=lambda item: -item[1]["spans"])
    ]
    if rows:
        section.blocks.append(Table([words("kind"), "", words("spans"), words("documents")], rows, frozenset({2, 3})))
        section.blocks.append(Text(words("private.note"), "note"))
    else:
        section.blocks.append(Text(words("private.none")))
    return section


def _duplicates(facts: Mapping[str, Any], words: Words) -> Section:
    found = facts["duplicates"]
    section = Section("duplicates", words("section.duplicates"))
    section.blocks.append(Text(words("duplicates.exact", number=whole(found["exact"]))))
    filled = {"number": whole(found["near"]), "compared": whole(found["compared"])}
    section.blocks.append(Text(words("duplicates.near", **filled)))
    if found["unsigned"]:
        section.blocks.append(Text(words("duplicates.unsigned", number=whole(found["unsigned"])), "note"))
    for pair in found["examples"]:
        for side in ("removed", "stays"):
            head = words(f"duplicates.{side}")
            if side == "removed":
                head += f" · {words('similarity')} {trim(pair['similarity'])}"
            section.blocks.append(Sample(head, _place(pair[side], words), pair[side]["text"]))
    return section


def _index(facts: Mapping[str, Any], words: Words) -> Section:
    found = facts["index"]
    section = Section("index", words("section.index"))
    if not found["documents"]:
        section.blocks.append(Text(words("index.none", compared=whole(found["compared"]))))
        return section
    filled = {name: whole(found[name]) for name in ("documents", "exact", "near", "eojeol", "chars")}
    filled["bytes"] = size(found["bytes"])
    section.blocks.extend(Text(words(f"index.{one}", **filled)) for one in ("found", "lost"))
    if found["tokens"] is not None:
        section.blocks.append(Text(tokens(found, words)))
    if found["documents"] > len(found["first"]):
        section.blocks.append(
            Text(words("index.first", number=len(found["first"]), documents=filled["documents"]), "note")
        )
    rows: list[list[Cell]] = [
        [
            one["path"],
            _offset(one, words) if one["line"] is None else words("line", line=whole(one["line"])),
            words(f"index.{one['kind']}"),
            trim(one["similarity"]),
        ]
        for one in found["first"]
    ]
    heads = [words("file"), words("place"), words("index.how"), words("similarity")]
    section.blocks.extend([Table(heads, rows, frozenset({3})), Text(words("index.note"), "note")])
    return section


def _languages(facts: Mapping[str, Any], words: Words) -> Section:
    whole_text = sum(row["bytes"] for row in facts["languages"].values())
    rows: list[list[Cell]] = [
        [
            words.choose(names.language(name)),
            whole(row["documents"]),
            size(row["bytes"]),
            Share(row["bytes"], whole_text, words.choose(names.language(name))),
        ]
        for name, row in sorted(facts["languages"].items(), key=lambda item: -item[1]["bytes"])
    ]
    heads = [words("section.languages"), words("documents"), words("bytes"), words("share")]
    blocks: list[Block] = [Table(heads, rows, frozenset({1, 2})), Text(words("languages.note"), "note")]
    return Section("languages", words("section.languages"), blocks)


def _losses(facts: Mapping[str, Any], words: Words) -> Section:
    rows: list[list[Cell]] = [
        [words.choose(names.loss(name)), whole(row["times"]), whole(row["documents"])]
        for name, row in sorted(facts["losses"].items(), key=lambda item: -item[1]["times"])
    ]
    heads = [words("kind"), words("times"), words("documents")]
    block: Block = Table(heads, rows, frozenset({1, 2})) if rows else Text(words("none"))
    return Section("losses", words("section.losses"), [block])


def _cut(facts: Mapping[str, Any], words: Words) -> Section:
    rows: list[list[Cell]] = [
        [f"boilerplate.{name}", whole(row["spans"]), size(row["bytes"]), whole(row["documents"])]
        for name, row in sorted(facts["cut"].items(), key=lambda item: -item[1]["bytes"])
    ]
    heads = [words("rule"), words("spans"), words("bytes"), words("documents")]
    block: Block = Table(heads, rows, frozenset({1, 2, 3})) if rows else Text(words("none"))
    return Section("cut", words("section.cut"), [block])
