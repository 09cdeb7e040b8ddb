"""The stage dedup on many recombined documents: time and peak memory of each phase, beside what the plan says.

    python -m benchmarks.dedup_scale --documents 2000000 --folder /tmp/scale [--texts DIR] [--memory 2GiB]

One process, one core's worth of work; the folder is made and may be removed afterwards.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.recombined import SAMPLE, paragraphs, replaced
from corpus.documents import DOCUMENTS, EDITS, SHARDS, VERDICTS
from corpus.manifest import check_counts, fingerprint
from corpus.settings import Common, Target, parse_size
from corpus.shards import JobContext, Outcome, Output, merge, write_table
from dedup import stage
from dedup.banding import Banding
from dedup.plan import TEXT_A_SHARD, estimate
from dedup.rates import measure
from dedup.settings import DedupSettings
from hanjo.memory import own_peak, reset_peak

_COPIES = 0.2  # share of the documents that are edited copies of an earlier one
_EARLIER = 5000  # originals that may still be copied


def write_corpus(run: Path, source: Path, documents: int, most: int, seed: int) -> int:
    """Write documents/, edits/ and verdicts/ as the stages before leave them; returns bytes of text."""
    rng, pool = random.Random(seed), paragraphs(source)
    words = [word for text in pool[:2000] for word in text.split(" ")]
    earlier: list[str] = []
    lists: dict[str, list[Output]] = {"collect": [], "measure": [], "decide": []}
    texts: list[str] = []
    size = total = made = 0
    while made < documents:
        if earlier and rng.random() < _COPIES:
            text = replaced(rng.choice(earlier), rng.choice((0.0, 0.01, 0.03, 0.05)), words, rng)
        else:
            text = "\n".join(rng.choice(pool) for _ in range(rng.randint(1, most)))
            place = len(earlier) if len(earlier) < _EARLIER else rng.randrange(_EARLIER)
            earlier[place : place + 1] = [text]
        texts.append(text)
        size, made = size + len(text.encode()), made + 1
        if size >= TEXT_A_SHARD or made == documents:
            _write_shard(run, texts, made - len(texts), lists)
            texts, size, total = [], 0, total + size
    for name, outputs in lists.items():
        rows = [{"name": o.path, "rows": o.rows, "bytes": o.bytes, "fingerprint": o.fingerprint} for o in outputs]
        table = pa.Table.from_pylist(rows, schema=SHARDS)
        write_table(run / "shards" / f"{name}.parquet", table, SHARDS, JobContext(run, "0" * 32, 0))
    return total


def _write_shard(run: Path, texts: list[str], first: int, lists: dict[str, list[Output]]) -> None:
    count, number = len(texts), len(lists["collect"])
    name, context = f"{number:05d}.parquet", JobContext(run, f"{number:032x}", 0)
    data = [text.encode() for text in texts]
    same = {"source": "made", "contributor": "made", "rights_id": "r", "path": "made.jsonl", "lang": "ko"}
    same |= {"domain": "web", "origin": "natural", "meta": "{}"}
    columns: dict[str, Any] = {key: pa.array([value] * count) for key, value in same.items()}
    ids = [hashlib.blake2b(str(first + i).encode(), digest_size=16).hexdigest() for i in range(count)]
    columns |= {"id": ids, "text": pa.array(texts, pa.large_string()), "offset": list(range(count))}
    columns |= {"length": [len(one) for one in data], "url": pa.nulls(count, pa.string())}
    columns |= {"created": pa.nulls(count, DOCUMENTS.field("created").type)}
    columns |= {"text_hash": pa.array([hashlib.blake2b(one, digest_size=16).digest() for one in data], pa.binary(16))}
    table = pa.table({key: columns[key] for key in DOCUMENTS.names}, schema=DOCUMENTS)
    lists["collect"].append(write_table(run / "documents" / name, table, DOCUMENTS, context))
    edits = pa.table({"edits": pa.array([[]] * count, EDITS.field("edits").type)}, schema=EDITS)
    verdicts = pa.Table.from_pylist([{"keep": True}] * count, schema=VERDICTS)
    of = context.fingerprint
    lists["measure"].append(write_table(run / "edits" / name, edits, EDITS, context, of=of))
    lists["decide"].append(write_table(run / "verdicts" / name, verdicts, VERDICTS, context, of=of))


def carry_out(run: Path, settings: DedupSettings, memory: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run the stage's phases in this process: seconds and peak memory by phase, and the counts."""
    plan = stage.phases(run, settings, Common("scale", 1, date(2025, 1, 1), Target(), run))
    outcomes: list[Outcome] | None = None
    phases: dict[str, Any] = {}
    counts = []
    while True:
        try:
            phase = next(plan) if outcomes is None else plan.send(outcomes)
        except StopIteration:
            break
        reset_peak()
        before = own_peak()
        started, busy, outcomes = time.perf_counter(), time.process_time(), []
        for job in phase.jobs:
            context = JobContext(run, fingerprint(job.name, list(job.inputs)), memory)
            outcomes.append(job.call(context, **job.arguments, **job.local))
            pa.default_memory_pool().release_unused()  # as a worker does between jobs
        counts += [outcome.counts for outcome in outcomes]
        phases[phase.name] = {
            "seconds": round(time.perf_counter() - started, 2),
            "cpu_seconds": round(time.process_time() - busy, 2),
            "peak_bytes": own_peak(),
            "risen_bytes": own_peak() - before,
        }
    total = merge(counts)
    check_counts("dedup", total)
    return phases, dict(total)


def main() -> None:
    """Make the corpus, run, print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=lambda text: int(float(text)), default=100_000)
    parser.add_argument("--paragraphs", type=int, default=6, help="most paragraphs of a document")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--texts", type=Path, default=SAMPLE)
    parser.add_argument("--memory", default="2GiB")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    memory = int(str(parse_size(given.memory)))
    started = time.perf_counter()
    with ProcessPoolExecutor(1, get_context("spawn")) as apart:  # so that the peaks are the stage's own
        what = given.folder, given.texts, given.documents, given.paragraphs, given.seed
        text = apart.submit(write_corpus, *what).result()
    made = time.perf_counter() - started
    settings = DedupSettings()
    phases, counts = carry_out(given.folder, settings, memory)
    scratch = {
        kind.name: sum(file.stat().st_size for file in kind.iterdir())
        for kind in sorted((given.folder / ".scratch" / "dedup").iterdir())
    }
    shutil.rmtree(given.folder / ".scratch")
    seconds = sum(phase["seconds"] for phase in phases.values())
    cpu = sum(phase["cpu_seconds"] for phase in phases.values())
    removed = sum(counts.get(f"removed/dedup.{kind}", {}).get("documents", 0) for kind in ("near", "exact"))
    rates = measure(text // given.documents)
    banding = Banding(settings.bands, settings.rows)
    plan = estimate(given.documents, text / given.documents, banding, rates, 1.6 * removed / given.documents, memory)
    told = {
        "documents": given.documents,
        "text_bytes": text,
        "corpus_made_in_seconds": round(made, 1),
        "counts": counts,
        "phases": phases,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "text_bytes_a_cpu_second": round(text / cpu),
        "peak_bytes": max(phase["peak_bytes"] for phase in phases.values()),
        "scratch": scratch,
        "scratch_bytes": sum(scratch.values()),
        "planned": plan.as_json() | {"seconds_in_all": plan.core_hours * 3600},
    }
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
