"""Every error hanjo raises on purpose, for all packages; the command line turns them into one message and an exit code.

    HanjoError                    exit 1: the work failed
    ├── UsageError                exit 2: a wrong flag or argument
    │   └── RecipeError           exit 2: an unreadable recipe, an unknown key, a value out of range
    ├── SourceError               a source that cannot be read at all (missing, no reader, bad submission.yaml)
    ├── SchemaError               a table lacks columns or has other types than its contract says
    ├── StaleError                a sidecar, marker or checkpoint belongs to other inputs than those given
    ├── CountError                in ≠ kept + removed + quarantined + withdrawn
    ├── QuarantineError           more quarantined than the recipe allows
    ├── LedgerError               a line of the ledger, or a figure of a receipt, is not what was written
    ├── RightsError               a document without a right that its target needs was about to be used
    ├── LockedError               another process works on this run
    ├── StorageError              disk full, read-only, or vanished while writing
    ├── WorkerError               a worker process died or raised something unforeseen
    ├── TrainingError             the launcher or a training rank failed
    └── MissingExtraError         an optional dependency is not installed

One bad record inside a readable file is no error: it is a `Rejected` record (`corpus/documents.py`), counted.
"""

from __future__ import annotations


class HanjoError(Exception):
    """A failure that a user can act on.

    Args:
        what: what was wrong, a sentence without the final full stop.
        where: file, line, byte or key.
        fix: what to do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(what, where, fix)
        self.what, self.where, self.fix = what, where, fix

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  → {self.fix}" if self.fix else text

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders; keyword-only arguments do not survive the default pickling.
        return (_restore, (type(self), self.what, self.where, self.fix))


def _restore(kind: type[HanjoError], what: str, where: str | None, fix: str | None) -> HanjoError:
    return kind(what, where=where, fix=fix)


class UsageError(HanjoError):
    exit_code = 2


class RecipeError(UsageError):
    pass


class SourceError(HanjoError):
    pass


class SchemaError(HanjoError):
    pass


class StaleError(HanjoError):
    pass


class CountError(HanjoError):
    pass


class QuarantineError(HanjoError):
    pass


class LedgerError(HanjoError):
    pass


class RightsError(HanjoError):
    pass


class LockedError(HanjoError):
    pass


class StorageError(HanjoError):
    pass


class WorkerError(HanjoError):
    pass


class TrainingError(HanjoError):
    pass


class MissingExtraError(HanjoError):
    """An optional dependency is missing; `extra` is the name in `pip install 'hanjo[extra]'`."""

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None, extra: str = "") -> None:
        super().__init__(what, where=where, fix=fix or f"pip install 'hanjo[{extra}]'")
