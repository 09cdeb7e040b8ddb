"""hanjo/slurm_workers.py on a private Slurm of one node, started here: the same bytes, failures told, kills survived.

It needs Debian's slurmctld, slurmd, slurm-client and munge, and root; without them every test here is skipped and says
so. The daemons hear the loopback alone, keep all their files in a temporary folder, and end with the module.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import HanjoError, LockedError, SourceError, UsageError, WorkerError
from corpus.shards import Job, JobContext, Outcome, Output
from hanjo import slurm, slurm_batch, slurm_workers
from hanjo.executors import executor_of
from hanjo.recipe import ExecutionSettings, load_recipe
from hanjo.slurm_settings import SlurmSettings
from hanjo.slurm_workers import SlurmWorkers
from hanjo.workers import Done

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = ROOT / "recipes" / "quickstart.yaml"
SMALL = "collect.sources=[{path: sample/udhr}, {path: sample/tax-rulings}, {path: sample/hwpx-form}]"
CLOCKS = ("timings.jsonl", "report.html", "recipe.yaml", ".lock")  # the recipe says by what the jobs were carried out
BINARIES = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
MEMORY = 256 << 20
LARGEST = 4  # tasks of an array here

missing = [name for name in BINARIES if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        bool(missing) or os.geteuid() != 0,
        reason=f"no Slurm to start (missing: {', '.join(missing) or 'root'}): its executor is not tested here; "
        "apt-get install slurmctld slurmd slurm-client munge",
    ),
]


def configuration(folder: Path) -> str:
    """The slurm.conf of one node that this machine plays, all of it below `folder` and on the loopback."""
    host, ports = socket.gethostname().partition(".")[0], []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    return f"""
ClusterName=hanjo
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
MaxArraySize={LARGEST}
KillWait=2
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=4096 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=60 State=UP
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Slurm whose commands find it by SLURM_CONF, for as long as this module's tests run."""
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "slurm.conf").write_text(configuration(folder))
    (folder / "munge.key").write_bytes(os.urandom(1024))
    (folder / "munge.key").chmod(0o400)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin:/sbin")
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        munged = [
            "munged",
            "--foreground",
            "--force",
            f"--socket={folder}/munge.socket",
            f"--key-file={folder}/munge.key",
        ]
        munged += [
            f"--pid-file={folder}/munge.pid",
            f"--seed-file={folder}/munge.seed",
            f"--log-file={folder}/munge.log",
        ]
        with (folder / "daemons.log").open("wb") as log:
            daemons = [subprocess.Popen(munged, stdout=log, stderr=log)]
            try:
                until(lambda: (folder / "munge.socket").exists(), "munged listens")
                daemons += [subprocess.Popen([name, "-D"], stdout=log, stderr=log) for name in ("slurmctld", "slurmd")]
                until(lambda: "idle" in sinfo(), "the node is idle")
                yield folder
            finally:
                subprocess.run(["scancel", "--user=root"], capture_output=True, timeout=60, check=False)
                until(lambda: not queue(), "every task has ended")  # slurmd waits for them before it ends
                for daemon in reversed(daemons):
                    daemon.terminate()
                    daemon.wait(60)


def sinfo() -> str:
    return subprocess.run(["sinfo", "-h", "-o", "%T"], capture_output=True, text=True, check=False).stdout


def queue(*asked: str) -> list[str]:
    """The tasks that Slurm has at work or waiting."""
    command = ["squeue", "-h", "-r", "-o", "%i", *asked]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout.split()


def until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(0.1)


def jobs_of(run: Path, names: str, call: Callable[..., Outcome], memory: int = MEMORY, **arguments: object) -> list:
    """A job for each letter, as a stage would plan it."""
    run.mkdir(exist_ok=True)
    return [(Job(name, call, {"name": name, **arguments}), JobContext(run, name * 32, memory)) for name in names]


def workers_of(run: Path, **settings: object) -> SlurmWorkers:
    return SlurmWorkers(run, 4, MEMORY, replace(SlurmSettings(poll=0.5), **settings), run)  # type: ignore[arg-type]


def carried_out(run: Path, jobs: list, **settings: object) -> dict[str, Done]:
    ended: dict[str, Done] = {}
    with workers_of(run, **settings) as workers:
        workers.carry_out_all(jobs, lambda job, context, done: ended.__setitem__(job.name, done))
    return ended


