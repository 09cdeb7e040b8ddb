"""Near-duplicate tools of others over a Parquet file; `benchmarks/dedup.py` runs it where the tool is installed.

    python benchmarks/dedup_peers.py TOOL DOCS.parquet FOLDER

Parquet in, a Parquet (or the tool's own) file of what stays out. Prints one JSON object: seconds of processor time
(imports left out) and of them those of shingling and signing where they can be told apart, peak memory in bytes;
FOLDER/clusters.json holds a cluster's number for each document. It imports nothing of hanjo. Shingles: `chars` are 5
characters without white space, as hanjo's; `eojeol` are 5 pieces between white space, what these tools are mostly used
with.
"""

from __future__ import annotations

import json
import pickle
import re
import resource
import shutil
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PERMUTATIONS = 128
SIZE = 5


class Groups:
    """Union-find over documents; the smallest number names a group."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))

    def find(self, one: int) -> int:
        """The name of a document's group."""
        while self.parent[one] != one:
            self.parent[one] = self.parent[self.parent[one]]
            one = self.parent[one]
        return one

    def join(self, one: int, other: int) -> None:
        """Put two documents into one group."""
        low, high = sorted((self.find(one), self.find(other)))
        self.parent[high] = low

    def names(self) -> list[int]:
        """The group's name of each document."""
        return [self.find(one) for one in range(len(self.parent))]


class Meter:
    """Processor seconds of this process and of those it waited for, and seconds by the clock, since it was made."""

    def __init__(self) -> None:
        self.start, self.begun = self._now(), time.perf_counter()

    def _now(self) -> float:
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + ended.ru_utime + ended.ru_stime

    def seconds(self) -> float:
        """Of processor time until now."""
        return self._now() - self.start

    def both(self) -> dict[str, float]:
        """Processor seconds and seconds by the clock until now."""
        return {"seconds": self.seconds(), "clock": time.perf_counter() - self.begun}


def chars(text: str) -> set[str]:
    """Sequences of 5 characters without white space."""
    bare = "".join(text.split())
    return {bare[at : at + SIZE] for at in range(len(bare) - SIZE + 1)} or {bare}


def eojeol(text: str) -> set[str]:
    """Sequences of 5 pieces between white space."""
    words = text.split()
    return {" ".join(words[at : at + SIZE]) for at in range(len(words) - SIZE + 1)} or {" ".join(words)}


def read(path: Path) -> Any:
    """The table of documents."""
    import pyarrow.parquet as pq

    return pq.read_table(path)


