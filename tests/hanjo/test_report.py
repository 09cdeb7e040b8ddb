"""The page about a run: whole at every stage, self-contained, accessible, and without personal data."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from corpus.documents import (
    CLUSTERS,
    DOCUMENTS,
    EDITS,
    ID_INDEX,
    QUARANTINE,
    RIGHTS,
    SHARDS,
    VERDICTS,
    document_id,
    text_hash,
)
from corpus.errors import StaleError
from corpus.rules import RULES, DecideSettings
from corpus.shards import JobContext, write_table
from corpus.signals import SIGNALS
from hanjo.report import write_report
from hanjo.stages import NAMES

PHONE, EMAIL, RRN, NAME = "010-2345-6789", "mandeok.ko@example.kr", "900101-1234568", "고만덕"
SECRETS = (PHONE, "2345-6789", EMAIL, "mandeok", RRN, "1234568", NAME, "비밀문서")
VOID = {"meta", "br", "link", "hr", "img", "input"}

GOOD = "조세심판원은 청구인의 주장을 받아들여 처분을 취소하였다. 이 결정은 신의성실의 원칙에 근거한다."
TEXTS = (
    ("ruling", f"{GOOD} 문의는 {PHONE} 또는 {EMAIL} 로 한다.", None),
    ("ruling", f"{GOOD} 문의는 담당 부서로 한다고 덧붙였다.", None),
    ("news", f"{GOOD}\n{NAME} 기자 {EMAIL}\n", None),
    ("news", "ㅋㅋ <script>alert('x')</script> & 짧다", "length.chars"),
    ("closed", "비밀문서 내용은 누구에게도 보이지 않는다.", "rights.train"),
    ("ruling", f"주민등록번호 {RRN} 만 있는 글은 규칙이 지운다.", "form.singles"),
)


class Page(HTMLParser):
    """Checks that tags close in order, and gathers what the page would load and name."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.unnamed = 0
        self.problems: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.loads += [v or "" for k, v in attrs if k in ("src", "href", "xlink:href", "action") and v and v[0] != "#"]
        self.ids += [values["id"] or ""] if "id" in values else []
        if tag == "svg" and not (values.get("aria-label") or values.get("aria-hidden")):
            self.unnamed += 1
        if tag == "script":
            self.problems.append("a script")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> at {self.getpos()}")


def edit(text: str, part: str, rule: str, replacement: str = "") -> dict[str, Any]:
    start = len(text[: text.index(part)].encode())
    return {"start": start, "end": start + len(part.encode()), "rule": rule, "replacement": replacement}


def edits_of(text: str) -> list[dict[str, Any]]:
    byline = f"{NAME} 기자 {EMAIL}\n"
    if byline in text:  # boilerplate wins over masking: what is cut is not masked
        return [edit(text, byline, "boilerplate.byline")]
    marks = ((PHONE, "pii.phone", "<|phone|>"), (EMAIL, "pii.email", "<|email|>"), (RRN, "pii.rrn", "<|rrn|>"))
    return sorted((edit(text, *mark) for mark in marks if mark[0] in text), key=lambda one: one["start"])


def write_documents(run: Path) -> list[str]:
    context = JobContext(run, "f" * 32, 0)
    ids = [document_id(source, str(i)) for i, (source, _, _) in enumerate(TEXTS)]
    rows = [
        dict.fromkeys(DOCUMENTS.names)
        | {"id": ids[i], "text": text, "source": source, "rights_id": source, "path": "a.jsonl", "offset": i}
        | {"created": datetime(2026, 1, 1, tzinfo=UTC), "text_hash": text_hash(text)}
        for i, (source, text, _) in enumerate(TEXTS)
    ]
    table = pa.Table.from_pylist(rows, schema=DOCUMENTS)
    output = write_table(run / "documents" / "00000.parquet", table, DOCUMENTS, context)
    listed = [{"name": output.path, "rows": output.rows, "bytes": output.bytes, "fingerprint": output.fingerprint}]
    write_table(run / "shards" / "collect.parquet", pa.Table.from_pylist(listed, schema=SHARDS), SHARDS, context)
    for bucket in {one[:2] for one in ids}:
        here = sorted((one, "00000", row) for row, one in enumerate(ids) if one[:2] == bucket)
        found = pa.Table.from_pylist([dict(zip(ID_INDEX.names, one, strict=True)) for one in here], schema=ID_INDEX)
        write_table(run / "documents" / "ids" / f"{bucket}.parquet", found, ID_INDEX, context)
    rights = {
        "rights_id": "ruling",
        "source": "ruling",
        "train": True,
        "license": "공공누리 1",
        "evidence": "https://x",
        "attribution": "<조세심판원>",
    }
    ended = {"rights_id": "closed", "source": "closed", "train": True, "until": date(2025, 12, 31)}
    write_table(run / "rights.parquet", pa.Table.from_pylist([rights, ended], schema=RIGHTS), RIGHTS, context)
    return ids


