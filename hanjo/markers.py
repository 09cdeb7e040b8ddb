"""Done-markers, lists of shards and the manifest after a withdrawal: they speak of the files that stand then.

Fingerprints stay, since tombstones stand outside all of them: `hanjo run` finds every job done and runs nothing again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.documents import SHARDS
from corpus.errors import StaleError
from corpus.manifest import read_manifest
from corpus.shards import Counts, Outcome, Output, merge, read_table
from corpus.staging import Staging
from hanjo.stages import STAGES, Stage


def follow(staging: Staging, done: set[str]) -> None:
    """Stage the markers, lists and manifest that speak of what is staged; before the manifest's counts, for all stages.

    Args:
        done: names of the finished stages.

    Raises:
        StaleError: a file that changes has no marker: it was not written by this run.
    """
    manifest = read_manifest(staging.run)
    for stage in STAGES:
        touched = {path for path in (*staging.files, *staging.counts) if _owns(stage, path)}
        if stage.name not in done or not touched:
            continue
        delta = _follow_markers(staging, stage, touched)
        shards = _follow_list(staging, stage, touched)
        entry = manifest["stages"][stage.name]
        entry["counts"], entry["shards"] = _changed(entry["counts"], delta), shards
    text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    staging.put("manifest.json", text.encode())


def mark_appended(staging: Staging, stage: Stage, phase: str, job: str, made_of: str, outcome: Outcome) -> None:
    """Stage the marker of a job that a withdrawal carried out itself."""
    for output in outcome.outputs:
        staging.append(output)
    marker = {"fingerprint": made_of, **asdict(outcome)}
    path = f".done/{stage.name}/{phase}/{job.replace('/', '-')}.json"
    staging.put(path, _json(marker))
    for reason, amounts in outcome.counts.items():
        staging.count(f"{stage.folders[0]}/{job}", reason, **amounts)


def _owns(stage: Stage, path: str) -> bool:
    return path.partition("/")[0] in stage.folders


def _follow_markers(staging: Staging, stage: Stage, touched: set[str]) -> Counts:
    """Stage the changed markers; what the stage's counts change by."""
    deltas = [staging.counts[path] for path in sorted(touched) if path in staging.counts]
    wanted = {path for path in touched if (staging.run / path).exists()}  # the others are new, and marked already
    for path, marker in _markers(staging.run, stage.name, wanted):
        for output in marker["outputs"]:
            name = output["path"]
            if name in staging.files:
                output |= {"rows": staging.files[name], "bytes": staging.current(name).stat().st_size}
            if name in staging.counts:
                marker["counts"] = _changed(marker["counts"], staging.counts[name])
            marker["outputs"] += [asdict(one) for one in staging.beside.get(name, ())]
        staging.put(path, _json(marker))
    return merge(deltas)


def _markers(run: Path, stage: str, wanted: set[str]) -> Iterable[tuple[str, dict[str, Any]]]:
    """The markers that name some outputs: first those that are called as the shards are, then, if need be, all."""
    folder, left = run / ".done" / stage, set(wanted)
    stems = {Path(path).name.partition(".")[0] for path in wanted}
    stems |= {stem.partition("_")[0] for stem in stems}
    everything = sorted(folder.rglob("*.json"))
    likely = [path for path in everything if path.stem.rpartition("-")[2] in stems]
    for path in [*likely, *(path for path in everything if path not in set(likely))]:
        if not left:
            return
        marker = json.loads(path.read_text(encoding="utf-8"))
        named = {output["path"] for output in marker["outputs"]}
        if named & left:
            left -= named
            yield path.relative_to(run).as_posix(), marker
    if left:
        raise StaleError(f"no job of {stage} is known to have written {min(left)}", where=str(run), fix="run it again")


def _follow_list(staging: Staging, stage: Stage, touched: set[str]) -> int:
    """Stage `shards/STAGE.parquet`; how many shards it lists."""
    path = f"shards/{stage.name}.parquet"
    table = read_table(staging.run / path, schema=SHARDS)
    listed = {row["name"]: row for row in table.to_pylist()}
    for name in touched & staging.files.keys() & listed.keys():
        listed[name] |= {"rows": staging.files[name], "bytes": staging.current(name).stat().st_size}
    for one in staging.appended:
        if _owns(stage, one.path):
            listed[one.path] = _row(one)
    rows = [listed[name] for name in sorted(listed)]
    new = pa.Table.from_pylist(rows, schema=SHARDS).replace_schema_metadata(table.schema.metadata)
    pq.write_table(new, staging.target(path), compression="zstd")
    staging.files[path] = len(rows)
    return len(rows)


def _row(one: Output) -> dict[str, Any]:
    return {"name": one.path, "rows": one.rows, "bytes": one.bytes, "fingerprint": one.fingerprint}


def _changed(counts: Mapping[str, Mapping[str, int]], delta: Counts) -> Counts:
    """Counts after a change; a reason that nothing is left of goes, but for `in` and `kept`."""
    total = merge([{reason: dict(amounts) for reason, amounts in counts.items()}, delta])
    for reason in [name for name, amounts in total.items() if name not in ("in", "kept") and not any(amounts.values())]:
        del total[reason]
    return total


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
