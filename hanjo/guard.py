"""Checks at start that our packages are ours: another distribution can own a name such as `tokenizer`."""

from __future__ import annotations

import importlib

from corpus.errors import UsageError

PACKAGES = ("corpus", "dedup", "tokenizer", "pretrain", "eval")


def check_packages() -> None:
    """Import each package (their `__init__` are empty) and ask whose it is.

    Raises:
        UsageError: naming the intruder and the folder it was found in.
    """
    for name in PACKAGES:
        package = importlib.import_module(name)
        if getattr(package, "__distribution__", None) != "hanjo":
            raise UsageError(
                f"the package {name!r} is not hanjo's",
                where=str(getattr(package, "__file__", None) or list(package.__path__)),
                fix="uninstall that distribution or run hanjo in its own virtual environment",
            )
