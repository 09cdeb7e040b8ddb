"""Measures the corpus stages on one core, beside datatrove's FineWeb-2 filters for Korean, on the same documents.

    python -m benchmarks.corpus [--bytes 50MB] [--runs 3] [--json FILE] [--skip peer,memory] …

1 measure and decide in memory, phase by phase; what compiling the kernels costs. 2 JSONL in → Parquet out through
collect, measure and decide by the command line, with one worker on one core and two on two. 3 datatrove's three filters
on a slice, in an environment of its own that is made under --work. 4 peak memory over inputs of growing size. Prints a
table and JSON; it is no test.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # before this folder, whose corpus.py is not the package

from benchmarks import make_corpus  # noqa: E402
from benchmarks.measuring import machine, pin, print_table, processor_seconds, write_result  # noqa: E402
from benchmarks.peers import UnavailableError, ask, environment  # noqa: E402
from corpus.settings import parse_size  # noqa: E402

PEER = ("datatrove==0.10.1", "kiwipiepy==0.21.0", "kiwipiepy_model<0.22", "regex")
SUBMISSION = """contributor: benchmark
source: {}
key: id
lang: ko
domain: other
origin: natural
rights: {{train: true, publish_weights: true, redistribute: true, derive: true, commercial: true, attribution: null,
  until: null, license: none, evidence: made for a measurement}}
"""
RECIPE = "name: benchmark\nas_of: 2026-11-24\nmax_quarantined: 0\ncollect:\n  sources:\n    - path: texts\n"
MEGABYTE = 1e6
STAGES = ("collect", "measure", "decide")


def in_memory(path: Path, runs: int) -> dict[str, Any]:
    """Rates of measure and decide, MB of UTF-8 text a second of processor time, and of each phase by itself."""
    from corpus.boilerplate import find_boilerplate
    from corpus.decide import judge
    from corpus.edits import apply_edits, text_buffers
    from corpus.measure import PrivacySettings, measure_batch
    from corpus.mojibake import reverse_mojibake
    from corpus.normalising import normalise
    from corpus.privacy import find_private
    from corpus.rules import DecideSettings
    from corpus.signals import measure_texts

    texts = read_texts(path)
    size = sum(len(text.encode()) for text in texts)
    column = pa.array(texts, pa.large_string())
    policies, limits = PrivacySettings().policies(), DecideSettings().limits()
    documents = pa.table({"source": ["b"] * len(texts), "rights_id": ["r"] * len(texts)})
    buffer, zeros = text_buffers(column), np.zeros(len(texts))
    measure_batch(column.slice(0, 50), 0.5, policies, {})  # compiled from here on
    edits, signals = measure_batch(column, 0.5, policies, {})
    table = pa.Table.from_batches([signals])

    def both() -> None:
        _, batch = measure_batch(column, 0.5, policies, {})
        judge(documents, pa.Table.from_batches([batch]), limits, {}, {"r": None})

    phases = {
        "measure + decide": both,
        "measure: boilerplate": lambda: find_boilerplate(*buffer, 0.5),
        "measure: personal data": lambda: find_private(*buffer, policies),
        "measure: apply the edits": lambda: apply_edits(column, edits),
        "measure: signals": lambda: measure_texts(column, zeros, zeros),
        "decide": lambda: judge(documents, table, limits, {}, {"r": None}),
        "collect: normalise": lambda: [normalise(text) for text in texts],
        "collect: look for mojibake": lambda: [reverse_mojibake(text) for text in texts],
    }
    rates = {name: size / MEGABYTE / processor_seconds(work, runs) for name, work in phases.items()}
    return {"documents": len(texts), "bytes": size, "megabytes_a_second": rates}


def read_texts(path: Path) -> list[str]:
    """The texts of a JSONL file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def first_call(work: Path) -> dict[str, float]:
    """Seconds of processor time until the first document is measured: kernels compiled, then read from the cache."""
    code = (
        "import pyarrow as pa; from corpus.measure import PrivacySettings, measure_batch; "
        "measure_batch(pa.array(['한 문장이다.'], pa.large_string()), .5, PrivacySettings().policies(), {})"
    )
    cache = work / "kernels"
    shutil.rmtree(cache, ignore_errors=True)
    took = {}
    for name in ("compiled", "cached"):
        before = os.times()
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=environment)
        after = os.times()
        took[name] = after.children_user + after.children_system - before.children_user - before.children_system
    return took


