"""The page docs/signals.md: every signal with its meaning, unit, source, rules, and a histogram over sample text.

Made from the definitions in `corpus/signals.py` and `corpus/rules.py` by `hanjo corpus signals --doc SAMPLE`.
"""

from __future__ import annotations

import gzip
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import SourceError
from corpus.measured import Floats
from corpus.profiles import DEFAULT
from corpus.rules import RULES, shipped_limits
from corpus.signals import SIGNALS, measure_texts

BINS = 16
_BARS = "▁▂▃▄▅▆▇█"
_NOT_OF_TEXT = {"quality": "known only with a classifier"} | dict.fromkeys(
    ("boilerplate", "private", "private_drop"), "known only before editing"
)
_HEAD = """# Signals

What *measure* writes of every document to `signals/`: a float64 column each, of the text as edited. The rules of
*decide* compare them with the limits shown (the defaults; `hanjo recipe explain decide`). This page is made by
`hanjo corpus signals --doc recipes/sample > docs/signals.md`; a test holds it to the definitions.

*Eojeol* are pieces between white space; *visible* characters are all but white space. Of an empty text every signal is
0 but `spacing`, which is 1.

The histograms are over the {texts:,} texts of the sample that can be read from its JSON lines and Parquet, unedited:
{bins} bins of equal width from the 1st to the 99th percentile, what lies beyond in the outer ones; the height of a bar
goes with the square root of the number of texts. Beside it stand those percentiles, and behind it the median.

| signal | meaning | unit | rules | on the sample | source |
|-|-|-|-|-|-|
"""


def signal_page(sample: Path) -> str:
    """The whole page.

    Args:
        sample: folder with JSON lines or Parquet (fields `text`), over which the histograms are taken.
    """
    texts = list(sample_texts(sample))
    if not texts:
        raise SourceError("no text in JSON lines or Parquet", where=sample.name, fix="name a folder with some")
    nothing = np.zeros(len(texts))
    table = measure_texts(pa.array(texts, pa.large_string()), nothing, nothing)
    rows = [_row(number, table.column(number).to_numpy(zero_copy_only=False)) for number in range(len(SIGNALS))]
    sources = [f"{number}. {source}" for number, source in enumerate(_sources(), 1)]
    return "\n".join([_HEAD.format(texts=len(texts), bins=BINS) + "\n".join(rows), "", "## Sources", *sources, ""])


def sample_texts(folder: Path) -> Iterator[str]:
    """Field `text` of every record in the folder's JSON lines and Parquet, in order of the files' names.

    NFC, with plain newlines; lines that are no JSON are passed over.
    """
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        if path.name.endswith((".jsonl", ".jsonl.gz")):
            data = path.read_bytes()
            yield from _texts_of_lines(gzip.decompress(data) if path.suffix == ".gz" else data)
        elif path.suffix == ".parquet":
            yield from map(_plain, pq.read_table(path, columns=["text"])["text"].to_pylist())


def _texts_of_lines(data: bytes) -> Iterator[str]:
    for line in data.split(b"\n"):
        try:
            text = json.loads(line)["text"]
        except (ValueError, KeyError, TypeError):
            continue
        if isinstance(text, str):
            yield _plain(text)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n")


def sparkline(values: Floats) -> str:
    """A histogram as one line of text: low end, bars, high end, median."""
    low, middle, high = np.percentile(values, (1, 50, 99))
    if low == high:
        return f"{_number(low)} (nearly all)"
    heights = np.sqrt(np.histogram(np.clip(values, low, high), BINS, (low, high))[0])
    levels = np.ceil(heights / heights.max() * len(_BARS)).astype(int)
    bars = "".join(" " if level == 0 else _BARS[level - 1] for level in levels)
    return f"{_number(low)} `{bars}` {_number(high)}; {_number(middle)}"


def _sources() -> list[str]:
    return list(dict.fromkeys(signal.source for signal in SIGNALS if signal.source))


def _row(number: int, values: Floats) -> str:
    signal = SIGNALS[number]
    limits = shipped_limits()[DEFAULT]
    rules = [
        f"`{rule.id}` {'≤' if rule.bound == 'max' else '≥'} {_number(limits[rule.limit])}"
        + (f" from {_number(rule.since[1])} {rule.since[0]}" if rule.since[1] > 0 else "")
        for rule in RULES
        if rule.signal == signal.name
    ]
    source = f"[{_sources().index(signal.source) + 1}](#sources)" if signal.source else ""
    drawn = _NOT_OF_TEXT[signal.name] if signal.name in _NOT_OF_TEXT else sparkline(values)
    cells = (f"`{signal.name}`", signal.doc, signal.unit, ", ".join(rules), drawn, source)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