def note(context: JobContext, *, name: str, wait: str = "") -> Outcome:
    """Say that the job was tried, wait for a file to appear or the seconds to pass, write one."""
    with (context.run / f"tried-{name}").open("a") as handle:
        handle.write("x")
    if wait.isdigit():
        time.sleep(int(wait))
    while wait and not wait.isdigit() and not (context.run / wait).exists():
        time.sleep(0.1)
    (context.run / name).write_text(name)
    facts = {"process": os.getpid(), "threads": os.environ["NUMBA_NUM_THREADS"]}
    return Outcome((Output(name, 1, 1, context.fingerprint),), {}, facts)


def fail(context: JobContext, *, name: str, how: str) -> Outcome:
    with (context.run / f"tried-{name}").open("a") as handle:
        handle.write("x")
    if how == "ours":
        raise SourceError("a bad source", where="a.txt", fix="mend it")
    if how == "killed":
        print("about to go", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "large":
        held = bytearray(2 << 30)
        held[::4096] = b"x" * len(held[::4096])
        time.sleep(60)
    raise ZeroDivisionError("one by none")


def at_work(run: Path) -> list[str]:
    """The tasks of a run's arrays that Slurm has at work or waiting."""
    return queue(f"--name=hanjo-{run.name}")


def test_the_daemons_are_heard_on_the_loopback_alone(cluster: Path) -> None:
    daemons = {int((cluster / f"{name}.pid").read_text()) for name in ("slurmctld", "slurmd", "munge")}
    sockets = {str(fd.readlink()) for one in daemons for fd in Path(f"/proc/{one}/fd").glob("*")}
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in (Path("/proc/net") / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                listening.add(fields[1].partition(":")[0])
    assert listening == {"0100007F"}


def test_more_jobs_than_an_array_has_room_for_run_in_its_tasks(cluster: Path, tmp_path: Path) -> None:
    run = tmp_path / "run 100%"  # % is a sign of Slurm's in the names of logs
    jobs = jobs_of(run, "abcdefghij", note)
    ended = carried_out(run, jobs)
    assert sorted(ended) == list("abcdefghij")
    assert [(run / f"tried-{name}").read_text() for name in ended] == ["x"] * 10
    processes = {done.outcome.facts["process"] for done in ended.values()}
    assert len(processes) == LARGEST
    assert os.getpid() not in processes
    assert {done.outcome.facts["threads"] for done in ended.values()} == {"1"}
    assert all(done.peak_memory > 1 << 20 for done in ended.values())
    assert slurm_batch.folders(run) == []


@pytest.mark.parametrize(
    ("how", "kind", "message"),
    [
        ("ours", SourceError, "a.txt: a bad source"),
        ("unforeseen", WorkerError, "job b: unforeseen ZeroDivisionError"),
        ("killed", WorkerError, r"(?s)job b: task \d+_1 of Slurm ended: FAILED \(on node .*exit code 0:9.*about to go"),
        (
            "large",
            WorkerError,
            r"(?s)job b: task \d+_1 of Slurm ended: FAILED \(on node .*exceeded memory limit.*spare_memory",
        ),
    ],
)
def test_the_first_failure_raises_after_one_attempt_and_ends_the_array(
    cluster: Path, tmp_path: Path, how: str, kind: type[HanjoError], message: str
) -> None:
    run = tmp_path / f"fails-{how}"
    good, bad = jobs_of(run, "ac", note, wait=""), jobs_of(run, "b", fail, how=how)
    slow = jobs_of(run, "d", note, wait="never")
    ended: list[str] = []
    with pytest.raises(kind, match=message), workers_of(run) as workers:
        workers.carry_out_all([good[0], *bad, good[1], *slow], lambda job, *_: ended.append(job.name))
    assert (run / "tried-b").read_text() == "x"
    assert at_work(run) == []
    mended = [*good, *jobs_of(run, "bd", note)]
    assert sorted(carried_out(run, [one for one in mended if one[0].name not in ended]).keys() | ended) == list("abcd")
    assert (run / "tried-a").read_text() == "x", "what had finished was not done again"


def test_what_slurm_refuses_is_told_as_it_says_it(cluster: Path, tmp_path: Path) -> None:
    run = tmp_path / "refused"
    with pytest.raises(UsageError, match=r"(?s)sbatch refused the array.*partition.*sinfo"):
        carried_out(run, jobs_of(run, "a", note), partition="none-such")
    with pytest.raises(UsageError, match=r"sbatch refused the array: .*node configuration"):
        carried_out(run, jobs_of(run, "a", note), spare_memory=1 << 50)
    with pytest.raises(UsageError, match=r"waits for ever: PartitionTimeLimit"):
        carried_out(run, jobs_of(run, "a", note), time="120")
    assert at_work(run) == []
    assert not (run / "tried-a").exists()


def test_a_set_up_that_fails_is_told_with_its_log(cluster: Path, tmp_path: Path) -> None:
    run = tmp_path / "setup"
    logs = tmp_path / "logs"
    with pytest.raises(WorkerError, match=r"(?s)ended: FAILED .*exit code 1:0.*no-such-module"):
        carried_out(run, jobs_of(run, "a", note), setup="cat no-such-module\n", logs=str(logs))
    assert [path.name for path in logs.iterdir()] == ["setup-1-0.log"]


def late(context: JobContext, *, name: str) -> Outcome:
    """A job that takes too long the first time."""
    return note(context, name=name, wait="" if (context.run / f"tried-{name}").exists() else "90")


def test_a_task_out_of_time_that_did_something_leaves_the_rest_to_another(cluster: Path, tmp_path: Path) -> None:
    run = tmp_path / "time"
    ended = carried_out(run, [*jobs_of(run, "a", note), *jobs_of(run, "b", late)], time="1", array=1)
    assert sorted(ended) == ["a", "b"]
    assert [(run / f"tried-{name}").read_text() for name in "ab"] == ["x", "xx"]


def test_jobs_of_a_lost_node_are_handed_in_again_when_their_tasks_have_surely_ended(
    cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "lost"
    waited: list[float] = []

    def sleep(seconds: float, real: Callable[[float], None] = time.sleep) -> None:
        node = socket.gethostname().partition(".")[0]
        if (run / "tried-b").exists() and not (run / "down").exists():
            (run / "down").touch()
            subprocess.run(["scontrol", "update", f"nodename={node}", "state=down", "reason=test"], check=True)
        if seconds == slurm_workers._FENCE:
            waited.append(seconds)
            (run / "go").touch()
            until(lambda: "idle" in sinfo(), "the node is back")
        real(seconds)

    monkeypatch.setattr("hanjo.slurm_workers.time.sleep", sleep)
    jobs = [*jobs_of(run, "a", note), *jobs_of(run, "b", note, wait="go")]
    assert sorted(carried_out(run, jobs, array=1)) == ["a", "b"]
    assert [(run / f"tried-{name}").read_text() for name in "ab"] == ["x", "xx"]
    assert len(waited) == 1


def test_a_task_ends_by_itself_when_its_order_is_taken_back(cluster: Path, tmp_path: Path) -> None:
    run = tmp_path / "revoked"
    abandoned(run, jobs_of(run, "a", note, wait="never"))
    batch = slurm_batch.Batch.read(slurm_batch.folders(run)[0])
    assert batch is not None and at_work(run)
    batch.take_back()
    until(lambda: not at_work(run), "the task ends", slurm_batch.LEASE + 10)
    assert not (run / "a").exists()


class Killed(BaseException):
    """Stands for SIGKILL: nothing is tidied up after it."""


def abandoned(run: Path, jobs: list, finished: int = 0) -> list[str]:
    """The jobs that a head had marked when it was killed, its tasks at work and at least `finished` jobs marked."""
    workers = workers_of(run)
    workers._cancel = lambda: None  # type: ignore[method-assign]
    ended: list[str] = []

    def sleep(seconds: float, real: Callable[[float], None] = time.sleep) -> None:
        if len(ended) >= finished and list(run.glob("tried-*")):
            raise Killed
        real(min(seconds, 0.1))

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr("hanjo.slurm_workers.time.sleep", sleep)
        workers.carry_out_all(jobs, lambda job, *_: ended.append(job.name))
    return ended


def test_an_array_that_a_killed_head_left_is_taken_up_as_it_is(cluster: Path, tmp_path: Path) -> None:
    run = tmp_path / "left"
    jobs = [*jobs_of(run, "abc", note), *jobs_of(run, "de", note, wait="go")]
    marked = abandoned(run, jobs, finished=2)
    before = {path.name for path in slurm_batch.folders(run)}
    execution = ExecutionSettings(kind="local")
    with pytest.raises(LockedError, match=r"tasks of Slurm \(array \d+\) may still work on this run"):
        executor_of(execution, run, run)
    left = at_work(run)
    assert left
    (run / "go").touch()
    carried_out(run, [one for one in jobs if one[0].name not in marked])
    assert before == {"1"}
    assert [(run / f"tried-{name}").read_text() for name in "abcde"] == ["x"] * 5, "nothing was handed in twice"
    executor_of(execution, run, run)


def test_an_array_that_is_not_wanted_any_more_is_ended_before_another_begins(cluster: Path, tmp_path: Path) -> None:
    run = tmp_path / "unwanted"
    abandoned(run, jobs_of(run, "a", note, wait="never"))
    other = [(job, replace(context, fingerprint="f" * 32)) for job, context in jobs_of(run, "a", note)]
    seen: list[list[str]] = []
    with workers_of(run) as workers, pytest.MonkeyPatch.context() as patch:
        real = slurm.submit
        patch.setattr("hanjo.slurm.submit", lambda *given: (seen.append(at_work(run)), real(*given))[1])
        workers.carry_out_all(other, lambda *_: None)
    assert seen == [[]], "the first was gone when the second was handed in"
    assert (run / "a").read_text() == "a"


def hanjo(run: Path, kind: str, until_stage: str, *sets: str) -> list[str]:
    command = [sys.executable, "-m", "hanjo.cli", "run", str(QUICKSTART), "--run", str(run), "--until", until_stage]
    for value in (f"execution.kind={kind}", SMALL, "execution.memory=1GiB", "execution.slurm.poll=0.5", *sets):
        command += ["--set", value]
    return [*command, "--json"]


def files_of(run: Path) -> dict[str, str]:
    """Hashes of all that a run wrote, but for the files that know the clock or the machine."""
    paths = [path for path in run.rglob("*") if path.is_file() and path.name not in CLOCKS]
    return {path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_the_sample_up_to_dedup_gives_the_same_bytes_as_local_processes(
    cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hanjo.execution import Runner
    from hanjo.progress import Progress
    from hanjo.stages import up_to

    monkeypatch.setattr("dedup.stage._SMALL", 0)  # so small an input would be done in this process
    sent: list[str] = []
    real = slurm.submit
    monkeypatch.setattr("hanjo.slurm.submit", lambda *given: (sent.append(str(given[1])), real(*given))[1])
    for kind in ("local", "slurm"):
        sets = [f"execution.kind={kind}", SMALL, "execution.memory=1GiB", "execution.slurm.poll=0.5"]
        recipe = load_recipe(QUICKSTART, sets)
        Runner(tmp_path / kind, recipe, QUICKSTART.parent, Progress("quiet")).run_stages(up_to("dedup"))
    local = files_of(tmp_path / "local")
    assert {name.partition("/")[0] for name in local} >= {"documents", "signals", "verdicts", "clusters", "unique"}
    assert local == files_of(tmp_path / "slurm")
    assert len(sent) >= 5


def test_a_killed_run_is_taken_up_and_gives_the_same_bytes(cluster: Path, tmp_path: Path) -> None:
    run = tmp_path / "killed"
    slow = "execution.slurm.setup=sleep 8"  # so that the array is at work when its head is killed
    head = subprocess.Popen(hanjo(run, "slurm", "measure", slow), cwd=ROOT, stdout=subprocess.DEVNULL)
    until(lambda: bool(run.exists() and at_work(run)), "an array is handed in")
    head.kill()
    head.wait()
    left = at_work(run)
    assert left
    told = subprocess.run(hanjo(run, "local", "measure"), cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "tasks of Slurm" in told.stderr
    assert set(at_work(run)) <= set(left)
    subprocess.run(hanjo(run, "slurm", "measure", slow), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    until(lambda: not at_work(run), "the last task ends after its last result")
    subprocess.run(hanjo(tmp_path / "local", "local", "measure"), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    assert files_of(run) == files_of(tmp_path / "local")


def test_ctrl_c_cancels_the_array(cluster: Path, tmp_path: Path) -> None:
    run = tmp_path / "stopped"
    command = hanjo(run, "slurm", "collect", "execution.slurm.setup=sleep 60")
    head = subprocess.Popen(
        command,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background ignore it
    )
    until(lambda: bool(run.exists() and at_work(run)), "an array is handed in")
    head.send_signal(signal.SIGINT)
    _, told = head.communicate(timeout=60)
    assert head.returncode == 130
    assert "the same command goes on from here" in told
    assert at_work(run) == []
