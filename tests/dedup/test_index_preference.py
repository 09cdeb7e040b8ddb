"""An index that prefers by quality or rights: the same clusters and survivors with any memory and in any order."""

from __future__ import annotations

import json
import random
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.documents import DOCUMENTS
from corpus.rights import Rights, rights_row, write_rights
from corpus.shards import JobContext, read_shards, write_table
from dedup import stage
from dedup.index import Index, writing
from dedup.index_adding import add_sources
from dedup.index_check import check
from dedup.index_parameters import IndexParameters
from dedup.index_query import verdicts
from dedup.index_sources import Fields, ids_of
from dedup.index_update import ACCEPTED, KNOWN, Documents
from dedup.inputs import NO_DATE
from dedup.settings import DedupSettings

PREFER = [("quality", "longest"), ("rights", "quality", "shortest"), ("quality",), ("longest", "quality")]
MEMORY = (1 << 30, 1 << 20, 1 << 12)


def give(run: Path, rng: random.Random) -> None:
    """Write the signal `quality`, null now and then, and rights of three kinds."""
    schema = pa.schema([("quality", pa.float64())])
    named = {"attribution": "", "license": "", "evidence": ""}
    grants = [
        Rights(True, False, False, False, False, until=None, **named),
        Rights(True, True, True, True, True, until=date(2099, 1, 1), **named),
        Rights(True, True, True, True, True, until=None, **named),
    ]
    rows = [rights_row("someone", "test", one) for one in grants]
    for number, shard in enumerate(read_shards(run, "collect", "documents")):
        context = JobContext(run, f"{number:032x}", 1 << 28)
        values = [rng.choice((None, 0.1, 0.5, 0.9)) for _ in range(shard.rows)]
        signals = pa.table({"quality": values}, schema=schema)
        name = Path(shard.path).name
        write_table(run / "signals" / name, signals, schema, context, of=context.fingerprint)
        table = pq.read_table(run / shard.path)
        chosen = pa.array([rng.choice(rows)["rights_id"] for _ in range(shard.rows)])
        table = table.set_column(table.schema.get_field_index("rights_id"), "rights_id", chosen)
        write_table(run / shard.path, table, DOCUMENTS, context)
    write_rights(run, rows, JobContext(run, "0" * 32, 1 << 28))


@pytest.mark.parametrize("prefer", PREFER)
def test_a_run_in_the_index_is_as_its_stage_says_with_any_memory(
    kit: Any, run_phases: Any, tmp_path: Path, prefer: tuple[Any, ...]
) -> None:
    rng = random.Random(5)
    texts = [kit.korean_text(rng, rng.randint(20, 50)) for _ in range(25)]
    texts += [kit.changed(rng.choice(texts), rng.choice(("replace", "spacing")), 0.04, rng) for _ in range(60)]
    texts += rng.sample(texts, 15)
    made = [kit.Document(str(n), text, created=kit.day(1 + n % 5)) for n, text in enumerate(texts)]
    run = tmp_path / "run"
    kit.make_run(run, [made[::2], made[1::2]])
    give(run, rng)
    (run / "recipe.yaml").write_text("")  # a made run: the stages before are fixtures
    how = DedupSettings(valid=0.3, test=0.3, prefer=prefer)
    run_phases("dedup", stage, run, how, kit.common(run, 4))
    said = {}
    for shard in ("00000", "00001"):
        ids = pq.read_table(run / "documents" / f"{shard}.parquet")["id"].to_pylist()
        rows = pq.read_table(run / "clusters" / f"{shard}.parquet").drop_columns(["cuts"]).to_pylist()
        said |= dict(zip(ids, rows, strict=True))
    by_length = stage_survivors(kit, run_phases, run, replace(how, prefer=("longest",)))
    assert {one for one, row in said.items() if row["keep"]} != by_length
    for memory in MEMORY:
        with writing(tmp_path / str(memory), IndexParameters.of(how, 4), memory, create=True) as index:
            add_sources(index, [run], Fields())
            rows = verdicts(index.tables, ids_of(said)).drop_columns(["known"]).to_pylist()
            assert {row.pop("id"): row for row in rows} == said
            check(index)
            index.compact()
            check(index)
            rows = verdicts(index.tables, ids_of(said)).drop_columns(["known"]).to_pylist()
            assert {row.pop("id"): row for row in rows} == said


def stage_survivors(kit: Any, run_phases: Any, run: Path, how: DedupSettings) -> set[str]:
    run_phases("dedup", stage, run, how, kit.common(run, 4))
    kept: set[str] = set()
    for path in sorted((run / "clusters").glob("*.parquet")):
        ids = pq.read_table(run / "documents" / path.name)["id"].to_pylist()
        keep = pq.read_table(path)["keep"].to_pylist()
        kept |= {one for one, stays in zip(ids, keep, strict=True) if stays}
    return kept


def said(index: Index, count: int) -> list[dict[str, Any]]:
    numbers = np.arange(count).astype(np.uint64)
    rows: list[dict[str, Any]] = verdicts(index.tables, (numbers, numbers)).to_pylist()
    return rows


@given(seed=st.integers(0, 10_000), prefer=st.sampled_from(PREFER))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_batches_memory_and_removals_say_the_same(kit: Any, seed: int, prefer: tuple[Any, ...]) -> None:
    rng, count = random.Random(seed), 30
    bases = [kit.korean_text(rng, 20) for _ in range(4)]
    texts = [kit.changed(rng.choice(bases), "replace", rng.choice((0.0, 0.05, 0.15)), rng) for _ in range(count)]
    quality = np.array([rng.choice((np.nan, 0.1, 0.5, 0.9)) for _ in range(count)])
    rights = np.array([rng.choice((0, 1 << 32, 5 << 32)) for _ in range(count)], np.int64)
    parameters = IndexParameters.of(DedupSettings(valid=0.0, test=0.0, prefer=prefer))

    def documents(chosen: list[int]) -> Documents:
        numbers = np.array(chosen, np.uint64)
        column = pa.array([texts[one] for one in chosen], pa.large_string())
        worth = {"quality": quality[chosen], "rights": rights[chosen]}
        return Documents(numbers, numbers, np.full(len(chosen), NO_DATE), column, None, worth)

    with tempfile.TemporaryDirectory() as folder:
        with writing(Path(folder) / "whole", parameters, create=True) as whole:
            whole.add(documents(list(range(0, count, 2))))
            expected = said(whole, count)
        for memory in MEMORY:
            order = rng.sample(range(count), count)
            with writing(Path(folder) / str(memory), parameters, memory, create=True) as index:
                for start in range(0, count, 7):
                    index.add(documents(order[start : start + 7]))
                gone = np.arange(1, count, 2).astype(np.uint64)
                index.remove((gone, gone))
                assert said(index, count) == expected
                check(index)


def test_another_quality_is_a_newer_word_and_a_file_has_none(tmp_path: Path, kit: Any) -> None:
    text = kit.korean_text(random.Random(1), 30)
    parameters = IndexParameters.of(DedupSettings(valid=0.0, test=0.0, prefer=("quality",)))
    numbers = np.array([1, 2], np.uint64)

    def documents(quality: list[float]) -> Documents:
        column = pa.array([text, text + " 참으로"], pa.large_string())
        return Documents(numbers, numbers, np.full(2, NO_DATE), column, None, {"quality": np.array(quality)})

    with writing(tmp_path / "index", parameters, create=True) as index:
        index.add(documents([0.2, 0.8]))
        assert [row["keep"] for row in said(index, 3)[1:]] == [False, True]
        assert index.add(documents([0.2, 0.8])).outcome.tolist() == [KNOWN, KNOWN]
        assert index.add(documents([0.9, 0.8])).outcome.tolist() == [ACCEPTED, KNOWN]
        assert [row["keep"] for row in said(index, 3)[1:]] == [True, False]
        file = tmp_path / "more.jsonl"
        file.write_text(json.dumps({"id": "0" * 32, "text": text + " 참으로 정말"}), encoding="utf-8")
        add_sources(index, [file], Fields())
        assert [row["keep"] for row in said(index, 3)] == [False, True, False]
        check(index)


def test_an_index_that_prefers_by_length_and_date_has_no_column_more(tmp_path: Path) -> None:
    with writing(tmp_path / "index", IndexParameters.of(DedupSettings()), create=True) as index:
        assert set(index.tables.shapes["documents"].values) == {"text", "length", "created"}
    with writing(tmp_path / "other", IndexParameters.of(DedupSettings(prefer=("rights",))), create=True) as index:
        assert set(index.tables.shapes["documents"].values) == {"text", "length", "created", "rights"}
