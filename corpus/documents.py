"""The schemas of every table a run holds, and the identity of a document. Every stage reads and writes by these.

Parquet, zstd, row groups of at most 64 MiB of text; the schema's version stands in the footer.
Sidecars (edits, signals, verdicts, clusters) hold one row for each row of their shard, in its order, under its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from corpus.errors import SchemaError

SCHEMA_VERSION = 1

_HASH = pa.binary(16)
_EDIT = pa.struct([("start", pa.int64()), ("end", pa.int64()), ("rule", pa.string()), ("replacement", pa.string())])
_DICT = pa.string()  # dictionary-encoded by Parquet itself

DOCUMENTS = pa.schema(
    [
        ("id", pa.string()),  # 32 hex digits, see document_id
        ("text", pa.large_string()),  # normalised, as it came otherwise; personal data still in it
        ("source", _DICT),
        ("contributor", _DICT),
        ("rights_id", _DICT),  # a row of rights.parquet
        # relative to the source's folder; archive members as path!member; empty where the document was withdrawn
        ("path", pa.string()),
        ("offset", pa.int64()),  # decompressed bytes from the start of the file, or the row number
        ("length", pa.int64()),  # decompressed bytes of the record
        ("lang", pa.string()),
        ("domain", pa.string()),
        ("origin", pa.string()),  # natural, synthetic, translated
        ("url", pa.string()),
        ("created", pa.timestamp("us", tz="UTC")),
        ("text_hash", _HASH),  # BLAKE2b-128 of the UTF-8 bytes of text
        ("meta", pa.string()),  # a JSON object, keys sorted
    ]
)
EDITS = pa.schema([("edits", pa.list_(_EDIT))])  # UTF-8 bytes of documents.text; sorted, disjoint
VERDICTS = pa.schema(
    [
        ("keep", pa.bool_()),
        ("rule", pa.string()),  # null where kept; withdrawn where the row is blank
        ("value", pa.float64()),
        ("limit", pa.float64()),
        ("detail", pa.string()),
    ]
)
CLUSTERS = pa.schema(
    [
        ("cluster", pa.string()),  # smallest id of the component; null where the document was removed before dedup
        ("size", pa.int32()),
        ("split", pa.string()),  # train, valid, test
        ("keep", pa.bool_()),
        # dedup.exact, index.near, version.superseded, withdrawn, …; null where kept or removed before
        ("rule", pa.string()),
        ("witness", pa.string()),  # id of the document, kept or of an index, that this one repeats
        ("similarity", pa.float64()),  # exact Jaccard with the witness
        ("cuts", pa.list_(_EDIT)),  # repeated passages, UTF-8 bytes of the edited text
    ]
)
UNIQUE = pa.schema([*DOCUMENTS, ("cluster", pa.string()), ("size", pa.int32())])
TOKEN_DOCS = pa.schema(
    [
        ("id", pa.string()),
        ("source", _DICT),
        ("contributor", _DICT),
        ("rights_id", _DICT),
        ("lang", pa.string()),
        ("domain", pa.string()),
        ("first_token", pa.int64()),  # within the shard
        ("tokens", pa.int64()),  # with the end-of-text id
        ("bytes", pa.int64()),
        ("chars", pa.int64()),
        ("eojeol", pa.int64()),
        ("withdrawn", pa.bool_()),  # its tokens are end-of-text ids
    ]
)
QUARANTINE = pa.schema(
    [
        ("source", _DICT),
        ("path", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
        ("cause", pa.string()),  # a dotted name, e.g. json.broken
        ("detail", pa.string()),  # for a person: what was wrong and what to do; never the text itself
    ]
)
SHARDS = pa.schema([("name", pa.string()), ("rows", pa.int64()), ("bytes", pa.int64()), ("fingerprint", pa.string())])
RIGHTS = pa.schema(
    [
        ("rights_id", pa.string()),
        ("contributor", pa.string()),
        ("source", pa.string()),
        ("train", pa.bool_()),
        ("publish_weights", pa.bool_()),
        ("redistribute", pa.bool_()),
        ("derive", pa.bool_()),
        ("commercial", pa.bool_()),
        ("attribution", pa.string()),
        ("until", pa.date32()),
        ("license", pa.string()),
        ("evidence", pa.string()),
    ]
)
ID_INDEX = pa.schema([("id", pa.string()), ("shard", pa.string()), ("row", pa.int64())])


@dataclass(frozen=True, slots=True)
class Record:
    """One document as a reader found it: decoded and extracted, not yet normalised.

    Attributes:
        text: the document's text.
        offset: decompressed bytes from the start of the file, or the row number in a columnar file.
        length: decompressed bytes that the record takes in the file.
        key: the source's own key, None where it has none.
        member: name of the record inside an archive, None for a plain file.
        losses: cause → how many times something was lost or repaired on the way (bytes replaced, …).
    """

    text: str
    offset: int
    length: int
    key: str | None = None
    member: str | None = None
    url: str | None = None
    created: datetime | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    losses: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejected:
    """One record that could not be read: its place, why (a dotted name), and what a person should know or do."""

    offset: int
    length: int
    cause: str
    detail: str
    member: str | None = None


def document_id(source: str, key: str) -> str:
    """Identity of a document: 32 hex digits, BLAKE2b-128 of the source's name and the source's own key.

    The same for the same record wherever it is read, however the text changes; NUL keeps the two parts apart.
    """
    return hashlib.blake2b(f"{source}\0{key}".encode(), digest_size=16).hexdigest()


def text_hash(text: str | bytes) -> bytes:
    """BLAKE2b-128 of the UTF-8 bytes, 16 bytes."""
    data = text.encode("utf-8") if isinstance(text, str) else text
    return hashlib.blake2b(data, digest_size=16).digest()


def require_columns(schema: pa.Schema, expected: pa.Schema, where: str, only: Sequence[str] | None = None) -> None:
    """Refuse a table that lacks a column or holds it as another type.

    Raises:
        SchemaError: naming every missing or mistyped column at once.
    """
    wrong = []
    for name in only or expected.names:
        wanted = expected.field(name).type
        index = schema.get_field_index(name)
        if index < 0:
            wrong.append(f"column {name!r} ({wanted}) is missing")
        elif schema.field(index).type != wanted:
            wrong.append(f"column {name!r} is {schema.field(index).type}, not {wanted}")
    if wrong:
        raise SchemaError("; ".join(wrong), where=where, fix="write the table by the schemas in corpus/documents.py")
