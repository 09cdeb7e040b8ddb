"""What hanjo says to Slurm and reads from it, with no Slurm here: settings, script, recorded answers, tasks by hand.

The answers were printed by Slurm 22.05.8 of Debian 12 on one node, with `ConstrainRAMSpace=yes` in cgroup.conf and no
accounts; fields of no use here are cut out. tests/hanjo/test_slurm.py runs arrays where Slurm is installed.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import LockedError, RecipeError, SourceError, UsageError
from corpus.shards import Job, JobContext, Outcome, Output
from hanjo import slurm, slurm_workers
from hanjo.executors import executor_of
from hanjo.recipe import ExecutionSettings, dump, load_recipe
from hanjo.slurm import Array, TaskState
from hanjo.slurm_batch import Batch, folders, stands
from hanjo.slurm_settings import SlurmSettings
from hanjo.slurm_workers import SlurmWorkers
from hanjo.workers import Done

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = ROOT / "recipes" / "quickstart.yaml"

SQUEUE = """0|FAILED|vm|NonZeroExitCode
1|OUT_OF_MEMORY|vm|OutOfMemory
3|PENDING||JobArrayTaskLimit
2|RUNNING|vm|None
"""
OUT_OF_MEMORY = (
    "JobId=3 ArrayJobId=1 ArrayTaskId=1 ArrayTaskThrottle=3 JobName=s.sh UserId=root(0) Account=(null) QOS=(null) "
    "JobState=OUT_OF_MEMORY Reason=OutOfMemory Dependency=(null) Requeue=0 Restarts=0 BatchFlag=1 Reboot=0 "
    "ExitCode=0:125 RunTime=00:00:00 TimeLimit=00:01:00 ReqNodeList=(null) ExcNodeList=(null) NodeList=vm BatchHost=vm "
    "NumNodes=1 NumCPUs=1 NumTasks=1 CPUs/Task=1 ReqB:S:C:T=0:0:*:* TRES=cpu=1,mem=200M,node=1,billing=1 Power= \n"
)
WAITING = "JobId=5 ArrayJobId=5 ArrayTaskId=3 JobState=PENDING Reason=None ExitCode=0:0 NodeList=(null) NumNodes=1"


def note(context: JobContext, *, name: str) -> Outcome:
    (context.run / name).write_text(name)
    return Outcome((Output(name, 1, len(name), context.fingerprint),), {}, {"process": os.getpid()})


def fail(context: JobContext, *, name: str) -> Outcome:
    raise SourceError("a bad source", where=name, fix="mend it")


def jobs_of(run: Path, names: str) -> list[tuple[Job, JobContext]]:
    calls = {"f": fail}
    return [(Job(n, calls.get(n, note), {"name": n}), JobContext(run, n * 32, 1 << 20)) for n in names]


def by_hand(batch: Batch, task: int, settings: SlurmSettings) -> subprocess.CompletedProcess[str]:
    """Run an array's script as Slurm would run it for one task."""
    environment = {**os.environ, "SLURM_ARRAY_TASK_ID": str(task)}
    return subprocess.run(
        ["bash", "-c", slurm.script(settings, batch.folder)],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def test_recorded_answers_of_squeue_and_scontrol_are_read() -> None:
    found = slurm.parse_states(SQUEUE)
    assert found == {
        0: TaskState("FAILED", "vm", "NonZeroExitCode"),
        1: TaskState("OUT_OF_MEMORY", "vm", "OutOfMemory"),
        2: TaskState("RUNNING", "vm"),
        3: TaskState("PENDING", "", "JobArrayTaskLimit"),
    }
    assert [task for task, state in found.items() if state.ended] == [0, 1]
    assert slurm.parse_shown(OUT_OF_MEMORY) == TaskState("OUT_OF_MEMORY", "vm", "OutOfMemory", "0:125")
    assert slurm.parse_shown(WAITING) == TaskState("PENDING", "", "", "0:0")


@pytest.mark.parametrize(
    ("text", "tasks"),
    [("7", [7]), ("0-3", [0, 1, 2, 3]), ("1,4-5%2", [1, 4, 5]), ("0-6:3,9", [0, 3, 6, 9]), ("N/A", [])],
)
def test_the_ways_to_name_tasks_are_read(text: str, tasks: list[int]) -> None:
    assert slurm.parse_indices(text) == tasks


def test_what_is_asked_of_sbatch_is_what_the_recipe_says() -> None:
    settings = SlurmSettings(partition="cpu", account="ko", time="2-00:00:00", cpus=2, options=("--constraint=a|b",))
    given = slurm.arguments(settings, name="hanjo-x", memory=2 << 30, tasks=40, at_a_time=8, log="/r/%a.log")
    assert given == [
        "--parsable",
        "--no-requeue",
        "--job-name=hanjo-x",
        "--array=0-39%8",
        "--nodes=1",
        "--ntasks=1",
        "--cpus-per-task=2",
        "--mem=2560M",
        "--output=/r/%a.log",
        "--error=/r/%a.log",
        "--partition=cpu",
        "--account=ko",
        "--time=2-00:00:00",
        "--constraint=a|b",
    ]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("options", "[--array=1-2]", "said by execution.slurm.array"),
        ("options", "[-p, cpu]", "said by execution.slurm.partition"),
        ("options", "[constraint=a]", "is no option of sbatch"),
        ("options", "[--requeue]", "would break"),
        ("time", "two days", "no time of Slurm"),
        ("time", "true", "no time of Slurm"),
        ("cpus", "0", "greater than or equal to 1"),
        ("partitions", "cpu", "did you mean 'partition'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(key: str, value: str, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        load_recipe(QUICKSTART, ["execution.kind=slurm", f"execution.slurm.{key}={value}"])


def test_a_recipe_with_slurm_is_written_and_read_to_the_same(tmp_path: Path) -> None:
    sets = ["execution.kind=slurm", "execution.slurm.time=12:00:00", "execution.slurm.options=[--exclude=n1]"]
    recipe = load_recipe(QUICKSTART, [*sets, "execution.slurm.setup='module load x\n. y'"])
    (tmp_path / "again.yaml").write_text(dump(recipe))
    assert load_recipe(tmp_path / "again.yaml") == recipe
    assert load_recipe(QUICKSTART, ["execution.slurm.time=90"]).execution.slurm.time == "90"


def test_the_cluster_recipe_of_the_docs_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "executors.md").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert block is not None
    (tmp_path / "recipe.yaml").write_text("name: x\nas_of: 2026-01-01\n" + block[1], encoding="utf-8")
    execution = load_recipe(tmp_path / "recipe.yaml").execution
    assert (execution.kind, execution.slurm.time) == ("slurm", "12:00:00")


def test_a_task_carries_out_its_order_in_any_folder_and_ends_at_the_first_failure(tmp_path: Path) -> None:
    run = tmp_path / "run 'of' $HOME 100%"
    run.mkdir()
    good, bad = jobs_of(run, "ab"), jobs_of(run, "cfd")
    batch = Batch.made(run, [good, bad], "asked")
    settings = SlurmSettings(setup='WORD="it\'s"  # a comment\ncd /\n')
    assert subprocess.run(["bash", "-n", "-c", slurm.script(settings, batch.folder)], check=False).returncode == 0
    first, second = by_hand(batch, 0, settings), by_hand(batch, 1, settings)
    assert (first.returncode, second.returncode) == (0, 1), first.stderr + second.stderr
    assert "a bad source" in second.stderr
    results = dict(batch.results())
    assert sorted(results) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert isinstance(results[1, 1], SourceError)
    done = results[0, 1]
    assert isinstance(done, Done)
    assert done.outcome.facts["process"] != os.getpid()
    assert stands(run, done)
    (run / "b").write_text("longer")
    assert not stands(run, done)
    assert not (run / "d").exists()
    assert all(path.stat().st_mode & 0o077 == 0 for path in (run / ".slurm").rglob("*") if path.is_dir())


def test_a_task_whose_order_was_taken_back_does_nothing(tmp_path: Path) -> None:
    batch = Batch.made(tmp_path, [jobs_of(tmp_path, "a")], "asked")
    batch.take_back(0)
    done = by_hand(batch, 0, SlurmSettings())
    assert done.returncode == 0
    assert "taken back" in done.stderr
    assert not (tmp_path / "a").exists()


def test_a_failing_set_up_starts_nothing(tmp_path: Path) -> None:
    batch = Batch.made(tmp_path, [jobs_of(tmp_path, "a")], "asked")
    done = by_hand(batch, 0, SlurmSettings(setup="cat no-such-file"))
    assert done.returncode == 1
    assert not (tmp_path / "a").exists()


def test_what_an_array_is_can_be_read_by_another_head(tmp_path: Path) -> None:
    batch = Batch.made(tmp_path, [jobs_of(tmp_path, "ab"), jobs_of(tmp_path, "c")], "asked")
    batch.array = Array("12", "north")
    batch.write()
    by_hand(batch, 0, SlurmSettings())
    batch.taken((0, 0))
    read = Batch.read(folders(tmp_path)[0])
    assert read == batch
    assert read is not None
    assert read.open_places() == {(0, 1): ("b", "b" * 32), (1, 0): ("c", "c" * 32)}
    read.take_back(1)
    assert list(read.open_places()) == [(0, 1)]
    read.remove()
    assert folders(tmp_path) == []


def test_without_slurm_the_executor_says_so_and_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    workers = SlurmWorkers(tmp_path, 2, 1 << 20, SlurmSettings(), tmp_path)
    with pytest.raises(UsageError, match=r"execution\.kind: slurm: there is no scontrol here"), workers:
        workers.carry_out_all(jobs_of(tmp_path, "a"), lambda *_: None)
    assert folders(tmp_path) == []


def test_another_executor_keeps_off_while_nobody_can_say_that_tasks_have_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    batch = Batch.made(tmp_path, [jobs_of(tmp_path, "a")], "asked")
    local = ExecutionSettings()
    with pytest.raises(LockedError, match="tasks of Slurm may still work"):
        executor_of(local, tmp_path, tmp_path)
    batch.array = Array("12")
    batch.write()
    with pytest.raises(LockedError, match=r"(?s)\(array 12\) may still work.*scancel 12"):
        executor_of(local, tmp_path, tmp_path)
    batch.remove()
    executor_of(local, tmp_path, tmp_path)


def test_a_head_inside_a_job_hides_that_job_from_the_commands_of_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_MEM_PER_CPU", "100")  # sbatch would refuse it beside --mem
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm.conf")
    monkeypatch.setenv("SBATCH_RESERVATION", "ours")
    seen = dict(line.partition("=")[::2] for line in slurm._call("env").stdout.splitlines())
    assert "SLURM_MEM_PER_CPU" not in seen
    assert (seen["SLURM_CONF"], seen["SBATCH_RESERVATION"]) == ("/etc/slurm.conf", "ours")


def test_results_of_the_dead_are_taken_when_their_files_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head that was killed before it noted the array's number: what has come is used, but no task is trusted."""
    slept: list[float] = []
    monkeypatch.setattr("hanjo.slurm_workers.time.sleep", slept.append)
    jobs = jobs_of(tmp_path, "abfc")
    batch = Batch.made(tmp_path, [jobs], "asked")
    by_hand(batch, 0, SlurmSettings())
    (tmp_path / "b").unlink()
    workers = SlurmWorkers(tmp_path, 2, 1 << 20, SlurmSettings(), tmp_path)
    jobs[3] = (jobs[3][0], replace(jobs[3][1], fingerprint="d" * 32))  # its inputs have changed since
    todo = {(job.name, context.fingerprint): (job, context) for job, context in jobs}
    ended: list[str] = []
    workers._take_up(todo, lambda job, *_: ended.append(job.name))
    assert ended == ["a"]
    assert [name for name, _ in todo] == ["b", "f", "c"]
    assert slept == [slurm_workers._FENCE], "a task that was at work has ended by then"
    assert folders(tmp_path) == []
    Batch.made(tmp_path, [jobs], "asked")
    SlurmWorkers(tmp_path, 2, 1 << 20, SlurmSettings(), tmp_path).settle()
    assert len(slept) == 2, "jobs that run in the head wait for it too"
    assert folders(tmp_path) == []
