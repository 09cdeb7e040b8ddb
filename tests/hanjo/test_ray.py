"""hanjo/ray_workers.py, with Ray itself on this machine: failures that raise, and the same bytes as local processes."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import HanjoError, RecipeError, SourceError, UsageError, WorkerError
from corpus.shards import Job, JobContext, Outcome
from hanjo.ray_workers import RayWorkers
from hanjo.recipe import load_recipe
from hanjo.workers import Done

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = ROOT / "recipes" / "quickstart.yaml"
CLOCKS = ("timings.jsonl", "report.html", "recipe.yaml", ".lock")  # the recipe says by what the jobs were carried out

pytest.importorskip("ray", reason="Ray is not installed: nothing here is tested; pip install 'hanjo[ray]'")


def note(context: JobContext, *, name: str) -> Outcome:
    (context.run / name).write_text(f"{os.environ['NUMBA_NUM_THREADS']} {os.environ['OMP_NUM_THREADS']}")
    return Outcome((), {}, {"process": os.getpid()})


def fail(context: JobContext, *, how: str) -> Outcome:
    with (context.run / f"tried-{how}").open("a") as handle:
        handle.write("x")
    if how == "ours":
        raise SourceError("a bad source", where="a.txt", fix="mend it")
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    raise ZeroDivisionError("one by none")


@pytest.fixture(scope="module")
def workers() -> Iterator[RayWorkers]:
    with RayWorkers(2) as started:
        yield started


def context_of(run: Path, memory: int = 1 << 20) -> JobContext:
    return JobContext(run, "f" * 32, memory)


@pytest.mark.timeout(180)
def test_jobs_run_in_workers_of_one_thread_each(tmp_path: Path, workers: RayWorkers) -> None:
    ended: dict[str, Done] = {}

    def finished(job: Job, context: JobContext, done: Done) -> None:
        ended[job.name] = done

    jobs = [(Job(str(n), note, {"name": str(n)}), context_of(tmp_path)) for n in range(5)]
    workers.carry_out_all(jobs, finished)
    assert sorted(ended) == list("01234")
    assert all((tmp_path / name).read_text() == "1 1" for name in ended)
    processes = {done.outcome.facts["process"] for done in ended.values()}
    assert os.getpid() not in processes
    assert all(done.peak_memory > 1 << 20 for done in ended.values())


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("how", "kind", "message"),
    [
        ("ours", SourceError, "a.txt: a bad source"),
        ("killed", WorkerError, "job bad: a worker of Ray died"),
        ("unforeseen", WorkerError, "job bad: unforeseen ZeroDivisionError"),
    ],
)
def test_the_first_failure_raises_after_one_attempt(
    tmp_path: Path, workers: RayWorkers, how: str, kind: type[HanjoError], message: str
) -> None:
    jobs = [(Job("bad", fail, {"how": how}), context_of(tmp_path))]
    with pytest.raises(kind, match=message):
        workers.carry_out_all(jobs, lambda *_: None)
    assert (tmp_path / f"tried-{how}").read_text() == "x"


@pytest.mark.timeout(180)
def test_memory_that_no_machine_has_is_refused_instead_of_awaited(tmp_path: Path, workers: RayWorkers) -> None:
    job = Job("large", note, {"name": "large"})
    with pytest.raises(UsageError, match=r"execution\.memory: a job may plan with 1125899906842624 bytes"):
        workers.carry_out_all([(job, context_of(tmp_path, 1 << 50))], lambda *_: None)


@pytest.mark.timeout(180)
def test_ray_is_heard_on_the_loopback_alone(workers: RayWorkers, tmp_path: Path) -> None:
    workers.carry_out_all([(Job("one", note, {"name": "one"}), context_of(tmp_path))], lambda *_: None)
    listening = _listening(_family())
    assert listening
    assert {
        address for address in listening if address not in ("0100007F", "0000000000000000FFFF00000100007F")
    } == set()


def _family() -> set[int]:
    """This process and all its descendants."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    family = {os.getpid()}
    while grown := {number for number, parent in parents.items() if parent in family} - family:
        family |= grown
    return family


def _listening(processes: set[int]) -> set[str]:
    """Local addresses, as /proc writes them, of the TCP sockets that these processes listen on."""
    sockets = set()
    for process in processes:
        for handle in Path(f"/proc/{process}/fd").glob("*"):
            try:
                sockets.add(str(handle.readlink()))
            except OSError:
                continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in (Path("/proc/net") / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1].partition(":")[0])
    return found


def test_an_address_without_ray_and_an_unknown_kind_are_refused() -> None:
    with pytest.raises(RecipeError, match="address is of a Ray cluster"):
        load_recipe(QUICKSTART, ["execution.address=127.0.0.1:6379"])
    with pytest.raises(RecipeError, match=r"execution\.kind"):
        load_recipe(QUICKSTART, ["execution.kind=threads"])


def run_of(folder: Path, kind: str) -> Path:
    from hanjo.execution import Runner
    from hanjo.progress import Progress
    from hanjo.stages import up_to

    recipe = load_recipe(QUICKSTART, [f"execution.kind={kind}", "execution.workers=2", "execution.memory=1GiB"])
    Runner(folder, recipe, QUICKSTART.parent, Progress("quiet")).run_stages(up_to("dedup"))
    return folder


def files_of(run: Path) -> dict[str, str]:
    """Hashes of all that a run wrote, but for the files that know the clock or the machine."""
    paths = [path for path in run.rglob("*") if path.is_file() and path.name not in CLOCKS]
    return {path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_sample_up_to_dedup_gives_the_same_bytes_as_local_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dedup.stage._SMALL", 0)  # so small an input would be done in this process
    sent: list[str] = []
    carry_out_all = RayWorkers.carry_out_all

    def counted(self: RayWorkers, jobs: Any, finished: Any) -> None:
        todo = list(jobs)
        sent.extend(job.name for job, _ in todo)
        carry_out_all(self, todo, finished)

    monkeypatch.setattr(RayWorkers, "carry_out_all", counted)
    local, ray = files_of(run_of(tmp_path / "local", "local")), files_of(run_of(tmp_path / "ray", "ray"))
    assert {name.partition("/")[0] for name in local} >= {"documents", "signals", "verdicts", "clusters", "unique"}
    assert local == ray
    assert any(name.startswith("sign-") for name in sent)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked for in /proc")
def test_a_killed_run_leaves_no_process_of_ray_and_can_be_taken_up(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "hanjo.cli", "run", str(QUICKSTART), "--run", str(run), "--until", "decide"]
    command += ["--json", "--set", "execution.kind=ray"]
    first = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    before = _children(first.pid)
    deadline = time.monotonic() + 120
    while not any("raylet" in name for name in before.values()) and time.monotonic() < deadline:
        time.sleep(0.2)
        before = _children(first.pid)
    assert any("raylet" in name for name in before.values())
    first.kill()
    first.wait()
    while time.monotonic() < deadline and any(Path(f"/proc/{number}").exists() for number in before):
        time.sleep(0.2)
    assert [name for number, name in before.items() if Path(f"/proc/{number}").exists()] == []
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    assert (run / "shards" / "decide.parquet").exists()


def _children(process: int) -> dict[int, str]:
    """The direct children of a process with their names."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (folder / "stat").read_text().rpartition(")")
        except OSError:
            continue
        if int(rest.split()[1]) == process:
            found[int(folder.name)] = name.partition("(")[2]
    return found
