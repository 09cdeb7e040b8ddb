"""Edits of documents: which spans go and what stands in their place; applied to Arrow text in one compiled pass.

measure finds the spans (boilerplate to cut, personal data to mask) and writes them beside the documents; dedup applies
them, then its own cuts, when it writes the text once more. An edit speaks of UTF-8 bytes of the text it belongs to.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.documents import EDITS
from corpus.errors import SchemaError

Bytes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]
EDITS_TYPE = EDITS.field("edits").type


class Edit(NamedTuple):
    """One change: bytes [start, end) of a document's UTF-8 text become `replacement` (empty: cut)."""

    start: int
    end: int
    rule: str
    replacement: str = ""


def merged(first: Sequence[Edit], second: Sequence[Edit]) -> list[Edit]:
    """Both lists in one, sorted and disjoint; where they overlap, an edit of `first` wins over one of `second`.

    Args:
        first: sorted and disjoint (boilerplate).
        second: any order; among themselves the earlier start wins, then the longer span.
    """
    kept = sorted(first)
    ends = [edit.end for edit in kept]
    starts = [edit.start for edit in kept]
    reach = 0
    added = []
    for edit in sorted(second, key=lambda edit: (edit.start, -edit.end)):
        nearest = bisect_right(ends, edit.start)
        if edit.start >= reach and (nearest == len(starts) or starts[nearest] >= edit.end):
            added.append(edit)
            reach = edit.end
    return sorted([*kept, *added])


def edits_array(edits: Mapping[int, Sequence[Edit]], documents: int) -> pa.Array:
    """Arrow's form of edits: the column `edits` of the schema EDITS, one row for each of so many documents.

    Args:
        edits: by document's row; rows that are not there have none. Sorted and disjoint in each.
    """
    rows = sorted(edits)
    flat = [edit for row in rows for edit in edits[row]]
    lengths = np.zeros(documents, np.int32)
    lengths[rows] = [len(edits[row]) for row in rows]
    bounds = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    columns = [
        pa.array([edit.start for edit in flat], pa.int64()),
        pa.array([edit.end for edit in flat], pa.int64()),
        pa.array([edit.rule for edit in flat], pa.string()),
        pa.array([edit.replacement for edit in flat], pa.string()),
    ]
    values = pa.StructArray.from_arrays(columns, fields=list(EDITS_TYPE.value_type))
    return pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), values).cast(EDITS_TYPE)


def text_buffers(texts: pa.Array) -> tuple[Bytes, Longs]:
    """Views of an Arrow string array, without a copy where it is large_string.

    Returns:
        The UTF-8 bytes, uint8, and the bounds in them, int64 [documents + 1]. A null is an empty text.
    """
    if texts.type != pa.large_string():
        texts = texts.cast(pa.large_string())
    _, offsets, data = texts.buffers()
    if len(texts) and data is not None:
        buffer = np.frombuffer(data, np.uint8)
        bounds = np.frombuffer(offsets, np.int64, count=len(texts) + 1, offset=8 * texts.offset)
    else:
        buffer, bounds = np.empty(0, np.uint8), np.zeros(len(texts) + 1, np.int64)
    for array in (buffer, bounds):
        array.flags.writeable = False  # always, since numba compiles a kernel once more for the other kind
    return buffer, bounds


def one_array(texts: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column of a table as one array (a copy only where it had several chunks)."""
    if isinstance(texts, pa.ChunkedArray):
        return texts.chunk(0) if texts.num_chunks == 1 else texts.combine_chunks()
    return texts


def apply_edits(texts: pa.Array, edits: pa.Array) -> pa.LargeStringArray:
    """The texts so edited.

    Args:
        texts: large_string [documents].
        edits: list<struct<start, end, rule, replacement>> [documents]; a null list or replacement is empty.

    Raises:
        SchemaError: another number of rows, or edits that overlap, are unsorted or lie outside their text.
    """
    texts, edits = one_array(texts), one_array(edits)
    if len(texts) != len(edits):
        raise SchemaError(f"{len(edits)} rows of edits for {len(texts)} texts", fix="run measure again")
    buffer, offsets = text_buffers(texts)
    flat = edits.flatten()
    if len(flat) == 0:
        return texts if texts.type == pa.large_string() else texts.cast(pa.large_string())
    from corpus.kernels import copy_edited

    first = np.zeros(len(edits) + 1, np.int64)
    np.cumsum(edits.value_lengths().fill_null(0).to_numpy(zero_copy_only=False), out=first[1:])
    starts, ends = (flat.field(name).to_numpy() for name in ("start", "end"))
    filling, filling_offsets = text_buffers(flat.field("replacement").fill_null(""))
    _refuse_disorder(starts, ends, first, np.diff(offsets))
    change = np.zeros(len(starts) + 1, np.int64)
    np.cumsum(np.diff(filling_offsets) - (ends - starts), out=change[1:])
    out_offsets = offsets - offsets[0] + change[first]
    out = np.empty(int(out_offsets[-1]), np.uint8)
    copy_edited(buffer, offsets, first, starts, ends, filling, filling_offsets, out, out_offsets)
    return pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(out_offsets), pa.py_buffer(out))


def _refuse_disorder(starts: Longs, ends: Longs, first: Longs, lengths: Longs) -> None:
    document = np.repeat(np.arange(len(lengths)), np.diff(first))
    wrong = (starts < 0) | (ends < starts) | (ends > lengths[document])
    wrong[1:] |= (document[1:] == document[:-1]) & (starts[1:] < ends[:-1])
    if wrong.any():
        at = int(np.argmax(wrong))
        raise SchemaError(
            f"edit [{starts[at]}, {ends[at]}) overlaps the one before it, or leaves its text of "
            f"{lengths[document[at]]} bytes",
            where=f"row {document[at]}",
            fix="edits must be sorted, disjoint and inside their text: run measure again",
        )
