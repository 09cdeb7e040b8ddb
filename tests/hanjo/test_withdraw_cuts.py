"""Promoted documents are cut as deduplication would have cut them: lines of their site, and passages of better ones."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from corpus.documents import document_id
from hanjo.ledger import last_entry, verify

Kit = Any
FOOTER = "이 사이트의 모든 자료는 가나출판의 동의 없이 다른 곳에 옮겨 실을 수 없습니다"
RECIPE = """name: cuts
as_of: 2026-11-24
collect: {sources: [{path: site}]}
dedup:
  valid: 0
  test: 0
  cut_budget: 0.9
  lines: {cut: true, documents: 10}
  substrings: {cut: true, chars: 60}
tokenize: {vocab_size: 512}
execution: {workers: 1}
"""


def site(kit: Kit) -> dict[str, str]:
    """Pages that end in one footer.

    `best` is similar to `next` and to `last`, which are not similar to each other. The three hold two passages; one of
    them stands in `longest`, which is preferred to all, too.
    """
    texts = kit.rulings(40)
    letters = random.Random(1)
    passages = [
        "".join(letters.sample("가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허", 20)) for _ in range(8)
    ]
    first, second = (" ".join(passages[at : at + 4]) for at in (0, 4))
    pages = {f"page{number}": f"{text}\n{FOOTER}" for number, text in enumerate(texts[:24])}
    pages["longest"] = "\n".join([*texts[24:30], first, FOOTER])
    parts = [text[:200] for text in texts[30:38]]
    pages["best"] = "\n".join([*parts[:4], first, second, *parts[4:], FOOTER])
    pages["next"] = "\n".join([*parts[:5], first, second, FOOTER])
    pages["last"] = "\n".join([*parts[3:4], first, second, *parts[4:], FOOTER])
    return pages


@pytest.fixture(scope="module")
def runs(kit: Kit, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The run of all pages, and that of all but `best`."""
    made = []
    for name in ("with", "without"):
        folder = tmp_path_factory.mktemp(name)
        pages = site(kit)
        if name == "without":
            del pages["best"]
        kit.write_source(folder / "site", "한빛", pages)
        (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
        kit.run_to(folder / "recipe.yaml", folder / "runs" / "run", "tokenize")
        made.append(folder / "runs" / "run")
    return made[0], made[1]


def standing(kit: Kit, run: Path) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """Id → text in unique/, and cuts in clusters/."""
    texts = {row["id"]: row["text"] for row in kit.rows(run, "unique/train") if row["path"]}
    sides = zip(kit.rows(run, "documents"), kit.rows(run, "clusters"), strict=True)
    return {row["id"]: (texts[row["id"]], side["cuts"]) for row, side in sides if side["keep"]}


def test_a_promoted_document_s_text_is_what_deduplication_would_have_written(
    kit: Kit, runs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, without = runs
    before = standing(kit, run)
    best, following, last = (document_id("site", key) for key in ("best", "next", "last"))
    assert before.keys() & {best, following, last} == {best}
    assert {cut["rule"] for cut in before[best][1]} == {"repeat.line", "repeat.passage"}
    monkeypatch.setattr("dedup.lines._BATCH", 1)  # a pass for each promoted document
    told = kit.withdraw(run, ids=(best,))
    assert {one["id"] for one in told.promoted} == {following, last}
    after = standing(kit, run)
    for name in (following, last):
        assert [cut["rule"] for cut in after[name][1]] == ["repeat.passage", "repeat.line"]
    first, second = site(kit)["next"].split("\n")[-3:-1]
    assert [sum(line in text for text, _ in after.values()) for line in (first, second, FOOTER)] == [1, 1, 0]
    assert first in after[document_id("site", "longest")][0] and second in after[following][0] + after[last][0]
    assert after == standing(kit, without)
    counts, wanted = (kit.manifest(folder)["dedup"]["counts"] for folder in (run, without))
    assert {**counts, "in": None, "withdrawn": None} == {**wanted, "in": None, "withdrawn": None}
    kit.assert_counts_agree(run)
    assert verify(run, last_entry(run)) == []

    kit.withdraw(run, ids=(following,))  # out of the appended shard, with its cuts
    kit.assert_counts_agree(run)
    assert standing(kit, run).keys() == after.keys() - {following}
    kit.withdraw(run, source="site")
    assert not [reason for reason in kit.manifest(run)["dedup"]["counts"] if reason.startswith("cut/")]
    kit.assert_counts_agree(run)
