"""Measures deduplication on one core beside datatrove, rensa, gaoya, datasketch and text-dedup, on the same documents.

    python -m benchmarks.dedup [--bytes 20MB] [--slice 5MB] [--two 0] [--json FILE] [--skip peers] …

Ours: signatures alone; the stage, Parquet in → unique Parquet and clusters out; on demand two workers against one. Each
peer runs by `benchmarks/dedup_peers.py` in an environment of its own that is made under --work; slow ones get the first
--slice of the documents, and one that cannot be installed is told and left out. Beside the speed stand recall by kind
of planted copy, clusters that join what is not alike, and peak memory, so that nobody is fast by being wrong; for ours
also the witness of every removed document and the recall of all pairs of a sample by brute force, both by
`benchmarks/dedup_judging.py`. Rates are MB of UTF-8 text a second of processor time. Prints tables and JSON; it is no
test.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # before this folder, whose corpus.py is not the package

from benchmarks import dedup_judging, make_corpus  # noqa: E402
from benchmarks.measuring import machine, pin, print_table, write_result  # noqa: E402
from benchmarks.peers import UnavailableError, ask, environment  # noqa: E402
from corpus.documents import document_id  # noqa: E402
from corpus.settings import parse_size  # noqa: E402

MEGABYTE = 1e6
Requirements = tuple[tuple[str, ...], tuple[str, ...]]
# The model that datatrove's splitter asks Kiwi for is gone from 0.22; it hashes str by xxhash, which version 4 refuses.
DATATROVE = ("datatrove[io]==0.10.1", "kiwipiepy==0.21.0", "kiwipiepy_model<0.22", "regex", "tokenizers", "xxhash<4")
# text-dedup's own list would bring Spark and TensorFlow, which its MinHash does not use.
TEXT_DEDUP = ("datasets", "click", "click-option-group", "fire", "ftfy", "scipy", "rich", "regex", "pybloom-live")
ENVIRONMENTS: dict[str, Requirements] = {
    "datatrove": (DATATROVE, ()),
    "text-dedup": (TEXT_DEDUP, ("text-dedup==0.4.0",)),
    "datasketch": (("datasketch==2.0.0", "pyarrow"), ()),
    "rensa": (("rensa==0.5.0", "pyarrow"), ()),
    "gaoya": (("gaoya==0.2.2", "pyarrow"), ()),
}
# Each tool of dedup_peers.py with whether it is slow enough to get the slice alone.
TOOLS = (
    ("datatrove, Korean tokenizer", True),
    ("datatrove, str.split", True),
    ("text-dedup", True),
    ("datasketch, eojeol, .7", True),
    ("datasketch, chars, .6", True),
    ("rensa, eojeol, .7", False),
    ("rensa, chars, .6", False),
    ("gaoya, chars, .6", False),
)


class Documents:
    """The corpus or its first part: a Parquet file, ids, texts, and what was planted."""

    def __init__(self, path: Path, truth: list[dict[str, Any]]) -> None:
        table = pq.read_table(path)
        self.path, self.truth = path, truth
        self.ids, self.texts = table["id"].to_pylist(), table["text"].to_pylist()
        self.size = sum(len(text.encode()) for text in self.texts)

    def part(self, size: int) -> Documents:
        """The first documents, up to `size` bytes, in a file of their own."""
        number = took = 0
        while number < len(self.texts) and took < size:
            number, took = number + 1, took + len(self.texts[number].encode())
        path = self.path.with_name("slice.parquet")
        columns = {"id": self.ids[:number], "text": pa.array(self.texts[:number], pa.large_string())}
        pq.write_table(pa.table(columns), path)
        return Documents(path, self.truth)

    def judged(self, cluster: list[int]) -> dict[str, Any]:
        """Recall and false joins of clusters, one for each document."""
        here = set(self.ids)
        return {
            "copies": collections.Counter(dedup_judging.kind_of(one) for one in self.truth if one["b"] in here),
            "recall": dedup_judging.recall_by_kind(self.truth, dict(zip(self.ids, cluster, strict=True))),
            "joins": dedup_judging.false_joins(self.ids, self.texts, cluster),
        }


def ours(docs: Documents, work: Path, runs: int, workers: int = 1) -> dict[str, Any]:
    """Rates (medians), recall, joins, witnesses and peak memory of the stage."""
    run = work / "ours"
    command = [sys.executable, "-m", "benchmarks.dedup_ours", str(docs.path), str(run)]
    command += ["--runs", str(runs), "--workers", str(workers)]
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    told = json.loads(done.stdout.splitlines()[-1])
    rates = {
        f"{name} {clock}": docs.size / MEGABYTE / max(1e-9, statistics.median(one[clock] for one in told[name]))
        for name in ("sign", "stage")
        for clock in ("processor", "clock")
    }
    rows: list[dict[str, Any]] = []
    for path in sorted((run / "clusters").glob("*.parquet")):
        rows += pq.read_table(path, columns=["cluster", "keep", "witness", "similarity"]).to_pylist()
    names = [document_id("benchmark", key) for key in docs.ids]
    numbers: dict[str, int] = {}
    cluster = [numbers.setdefault(row["cluster"], len(numbers)) for row in rows]
    rows = [{"id": name, **row} for name, row in zip(names, rows, strict=True)]
    similarity = float(told["similarity"])
    return {
        "rates": rates,
        "bytes": docs.size,
        "peak": told["peak"],
        **docs.judged(cluster),
        "pairs by kind": dedup_judging.pairs_by_kind(
            docs.truth,
            dict(zip(docs.ids, docs.texts, strict=True)),
            dict(zip(docs.ids, cluster, strict=True)),
            similarity,
        ),
        "witnesses": dedup_judging.witnesses(dict(zip(names, docs.texts, strict=True)), rows, similarity),
        "cluster": cluster,
        "similarity": similarity,
    }


def two_to_one(work: Path, pool: list[str], size: int) -> dict[str, Any]:
    """The stage by the clock with one worker and with two; it starts workers only for inputs that are worth it.

    Both once their kernels are loaded (the faster of two runs), and the run before, which starts and loads them too.
    """
    path, _, _ = make_corpus.write(work / "two", pool, size, seed=11, form="parquet")
    found: dict[str, Any] = {"bytes": size, "seconds": {}, "seconds_from_start": {}}
    for workers in ("1", "2"):
        command = [sys.executable, "-m", "benchmarks.dedup_ours", str(path), str(work / "two" / "run")]
        command += ["--runs", "2", "--workers", workers]
        done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        told = json.loads(done.stdout.splitlines()[-1])
        found["seconds"][workers] = min(one["clock"] for one in told["stage"])
        found["seconds_from_start"][workers] = told["first"][0]["clock"]
    for name, ratio in (("seconds", "two_to_one"), ("seconds_from_start", "two_to_one_from_start")):
        found[ratio] = found[name]["1"] / found[name]["2"]
    return found


def peers(docs: Documents, part: Documents, work: Path) -> dict[str, dict[str, Any]]:
    """What each peer reached; `why` where it could not be run."""
    found: dict[str, dict[str, Any]] = {}
    for tool, slow in TOOLS:
        given, name = part if slow else docs, tool.partition(",")[0]
        folder = work / "peer"
        try:
            python = environment(work, f"dedup-{name}", *ENVIRONMENTS[name])
            told = json.loads(ask(python, ROOT / "benchmarks" / "dedup_peers.py", tool, str(given.path), str(folder)))
        except UnavailableError as error:
            found[tool] = {"why": str(error)}
            continue
        cluster = json.loads((folder / "clusters.json").read_text(encoding="utf-8"))
        rate = given.size / MEGABYTE / told["seconds"]
        found[tool] = {**told, "megabytes_a_second": rate, "bytes": given.size, **given.judged(cluster)}
        if "sign" in told:
            found[tool]["signing"] = given.size / MEGABYTE / max(1e-9, told["sign"])
    return found


def show(result: dict[str, Any]) -> None:
    """The tables."""
    own = result["ours"]
    rates = own["rates"]
    print_table(("ours", "MB a second"), list(rates.items()))
    heads = ("tool", "MB of text", "MB a second", "by the clock", "ours to it", "signing with shingling, ours to it")
    heads_too = ("peak, MiB", "joined families", "of them false")
    speed = (own["bytes"] / MEGABYTE, rates["stage processor"], rates["stage clock"], 1.0, 1.0)
    joins = own["joins"]
    lines: list[tuple[object, ...]] = [("hanjo", *speed, own["peak"] / 2**20, joins["joined"], joins["false"])]
    recalls = {"hanjo": own["recall"]}
    for tool, one in result.get("peers", {}).items():
        if "why" in one:
            print(f"\n{tool} could not be run and is left out: {one['why']}")
            continue
        rate = one["megabytes_a_second"]
        signing = rates["sign processor"] / one["signing"] if "signing" in one else "unknown"
        ratio = rates["stage processor"] / rate
        clock = one["bytes"] / MEGABYTE / one["clock"]
        lines.append((tool, one["bytes"] / MEGABYTE, rate, clock, ratio, signing, one["peak"] / 2**20))
        lines[-1] += (one["joins"]["joined"], one["joins"]["false"])
        recalls[tool] = one["recall"]
    print_table((*heads, *heads_too), lines)
    print("\nRecall by kind of planted copy:")
    copies = own["copies"]
    rows = [(kind, copies[kind], *(r.get(kind, "none") for r in recalls.values())) for kind in own["recall"]]
    print_table(("kind", "copies in all", *recalls), rows)
    above = ("kind", "of the copies at the threshold or above", "of those in their original's cluster")
    print_table(above, [(kind, one["pairs"], one["found"]) for kind, one in own["pairs by kind"].items()])
    print_table(("witnesses of removed documents", ""), list(own["witnesses"].items()))
    print_table(("all pairs of a sample by brute force", ""), list(result["pairs"].items()))
    if "two" in result:
        two = result["two"]
        told = f"{two['two_to_one']:.2f}, with starting them and loading kernels {two['two_to_one_from_start']:.2f}"
        print(f"\nTwo workers to one on {two['bytes']} bytes: {told}")
    else:
        print("\nTwo workers against one: not measured; ask with --two 600MB on a machine with two free cores.")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", default="20MB", help="text to measure on (default 20MB)")
    parser.add_argument("--slice", default="5MB", help="text for the slow peers (default 5MB)")
    parser.add_argument("--two", default="0", help="text for two workers against one (default 0: not measured)")
    parser.add_argument("--sample", type=int, default=2000, help="documents whose pairs are all compared")
    parser.add_argument("--texts", type=Path, default=make_corpus.SAMPLE, help="folder of texts to recombine")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--runs", type=int, default=3, help="of ours; peers run once")
    parser.add_argument("--skip", default="", help="of: peers")
    parser.add_argument("--work", type=Path, default=Path.home() / ".cache" / "hanjo-benchmarks")
    parser.add_argument("--json", type=Path, help="write the result there, not to standard output")
    told = parser.parse_args()
    pool = make_corpus.paragraphs(told.texts)
    result: dict[str, Any] = {"machine": machine(), "load": os.getloadavg()[0]}
    if size := _size(told.two):
        result["two"] = two_to_one(told.work, pool, size)
    pin()  # from here on all is of one core
    path, number, size = make_corpus.write(told.work / "dedup", pool, _size(told.bytes), told.seed, "parquet")
    print(f"{machine()}, load {result['load']:.1f}; {number} documents, {size} bytes of text, {len(pool)} paragraphs")
    truth = [json.loads(line) for line in (path.parent / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    docs = Documents(path, truth)
    result["ours"] = own = ours(docs, told.work, told.runs)
    cluster, n = own.pop("cluster"), told.sample
    result["pairs"] = dedup_judging.pairs_by_brute_force(docs.texts[:n], cluster[:n], own["similarity"])
    if "peers" not in told.skip.split(","):
        result["peers"] = peers(docs, docs.part(_size(told.slice)), told.work)
    show(result)
    write_result(told.json, result)


def _size(text: str) -> int:
    return int(str(parse_size(text)))


if __name__ == "__main__":
    main()
