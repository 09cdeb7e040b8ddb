"""A worker keeps to `execution.memory`, whatever the shards hold: measured in a process of its own, by its peak."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dedup.rates import made_texts
from hanjo.memory import own_peak

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 24 << 20
# The first run loads the kernels and what the libraries keep; of the second, what each phase takes beyond that counts.
CARRY_OUT = """
import json, sys
from pathlib import Path
from benchmarks.dedup_scale import carry_out
from dedup.settings import DedupSettings
memory = int(sys.argv[3])
carry_out(Path(sys.argv[1]), DedupSettings(), memory)
phases, counts = carry_out(Path(sys.argv[2]), DedupSettings(), memory)
print(json.dumps([phases, counts]))
"""


def carried_out(warm: Path, run: Path, memory: int) -> tuple[dict[str, Any], dict[str, Any]]:
    command = [sys.executable, "-c", CARRY_OUT, str(warm), str(run), str(memory)]
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    phases, counts = json.loads(done.stdout.splitlines()[-1])
    return phases, counts


def digests(folder: Path) -> dict[str, bytes]:
    files = [path for name in ("clusters", "unique") for path in (folder / name).rglob("*.parquet")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_shingle_sets_larger_than_the_memory_are_compared_within_it(kit: Any, tmp_path: Path) -> None:
    if not own_peak():
        pytest.skip("this system does not tell a process's peak")
    rng = random.Random(3)
    texts = made_texts(24_000_000, 300).to_pylist()
    rng.shuffle(texts)
    documents = [kit.Document(str(i), text) for i, text in enumerate(texts)]
    half = len(documents) // 2
    warm = kit.make_run(tmp_path / "warm", [documents[:300]])
    runs = [kit.make_run(tmp_path / name, [documents[:half], documents[half:]]) for name in ("little", "much")]
    phases, counts = carried_out(warm, runs[0], MEMORY)
    sets = sum(path.stat().st_size for path in (runs[0] / ".scratch" / "dedup" / "hashes").iterdir())
    assert sets > 2 * MEMORY  # both shards' at once, as they would be taken with memory enough
    assert counts["removed/dedup.near"]["documents"] > 0.9 * half
    assert phases["verify"]["risen_bytes"] <= MEMORY
    assert phases["pairs"]["risen_bytes"] <= MEMORY
    text = sum(len(text.encode()) for text in texts) / 2
    assert phases["sets"]["risen_bytes"] <= MEMORY + 3 * text  # a row group: here the whole shard
    carried_out(warm, runs[1], 2 << 30)
    little, much = (digests(run) for run in runs)
    assert len(little) >= 4
    assert little == much  # memory decides how the work is cut, never what comes of it
