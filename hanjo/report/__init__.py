"""The report of a run: `write_report` in page.py, its parts beside it."""

__all__ = ["write_report"]

from hanjo.report.page import write_report
