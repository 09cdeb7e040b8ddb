"""The house: budgets of files and functions, docstrings, names, the direction of imports, and the README's tree."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("corpus", "dedup", "tokenizer", "pretrain", "eval", "hanjo")
MODULES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
SAY_NOTHING = {"utils.py", "util.py", "common.py", "helpers.py", "misc.py"}
FILE_LINES, FUNCTION_LINES = 400, 60


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_opens_with_its_docstring_and_keeps_the_budgets(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "say what this module is and where it sits in the flow"
    assert text.count("\n") <= FILE_LINES
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not long


def test_no_file_has_a_name_that_says_nothing_or_shadows_the_standard_library() -> None:
    names = {path.name for path in MODULES}
    assert not names & SAY_NOTHING
    assert not {path.stem for path in MODULES} & (set(sys.stdlib_module_names) - {"__init__"})


def test_no_tests_folder_is_a_package() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_the_tree_in_the_readme_is_the_real_one() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```text\n(corpus/.*?)```", readme, re.DOTALL)
    assert block, "README.md shows the top-level folders in a ```text block that begins with corpus/"
    shown = {line.split("/")[0] for line in block[1].splitlines() if re.match(r"[a-z]+/", line)}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    real = {line.split("/")[0] for line in listed.splitlines() if "/" in line and not line.startswith(".")}
    assert shown == real


def test_the_wheel_names_every_package_and_no_other() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = set(project["tool"]["setuptools"]["packages"])
    real = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in MODULES if path.name == "__init__.py"
    }
    assert named == real
