"""What is cut from the documents that stay: repeated lines and passages, within a budget, as spans of edited text.

Follows `lines.py` and `passages.py`; `unique.py` writes the spans into clusters/ and the text without them.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.edits import text_buffers
from corpus.shards import Counts, JobContext, Outcome, add
from dedup.inputs import edited_texts
from dedup.lines import line_cuts, read_repeats, sites_of
from dedup.passages import joined, repeated_spans
from dedup.runs import Columns, Layout, write_run
from dedup.settings import DedupSettings
from dedup.unique import CUT_RULES, surviving

I64 = npt.NDArray[np.int64]
Spans = tuple[I64, I64, I64]
LINE, PASSAGE = range(2)  # places in CUT_RULES
# Borders of sentences and lines, as they stand between what is kept and what goes.
_STARTS = re.compile(r"(?:\n\s*|[.!?。…][\"'”’)\]」』]?\s+)(?=\S)")
_ENDS = re.compile(r"(?<=\S)(?=[^\S\n]*\n)|(?:(?<=[.!?。…])|(?<=[.!?。…][\"'”’)\]」』]))(?=\s)")
_WORD_STARTS, _WORD_ENDS = re.compile(r"\s(?=\S)"), re.compile(r"(?<=\S)(?=\s)")


def find_cuts(
    context: JobContext,
    *,
    layout: Layout,
    shard: int,
    settings: DedupSettings,
    repeats: int,
    passages: int,
) -> Outcome:
    """Map: the run `cuts` (`row`, `start`, `end`, `rule`, by row and start) of a shard.

    Args:
        repeats, passages: partitions of the runs of these names; 0 where that search is off.
    """
    rows = surviving(context, layout, shard, settings)
    texts = edited_texts(context.run, layout, shard, rows)
    lines = passing = (np.zeros(0, np.int64),) * 3
    if repeats:
        sites = sites_of(context, layout, shard, rows)
        lines = line_cuts(texts, sites, read_repeats(context, sites, repeats), settings.lines)
    if passages:
        chars = settings.substrings.chars
        spans = repeated_spans(context, layout, shard, rows, texts, passages, chars)
        passing = aligned(texts, *spans, chars)
    (document, start, end, rule), over = settled(texts, lines, passing, settings.cut_budget)
    counts: Counts = {}
    for number, name in enumerate(CUT_RULES):
        of = rule == number
        if of.any():
            size = int((end - start)[of].sum())
            add(counts, f"cut/{name}", documents=len(np.unique(document[of])), spans=int(of.sum()), bytes=size)
    if len(over):
        add(counts, "reported/repeat.over_budget", documents=len(over))
    cuts: Columns = {"row": rows[document], "start": start, "end": end, "rule": rule.astype(np.int8)}
    return Outcome((write_run(context, "cuts", layout.names[shard], cuts),), counts)


def settled(texts: pa.Array, lines: Spans, passages: Spans, budget: float) -> tuple[tuple[I64, I64, I64, I64], I64]:
    """The spans to cut, and the documents that keep all of it because it was more than the budget.

    Args:
        lines, passages: document, start, end; each sorted and disjoint.

    Returns:
        document, start, end and rule of each span, as `united` gives them; then int64[n], ascending.
    """
    document, start, end, rule = united(lines, passages)
    within = within_budget(document, end - start, np.diff(text_buffers(texts)[1]), budget)
    over = np.unique(document[~within])
    return (document[within], start[within], end[within], rule[within]), over


def united(first: Spans, second: Spans) -> tuple[I64, I64, I64, I64]:
    """Spans of lines and of passages without overlap, sorted; where they overlap the line's stays whole.

    Args:
        first, second: document, start, end; each sorted and disjoint.
    """
    left: list[tuple[int, int, int, int]] = [(*span, LINE) for span in zip(*(c.tolist() for c in first), strict=True)]
    by_document: dict[int, list[tuple[int, int]]] = {}
    for document, start, end, _ in left:
        by_document.setdefault(document, []).append((start, end))
    for document, start, end in zip(*(c.tolist() for c in second), strict=True):
        for low, high in by_document.get(document, ()):
            if low < end and high > start:
                if start < low:
                    left.append((document, start, low, PASSAGE))
                start = max(start, high)
        if start < end:
            left.append((document, start, end, PASSAGE))
    columns = np.array(sorted(left), np.int64).reshape(-1, 4)
    return columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3]


def within_budget(document: I64, size: I64, sizes: I64, budget: float) -> npt.NDArray[np.bool_]:
    """Whether the document that a span belongs to keeps to the budget: bool[m].

    Args:
        document, size: of each span, its document and its bytes.
        sizes: bytes of each document.
    """
    cut = np.bincount(document, weights=size, minlength=len(sizes))
    return (cut <= budget * sizes)[document]


def aligned(texts: pa.Array, document: I64, start: I64, end: I64, chars: int) -> tuple[I64, I64, I64]:
    """Spans drawn in to borders of lines and sentences, else of words, where `chars` visible characters are left.

    No span grows but by the white space after it; one that has no such borders stays as it is.
    """
    data, offsets = text_buffers(texts)
    view = data.data
    starts, ends = [], []
    for one, first, last in zip(document.tolist(), start.tolist(), end.tolist(), strict=True):
        text = bytes(view[offsets[one] : offsets[one + 1]])
        low, high = _drawn_in(text, first, last, chars)
        starts.append(low)
        ends.append(high)
    return joined(document, np.array(starts, np.int64), np.array(ends, np.int64))


def _drawn_in(text: bytes, start: int, end: int, chars: int) -> tuple[int, int]:
    before = text[max(0, start - 16) : start].decode(errors="ignore")
    within = text[start:end].decode()
    after = text[end : end + 16].decode(errors="ignore")
    whole = (before or "\n") + within + (after or "\n")
    low, high = len(before or "\n"), len(before or "\n") + len(within)
    for begins, stops in ((_STARTS, _ENDS), (_WORD_STARTS, _WORD_ENDS)):
        first = next((match.end() for match in begins.finditer(whole) if low <= match.end() < high), None)
        last = max((match.start() for match in stops.finditer(whole) if low < match.start() <= high), default=None)
        if first is None or last is None or last <= first:
            continue
        if sum(map(len, whole[first:last].split())) >= chars:
            at = start + len(whole[low:first].encode())
            size = len(whole[first:last].encode())
            return at, at + size + _space_after(text, at, at + size)
    return start, end


def _space_after(text: bytes, start: int, end: int) -> int:
    """Bytes of blanks after a span, with one newline where the span begins a line."""
    at = end
    while at < len(text) and text[at] in b" \t":
        at += 1
    begins_line = start == 0 or text[start - 1] == 10
    return at - end + (begins_line and at < len(text) and text[at] == 10)
