"""Several neighbouring segments of the incremental index become one, in bounded memory, stretch of keys by stretch.

The newest row of a key wins. Where the oldest segment is among them nothing older is left to be overridden: rows that
say "gone" go, and with them everything of texts that no document has any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from dedup.index_segments import Segment, Table
from dedup.index_tables import GONE, Bools, Tables, in_chunks, newest_rows, ranges
from dedup.runs import Columns, concatenate

_ROOM = 4  # bytes of memory for a byte of rows while they are sorted
_SETS = ("sets", "bounds", "shingles")


def merged(
    shapes: Mapping[str, Table], segments: Sequence[Segment], *, whole: bool, memory: int
) -> dict[str, Iterator[Columns]]:
    """The rows of each table, in pieces, for `write_segment`.

    Args:
        segments: neighbours, the oldest first.
        whole: these are all segments of the index.
    """
    tables = Tables(shapes, segments)
    keyed = {
        name: _merge_keyed(tables, name, _keeps(tables, name) if whole else None, memory)
        for name in shapes
        if name not in _SETS
    }
    return {**keyed, **{name: _merge_sets(tables, name, whole, memory) for name in _SETS}}


def _keeps(tables: Tables, name: str) -> Callable[[Columns], Bools]:
    """Which rows of a table still say something in an index of one segment."""
    if name == "documents":
        return lambda rows: rows["text"] != GONE
    if name == "edges":
        return lambda rows: rows["similarity"] >= 0
    if name == "members":
        return lambda rows: tables.find("documents", rows["id_hi"], rows["id_lo"])[1]["text"] == rows["text"]
    return lambda rows: _alive(tables, rows)


def _alive(tables: Tables, rows: Columns) -> Bools:
    alive: Bools = tables.find("texts", rows["text"], columns=["count"])[1]["count"] > 0
    return alive


def _merge_keyed(tables: Tables, name: str, keeps: Callable[[Columns], Bools] | None, memory: int) -> Iterator[Columns]:
    shape = tables.shapes[name]
    first = next(iter(shape.keys))
    held = [segment.tables[name] for segment in tables.segments]
    width = sum(np.dtype(kind).itemsize for kind in shape.columns.values())
    parts = 1 + sum(len(one[first]) for one in held) * width * _ROOM // max(1, memory)
    longest = max((one[first] for one in held), key=len)
    inner = np.unique(longest[np.arange(1, parts) * len(longest) // parts]) if len(longest) else longest
    places = [np.concatenate(([0], np.searchsorted(one[first], inner), [len(one[first])])) for one in held]
    for part in range(len(inner) + 1):
        cuts = [slice(place[part], place[part + 1]) for place in places]
        rows = concatenate([{n: c[cut] for n, c in one.items()} for one, cut in zip(held, cuts, strict=True)])
        ages = np.repeat(np.arange(len(held)), [cut.stop - cut.start for cut in cuts])
        newest = newest_rows([rows[key] for key in shape.keys], ages)
        rows = {n: column[newest] for n, column in rows.items()}
        if keeps is not None:
            kept = keeps(rows)
            rows = {n: column[kept] for n, column in rows.items()}
        yield rows


def _merge_sets(tables: Tables, name: str, whole: bool, memory: int) -> Iterator[Columns]:
    """Sets by text: numbers only grow from segment to segment, so one follows the other."""
    total = 0
    if name == "bounds":
        yield {"at": np.zeros(1, np.int64)}
    for segment in tables.segments:
        sets, bounds = segment.tables["sets"], segment.tables["bounds"]["at"]
        texts = sets["text"]
        for part in in_chunks(np.diff(bounds) * 8 * _ROOM + 1024, memory):
            rows = np.arange(part.start, part.stop)
            if whole:
                rows = rows[_alive(tables, {"text": texts[rows]})]
            lengths = bounds[rows + 1] - bounds[rows]
            if name == "sets":
                yield {column: values[rows] for column, values in sets.items()}
            elif name == "bounds":
                yield {"at": total + np.cumsum(lengths)}
                total += int(lengths.sum())
            else:
                yield {"value": segment.tables["shingles"]["value"][ranges(bounds[rows], lengths)]}
