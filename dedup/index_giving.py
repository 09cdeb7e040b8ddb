"""The stage's last step where `dedup.index_add` asks for it: what stays goes into the index, on the side it was given.

What was given is written down in the run, an id a line (`index/NNNNN.txt`), before the index changes: killed at any
moment and started again, or run again with other sources, a run knows its own documents in the index and never takes
them for others' (`index_known.py`). Documents that it gave earlier and keeps no longer are taken back.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from corpus.errors import StaleError
from corpus.shards import JobContext, Outcome, Output, atomic_path, read_sidecar, write_json
from dedup.index import Index, writing
from dedup.index_parameters import IndexParameters
from dedup.index_sources import of_shard, sides_of
from dedup.index_tables import without
from dedup.index_update import Ids
from dedup.inputs import format_ids, identities, parse_ids
from dedup.runs import Layout
from dedup.settings import DedupSettings

FOLDER = "index"
_NOTE = "given.json"


def noted(run: Path) -> dict[str, Any]:
    """What the run last gave, or began to give: `index` (as the recipe names it), `state` of the index that its
    documents were looked up in, `of` (what they and the settings were). Empty where it gave nothing."""
    try:
        found: dict[str, Any] = json.loads((run / FOLDER / _NOTE).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def given_ids(run: Path, settings: DedupSettings) -> Ids:
    """Ids, distinct and ascending, that this run gave (or began to give) to the index of the recipe."""
    if noted(run).get("index") != settings.index:
        return np.zeros(0, np.uint64), np.zeros(0, np.uint64)
    return _distinct([_read(path) for path in _lists(run)])


def give(
    context: JobContext,
    *,
    layout: Layout,
    settings: DedupSettings,
    seed: int,
    folder: str,
    now: str,
    state: str,
    of: str,
) -> Outcome:
    """One job: add the documents that stay to the index; what the run gave it earlier and keeps no longer goes.

    Args:
        folder, now: where the index lies, and its state as the stage was planned.
        state, of: as in `noted`.

    Raises:
        StaleError: the index has changed since the documents were looked up. LockedError: another process writes to it.
    """
    run = context.run
    with writing(Path(folder), IndexParameters.of(settings, seed), context.memory, create=True) as index:
        if noted(run).get("of") != of and index.state != now:
            told = "the index changed after this run had looked its documents up"
            raise StaleError(told, where=folder, fix="run again: they are looked up in the index as it is then")
        earlier = given_ids(run, settings)
        (run / FOLDER).mkdir(exist_ok=True)
        if noted(run).get("index") != settings.index:
            for path in _lists(run):
                path.unlink()
        coming = [_kept_ids(run, layout, shard) for shard in range(len(layout.names))]
        for name, ids in zip(layout.names, coming, strict=True):
            _write(run, name, _distinct([ids, *([_read(_list(run, name))] if _list(run, name).exists() else [])]))
        write_json(run / FOLDER / _NOTE, {"index": settings.index, "state": state, "of": of})
        _change(context, index, layout, earlier, _distinct(coming))
        for path in _lists(run):
            if path.stem not in layout.names:
                path.unlink()
        outputs = [
            _output(context, _write(run, name, _distinct([ids])), len(ids[0]))
            for name, ids in zip(layout.names, coming, strict=True)
        ]
    return Outcome((*outputs, _output(context, run / FOLDER / _NOTE, 0)))


def _change(context: JobContext, index: Index, layout: Layout, earlier: Ids, stay: Ids) -> None:
    """Take back first, so that nothing that comes resembles what goes; then add, shard by shard."""
    gone = without(earlier, stay)
    if gone.any():
        index.remove((earlier[0][gone], earlier[1][gone]))
    run, valued = context.run, index.parameters.worth
    for shard in range(len(layout.names)):
        clusters = _clusters(run, layout, shard)
        rows = np.flatnonzero(clusters["keep"].to_numpy())
        split = sides_of(clusters["split"].take(pa.array(rows)))
        for documents in of_shard(run, layout, shard, rows, split, context.memory // 2, valued):
            index.add(documents)


def _clusters(run: Path, layout: Layout, shard: int) -> pa.Table:
    path = run / "clusters" / f"{layout.names[shard]}.parquet"
    return read_sidecar(path, layout.fingerprints[shard], layout.rows[shard], ["keep", "split"])


def _kept_ids(run: Path, layout: Layout, shard: int) -> Ids:
    keep = _clusters(run, layout, shard)["keep"].to_numpy()
    who = identities(run, layout, shard)
    return who["id_hi"][keep], who["id_lo"][keep]


def _distinct(pieces: list[Ids]) -> Ids:
    nothing = np.zeros(0, np.uint64)
    whole = np.stack([np.concatenate([nothing, *(ids[side] for ids in pieces)]) for side in (0, 1)])
    found = np.unique(whole, axis=1)
    return found[0], found[1]


def _lists(run: Path) -> list[Path]:
    return sorted((run / FOLDER).glob("*.txt"))


def _list(run: Path, name: str) -> Path:
    return run / FOLDER / f"{name}.txt"


def _read(path: Path) -> Ids:
    ids = pa.array(path.read_text(encoding="ascii").split(), pa.large_string())
    return parse_ids(ids, str(path))


def _write(run: Path, name: str, ids: Ids) -> Path:
    path = _list(run, name)
    with atomic_path(path) as temporary:
        temporary.write_text("".join(f"{one}\n" for one in format_ids(*ids).to_pylist()), encoding="ascii")
    return path


def _output(context: JobContext, path: Path, rows: int) -> Output:
    return Output(path.relative_to(context.run).as_posix(), rows, path.stat().st_size, context.fingerprint)
