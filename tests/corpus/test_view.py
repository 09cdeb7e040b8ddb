"""Views of a run: edited text of what was kept or removed, also where a shard holds nothing that was asked for."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from corpus.documents import DOCUMENTS, EDITS, VERDICTS
from corpus.shards import JobContext, write_table
from corpus.view import shown


def test_a_shard_without_such_a_document_is_passed_over(tmp_path: Path) -> None:
    context = JobContext(tmp_path, "f" * 32, 0)
    for name, rule in (("00000", None), ("00001", "length.chars")):
        columns = {field.name: pa.nulls(1, field.type) for field in DOCUMENTS}
        columns |= {"id": pa.array([name]), "text": pa.array([f"글 {name}"], pa.large_string())}
        write_table(tmp_path / f"documents/{name}.parquet", pa.table(columns, schema=DOCUMENTS), DOCUMENTS, context)
        edits = pa.table({"edits": pa.array([[]], EDITS.field("edits").type)}, schema=EDITS)
        write_table(tmp_path / f"edits/{name}.parquet", edits, EDITS, context, of="f" * 32)
        verdict = {"keep": rule is None, "rule": rule, "value": None, "limit": None, "detail": None}
        table = pa.Table.from_pylist([verdict], schema=VERDICTS)
        write_table(tmp_path / f"verdicts/{name}.parquet", table, VERDICTS, context, of="f" * 32)
    assert [one.text for one in shown(tmp_path)] == ["글 00000", "글 00001"]
    assert [one.text for one in shown(tmp_path, removed=True)] == ["글 00001"]
    assert list(shown(tmp_path, rule="spam.density")) == []
