"""Stage measure: for every document, which spans to cut or mask, and the signals of the text so edited.

documents/NNNNN → edits/NNNNN and signals/NNNNN, row by row. Nothing is removed here: decide does that, from the
signals alone, in seconds. Where personal data stands is written to edits/; what it says is written nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from annotated_types import Ge, Le

from corpus.classifier import Scorer, content_hash, open_classifier
from corpus.documents import EDITS
from corpus.edits import apply_edits, edits_array, merged, one_array, text_buffers
from corpus.errors import StaleError
from corpus.privacy import Policy, find_private
from corpus.settings import Common, setting
from corpus.shards import (
    Counts,
    Job,
    JobContext,
    Outcome,
    Phase,
    Phases,
    add,
    fingerprint_of,
    read_shards,
    write_table,
)
from corpus.signals import SCHEMA, measure_texts
from corpus.staging import WITHDRAWN, withdrawn_rows

VERSION = 1


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """What to do with each identifier: mask it by placeholder, drop its document, only report it, keep it unseen."""

    rrn: Policy = setting("mask", "주민등록번호, 외국인등록번호")
    passport: Policy = setting("mask", "여권번호, with the word near")
    license: Policy = setting("mask", "운전면허번호")
    phone: Policy = setting("mask", "telephone numbers but the business lines 15xx, 16xx, 18xx and 080")
    email: Policy = setting("mask", "e-mail addresses")
    card: Policy = setting("mask", "card numbers (Luhn)")
    account: Policy = setting("mask", "bank accounts, with a bank's name near")
    plate: Policy = setting("mask", "vehicle plates")
    address: Policy = setting("mask", "postal addresses from the building's number on; names of towns and streets stay")
    ip: Policy = setting("mask", "public IP addresses")
    health: Policy = setting("mask", "건강보험증 번호, with the word near")
    messenger: Policy = setting("mask", "IDs of KakaoTalk, Telegram and the like, with the word near")
    name: Policy = setting(
        "keep", "names in fields: 성명: 홍길동", origin="text to pretrain on is full of people in public life"
    )
    brn: Policy = setting("report", "사업자등록번호 of firms", origin="public by law for firms")
    corporation: Policy = setting("report", "법인등록번호", origin="public by law")

    def policies(self) -> dict[str, Policy]:
        """Identifier → policy."""
        return {name: getattr(self, name) for name in type(self).__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """What is looked for in the text."""

    boilerplate_budget: Annotated[float, Ge(0), Le(1)] = setting(
        0.5, "most of a document that may go as boilerplate; where more is found, nothing is cut", unit="share of bytes"
    )
    privacy: PrivacySettings = setting(PrivacySettings, "personal data")
    classifier: str | None = setting(
        None, "folder of a trained classifier (hanjo corpus classifier train), whose score is the signal quality"
    )


def phases(run: Path, settings: MeasureSettings, common: Common) -> Phases:
    """One job a shard of documents.

    Raises:
        SourceError: `classifier` is no folder of a trained one.
    """
    local = {}
    arguments = {"budget": settings.boilerplate_budget, "policies": settings.privacy.policies()}
    if settings.classifier is not None:
        local["folder"] = common.base / settings.classifier
        arguments["classifier"] = content_hash(local["folder"])
    shards = read_shards(run, "collect", "documents")
    yield Phase(
        "measure",
        "map",
        [
            Job(
                Path(shard.path).stem,
                measure_shard,
                {"shard": shard.path, **arguments},
                (shard.fingerprint,),
                local,
                weight=max(1, shard.bytes),
            )
            for shard in shards
        ],
    )


def measure_shard(
    context: JobContext,
    *,
    shard: str,
    budget: float,
    policies: Mapping[str, Policy],
    classifier: str | None = None,
    folder: Path | None = None,
) -> Outcome:
    """Write the edits and signals of one shard of documents.

    Args:
        classifier: content hash of the classifier in `folder`, None where there is none.

    Raises:
        StaleError: another classifier lies in the folder now.
    """
    score = None
    if folder is not None:
        if content_hash(folder) != classifier:
            raise StaleError("the classifier was changed meanwhile", where=str(folder), fix="run measure again")
        score = open_classifier(folder)
    path = context.run / shard
    of = fingerprint_of(path)
    counts: Counts = {}
    edits, signals = [], []
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group, columns=["text", "path"])
            found, batch = measure_batch(one_array(rows["text"]), budget, policies, counts, score)
            if gone := int(withdrawn_rows(rows["path"]).sum()):
                add(counts, "kept", documents=-gone)
                add(counts, WITHDRAWN, documents=gone)
            edits.append(found)
            signals.append(batch)
    edits_table = pa.table({"edits": pa.chunked_array(edits, EDITS.field("edits").type)}, schema=EDITS)
    name = path.name
    outputs = (
        write_table(context.run / "edits" / name, edits_table, EDITS, context, of=of),
        write_table(context.run / "signals" / name, pa.Table.from_batches(signals, SCHEMA), SCHEMA, context, of=of),
    )
    return Outcome(outputs, counts)


def measure_batch(
    texts: pa.Array, budget: float, policies: Mapping[str, Policy], counts: Counts, score: Scorer | None = None
) -> tuple[pa.Array, pa.RecordBatch]:
    """The edits and signals of some texts.

    Args:
        texts: large_string [documents].
        budget, policies: as in MeasureSettings.
        counts: added to.
        score: the classifier, None where there is none.

    Returns:
        The column `edits` of EDITS [documents]; the signals of the edited texts, SCHEMA [documents].
    """
    from corpus.boilerplate import find_boilerplate

    buffer, offsets = text_buffers(texts)
    lines = find_boilerplate(buffer, offsets, budget)
    private = find_private(buffer, offsets, policies)
    both = {
        row: merged(lines.edits.get(row, ()), private.edits.get(row, ()))
        for row in sorted(lines.edits.keys() | private.edits.keys())
    }
    edits = edits_array(both, len(texts))
    edited = apply_edits(texts, edits)
    numbers, dropped = private.numbers.astype(np.float64), private.dropped.astype(np.float64)
    quality = None if score is None else score(edited)
    signals = measure_texts(edited, lines.shares, numbers, quality, dropped)
    for one in both.values():
        for rule in {edit.rule for edit in one}:
            add(counts, f"edited/{rule}", documents=1)
        for edit in one:
            add(counts, f"edited/{edit.rule}", spans=1, bytes=edit.end - edit.start)
    for name, (documents, number) in private.reported.items():
        add(counts, f"reported/pii.{name}", documents=documents, spans=number)
    if lines.over_budget:
        add(counts, "reported/boilerplate.over_budget", documents=lines.over_budget)
    size = int(offsets[-1] - offsets[0])
    add(counts, "in", documents=len(texts), bytes=size)
    add(counts, "kept", documents=len(texts), bytes=int(text_buffers(edited)[1][-1]) if len(texts) else 0)
    return edits, signals
