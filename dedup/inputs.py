"""What the stage reads: which documents were kept, their edited text, their identity, and the order of preference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.documents import DOCUMENTS
from corpus.edits import apply_edits, one_array, text_buffers
from corpus.errors import SchemaError
from corpus.rights import FLAGS, Rights, read_rights
from corpus.shards import read_row_groups, read_shards, read_sidecar, read_table
from dedup.runs import Array, Columns, Layout, between, by_shard, read_run

U64 = npt.NDArray[np.uint64]
NO_DATE = np.iinfo(np.int64).min  # of documents without `created`
_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_VALUES = np.full(256, 255, np.uint8)
_VALUES[_DIGITS] = np.arange(16)
_FACTS = {"length": np.int64, "created": np.int64, "id_hi": np.uint64, "id_lo": np.uint64}
_LAST = np.iinfo(np.int64).max
_KEYS: Mapping[str, Callable[[Mapping[str, Array]], Array]] = {  # what each preference sorts by, the best first
    "longest": lambda facts: -facts["length"],
    "shortest": lambda facts: facts["length"],
    "earliest": lambda facts: np.where(facts["created"] == NO_DATE, _LAST, facts["created"]),
    "latest": lambda facts: np.where(facts["created"] == NO_DATE, _LAST, -np.maximum(facts["created"], -_LAST)),
    "quality": lambda facts: -np.nan_to_num(facts["quality"], nan=-np.inf),
    "rights": lambda facts: -facts["rights"],
}
_COLUMN = {"quality": "quality", "rights": "rights"}  # of the preferences whose column may be missing


def layout_of(run: Path) -> Layout:
    """The run's document shards, by name."""
    shards = sorted(read_shards(run, "collect", "documents"), key=lambda shard: shard.path)
    return Layout(
        tuple(Path(shard.path).stem for shard in shards),
        tuple(shard.rows for shard in shards),
        tuple(shard.fingerprint for shard in shards),
    )


def kept_by_decide(run: Path, layout: Layout, shard: int) -> npt.NDArray[np.bool_]:
    """bool[rows]: what stands in the shard's verdicts under `keep`."""
    path = run / "verdicts" / f"{layout.names[shard]}.parquet"
    table = read_sidecar(path, layout.fingerprints[shard], layout.rows[shard], ["keep"])
    return table["keep"].combine_chunks().to_numpy(zero_copy_only=False).astype(bool)


def edited_texts(run: Path, layout: Layout, shard: int, rows: Array) -> pa.LargeStringArray:
    """Texts of some of a shard's rows after the edits that `measure` found.

    Args:
        rows: int64, ascending row numbers within the shard.
    """
    name = layout.names[shard]
    if len(rows) == 0:
        return pa.array([], pa.large_string())
    texts = read_table(run / "documents" / f"{name}.parquet", ["text"], schema=DOCUMENTS)["text"]
    path = run / "edits" / f"{name}.parquet"
    edits = read_sidecar(path, layout.fingerprints[shard], layout.rows[shard], ["edits"])["edits"]
    if len(rows) < layout.rows[shard]:
        texts, edits = texts.take(pa.array(rows)), edits.take(pa.array(rows))
    return apply_edits(one_array(texts), one_array(edits))


def edited_pieces(
    run: Path, layout: Layout, shard: int, rows: Array, most: int = 0
) -> Iterator[tuple[slice, pa.LargeStringArray]]:
    """The same texts piece by piece in their order, so that never more than a row group of documents/ is in memory.

    Args:
        rows: int64, ascending row numbers within the shard.
        most: bytes of text in a piece, if a single document has not more; 0: a row group's.

    Yields:
        Which of `rows` these are, and their texts.
    """
    for here, table in edited_tables(run, layout, shard, rows, ["text"]):
        whole = one_array(table["text"])
        del table
        for part in _pieces(text_buffers(whole)[1], most):
            yield slice(here.start + part.start, here.start + part.stop), whole[part]


def edited_tables(
    run: Path, layout: Layout, shard: int, rows: Array, columns: Sequence[str]
) -> Iterator[tuple[slice, pa.Table]]:
    """Likewise some columns of documents/, `text` among them, with the edited text; a row group at a time."""
    name, first = layout.names[shard], 0
    if len(rows) == 0:
        return
    path = run / "edits" / f"{name}.parquet"
    edits = read_sidecar(path, layout.fingerprints[shard], layout.rows[shard], ["edits"])["edits"]
    for table in read_row_groups(run / "documents" / f"{name}.parquet", columns, schema=DOCUMENTS):
        size = len(table)
        here, theirs = between(rows, first, first + size), edits.slice(first, size)
        if here.stop - here.start < size:
            chosen = pa.array(rows[here] - first)
            table, theirs = table.take(chosen), theirs.take(chosen)
        first += size
        if here.stop > here.start:
            texts = apply_edits(one_array(table["text"]), one_array(theirs))
            yield here, table.set_column(table.schema.get_field_index("text"), "text", texts)


def _pieces(bounds: Array, most: int) -> Iterator[slice]:
    """Stretches of documents of at most so many bytes each, or of one document; all in one where that is 0."""
    first, last = 0, len(bounds) - 1
    while first < last:
        end = int(np.searchsorted(bounds, bounds[first] + most, side="right")) - 1 if most else last
        yield slice(first, max(first + 1, end))
        first = max(first + 1, end)


def edited_rows(run: Path, layout: Layout, shard: int, rows: Array) -> npt.NDArray[np.bool_]:
    """Which of some of a shard's rows have edits: of the others the text is still that of documents/."""
    path = run / "edits" / f"{layout.names[shard]}.parquet"
    edits = read_sidecar(path, layout.fingerprints[shard], layout.rows[shard], ["edits"])["edits"]
    counts = pc.fill_null(pc.list_value_length(edits), 0)
    return np.asarray(counts.to_numpy()[rows] > 0)


