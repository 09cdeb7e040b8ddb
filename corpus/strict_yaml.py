"""YAML without PyYAML's surprises, for recipes and submission.yaml: read by both, knows neither.

Plain PyYAML reads `no` as false and `1e-4` as a string, and of two equal keys silently keeps the last. Here booleans
are `true` and `false` alone, numbers are those of the YAML 1.2 core schema, and a repeated key is an error.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from corpus.errors import UsageError

Lines = dict[tuple[str, ...], int]
"""Path of keys → line in the file, from 1."""


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader with the YAML 1.2 core schema's plain scalars."""


_StrictLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("float", r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$", "-+."),
    ("timestamp", r"[0-9]{4}-[0-9]{2}-[0-9]{2}$", "0123456789"),
):
    _StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def _int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    # SafeLoader would read 0123 as octal and 1:30 as sexagesimal.
    return int(str(loader.construct_scalar(node)))


def _float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    return float(str(loader.construct_scalar(node)).lower().replace(".inf", "inf").replace(".nan", "nan"))


_StrictLoader.add_constructor("tag:yaml.org,2002:int", _int)
_StrictLoader.add_constructor("tag:yaml.org,2002:float", _float)


def load(path: Path, error: type[UsageError] = UsageError) -> tuple[dict[str, Any], Lines]:
    """Read a YAML mapping.

    Returns:
        The mapping, and the line of each of its keys.

    Raises:
        error: missing, not UTF-8, not YAML, not a mapping, or a key twice; with the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as cause:
        raise error("no such file", where=str(path), fix="check the path") from cause
    except IsADirectoryError as cause:
        raise error("a folder, not a file", where=str(path), fix="name the YAML file in it") from cause
    except UnicodeDecodeError as cause:
        raise error(f"not UTF-8 at byte {cause.start}", where=str(path), fix="save the file as UTF-8") from cause
    except OSError as cause:
        raise error(f"cannot be read: {cause.strerror}", where=str(path), fix="check its permissions") from cause
    return loads(text, str(path), error)


def loads(text: str, where: str, error: type[UsageError] = UsageError) -> tuple[dict[str, Any], Lines]:
    """Like `load`, from text; `where` names it in messages."""
    loader = _StrictLoader(text)
    lines: Lines = {}
    try:
        node = loader.get_single_node()
        if node is None:
            raise error("empty", where=where, fix="write at least one key: value line")
        if not isinstance(node, yaml.MappingNode):
            raise error("not a mapping of keys to values", where=where, fix="write `key: value` lines")
        _note_lines(node, (), lines, where, error)
        return loader.construct_document(node), lines
    except yaml.YAMLError as cause:
        mark = getattr(cause, "problem_mark", None)
        place = f"{where}, line {mark.line + 1}, column {mark.column + 1}" if mark else where
        problem = getattr(cause, "problem", None) or str(cause)
        raise error(f"not valid YAML: {problem}", where=place, fix="check the indentation and quotes there") from cause
    except ValueError as cause:
        raise error(f"a value cannot be read: {cause}", where=where, fix="check dates and numbers") from cause
    finally:
        loader.dispose()


def scalar(text: str) -> Any:
    """One value as a recipe would read it (for `--set key=value`): number, true, null, [list], {mapping} or text."""
    loader = _StrictLoader(text)
    try:
        node = loader.get_single_node()
        return text if node is None else loader.construct_document(node)
    except (yaml.YAMLError, ValueError):
        return text
    finally:
        loader.dispose()


def _note_lines(node: yaml.Node, path: tuple[str, ...], lines: Lines, where: str, error: type[UsageError]) -> None:
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*path, str(index))] = item.start_mark.line + 1
            _note_lines(item, (*path, str(index)), lines, where, error)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            line = key.start_mark.line + 1
            if here in lines:
                raise error(
                    f"the key {key.value!r} stands twice (first in line {lines[here]})",
                    where=f"{where}, line {line}",
                    fix="remove one of them",
                )
            lines[here] = line
            _note_lines(value, here, lines, where, error)
