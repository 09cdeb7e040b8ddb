"""`hanjo run` with `dedup.index`: an incremental corpus, run by run; again, killed, and with documents taken back."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from corpus.submission import EXAMPLE
from dedup.index import Index
from dedup.index_check import check
from dedup.index_query import verdicts
from dedup.index_sources import ids_of

Hanjo = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "recipes" / "sample"
RECIPE = """
name: {name}
as_of: 2026-11-24
collect:
  sources: [{{path: {path}}}]
dedup:
  index: known
  index_add: true
execution: {{workers: 1}}
"""


class Project:
    """Recipes in a folder, and the index `known` beside them."""

    def __init__(self, hanjo: Hanjo, folder: Path) -> None:
        self.hanjo, self.folder = hanjo, folder
        with gzip.open(SAMPLE / "tax-rulings" / "tribunal.jsonl.gz", "rt", encoding="utf-8") as file:
            self.texts = [json.loads(line)["text"] for line in file][:90]

    def source(self, name: str, texts: list[str]) -> None:
        data = self.folder / name
        data.mkdir(exist_ok=True)
        (data / "submission.yaml").write_text(EXAMPLE.replace("source: ", f"source: {name}-"), encoding="utf-8")
        lines = [json.dumps({"id": f"{name}-{n}", "text": text}, ensure_ascii=False) for n, text in enumerate(texts)]
        (data / "data.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self.folder / f"{name}.yaml").write_text(RECIPE.format(name=name, path=name), encoding="utf-8")

    def arguments(self, name: str, *sets: str) -> list[str]:
        told = ["run", str(self.folder / f"{name}.yaml"), "--json", "--run", str(self.folder / "runs" / name)]
        return [*told, "--until", "dedup", *(part for one in sets for part in ("--set", one))]

    def run(self, name: str, *sets: str) -> Any:
        return self.hanjo(*self.arguments(name, *sets))

    def killed(self, name: str, at: str) -> None:
        """The same in a process group of its own, killed at the first temporary file with `at` in its path."""
        watched = {"PYTHONPATH": str(Path(__file__).parent / "killer"), "HANJO_KILL_LOG": str(self.folder / "log")}
        watched |= {"HANJO_KILL_RUN": str(self.folder), "HANJO_KILL_AT": at, "HANJO_KILL_NTH": "1"}
        command = [sys.executable, "-m", "hanjo.cli", *self.arguments(name)]
        environment = {**os.environ, **watched}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, start_new_session=True
        )
        assert done.returncode == -9, done.stderr

    def rows(self, name: str) -> dict[str, dict[str, Any]]:
        found = {}
        for path in sorted((self.folder / "runs" / name / "clusters").glob("*.parquet")):
            ids = pq.read_table(self.folder / "runs" / name / "documents" / path.name)["id"].to_pylist()
            rows = pq.read_table(path).drop_columns(["cuts"]).to_pylist()
            found |= dict(zip(ids, rows, strict=True))
        return found

    def kept(self, name: str) -> dict[str, str]:
        return {one: row["split"] for one, row in self.rows(name).items() if row["keep"]}

    def bytes(self, name: str) -> dict[str, str]:
        """Hashes of a run's files, but for those that know the time, of the clock or of the sources' files."""
        run = self.folder / "runs" / name
        return {
            path.relative_to(run).as_posix(): hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
            for path in sorted(run.rglob("*"))
            if path.is_file()
            and path.name not in ("timings.jsonl", "report.html")
            and not path.is_relative_to(run / ".done/collect/hash")
        }

    def index(self) -> Index:
        return Index.open(self.folder / "known")


def ran(done: Any) -> dict[str, int]:
    assert done.returncode == 0, done.stderr
    return {stage["stage"]: stage["ran"] for stage in json.loads(done.stdout)["stages"]}


@pytest.fixture(scope="module")
def project(hanjo: Hanjo, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two runs after each other; the second has thirty documents of the first again, and thirty new ones."""
    made = Project(hanjo, tmp_path_factory.mktemp("project"))
    assert len(made.texts) >= 90
    made.source("first", made.texts[:60])
    made.source("second", made.texts[30:90])
    assert ran(made.run("first"))["dedup"] > 0
    return made