def identities(run: Path, layout: Layout, shard: int) -> Columns:
    """`id_hi`, `id_lo` (uint64) and `created` (int64 µs, NO_DATE where null) of all rows of a shard.

    Raises:
        SchemaError: an id is not 32 hex digits.
    """
    path = run / "documents" / f"{layout.names[shard]}.parquet"
    table = read_table(path, ["id", "created"], schema=DOCUMENTS)
    high, low = parse_ids(table["id"], str(path))
    created = pc.fill_null(table["created"].cast(pa.int64()), NO_DATE).to_numpy()
    return {"id_hi": high, "id_lo": low, "created": created}


def parse_ids(ids: pa.ChunkedArray | pa.Array, where: str) -> tuple[U64, U64]:
    """Ids of 32 hex digits as two uint64, whose numeric order is the ids' order.

    Raises:
        SchemaError: an id is something else.
    """
    if not pc.all(pc.equal(pc.binary_length(ids), 32), min_count=0).as_py():
        raise SchemaError("an id is not 32 hex digits", where=where, fix="make ids with corpus.documents.document_id")
    values = _VALUES[np.frombuffer(_joined(ids), np.uint8)].reshape(-1, 32)
    if (values == 255).any():
        raise SchemaError(
            "an id is not 32 lower-case hex digits", where=where, fix="make ids with corpus.documents.document_id"
        )
    packed = np.ascontiguousarray(values[:, 0::2] << 4 | values[:, 1::2]).view(">u8").astype(np.uint64)
    return packed[:, 0].copy(), packed[:, 1].copy()


def _joined(ids: pa.ChunkedArray | pa.Array) -> bytes:
    data, bounds = text_buffers(one_array(ids))
    return data[bounds[0] : bounds[-1]].tobytes()


def format_ids(high: U64, low: U64) -> pa.StringArray:
    """The ids of 32 hex digits that `parse_ids` took apart."""
    packed = np.stack([high, low], axis=1).astype(">u8").view(np.uint8).reshape(-1, 16)
    digits = np.empty((len(high), 32), np.uint8)
    digits[:, 0::2], digits[:, 1::2] = _DIGITS[packed >> 4], _DIGITS[packed & 15]
    offsets = np.arange(0, 32 * (len(high) + 1), 32, dtype=np.int32)
    return pa.StringArray.from_buffers(len(high), pa.py_buffer(offsets), pa.py_buffer(digits))


def smaller(ids: tuple[U64, U64], others: tuple[U64, U64]) -> tuple[U64, U64]:
    """Of each pair of ids the smaller one."""
    take = (others[0] < ids[0]) | ((others[0] == ids[0]) & (others[1] < ids[1]))
    return np.where(take, others[0], ids[0]), np.where(take, others[1], ids[1])


def worth(run: Path, layout: Layout, shard: int, prefer: Sequence[str]) -> Columns:
    """What `prefer` asks of a shard's rows beside length and date.

    `quality`: float64, the signal of measure's classifier, NaN where there is none. `rights`: int64, greater where the
    rights are freer: by the number of flags granted, then by the last day (none is the latest).
    """
    found: Columns = {}
    name = layout.names[shard]
    if "quality" in prefer:
        path = run / "signals" / f"{name}.parquet"
        table = read_sidecar(path, layout.fingerprints[shard], layout.rows[shard], ["quality"])
        found["quality"] = one_array(table["quality"]).to_numpy(zero_copy_only=False).astype(np.float64)
    if "rights" in prefer:
        freedom = {identity: _freedom(rights) for identity, rights in read_rights(run).items()}
        path = run / "documents" / f"{name}.parquet"
        ids = one_array(read_table(path, ["rights_id"], schema=DOCUMENTS)["rights_id"]).dictionary_encode()
        known = np.array([freedom[identity] for identity in ids.dictionary.to_pylist()], np.int64)
        found["rights"] = known[ids.indices.to_numpy()] if len(ids) else known
    return found


def _freedom(rights: Rights) -> int:
    granted = sum(bool(getattr(rights, flag)) for flag in FLAGS)
    last = date.max if rights.until is None else rights.until
    return granted << 32 | last.toordinal()


def facts_about(run: Path, layout: Layout, numbers: Array) -> Columns:
    """The columns of the shards' tables of facts (`length`, `created`, `id_hi`, `id_lo`, what `worth` added) for
    documents by number."""
    facts: Columns = {}
    for shard, places, rows in by_shard(layout, numbers):
        columns = read_run(run, "facts", layout.names[shard])
        facts = facts or {name: np.zeros(len(numbers), values.dtype) for name, values in columns.items()}
        for name, values in facts.items():
            values[places] = columns[name][rows]
    return facts or {name: np.zeros(0, kind) for name, kind in _FACTS.items()}


def rank(facts: Mapping[str, Array], numbers: Array, prefer: Sequence[str]) -> npt.NDArray[np.int64]:
    """Place of each document in the order of preference, 0 the best: int64[n], a permutation.

    After what `prefer` says come the smallest id, then the smallest number (only one record read twice gets so far).

    Args:
        facts: `length` (bytes of edited text), `created`, `id_hi`, `id_lo`; `quality` and `rights` as `worth` has
            them: where they are not there they decide nothing.
    """
    keys = [_KEYS[name](facts) for name in prefer if _COLUMN.get(name, "length") in facts]
    order = np.lexsort((numbers, facts["id_lo"], facts["id_hi"], *reversed(keys)))
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks
