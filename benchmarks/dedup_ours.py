"""Our deduplication over the benchmark's documents; `benchmarks/dedup.py` runs it in a process of its own.

    python -m benchmarks.dedup_ours DOCS.parquet RUN [--runs 3] [--workers 1]

Lays the documents out as collect, measure and decide leave them (nothing cut, all kept), then runs the stage: those
Parquet shards in, unique Parquet and clusters out. Prints one JSON object: processor seconds (of this process and of
those that ended) and seconds by the clock of each run of the stage and of signing alone, and the peak memory of the
stage in this process. `first` is the run that starts workers and loads kernels, `stage` those after it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import resource
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # before this folder, whose corpus.py is not the package

from corpus.documents import DOCUMENTS, EDITS, SHARDS, VERDICTS, document_id, text_hash  # noqa: E402
from corpus.manifest import write_manifest  # noqa: E402
from corpus.shards import JobContext, Output, write_table  # noqa: E402
from dedup.minhash import sign  # noqa: E402
from dedup.settings import DedupSettings  # noqa: E402
from hanjo.execution import Runner  # noqa: E402
from hanjo.memory import own_peak, reset_peak  # noqa: E402
from hanjo.progress import Progress  # noqa: E402
from hanjo.recipe import check_recipe  # noqa: E402
from hanjo.stages import named  # noqa: E402
from hanjo.workers import Workers  # noqa: E402

SHARD = 16 << 20  # bytes of text


def lay_out(run: Path, docs: pa.Table) -> None:
    """documents/, edits/ without edits, verdicts/ that keep all, the lists of shards and a manifest."""
    texts = docs["text"]
    lists: dict[str, list[Output]] = {"collect": [], "measure": [], "decide": []}
    per_shard = max(1, docs.num_rows * SHARD // max(1, texts.nbytes))
    for number, first in enumerate(range(0, docs.num_rows, per_shard)):
        part = docs.slice(first, per_shard)
        name, context = f"{number:05d}.parquet", JobContext(run, f"{number:032x}", 1 << 30)
        table = _documents(part)
        lists["collect"].append(write_table(run / "documents" / name, table, DOCUMENTS, context))
        edits = pa.table({"edits": pa.array([[]] * part.num_rows, EDITS.field("edits").type)}, schema=EDITS)
        kept = pa.Table.from_pylist([{"keep": True}] * part.num_rows, schema=VERDICTS)
        of = context.fingerprint
        lists["measure"].append(write_table(run / "edits" / name, edits, EDITS, context, of=of))
        lists["decide"].append(write_table(run / "verdicts" / name, kept, VERDICTS, context, of=of))
    counts = {reason: {"documents": docs.num_rows} for reason in ("in", "kept")}
    stages = {}
    for stage, outputs in lists.items():
        rows = [{"name": o.path, "rows": o.rows, "bytes": o.bytes, "fingerprint": o.fingerprint} for o in outputs]
        context = JobContext(run, "0" * 32, 0)
        write_table(run / "shards" / f"{stage}.parquet", pa.Table.from_pylist(rows, schema=SHARDS), SHARDS, context)
        stages[stage] = {"fingerprint": "0" * 32, "version": 0, "counts": counts, "shards": len(rows)}
    write_manifest(run, {"stages": stages})


def _documents(part: pa.Table) -> pa.Table:
    texts, keys = part["text"].to_pylist(), part["id"].to_pylist()
    number = len(texts)
    columns = {name: pa.nulls(number, DOCUMENTS.field(name).type) for name in ("url", "created")}
    columns |= {name: pa.array(["benchmark"] * number) for name in ("source", "contributor", "rights_id", "path")}
    columns |= {name: pa.array([value] * number) for name, value in (("lang", "ko"), ("domain", "other"))}
    columns |= {"origin": pa.array(["natural"] * number), "meta": pa.array(["{}"] * number)}
    columns |= {"id": pa.array([document_id("benchmark", key) for key in keys]), "text": part["text"]}
    columns |= {"offset": pa.array(range(number), pa.int64())}
    columns |= {"length": pa.array([len(text.encode()) for text in texts], pa.int64())}
    columns |= {"text_hash": pa.array([text_hash(text) for text in texts], pa.binary(16))}
    return pa.table([columns[name].cast(DOCUMENTS.field(name).type) for name in DOCUMENTS.names], schema=DOCUMENTS)


def stage_of(run: Path, workers: Workers) -> tuple[Callable[[], object], Callable[[], object]]:
    """What removes what the stage made, and what runs it, in workers that stay: in a run they are there already."""
    values = {"name": "benchmark", "as_of": datetime.date(2026, 11, 24), "execution": {"workers": workers.number}}
    recipe = check_recipe(values, "the benchmark's recipe")
    runner = Runner(run, recipe, run, Progress("quiet"), workers=workers)

    def clear() -> None:
        for name in (".done", ".scratch", "clusters", "unique"):
            shutil.rmtree(run / name, ignore_errors=True)

    return clear, lambda: runner.run_stages([named("dedup")])


def timed(work: Callable[[], object], runs: int, before_each: Callable[[], object] = int) -> list[dict[str, float]]:
    """Each run's processor seconds, of this process and of those it waited for, and seconds by the clock."""
    found = []
    for _ in range(runs):
        before_each()
        before, started = _processor(), time.perf_counter()
        work()
        found.append({"processor": _processor() - before, "clock": time.perf_counter() - started})
    return found


def _processor() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("docs", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    told = parser.parse_args()
    docs = pq.read_table(told.docs)
    shutil.rmtree(told.run, ignore_errors=True)
    lay_out(told.run, docs)
    settings = DedupSettings()
    bins = settings.bands * settings.rows
    sign(docs["text"].slice(0, 10), settings.shingle, bins)  # compiled from here on
    signing = timed(partial(sign, docs["text"], settings.shingle, bins), told.runs)
    del docs
    pa.default_memory_pool().release_unused()
    with Workers(told.workers) as workers:
        clear, go = stage_of(told.run, workers)
        # The first run starts the workers and reads the compiled kernels from the disk, or compiles them.
        first = timed(go, 1, clear)
        reset_peak()
        stage = timed(go, told.runs, clear)
    found = {"sign": signing, "first": first, "stage": stage, "peak": own_peak(), "similarity": settings.similarity}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
