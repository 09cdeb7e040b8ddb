"""What each rule means, in one line: from where the packages declare them; the report's captions."""

from __future__ import annotations

from corpus.boilerplate import LINE_RULES
from corpus.identifiers import DOCS
from corpus.rules import RULES
from corpus.signals import SIGNALS
from hanjo.report.facts import Facts
from hanjo.report.figures import sentence, trim
from hanjo.report.limits import limits_in_use
from hanjo.report.limits import others as other_limits
from hanjo.report.veil import veil

_OTHERS = {
    "dedup.exact": "The same text, spaces aside, as a document that stays.",
    "dedup.near": "Shares most of its shingles with a document that stays.",
    "index.exact": "The same text, spaces aside, as a document of the index that the recipe names.",
    "index.near": "Shares most of its shingles with a document of the index that the recipe names.",
    "dedup.split": "Held out: it resembles documents of two splits, so it would stand on both sides.",
    "version.superseded": "An older version of a document that came again under the same id.",
}


def rule_docs(facts: Facts) -> dict[str, str]:
    """Rule id → what it keeps, cuts or removes, with the limits that judged the run, as far as the packages say."""
    limits = limits_in_use(facts)
    usual = next(iter(limits.values()), {})
    signals = {signal.name: signal for signal in SIGNALS}
    # Veiled, since examples of by-lines hold names and addresses, invented ones too.
    docs = {rule.id: sentence(veil(rule.doc)) for rule in LINE_RULES} | _OTHERS
    docs |= {f"pii.{name}": sentence(doc) for name, doc in DOCS.items()}
    for rule in RULES:
        signal, limit = signals[rule.signal], usual.get(rule.limit)
        if limit is not None:
            most = "at most" if rule.bound == "max" else "at least"
            others = other_limits(limits, rule.limit)
            beside = "".join(f"; {name} {trim(value)}" for name, value in others.items())
            docs[rule.id] = sentence(f"{signal.doc}: {most} {trim(limit)} ({signal.unit}) is kept{beside}")
    return docs