def write_sidecars(run: Path, ids: list[str]) -> None:
    context = JobContext(run, "e" * 32, 0)

    def sidecar(folder: str, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
        path = run / folder / "00000.parquet"
        write_table(path, pa.Table.from_pylist(rows, schema=schema), schema, context, of="f" * 32)

    sidecar("edits", [{"edits": edits_of(text)} for _, text, _ in TEXTS], EDITS)
    signals = pa.schema([(signal.name, pa.float64()) for signal in SIGNALS])
    measured = [dict.fromkeys(signals.names, float(i)) | {"mojibake": 0.0} for i in range(len(TEXTS))]
    sidecar("signals", measured, signals)
    judged = [
        {"keep": r is None, "rule": r, "value": 1.0 if r else None, "limit": 9.0 if r else None} for _, _, r in TEXTS
    ]
    sidecar("verdicts", judged, VERDICTS)
    clusters = [{"keep": rule is None, "cluster": ids[0], "size": 2, "split": "train"} for _, _, rule in TEXTS]
    clusters[1] |= {"keep": False, "rule": "dedup.near", "witness": ids[0], "similarity": 0.83}
    sidecar("clusters", clusters, CLUSTERS)
    rows = [{"source": "news", "path": "b.jsonl", "offset": 7, "cause": "json.broken", "detail": "line 2: <mend> it"}]
    table = pa.Table.from_pylist(rows, schema=QUARANTINE)
    write_table(run / "quarantine" / "00000.parquet", table, QUARANTINE, context)


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(exist_ok=True)
    cut_off = '{"cut off by a ki'
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + cut_off, encoding="utf-8")


def write_timings(run: Path) -> None:
    job = {
        "stage": "collect",
        "event": "job",
        "phase": "read",
        "job": "0",
        "seconds": 2.5,
        "peak_memory_bytes": 1 << 28,
    }
    stage = {"stage": "collect", "event": "stage", "seconds": 3.0, "jobs": 1, "skipped": 0, "workers": 2}
    steps = [{"stage": "pretrain", "step": s, "seconds": 0.5} for s in range(39)]
    training = job | {"stage": "pretrain", "phase": "train", "job": "train", "peak_memory_bytes": 3_500_000_000}
    write_lines(run / "timings.jsonl", [job | {"seconds": 9.0}, job, stage, *steps, training])


def write_model(run: Path) -> None:
    for name, rows in {
        "pretrain/metrics.jsonl": [
            {"step": s, "tokens": s * 2048, "loss": 9 - s / 9, "lr": 1e-3, "grad_norm": 1.0} for s in range(1, 40)
        ],
        "pretrain/validation.jsonl": [{"step": s, "loss": 8.0, "bits_per_byte": 3 - s / 40} for s in (10, 20, 30)],
    }.items():
        write_lines(run / name, rows)
    same = {"stderr": 0.02, "n": 60, "unit": "bits per byte", "higher_is_better": False, "chance": None}
    same |= {"suite": "bits_per_byte", "metric": "bits_per_byte"}
    results = {
        "confidence": 0.95,
        "engine": "lm-eval 0.4.13",
        "scores": [
            same | {"model": "trained", "value": 2.1, "low": 2.05, "high": 2.15},
            same | {"model": "untrained", "value": 4.6, "low": None, "high": None},
        ],
        "differences": [
            same
            | {"of": "trained", "against": "untrained", "value": -2.5, "low": -2.6, "high": -2.4, "verdict": "better"}
        ],
    }
    (run / "evaluate").mkdir()
    (run / "evaluate" / "results.json").write_text(json.dumps(results), encoding="utf-8")


