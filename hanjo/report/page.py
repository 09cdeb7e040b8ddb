"""The last step of `hanjo run`, and `hanjo report RUN`: one self-contained page about a run, whatever stage it reached.

    facts (manifest, ─┬─ funnel    counts: stages, sources, rights, the target
    timings, curves)  ├─ samples   masked text of a few shards (rows, excerpts)
                      ├─ signals   histograms of a bounded number of rows
                      └─ training  curves, scores, costs
                            └→ charts, figures → page.html.jinja + page.css → RUN/report.html

The page loads nothing from anywhere, needs no script, and shows no personal data. It knows the clock, so it is no
part of what a run must reproduce byte by byte.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import time
from pathlib import Path
from typing import Any

import hanjo.report.charts as charts
import hanjo.report.figures as figures
import hanjo.report.funnel as funnel
from corpus.documents import QUARANTINE
from corpus.errors import StaleError
from corpus.ledger import axes
from corpus.shards import atomic_path, read_table, shard_paths
from hanjo.ledger import current_entry
from hanjo.report.facts import Facts, read_costs, read_facts, read_rights
from hanjo.report.rules import rule_docs
from hanjo.report.samples import read_samples
from hanjo.report.signals import read_signals
from hanjo.report.templates import environment
from hanjo.report.training import FEW, bits_per_byte, read_scores, read_training, spent
from hanjo.version import __version__

_QUARANTINED = 30  # rows shown
_LIBRARIES = ("numpy", "pyarrow", "numba", "tokenizers", "torch", "transformers", "deepspeed", "lm_eval")


def write_report(run: Path) -> Path:
    """Write RUN/report.html from what the run's folder holds; sections without data say which stage fills them.

    Raises:
        StaleError: there is no run in the folder, or one of its files belongs to other inputs.
    """
    page = render(read_facts(run))
    target = run / "report.html"
    with atomic_path(target) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return target


def render(facts: Facts) -> str:
    """The page as HTML text."""
    pages = environment()
    names = ("whole", "short", "headline", "size", "number", "trim", "sentence", "percent", "seconds", "count_of")
    pages.filters |= {name: getattr(figures, name) for name in names}
    pages.globals |= {name: getattr(charts, name) for name in ("share_bar", "log_place", "log_scale")}
    return pages.get_template("page.html.jinja").render(facts=facts, **_content(facts))


def _content(facts: Facts) -> dict[str, Any]:
    """Everything the template shows, by name."""
    results = _results(facts)
    scores = read_scores(results)
    sources = funnel.by_source(facts)
    grants = read_rights(facts.run)
    rights = funnel.by_rights(facts, grants)
    ledger = current_entry(facts.run)
    return {
        "flows": funnel.flows(facts),
        "bytes_a_token": funnel.bytes_a_token(facts),
        "told": funnel.told,
        "sources": sources,
        "all_sources": funnel.total(sources),
        "rights": rights,
        "ledger": ledger,
        "axes": axes(ledger["rows"]) if ledger else [],
        "not_to_pass_on": sorted({row["source"] for row in grants.values() if not row["redistribute"]}),
        "target": int(facts.manifest.get("target", {}).get("tokens", 0)),
        "tokens": facts.amount("tokenize", "kept", "tokens"),
        "samples": read_samples(facts),
        "docs": rule_docs(facts),
        "quarantine": _quarantine(facts),
        "signals": read_signals(facts),
        "training": read_training(facts),
        "results": results,
        "scores": scores,
        "few": FEW,
        "bits": bits_per_byte(scores),
        "spent": spent(facts, read_costs(facts.run)),
        "recipe_text": _recipe_text(facts),
        "libraries": _libraries(),
        "version": __version__,
        "python": platform.python_version(),
        "written": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def _results(facts: Facts) -> dict[str, Any]:
    path = facts.run / "evaluate" / "results.json"
    if not facts.finished("evaluate") or not path.is_file():
        return {}
    try:
        results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StaleError(f"not readable JSON ({error})", where=str(path), fix="run evaluate again") from error
    return results


def _quarantine(facts: Facts) -> list[dict[str, Any]]:
    """The first rows of the quarantine, as many as a page can hold."""
    rows: list[dict[str, Any]] = []
    if facts.finished("collect"):
        for path in shard_paths(facts.run / "quarantine"):
            rows += read_table(path, schema=QUARANTINE).slice(0, _QUARANTINED - len(rows)).to_pylist()
            if len(rows) >= _QUARANTINED:
                break
    return rows


def _recipe_text(facts: Facts) -> str:
    path = facts.run / "recipe.yaml"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _libraries() -> list[tuple[str, str]]:
    """The installed versions of what runs depend on most; those not installed are left out."""
    found = []
    for name in _LIBRARIES:
        try:
            found.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
