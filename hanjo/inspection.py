"""What `hanjo status` tells of a run: stages and counts, quarantined records, training and scores so far."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from corpus.errors import StaleError, UsageError
from corpus.manifest import read_manifest
from corpus.shards import read_table, shard_paths
from hanjo.journal import settle
from hanjo.stages import NAMES


def require_run(folder: Path) -> Path:
    """The folder, absolute; a withdrawal that was cut off is finished first.

    Raises:
        UsageError: it is no run's folder. LockedError: a withdrawal is being carried out by another process.
    """
    if not (folder / "recipe.yaml").exists():
        raise UsageError(
            "no run here (there is no recipe.yaml)",
            where=str(folder),
            fix="give the folder that `hanjo run` wrote, e.g. runs/quickstart",
        )
    settle(folder)
    return folder.resolve()


def require_stage(run: Path, stage: str) -> set[str]:
    """The run's finished stages.

    Raises:
        StaleError: `stage` is not among them.
    """
    done = set(read_manifest(run)["stages"])
    if stage not in done:
        raise StaleError(
            f"{stage} has not finished", where=str(run), fix=f"hanjo run RECIPE --run {run} --until {stage}"
        )
    return done


def require_rule(run: Path, rule: str) -> None:
    """Raise UsageError, naming the nearest, where no document of the run was removed by this rule."""
    stages = read_manifest(run)["stages"]
    removed = sorted(
        reason.partition("/")[2]
        for stage in ("decide", "dedup")
        for reason in stages.get(stage, {}).get("counts", {})
        if reason.startswith("removed/")
    )
    if rule not in removed:
        near = difflib.get_close_matches(rule, removed, n=1)
        fix = f"did you mean {near[0]!r}?" if near else f"rules that removed something: {', '.join(removed) or 'none'}"
        raise UsageError(f"nothing was removed by a rule {rule!r}", where=str(run), fix=fix)


def status(run: Path, quarantined: int = 20) -> dict[str, Any]:
    """How far a run is, as JSON-like values.

    Args:
        quarantined: how many quarantined records to list at most.
    """
    manifest = read_manifest(run)
    stages = [_stage(name, manifest["stages"].get(name)) for name in NAMES]
    return {
        "run": run.name,
        "name": manifest.get("name", run.name),
        "stages": stages,
        "quarantined": list(islice(_quarantined(run), quarantined)),
        "quarantined_in_all": sum(sum(row.get("quarantined", {}).values()) for row in stages),
        "training": _training(run),
        "scores": _scores(run) if "evaluate" in manifest["stages"] else None,
    }


def _stage(name: str, entry: dict[str, Any] | None) -> dict[str, Any]:
    if entry is None:
        return {"stage": name, "done": False}
    counts = entry["counts"]

    def documents(prefix: str) -> dict[str, int]:
        return {
            reason.partition("/")[2]: amounts["documents"]
            for reason, amounts in counts.items()
            if reason.startswith(f"{prefix}/")
        }

    told = {"stage": name, "done": True, "fingerprint": entry["fingerprint"], "shards": entry["shards"]}
    if "in" in counts:
        told |= {"in": counts["in"].get("documents", 0), "kept": counts.get("kept", {}).get("documents", 0)}
        told |= {"removed": documents("removed"), "quarantined": documents("quarantined")}
        if gone := counts.get("withdrawn", {}).get("documents", 0):
            told |= {"withdrawn": gone}
    tokens = counts.get("kept", {}).get("tokens") or counts.get("trained", {}).get("tokens")
    return told | ({"tokens": tokens} if tokens else {})


def _quarantined(run: Path) -> Iterator[dict[str, Any]]:
    for path in shard_paths(run / "quarantine"):
        yield from read_table(path).to_pylist()


def last_line(path: Path) -> dict[str, Any] | None:
    """The last whole line of a JSON-lines file, None where there is none."""
    if not path.exists():
        return None
    whole = path.read_bytes().rpartition(b"\n")[0].rpartition(b"\n")[2]
    return json.loads(whole) if whole else None


def _training(run: Path) -> dict[str, Any] | None:
    last = last_line(run / "pretrain" / "metrics.jsonl")
    if last is None:
        return None
    checkpoints = sorted(p.name for p in (run / "pretrain" / "checkpoints").glob("step-*"))
    validation = last_line(run / "pretrain" / "validation.jsonl")
    return {"last": last, "validation": validation, "checkpoints": checkpoints}


def _scores(run: Path) -> dict[str, Any] | None:
    path = run / "evaluate" / "results.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