def through(folder: Path, workers: int, unit: int) -> dict[str, Any]:
    """One run of the three stages over folder/texts by the command line, on as many cores as workers.

    Returns:
        seconds of the whole command, by the clock and of processor time, of the stages alone by the clock, and the
        largest worker's peak memory.
    """
    run = folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    command = [sys.executable, "-m", "hanjo.cli", "run", str(folder / "recipe.yaml"), "--run", str(run)]
    command += ["--until", "decide", "--json", "--set", f"execution.workers={workers}"]
    command += ["--set", f"collect.unit_bytes={unit}"]
    cores = sorted(os.sched_getaffinity(0))[-workers:]
    started, before = time.perf_counter(), os.times()
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    seconds, after = time.perf_counter() - started, os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    if done.returncode:
        sys.exit(f"hanjo run failed ({done.returncode}):\n{done.stderr[-2000:]}")
    told = [json.loads(line) for line in (run / "timings.jsonl").read_text().splitlines()]
    stages = {one["stage"]: one["seconds"] for one in told if one["event"] == "stage"}
    peak = max(one.get("peak_memory_bytes", 0) for one in told)
    shutil.rmtree(run)
    return {
        "command": seconds,
        "processor": processor,
        "stages": sum(stages[name] for name in STAGES),
        "by_stage": stages,
        "peak": peak,
    }


def prepared(work: Path, name: str) -> Path:
    """A folder with a recipe and a source `texts` to be filled."""
    folder = work / name
    (folder / "texts").mkdir(parents=True, exist_ok=True)
    (folder / "texts" / "submission.yaml").write_text(SUBMISSION.format(name), encoding="utf-8")
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return folder