def counts() -> dict[str, dict[str, dict[str, int]]]:
    some = {"documents": 6, "bytes": 900}
    return {
        "collect": {
            "in": {"documents": 7, "bytes": 1000},
            "kept": some,
            "quarantined/json.broken": {"documents": 1, "bytes": 9},
            "lost/nul": {"times": 2},
            "source/ruling": {"documents": 3, "bytes": 500, "chars": 200, "eojeol": 50},
        },
        "measure": {
            "in": some,
            "kept": some,
            "edited/boilerplate.byline": {"documents": 1, "bytes": 50},
            "edited/pii.phone": {"documents": 1, "bytes": 13},
            "edited/pii.email": {"documents": 1, "bytes": 23},
        },
        "decide": {
            "in": some,
            "kept": {"documents": 3, "bytes": 700},
            "removed/rights.train": {"documents": 1, "bytes": 60},
            "removed/length.chars": {"documents": 1, "bytes": 20},
            "removed/form.singles": {"documents": 1, "bytes": 30},
            "register/law": {"documents": 5, "bytes": 800},
            "register/chat": {"documents": 1, "bytes": 100},
        },
        "dedup": {
            "in": {"documents": 3, "bytes": 700},
            "kept": {"documents": 2, "bytes": 500},
            "removed/dedup.near": {"documents": 1, "bytes": 200},
            "split/train": {"documents": 2, "bytes": 500},
        },
        "tokenize": {
            "in": {"documents": 2, "bytes": 500},
            "kept": {"documents": 2, "bytes": 500, "chars": 200, "eojeol": 50, "tokens": 125},
            "source/ruling": {"documents": 2, "bytes": 500, "chars": 200, "eojeol": 50, "tokens": 125},
            "rights/ruling": {"documents": 2, "tokens": 125},
            "split/train": {"documents": 2, "tokens": 125},
        },
        "pretrain": {"trained": {"tokens": 79872, "steps": 39, "samples": 312}},
        "evaluate": {},
    }


MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """`make_run(until)`: a run's folder as if stopped after that stage; files of later stages may stand around."""

    def make(until: str | None, *extra: str) -> Path:
        run = tmp_path / "demo"
        run.mkdir()
        done = [*NAMES[: NAMES.index(until) + 1], *extra] if until else []
        stages = {
            name: {"fingerprint": f"{name:0<32}"[:32], "version": 1, "counts": counts().get(name, {})} for name in done
        }
        target = {"tokens": 10**12, "rights": ["train"]}
        manifest = {"hanjo": "0.1", "name": "<demo> & run", "seed": 3, "as_of": "2026-11-24"}
        (run / "manifest.json").write_text(
            json.dumps(manifest | {"target": target, "stages": stages}), encoding="utf-8"
        )
        recipe = {
            "name": "demo",
            "decide": dataclasses.asdict(DecideSettings()),
            "dedup": {"shingle": 5, "similarity": 0.6},
            "pretrain": {"steps": 39},
        }
        (run / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
        if until:
            write_sidecars(run, write_documents(run))
            write_timings(run)
        if until in ("pretrain", "evaluate"):
            write_model(run)
        return run

    return make


def read(path: Path) -> tuple[str, Page]:
    text = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    page.close()
    return text, page


@pytest.mark.parametrize("until", [None, *NAMES])
def test_a_run_stopped_after_any_stage_gives_a_whole_page_that_loads_nothing(make_run: MakeRun, until: str) -> None:
    text, page = read(write_report(make_run(until)))
    assert page.problems == [] and page.open == []
    assert page.loads == []
    assert not re.search(r"@import|url\(|<script|<iframe|<img", text)
    assert page.unnamed == 0, "a chart without a title for screen readers"
    assert len(page.ids) == len(set(page.ids))
    missing = set(re.findall(r"once <code>(\w+)</code> has finished", text))
    assert missing <= set(NAMES[NAMES.index(until) + 1 :] if until else NAMES)
    assert ("evaluate" in missing) == (until != "evaluate")


def test_personal_data_and_documents_without_rights_are_never_shown(make_run: MakeRun) -> None:
    text, _ = read(write_report(make_run("evaluate")))
    assert [secret for secret in SECRETS if secret in text] == []
    assert "may not be passed on, since their rights do not say so: closed, ruling" in text
    assert "&lt;|phone|&gt;" in text and "&lt;|email|&gt;" in text
    assert '<s class="cut">○○○ 기자 ○○○</s>' in text, "of the cut by-line only the rule's own words are shown"
    assert "gildong" not in text, "nor does the rule's caption look like an address"


def test_the_memory_of_stages_that_start_processes_is_shown(make_run: MakeRun) -> None:
    text = write_report(make_run("evaluate")).read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    cost = text[text.index('<section id="cost">') :]
    assert "3.50 GB" in cost[cost.index("<td>pretrain</td>") :].split("</tr>")[0]
    assert "summed over hanjo and the processes that it started" in cost and "not measured" not in cost


def test_everything_from_the_run_is_escaped(make_run: MakeRun) -> None:
    text, page = read(write_report(make_run("evaluate")))
    assert "&lt;script&gt;alert(" in text and "<script" not in text
    assert "&lt;demo&gt; &amp; run" in text and "&lt;mend&gt;" in text
    assert page.problems == []


def test_the_page_says_what_the_manifest_counted(make_run: MakeRun) -> None:
    run = make_run("evaluate")
    text = write_report(run).read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    for figure in ("0.000000012 %", "4.600", "2.100", "0.830", "json.broken", "length.chars", "median of 39"):
        assert figure in text, figure
    assert f"hanjo trace {document_id('ruling', '1')} --run demo" in text
    assert "lowered the bits needed for a byte of unseen text by 2.50" in " ".join(text.split())


def test_limits_of_the_recipe_are_drawn_into_the_histograms(make_run: MakeRun) -> None:
    text = write_report(make_run("decide")).read_text(encoding="utf-8")
    judged = {rule.signal for rule in RULES} - {"mojibake"}  # of which no document has any
    assert all(f"Documents by {signal}" in text for signal in judged)
    assert text.count('class="limit"') == len([rule for rule in RULES if rule.signal in judged])
    assert "no document has any: mojibake" in text
    assert "(<code>length.chars</code>; chat 8)" in text, "registers with another limit are told"


def test_a_stage_that_this_version_does_not_know_is_no_reason_to_fail(make_run: MakeRun) -> None:
    text, page = read(write_report(make_run("dedup", "translate")))
    assert "translate" in text and page.problems == []


def test_training_that_has_not_finished_is_shown_as_such(make_run: MakeRun) -> None:
    run = make_run("tokenize")
    write_model(run)
    assert "Training is not marked as finished" in write_report(run).read_text(encoding="utf-8")


def test_a_sidecar_of_other_documents_is_refused(make_run: MakeRun) -> None:
    run = make_run("dedup")
    table = pa.Table.from_pylist([{"edits": []}] * len(TEXTS), schema=EDITS)
    write_table(run / "edits" / "00000.parquet", table, EDITS, JobContext(run, "e" * 32, 0), of="0" * 32)
    with pytest.raises(StaleError, match="belongs to shard"):
        write_report(run)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StaleError, match="no run here"):
        write_report(tmp_path)


def section(text: str, name: str) -> str:
    """One section of the page, white space drawn together."""
    found = text[text.index(f'<section id="{name}">') :].split("</section>")[0]
    return " ".join(found.replace("\N{NO-BREAK SPACE}", " ").split())


