"""Where the suites' items come from; the YAML files name these functions as `custom_dataset`, and lm-eval calls them.

So no loader of the `datasets` hub runs, nothing is cached on disk, and a suite can name a file that lies beside it.
lm-eval calls with the suite's `metadata` and `dataset_kwargs` as keywords; what a function does not use it ignores.
"""

from __future__ import annotations

import heapq
import json
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.documents import UNIQUE, require_columns
from corpus.errors import SourceError
from corpus.shards import shard_paths

if TYPE_CHECKING:
    from datasets import Dataset

DOCUMENTS = 100
_BATCH = 1 << 10


def from_jsonl(*, file: str, **_: Any) -> dict[str, Dataset]:
    """The items of a JSON Lines file in this folder, as the split `test`.

    Raises:
        SourceError: the file is missing, or a line is no JSON object.
    """
    from datasets import Dataset

    path = Path(__file__).parent / file
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise SourceError(
            f"not a readable JSON Lines file ({error})", where=str(path), fix="install hanjo again"
        ) from error
    return {"test": Dataset.from_list(rows)}


def from_test_split(*, run: str, documents: int = DOCUMENTS, seed: int = 0, **_: Any) -> dict[str, Dataset]:
    """Documents of a run's test split (`id`, `text`), as the split `test`, short ones first: less padding in a batch.

    Args:
        run: the run's folder.
        documents: at most so many; a larger split is sampled by seed, whatever its shards.
        seed: of the choice.

    Raises:
        SourceError: the test split holds no text.
    """
    from datasets import Dataset

    folder = Path(run) / "unique" / "test"
    wanted = choose(folder, documents, seed)
    if not wanted:
        raise SourceError(
            "the test split holds no documents",
            where=str(folder),
            fix="give it more text or a larger share (dedup), or leave bits_per_byte out of evaluate.suites",
        )
    table = pa.concat_tables([_read(path, wanted[path]) for path in sorted(wanted)])
    table = table.append_column("length", pc.binary_length(table.column("text")))
    table = table.sort_by([("length", "ascending"), ("id", "ascending")])
    return {"test": Dataset.from_dict({name: table.column(name).to_pylist() for name in ("id", "text")})}


def choose(folder: Path, documents: int, seed: int) -> dict[Path, list[str]]:
    """Shard → ids of the documents with the smallest seeded hashes, empty texts left out; memory O(`documents`).

    A pure function of the ids and the seed: how the split is cut into shards, and in which order, changes nothing.
    """
    key = str(seed).encode()
    smallest: list[tuple[int, str, str]] = []  # a heap of the chosen, the largest hash on top (negated)
    for path in shard_paths(folder):
        file = pq.ParquetFile(path)
        require_columns(file.schema_arrow, UNIQUE, str(path), ("id", "text"))
        for batch in file.iter_batches(_BATCH, columns=["id", "text"]):
            full = batch.filter(pc.greater(pc.binary_length(batch.column("text")), 0))
            for name in full.column("id").to_pylist():
                value = int.from_bytes(blake2b(name.encode(), digest_size=8, key=key).digest())
                if len(smallest) < documents:
                    heapq.heappush(smallest, (-value, name, str(path)))
                elif -value > smallest[0][0]:
                    heapq.heapreplace(smallest, (-value, name, str(path)))
    chosen: dict[Path, list[str]] = {}
    for _, name, path_name in smallest:
        chosen.setdefault(Path(path_name), []).append(name)
    return chosen


def _read(path: Path, ids: list[str]) -> pa.Table:
    wanted = pa.array(ids, pa.string())
    batches = pq.ParquetFile(path).iter_batches(_BATCH, columns=["id", "text"])
    found = [batch.filter(pc.is_in(batch.column("id"), value_set=wanted)) for batch in batches]
    return pa.Table.from_batches(found)
