"""The schema contract: tables that users and later stages rely on. A change here is a new schema version."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest

from corpus import documents
from corpus.errors import SchemaError
from corpus.manifest import fingerprint

TABLES = (
    "DOCUMENTS",
    "EDITS",
    "VERDICTS",
    "CLUSTERS",
    "UNIQUE",
    "TOKEN_DOCS",
    "QUARANTINE",
    "SHARDS",
    "RIGHTS",
    "ID_INDEX",
)


def test_the_schemas_are_those_of_their_version() -> None:
    shape = {name: [(f.name, str(f.type)) for f in getattr(documents, name)] for name in TABLES}
    assert (documents.SCHEMA_VERSION, fingerprint(shape)) == (1, "91b365ffd2c4e0ec54dda51359f5b66f"), (
        "a schema changed: raise SCHEMA_VERSION and write a migration note in docs/"
    )


def test_a_document_id_is_blake2b_of_source_and_key() -> None:
    expected = hashlib.blake2b(b"shop\0a/1", digest_size=16).hexdigest()
    assert documents.document_id("shop", "a/1") == expected
    assert documents.document_id("shopa", "/1") != documents.document_id("shop", "a/1")


def test_every_missing_or_mistyped_column_is_named() -> None:
    wrong = pa.schema([("id", pa.int64()), ("text", pa.large_string())])
    with pytest.raises(SchemaError, match=r"'id' is int64, not string; .*'source' \(string\) is missing"):
        documents.require_columns(wrong, documents.DOCUMENTS, "x.parquet", ["id", "text", "source"])