def test_a_second_run_keeps_what_the_first_had_not(project: Project) -> None:
    first = project.kept("first")
    assert ran(project.run("second"))["dedup"] > 0
    second = project.kept("second")
    counts = json.loads((project.folder / "runs/second/manifest.json").read_text())["stages"]["dedup"]["counts"]
    assert counts["removed/index.exact"]["documents"] >= 15
    assert counts["in"]["documents"] == len(project.rows("second"))
    assert project.index().totals["documents"] == len(first) + len(second)
    said = verdicts(project.index().tables, ids_of([*first, *second])).to_pylist()
    assert {row["id"]: row["split"] for row in said} == first | second
    assert all(row["keep"] for row in said)
    check(project.index())
    page = (project.folder / "runs/second/report.html").read_text(encoding="utf-8")
    assert "index.exact" in page


def test_run_again_nothing_is_done_twice_whatever_came_after(project: Project) -> None:
    ran(project.run("second"))
    for name in ("first", "second"):
        before = project.bytes(name)
        state = project.index().state
        assert set(ran(project.run(name)).values()) == {0}
        assert project.bytes(name) == before
        assert project.index().state == state


@pytest.fixture(scope="module")
def whole(hanjo: Hanjo, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A run that gave its documents and was never killed."""
    made = Project(hanjo, tmp_path_factory.mktemp("whole"))
    made.source("only", made.texts[:40])
    ran(made.run("only"))
    return made


@pytest.mark.parametrize(
    "at",
    [
        "known/segments/",
        pytest.param(".done/dedup/give", marks=pytest.mark.slow),
        pytest.param("/index/", marks=pytest.mark.slow),
    ],
)
def test_a_kill_while_the_index_is_given_its_documents_leaves_the_same_run(
    hanjo: Hanjo, tmp_path: Path, whole: Project, at: str
) -> None:
    one = Project(hanjo, tmp_path)
    one.source("only", one.texts[:40])
    one.killed("only", at)
    ran(one.run("only"))
    assert set(ran(one.run("only")).values()) == {0}
    assert one.bytes("only") == whole.bytes("only")
    assert one.index().totals == whole.index().totals
    check(one.index())


def test_a_changed_source_judges_anew_and_never_against_itself(hanjo: Hanjo, tmp_path: Path) -> None:
    one = Project(hanjo, tmp_path)
    one.source("only", one.texts[:40])
    ran(one.run("only"))
    before = one.kept("only")
    one.source("only", [*one.texts[:39], one.texts[39] + " 새로 고친 문장을 덧붙였습니다."])
    assert ran(one.run("only"))["dedup"] > 0
    assert not [row for row in one.rows("only").values() if (row["rule"] or "").startswith("index.")]
    assert set(one.kept("only")) == set(before)
    assert one.index().totals["documents"] == len(before)
    check(one.index())


def test_a_withdrawn_document_leaves_the_index_and_the_run_as_it_was(hanjo: Hanjo, tmp_path: Path) -> None:
    one = Project(hanjo, tmp_path)
    one.source("only", one.texts[:40])
    ran(one.run("only"))
    gone = sorted(one.kept("only"))[3]
    assert hanjo("dedup", "remove", str(one.folder / "known"), "--ids", gone).returncode == 0
    assert set(ran(one.run("only")).values()) == {0}
    assert not verdicts(one.index().tables, ids_of([gone]))["known"][0].as_py()
    given = one.folder / "runs/only/index/00000.txt"
    assert hanjo("dedup", "remove", str(one.folder / "known"), "--ids", str(given)).returncode == 0
    assert one.index().totals["documents"] == 0


def test_a_folder_that_is_no_index_and_settings_that_differ_are_told(hanjo: Hanjo, tmp_path: Path) -> None:
    one = Project(hanjo, tmp_path)
    one.source("only", one.texts[:40])
    done = one.run("only", "dedup.index_add=false")
    assert done.returncode == 2
    assert "no index here" in done.stderr
    ran(one.run("only"))
    done = one.run("only", "dedup.similarity=0.7")
    assert done.returncode == 1
    assert "the index was made with" in done.stderr
    assert "similarity 0.6, not 0.7" in done.stderr
    done = one.run("only", "dedup.index=null")
    assert done.returncode == 2
    assert "index_add names no index" in done.stderr


def test_a_trace_names_the_document_of_the_index(hanjo: Hanjo, project: Project) -> None:
    ran(project.run("second"))
    rows = project.rows("second")
    removed = next(one for one, row in rows.items() if row["rule"] == "index.exact")
    done = hanjo("trace", removed, "--run", str(project.folder / "runs/second"))
    assert f"removed by index.exact: repeats {rows[removed]['witness']} of the index (Jaccard 1.000)" in done.stdout
    shown = hanjo("corpus", "show", str(project.folder / "runs/second"), "--removed", "--rule", "index.exact")
    assert f"repeats {rows[removed]['witness']}" in shown.stdout
