"""`hanjo corpus judge` at the command line: pipes, compressed files, nothing half-written, exit codes."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

ROOT = Path(__file__).resolve().parents[2]
GOOD = '{"id": 1, "text": "첫 번째 문장은 멀쩡하게 잘 쓰여 있습니다."}\n'


def judge(*arguments: str | Path, given: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hanjo.cli", "corpus", "judge", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, input=given)


def test_a_pipe_is_judged_line_by_line_and_what_is_unreadable_is_told_not_failed() -> None:
    done = judge("-", "-", given=GOOD + "{\n" + GOOD)
    assert done.returncode == 0
    assert [json.loads(line)["verdict"] for line in done.stdout.splitlines()] == ["keep", "quarantine", "keep"]
    assert "1 of 3 lines could not be read: 1 json.broken" in done.stderr


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_files_are_compressed_by_their_names(tmp_path: Path, ending: str) -> None:
    pack = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}[ending]
    unpack = {
        "": bytes,
        ".gz": gzip.decompress,
        ".zst": lambda d: zstandard.ZstdDecompressor().decompressobj().decompress(d),
    }
    source, target = tmp_path / f"in.jsonl{ending}", tmp_path / f"out.jsonl{ending}"
    source.write_bytes(pack(GOOD.encode() * 3))
    assert judge(source, target).returncode == 0
    rows = [json.loads(line) for line in unpack[ending](target.read_bytes()).splitlines()]
    assert [(row["id"], row["verdict"]) for row in rows] == [(1, "keep")] * 3
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({source.name, target.name})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.jsonl", "-"], "nowhere.jsonl: no such file"),
        (["-", "-", "--profile", "strict"], "no profile 'strict'"),
        (["README.md", "docs"], "a folder, where the verdicts' file should be"),
    ],
)
def test_wrong_usage_is_one_message_and_two(arguments: list[str], told: str) -> None:
    done = judge(*arguments, given="")
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