def test_what_the_page_alone_hides_is_told_from_masks(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "PHONE", "none")  # as if a detector had not found the number
    text = write_report(make_run("evaluate")).read_text(encoding="utf-8")
    assert "2345-6789" not in text
    edits, removed = section(text, "edits"), section(text, "removed")
    assert '<span class="blot" title="hidden on this page only">•••-••••-••••</span>' in edits
    assert "hidden on this page only; the text that goes on has it" in edits
    assert "hidden on this page only;" not in removed, "a legend for what is not there"


def test_kinds_of_personal_data_are_explained_and_no_words_are_shown_twice(make_run: MakeRun) -> None:
    edits = section(write_report(make_run("evaluate")).read_text(encoding="utf-8"), "edits")
    assert "An e-mail address, with (at) or 골뱅이 too." in edits and "A telephone number" in edits
    assert edits.count("&lt;|phone|&gt;") == 1, "phone and address stand in one sentence"
    assert "Its examples stand under <code>pii.email</code>." in edits


def test_a_grant_that_has_ended_is_said_to_have_ended(make_run: MakeRun) -> None:
    run = make_run("evaluate")
    path = run / "verdicts" / "00000.parquet"
    rows = [row | {"rule": "rights.until"} if row["rule"] == "rights.train" else row for row in read_rows(path)]
    table = pa.Table.from_pylist(rows, schema=VERDICTS)
    write_table(path, table, VERDICTS, JobContext(run, "e" * 32, 0), of="f" * 32)
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    counted = manifest["stages"]["decide"]["counts"]
    counted["removed/rights.until"] = counted.pop("removed/rights.train")
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    text = write_report(run).read_text(encoding="utf-8")
    assert "Not shown: the grant ended on 2025-12-31; this run is as of 2026-11-24." in section(text, "removed")
    assert "비밀문서" not in text


def read_rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def test_rights_come_with_their_evidence_and_the_name_to_be_given(make_run: MakeRun) -> None:
    text = write_report(make_run("evaluate")).read_text(encoding="utf-8")
    assert "To be named: &lt;조세심판원&gt;. Evidence: https://x" in section(text, "tokens")
    assert "Not shown: its rights do not grant train." in section(text, "removed")


@pytest.mark.parametrize(("until", "so_far"), [("collect", True), ("decide", True), ("dedup", False)])
def test_documents_are_kept_so_far_until_copies_are_gone(make_run: MakeRun, until: str, so_far: bool) -> None:
    text = write_report(make_run(until)).read_text(encoding="utf-8")
    lead = " ".join(text[text.index('class="lead"') : text.index("<nav")].split())
    assert (
        ("are kept so far" in lead) == ("<code>dedup</code> is still to come" in lead or until == "collect") == so_far
    )
    assert ("dedup is still to come</div>" in lead) == so_far


def test_registers_tags_and_steps_done_are_shown(make_run: MakeRun) -> None:
    text = write_report(make_run("evaluate")).read_text(encoding="utf-8")
    signals = section(text, "signals")
    assert '<td>law</td><td class="n">5</td><td class="n">83.3 %</td>' in signals
    assert "<code>bias</code></td><td>" in signals and '<td class="n">5</td><td class="n">83.3 %</td></tr>' in signals
    training = section(text, "training")
    assert training.count(">steps done</text>") == 4 and ">step</text>" not in training


def test_scores_of_all_suites_stand_in_one_table_with_headed_columns(make_run: MakeRun) -> None:
    scores = section(write_report(make_run("evaluate")).read_text(encoding="utf-8"), "scores")
    assert scores.count("<table>") == 1 and ">Verdict</th>" in scores
    assert '<td class="verdict wide">better</td>' in scores and "hints" not in scores


def test_commands_stay_on_one_line(make_run: MakeRun) -> None:
    text = write_report(make_run("evaluate")).read_text(encoding="utf-8")
    assert re.search(r"\.command \{[^}]*overflow-x: auto; white-space: nowrap", text)
    assert text.count('<code class="command"') == text.count("hanjo trace ")