def write(table: Any, names: list[int], folder: Path) -> None:
    """The first document of each group."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    keep = [name == number for number, name in enumerate(names)]
    pq.write_table(table.filter(pa.array(keep)), folder / "unique.parquet")


def rensa(docs: Path, folder: Path, shingles: Callable[[str], set[str]], threshold: float) -> dict[str, Any]:
    """RMinHashDeduplicator: LSH, then the similarity that the signatures estimate."""
    from rensa import RMinHash, RMinHashDeduplicator

    meter = Meter()
    table = read(docs)
    texts = table["text"].to_pylist()
    begun = meter.seconds()
    hashed = []
    for text in texts:
        one = RMinHash(num_perm=PERMUTATIONS, seed=42)
        one.update(list(shingles(text)))
        hashed.append(one)
    signed = meter.seconds() - begun
    index = RMinHashDeduplicator(threshold=threshold, num_perm=PERMUTATIONS, use_lsh=True)
    groups = Groups(len(texts))
    for number, one in enumerate(hashed):
        if not index.add(str(number), one):
            for other in index.get_duplicates(one):
                groups.join(number, int(other))
    names = groups.names()
    write(table, names, folder)
    return {**meter.both(), "sign": signed, "clusters": names}


def gaoya(docs: Path, folder: Path) -> dict[str, Any]:
    """MinHashStringIndex with its default bands, 25 of 5; it compares by the signatures."""
    from gaoya.minhash import MinHashStringIndex

    meter = Meter()
    table = read(docs)
    texts = ["".join(text.split()) for text in table["text"].to_pylist()]
    index = MinHashStringIndex(
        num_bands=25, band_size=5, jaccard_threshold=0.6, analyzer="char", ngram_range=(5, 5), id_container="vec"
    )
    begun = meter.seconds()
    for number, text in enumerate(texts):
        index.insert_document(number, text)
    signed = meter.seconds() - begun
    groups = Groups(len(texts))
    for number, text in enumerate(texts):
        for other in index.query(text):
            groups.join(number, other)
    names = groups.names()
    write(table, names, folder)
    return {**meter.both(), "sign": signed, "clusters": names}


def datasketch(docs: Path, folder: Path, shingles: Callable[[str], set[str]], threshold: float) -> dict[str, Any]:
    """MinHash.generator and MinHashLSH, whose candidates are taken as they are."""
    from datasketch import MinHash, MinHashLSH

    meter = Meter()
    table = read(docs)
    texts = table["text"].to_pylist()
    begun = meter.seconds()
    sets = ([one.encode() for one in shingles(text)] for text in texts)
    hashed = list(MinHash.generator(sets, num_perm=PERMUTATIONS))
    signed = meter.seconds() - begun
    index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
    groups = Groups(len(texts))
    for number, one in enumerate(hashed):
        for other in index.query(one):
            groups.join(number, other)
        index.insert(number, one)
    names = groups.names()
    write(table, names, folder)
    return {**meter.both(), "sign": signed, "clusters": names}


def text_dedup(docs: Path, folder: Path) -> dict[str, Any]:
    """Its command `text_dedup.minhash` with its defaults of n-gram and threshold; unions without comparison."""
    from text_dedup.minhash import main as command

    # It reads no file given by absolute path without a loader's name, and takes the folder's name for one.
    options = {"path": "parquet", "data_files": str(docs), "split": "train", "cache_dir": str(folder / "cache")}
    options |= {"output": str(folder / "unique"), "column": "text", "ngram": "5", "min_length": "5"}
    options |= {"threshold": "0.7", "num_perm": str(PERMUTATIONS), "num_proc": "1", "batch_size": "10000"}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    meter = Meter()
    command(args=[*arguments, "--debug"], standalone_mode=False)
    told = meter.both()
    with (folder / "unique" / "uf.pkl").open("rb") as handle:
        found = pickle.load(handle)
    found = found.parent if hasattr(found, "parent") else found
    names = list(range(read(docs).num_rows))
    for one in found:
        root = one
        while found[root] != root:
            root = found[root]
        names[int(one)] = int(root)
    return {**told, "clusters": names}


def datatrove(docs: Path, folder: Path, korean: bool) -> dict[str, Any]:
    """The four stages of its MinHash with its defaults: 5-grams of words, 14 buckets of 8, no comparison.

    Args:
        korean: its tokenizer for Korean (Kiwi), whose model is loaded within the time (about a second); else a bare
            `str.split`, the fastest there can be.
    """
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
        minhash,
    )
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers import ParquetWriter
    from datatrove.utils.typeshelper import Languages

    if not korean:
        minhash.load_word_tokenizer = lambda language: _Splitter()
    config = minhash.MinhashConfig()
    reader = ParquetReader(str(docs.parent), glob_pattern=docs.name)
    at = {name: str(folder / name) for name in ("signatures", "buckets", "remove", "unique", "logs")}
    language = Languages.korean
    steps: list[tuple[list[Any], int]] = [
        ([reader, MinhashDedupSignature(at["signatures"], config, language=language)], 1),
        ([MinhashDedupBuckets(at["signatures"], at["buckets"], config=config)], config.num_buckets),
        ([MinhashDedupCluster(at["buckets"], at["remove"], config=config, save_cluster_id=True)], 1),
        ([reader, MinhashDedupFilter(at["remove"]), ParquetWriter(at["unique"])], 1),
    ]
    meter, signed = Meter(), 0.0
    for number, (pipeline, tasks) in enumerate(steps):
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=f"{at['logs']}/{number}").run()
        signed = signed or meter.seconds()
    told = meter.both()
    names = list(range(read(docs).num_rows))
    for file in (folder / "remove").glob("*.clusters"):
        first: dict[int, int] = {}
        for document, cluster in struct.iter_unpack("<2I", file.read_bytes()):
            names[document] = first.setdefault(cluster, document)
    return {**told, "sign": signed, "clusters": names}


class _Splitter:
    def word_tokenize(self, text: str) -> list[str]:
        return text.split()


TOOLS: dict[str, Callable[[Path, Path], dict[str, Any]]] = {
    "datatrove, Korean tokenizer": lambda docs, folder: datatrove(docs, folder, True),
    "datatrove, str.split": lambda docs, folder: datatrove(docs, folder, False),
    "text-dedup": text_dedup,
    "datasketch, eojeol, .7": lambda docs, folder: datasketch(docs, folder, eojeol, 0.7),
    "datasketch, chars, .6": lambda docs, folder: datasketch(docs, folder, chars, 0.6),
    "rensa, eojeol, .7": lambda docs, folder: rensa(docs, folder, eojeol, 0.7),
    "rensa, chars, .6": lambda docs, folder: rensa(docs, folder, chars, 0.6),
    "gaoya, chars, .6": gaoya,
}


def peak_memory() -> int:
    """Highest resident memory of this process in bytes; 0 where the system does not tell."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def main() -> None:
    """Run one tool."""
    tool, docs, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    result = TOOLS[tool](docs, folder)
    (folder / "clusters.json").write_text(json.dumps(result.pop("clusters")))
    print(json.dumps({**result, "peak": peak_memory()}))


if __name__ == "__main__":
    main()