def pipeline(work: Path, pool: list[str], wanted: int, runs: int) -> dict[str, Any]:
    """JSONL in → Parquet out: MB of input a second, by one worker on one core and by two on two (best run of each)."""
    folder = prepared(work, "pipeline")
    docs, _, _ = make_corpus.write(work / "pipeline-texts", pool, wanted, seed=7)
    size = docs.stat().st_size
    docs.replace(folder / "texts" / "docs.jsonl")
    shutil.rmtree(work / "pipeline-texts")
    found: dict[str, Any] = {"bytes": size}
    for workers in (1, 2):
        if workers > len(os.sched_getaffinity(0)):
            continue
        timed = [through(folder, workers, max(1 << 20, size // 8)) for _ in range(runs)]
        best = min(timed, key=lambda one: float(one["stages"]))
        found[f"{workers}"] = {
            "megabytes_a_second": size / MEGABYTE / best["stages"],
            "with_start": size / MEGABYTE / best["command"],
            "of_processor_time": size / MEGABYTE / best["processor"],
            "by_stage": {name: size / MEGABYTE / best["by_stage"][name] for name in STAGES},
        }
    if "2" in found:
        found["two_to_one"] = found["2"]["megabytes_a_second"] / found["1"]["megabytes_a_second"]
    shutil.rmtree(folder)
    return found


def peer(work: Path, docs: Path, size: int) -> dict[str, Any]:
    """datatrove's filters on the first `size` bytes of the file, in an environment of its own; `why` where it fails."""
    try:
        python = environment(work, "datatrove", PEER)
        part = work / "slice.jsonl"
        with docs.open(encoding="utf-8") as lines, part.open("w", encoding="utf-8") as handle:
            while handle.tell() < size and (line := lines.readline()):
                handle.write(line)
        found: dict[str, Any] = json.loads(ask(python, ROOT / "benchmarks" / "datatrove_filters.py", str(part)))
    except UnavailableError as error:
        return {"why": str(error)}
    ours = in_memory(part, 15)["megabytes_a_second"]["measure + decide"]  # a run takes hundredths of a second
    rate = found["bytes"] / MEGABYTE / found["seconds"]
    return {**found, "megabytes_a_second": rate, "ours_on_the_same": ours, "ours_to_theirs": ours / rate}


def memory(work: Path, pool: list[str], sizes: list[int]) -> dict[int, int]:
    """Peak memory of a worker, in bytes, for inputs of these sizes; the input is made, used and removed one by one."""
    found = {}
    for size in sizes:
        folder = prepared(work, "memory")
        path, _, _ = make_corpus.write(work / "memory-texts", pool, size, seed=11)
        path.replace(folder / "texts" / "docs.jsonl")
        found[size] = through(folder, 1, 64 << 20)["peak"]
        shutil.rmtree(folder)
    shutil.rmtree(work / "memory-texts", ignore_errors=True)
    return found


def show(result: dict[str, Any]) -> None:
    """The tables."""
    rates = result["in_memory"]["megabytes_a_second"]
    print_table(("in memory, one core", "MB a second of processor time"), list(rates.items()))
    call = result["first_call"]
    print_table(("first call", "seconds of processor time"), list(call.items()))
    lines = [
        (workers, line["megabytes_a_second"], *line["by_stage"].values(), line["with_start"], line["of_processor_time"])
        for workers, line in result["pipeline"].items()
        if workers in ("1", "2")
    ]
    print_table(("workers", "MB of JSONL a second", *STAGES, "whole command", "of its processor time"), lines)
    if "two_to_one" in result["pipeline"]:
        print(f"\nTwo to one: {result['pipeline']['two_to_one']:.2f}")
    if "peer" in result:
        other = result["peer"]
        if "why" in other:
            print(f"\ndatatrove could not be run, so there is no ratio: {other['why']}")
        else:
            heads = ("measure + decide", "datatrove's three filters", "ratio")
            print_table(heads, [(other["ours_on_the_same"], other["megabytes_a_second"], other["ours_to_theirs"])])
    if "memory" in result:
        lines = [(int(size / MEGABYTE), peak / 2**20) for size, peak in result["memory"].items()]
        print_table(("MB of text in", "peak memory of a worker, MiB"), lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", default="50MB", help="text to measure on (default 50MB)")
    parser.add_argument("--pipeline", default="200MB", help="text for the pipeline: starting workers takes seconds")
    parser.add_argument("--texts", type=Path, default=make_corpus.SAMPLE, help="folder of texts to recombine")
    parser.add_argument("--runs", type=int, default=3, help="of each measurement")
    parser.add_argument("--slice", default="2MB", help="text for datatrove (default 2MB)")
    parser.add_argument("--memory", default="50MB,200MB,800MB", help="sizes of input for the peaks")
    parser.add_argument("--skip", default="", help="of: pipeline, peer, memory")
    parser.add_argument("--work", type=Path, default=Path.home() / ".cache" / "hanjo-benchmarks")
    parser.add_argument("--json", type=Path, help="write the result there, not to standard output")
    told = parser.parse_args()
    skipped = set(told.skip.split(","))
    told.work.mkdir(parents=True, exist_ok=True)
    pool = make_corpus.paragraphs(told.texts)
    docs, number, size = make_corpus.write(told.work / "docs", pool, _size(told.bytes), seed=7)
    print(f"{machine()}; {number} documents, {size} bytes of text recombined from {len(pool)} paragraphs")
    result: dict[str, Any] = {"machine": machine(), "documents": number, "bytes": size, "pipeline": {}}
    if "pipeline" not in skipped:
        result["pipeline"] = pipeline(told.work, pool, _size(told.pipeline), told.runs)
    if "memory" not in skipped:
        result["memory"] = memory(told.work, pool, [_size(one) for one in told.memory.split(",")])
    pin()  # from here on all is of one core
    result["first_call"] = first_call(told.work)
    result["in_memory"] = in_memory(docs, told.runs)
    if "peer" not in skipped:
        result["peer"] = peer(told.work, docs, _size(told.slice))
    show(result)
    write_result(told.json, result)


def _size(text: str) -> int:
    return int(str(parse_size(text)))


if __name__ == "__main__":
    main()
