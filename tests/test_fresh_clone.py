"""The README as a newcomer meets it: a fresh clone, a fresh .venv, its commands as written, what they leave behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


def shell(command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    ours = str(ROOT / ".venv" / "bin")
    environment["PATH"] = ":".join(p for p in environment["PATH"].split(":") if p != ours)
    done = subprocess.run(
        ["bash", "-c", command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


def blocks(readme: str) -> list[str]:
    """The README's bash blocks that are meant to be run, in order."""
    return [body for mark, body in re.findall(r"```bash( no-run)?\n(.*?)```", readme, re.DOTALL) if not mark]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which scripts/quickstart has been called once."""
    folder = tmp_path_factory.mktemp("fresh") / "hanjo"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    assert "report" in shell("scripts/quickstart", folder).stdout
    return folder


def test_every_block_is_valid_shell() -> None:
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))):
        for _, body in re.findall(r"```bash( no-run)?\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            assert subprocess.run(["bash", "-n", "-c", body], check=False).returncode == 0, body


def test_a_second_quickstart_does_nothing_twice_in_seconds(clone: Path) -> None:
    started = time.monotonic()
    again = shell("scripts/quickstart", clone)
    assert "nothing was done twice" in again.stderr
    assert time.monotonic() - started < 30


def test_the_quickstart_keeps_its_promises_of_time_and_memory(clone: Path) -> None:
    lines = [json.loads(line) for line in (clone / "runs/quickstart/timings.jsonl").read_text().splitlines()]
    seconds = sum(line["seconds"] for line in lines if line.get("event") == "stage")
    peaks = [line["peak_memory_bytes"] for line in lines if "peak_memory_bytes" in line]
    # Six minutes on a quiet machine; a busy one is not the code's fault.
    assert seconds < 12 * 60
    assert max(peaks) < 8 << 30


def test_the_model_learned_and_the_error_bars_say_so(clone: Path) -> None:
    results = json.loads((clone / "runs/quickstart/evaluate/results.json").read_text())
    bits = next(row for row in results["differences"] if row["suite"] == "bits_per_byte")
    assert bits["high"] < 0, "the trained model needs fewer bits per byte, beyond its interval"
    assert bits["verdict"] == "better"


def test_other_libraries_open_what_the_run_wrote(clone: Path) -> None:
    check = """
import datasets, transformers
run = "runs/quickstart"
found = datasets.load_dataset("parquet", data_dir=f"{run}/unique", cache_dir="cache")
assert set(found) == {"train", "validation", "test"}, found
assert found["train"][0]["text"]
tokenizer = transformers.AutoTokenizer.from_pretrained(f"{run}/tokenizer")
text = "대한민국의 수도는 서울이다."
assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
model = transformers.AutoModelForCausalLM.from_pretrained(f"{run}/pretrain/model")
assert model.num_parameters() > 1_000_000
"""
    shell(
        "set -e\nexport HF_HUB_OFFLINE=1\n.venv/bin/pip install -q -c constraints.txt datasets\n"
        f".venv/bin/python - <<'END'\n{check}\nEND",
        clone,
    )


def test_a_document_named_in_the_report_is_traced_to_its_checkpoints(clone: Path) -> None:
    page = (clone / "runs/quickstart/report.html").read_text(encoding="utf-8")
    ids = re.findall(r"hanjo trace ([0-9a-f]{32})", page)
    assert ids, "the report names documents to trace"
    traced = json.loads(shell(f".venv/bin/hanjo trace {ids[0]} --run runs/quickstart --json", clone).stdout)
    assert traced["id"] == ids[0]
    assert traced["source"]
    kept = json.loads(
        shell(
            '.venv/bin/python -c "import pyarrow.parquet as pq, glob; '
            "print(pq.read_table(sorted(glob.glob('runs/quickstart/unique/train/*.parquet'))[0])['id'][0].as_py())\" "
            "| xargs -I{} .venv/bin/hanjo trace {} --run runs/quickstart --json",
            clone,
        ).stdout
    )
    assert kept["tokens"]["split"] == "train"
    assert kept["training"]["steps"]
    assert kept["training"]["checkpoints"]


def test_the_commands_of_the_readme_run_as_written_and_quickstart_brings_the_run_back(clone: Path) -> None:
    ours = [block for block in blocks((clone / "README.md").read_text(encoding="utf-8")) if "scripts/" not in block]
    shell("set -e\n" + "\n".join(ours), clone)  # in one shell, as a person types them
    told = json.loads(shell(".venv/bin/hanjo status runs/quickstart --json", clone).stdout)
    assert [row["stage"] for row in told["stages"] if row["done"]] == ["collect", "measure", "decide", "dedup"]
    metrics = (clone / "runs/quickstart/pretrain/metrics.jsonl").read_bytes()
    shell("scripts/quickstart", clone)
    told = json.loads(shell(".venv/bin/hanjo status runs/quickstart --json", clone).stdout)
    assert all(row["done"] for row in told["stages"])
    lines = [json.loads(line) for line in (clone / "runs/quickstart/timings.jsonl").read_text().splitlines()]
    steps = [line["step"] for line in lines if line.get("event") == "step"]
    assert len(steps) == len(set(steps)), "a step was trained twice"
    assert (clone / "runs/quickstart/pretrain/metrics.jsonl").read_bytes() == metrics
