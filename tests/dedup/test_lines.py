"""Repeated lines: forms against a plain reading of them, counts against a plain count, and what survives by right."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus.documents import DOCUMENTS, text_hash
from corpus.edits import apply_edits, text_buffers
from corpus.shards import Counts, JobContext, fingerprint_of, write_table
from dedup import stage
from dedup.inputs import layout_of
from dedup.line_forms import ENDED, FORMULA, INTRODUCES, MARKED, NUMBERED, read_lines
from dedup.lines import _summed, at_ends, repeats, sites_of
from dedup.runs import concatenate, read_run
from dedup.settings import DedupSettings, LineSettings

ON = DedupSettings(lines=LineSettings(cut=True, documents=10), similarity=0.95)
FOOTER = "이 사이트의 모든 자료는 가나출판의 동의 없이 다른 곳에 옮겨 실을 수 없습니다"
TEXTS = st.text(
    st.one_of(st.sampled_from(list("가나다요니아 제1.조(:\n\t>|ⓒw/@①#")), st.characters(exclude_categories=["Cs"])),
    max_size=60,
)


def read(texts: list[str]) -> Any:
    return read_lines(*text_buffers(pa.array(texts, pa.large_string())))


def flags_of(line: str) -> int:
    """The forms as a person would put them, in patterns."""
    squeezed = " ".join(line.split())
    bare = "".join(line.split())
    letters = "".join(c for c in bare if c.isalpha() or c.isdecimal())
    marked = bool(re.search(r"[©ⓒ®☎℡☏|ㅣ│@»›]|://|[wW]{3}\.| > ", squeezed))
    plain = re.search(r"(?<!니)다$|아니다$", letters) or re.search(
        r"제\s*\d+(?:\s*\d)*\s*[조항호장절편관목]", squeezed, re.A
    )
    numbered = re.match(
        r"#|[(\[【]?(?:[①-⑳⑴-ⓑⓓ-ⓩⅠ-ⅿ㉠-㉻]|제[0-9]|[1-9][0-9]{0,2}[.)\]]|[가나다라마바사아자차카타파하][.)])", bare
    )
    return (
        MARKED * marked
        | ENDED
        * bool(bare[-1] in ".!?…。" or re.search("[다죠까]$|[세어아해에예네군지데여와워려래겨쳐져]요$", letters))
        | NUMBERED * bool(numbered)
        | INTRODUCES * (bare[-1] in ":：")
        | FORMULA * bool(plain and not marked)
    )


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        ("그러므로 상고를 기각하고 관여 대법관의 일치된 의견으로 주문과 같이 판결한다.", ENDED | FORMULA),
        ("국세기본법 제81조와 제65 조의 규정에 의하여 주문과 같이 결정합니다.", ENDED | FORMULA),
        ("이 페이지가 도움이 되었다면 구독하시기 바랍니다.", ENDED),
        ("사실이 아니다", ENDED | FORMULA),
        ("제12조(손해배상의 범위)", NUMBERED | FORMULA),
        ("1. 처분의 개요", NUMBERED),
        ("2.1.3 설치", NUMBERED),
        ("가. 규정의 취지", NUMBERED),
        ("① 다음 각 호", NUMBERED),
        ("Ⅱ. 판단", NUMBERED),
        ("## 설치 방법", NUMBERED),
        ("다음과 같이 정한다:", ENDED | INTRODUCES | FORMULA),
        ("ⓒ 가나신문 무단 전재 금지", MARKED),
        ("홈 > 게시판 > 글보기", MARKED),
        ("자세한 것은 https://example.org 에서 확인하세요.", MARKED | ENDED),
        ("WWW.example.org", MARKED),
        ("국가연구개발사업 연구개발비 사용 기준", 0),
        ("02-1234-5678", 0),
        ("2024.05.01", 0),
    ],
)
def test_a_line_has_the_form_that_a_reader_sees(line: str, flags: int) -> None:
    assert read([line]).flags.tolist() == [flags] == [flags_of(line)]


@given(st.lists(TEXTS, max_size=5))
@settings(max_examples=300, deadline=None)
def test_lines_are_those_of_the_text_and_equal_ones_have_equal_hashes(texts: list[str]) -> None:
    found = read(texts)
    expected = []
    for i, text in enumerate(texts):
        at = 0
        for line in text.encode().split(b"\n"):
            if line.decode().strip():
                expected.append((i, at, at + len(line), "".join(line.decode().split())))
            at += len(line) + 1
    assert list(zip(found.document.tolist(), found.start.tolist(), found.end.tolist(), strict=True)) == [
        one[:3] for one in expected
    ]
    names: dict[tuple[int, ...], str] = {}
    for pair, (*_, line) in zip(found.hashes.tolist(), expected, strict=True):
        assert names.setdefault(tuple(pair), line) == line
    assert len(names) == len({one[3] for one in expected})


KOREAN = st.text(st.sampled_from(list("가나다요니아까세제1203.조항():：!? >|ⓒw/@①Ⅰ#한국")), min_size=1, max_size=24)


@given(KOREAN.filter(str.strip))
@settings(max_examples=500, deadline=None)
@example("가 > ")
@example(" > ")
@example(" 가 >  나 ")
def test_forms_agree_with_the_patterns(line: str) -> None:
    assert read([line]).flags.tolist() == [flags_of(line)]


def test_head_and_tail_are_a_quarter_of_the_lines_within_bounds() -> None:
    for size in (1, 5, 6, 7, 12, 40, 300):
        ends = at_ends(np.zeros(size, np.int64))
        reach = min(25, max(3, size // 4))
        assert ends.tolist() == [min(i, size - 1 - i) < reach for i in range(size)]
    assert at_ends(np.array([0, 0, 2, 2, 2])).all()
    assert len(at_ends(np.zeros(0, np.int64))) == 0


class Site:
    """Runs of documents of one source with lines planted at their ends or amid them."""

    def __init__(self, kit: Any, run_phases: Any, folder: Path) -> None:
        self.kit, self.run_phases, self.folder, self.made = kit, run_phases, folder, 0
        self.rng = random.Random(5)

    def body(self, lines: int = 12) -> list[str]:
        return [self.kit.korean_text(self.rng, self.rng.randint(8, 14)).replace("\n", " ") for _ in range(lines)]

    def __call__(
        self, texts: list[str], settings: DedupSettings = ON, sizes: tuple[int, ...] = (7, 0)
    ) -> tuple[list[str], list[list[Any]], Counts]:
        """Texts after the stage in their order, their cuts, the counts."""
        self.made += 1
        run = self.folder / str(self.made)
        run.mkdir()
        documents = [self.kit.Document(f"{i:04d}", text) for i, text in enumerate(texts)]
        shards, at = [], 0
        for size in (*sizes, len(documents)):
            shards.append(documents[at : at + size])
            at += size
        self.kit.make_run(run, shards)
        self.run, counts = run, self.run_phases("dedup", stage, run, settings, self.kit.common(run))
        before, cuts, after = [], [], {}
        for path in sorted((run / "documents").glob("*.parquet")):
            table = pq.read_table(path, columns=["id", "text"])
            spans = pq.read_table(run / "clusters" / path.name, columns=["cuts"])["cuts"].combine_chunks()
            edited = apply_edits(table["text"].combine_chunks(), spans)
            before += list(zip(table["id"].to_pylist(), edited.to_pylist(), strict=True))
            cuts += spans.to_pylist()
        for path in sorted((run / "unique").rglob("*.parquet")):
            for row in pq.read_table(path).to_pylist():
                after[row["id"]] = row["text"]
                assert row["text_hash"] == text_hash(row["text"])
        assert all(after[name] == text for name, text in before if name in after)
        return [text for _, text in before], cuts, counts


@pytest.fixture
def site(kit: Any, run_phases: Any, tmp_path: Path) -> Site:
    return Site(kit, run_phases, tmp_path)


def test_a_footer_of_many_documents_is_cut_whatever_its_spacing(site: Site) -> None:
    bodies = ["\n".join(site.body()) for _ in range(30)]
    texts = [f"{body}\n\n{FOOTER if i % 2 else FOOTER.replace(' ', '  ', 2)}" for i, body in enumerate(bodies)]
    after, cuts, counts = site(texts)
    assert [text.rstrip() for text in after] == bodies
    assert all([one["rule"] for one in spans] == ["repeat.line"] for spans in cuts)
    size = sum(len(text.encode()) for text in texts) - sum(len(text.encode()) for text in after)
    assert counts["cut/repeat.line"] == {"documents": 30, "spans": 30, "bytes": size}
    assert counts["kept"]["bytes"] == counts["in"]["bytes"] - size
    assert counts["kept"]["documents"] == counts["in"]["documents"] == 30


def test_nothing_is_cut_unless_it_is_asked_for(site: Site) -> None:
    texts = ["\n".join([*site.body(), FOOTER]) for _ in range(30)]
    after, cuts, counts = site(texts, DedupSettings(similarity=0.95))
    assert after == texts
    assert not any(cuts)
    assert "cut/repeat.line" not in counts


def test_too_few_documents_or_too_small_a_share_cut_nothing(site: Site) -> None:
    few = ["\n".join([*site.body(), FOOTER]) for _ in range(9)]
    rest = ["\n".join(site.body()) for _ in range(9)]
    assert site(few + rest)[0] == few + rest
    rare = DedupSettings(lines=LineSettings(cut=True, documents=5, share=0.6), similarity=0.95)
    assert site(few + rest, rare)[0] == few + rest
    common = DedupSettings(lines=LineSettings(cut=True, documents=5, share=0.5), similarity=0.95)
    assert site(few + rest, common)[2]["cut/repeat.line"]["documents"] == 9


@pytest.mark.parametrize(
    "line",
    [
        "주문",
        "판시사항 및 재판요지",
        "제1조(목적) 이 규정은 그 시행에 필요한 것을 정함을 목적으로 합니다",
        "1. 처분청이 이 사건 처분에 이르게 된 경위는 아래와 같습니다",
        "① 다음 각 호의 어느 하나에 해당하는 사람은 신청할 수 있습니다",
        "그러므로 상고를 기각하고 관여 대법관의 일치된 의견으로 주문과 같이 판결한다.",
        "심판청구를 기각합니다.",
        "이 규정에서 쓰는 말의 뜻은 다음과 같습니다:",
    ],
)
def test_what_recurs_by_right_survives_by_its_form(site: Site, line: str) -> None:
    texts = ["\n".join([line, *site.body(), line]) for _ in range(30)]
    assert site(texts)[0] == texts


def test_a_heading_stays_where_text_follows_and_a_like_line_at_the_end_goes(site: Site) -> None:
    heading = "국가연구개발사업 연구개발비 사용 기준의 적용 범위"
    bodies = ["\n".join(site.body()) for _ in range(30)]
    after, _, _ = site([f"{heading}\n{body}\n{heading}" for body in bodies])
    assert [text.rstrip() for text in after] == [f"{heading}\n{body}" for body in bodies]


def test_a_sentence_that_stands_anywhere_stays(site: Site) -> None:
    texts = []
    for i in range(40):
        body = site.body(20)
        body.insert(i % 21, "위와 같은 사실은 당사자 사이에 다툼이 없으므로 그대로 받아들이기로 합니다.")
        texts.append("\n".join(body))
    assert site(texts)[0] == texts


def test_the_end_of_a_wrapped_paragraph_stays(site: Site) -> None:
    opening = "이 글은 길게 이어지는 문단의 앞부분이고 아직 끝나지 않은 채 줄이 바뀌어 그다음 줄로"
    going_on = "거듭하여 이어지면서 또 한 줄을 가득히 채우고도 끝나지 않은 채 그다음 줄로 이어지는"
    texts = [f"{chr(10).join(site.body())}\n{i:02d} {opening}\n{going_on}\n{FOOTER}" for i in range(30)]
    assert site(texts)[0] == texts


def test_above_the_budget_nothing_of_the_document_is_cut_and_it_is_counted(site: Site) -> None:
    short = [f"{site.body(1)[0]}\n{FOOTER}" for _ in range(3)]
    long = ["\n".join([*site.body(), FOOTER]) for _ in range(20)]
    after, _, counts = site(short + long)
    assert after[:3] == short
    assert all(FOOTER not in text for text in after[3:])
    assert counts["reported/repeat.over_budget"] == {"documents": 3}


def test_a_site_is_a_source_and_the_host_of_its_urls(site: Site) -> None:
    """Half of the documents are another host's: alone its footer is in too few, with it in enough."""
    texts = ["\n".join([*site.body(), FOOTER]) for _ in range(12)]
    site(texts, sizes=(12,))
    path = site.run / "documents" / "00000.parquet"
    table = pq.read_table(path)
    hosts = ["https://a.example/1", "http://user@A.example:80/2?x=http://b.example", "https://b.example/3", None]
    table = table.set_column(table.schema.get_field_index("url"), "url", pa.array(hosts * 3, pa.string()))
    context = JobContext(site.run, fingerprint_of(path), 1 << 28)
    write_table(path, table, DOCUMENTS, context)
    sites = sites_of(context, layout_of(site.run), 0, np.arange(12))
    assert sites.tolist()[:4] == [sites[0], sites[0], sites[2], sites[3]]
    assert len(set(sites.tolist())) == 3
    for documents, cut in ((6, 6), (7, 0)):
        chosen = DedupSettings(lines=LineSettings(cut=True, documents=documents), similarity=0.95)
        counts = site.run_phases("dedup", stage, site.run, chosen, site.kit.common(site.run))
        assert counts.get("cut/repeat.line", {"documents": 0})["documents"] == cut


def counted(*rows: tuple[int, int, int, int, int]) -> dict[str, Any]:
    """Summed counts of one line: site, documents, at an end, wrapped, marked."""
    site, documents, ends, wrapped, marked = (np.array(column) for column in zip(*rows, strict=True))
    hashes = {"hash0": np.zeros(len(rows), np.uint64), "hash1": np.zeros(len(rows), np.uint64)}
    return hashes | {"site": site, "documents": documents, "ends": ends, "wrapped": wrapped, "marked": marked}


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        ([(1, 30, 30, 0, 0)], [0]),
        ([(1, 30, 23, 0, 0)], []),  # too often amid the document
        ([(1, 30, 30, 16, 0)], []),  # the end of wrapped paragraphs
        ([(1, 9, 9, 0, 0)], []),  # too few documents
        ([(3, 30, 30, 0, 0)], []),  # too small a share of the site
        ([(1, 30, 30, 0, 0), (2, 30, 30, 0, 0)], [0, 1]),
        ([(1, 30, 30, 0, 0), (2, 30, 30, 0, 0), (4, 30, 30, 0, 0)], []),  # a set phrase of many sites
        ([(1, 30, 30, 0, 1), (2, 30, 30, 0, 1), (4, 30, 30, 0, 1)], [0, 1, 2]),  # an imprint that many share
        ([(1, 90, 90, 0, 0), (2, 30, 30, 0, 0), (4, 3, 3, 0, 0)], [0, 1]),
    ],
)
def test_number_place_and_spread_decide(rows: list[tuple[int, int, int, int, int]], chosen: list[int]) -> None:
    totals = {"site": np.array([1, 2, 3, 4, 1]), "documents": np.array([50, 100, 1000, 100, 50])}
    found = repeats(counted(*rows), totals, LineSettings(cut=True, documents=10, share=0.05))
    assert found.tolist() == chosen


def test_removed_copies_do_not_count(site: Site) -> None:
    one = "\n".join([*site.body(), FOOTER])
    others = ["\n".join(site.body()) for _ in range(3)]
    after, _, counts = site([one] * 30 + others)
    assert counts["removed/dedup.exact"]["documents"] == 29
    assert after[0] == one


def test_the_cut_of_shards_changes_nothing(site: Site) -> None:
    texts = ["\n".join([*site.body(), FOOTER]) for _ in range(24)]
    texts += ["\n".join([FOOTER, *site.body(30)]) for _ in range(3)]
    first = site(texts, sizes=(27,))[1]
    assert first == site(texts, sizes=(1, 5, 0, 13))[1]
    assert sum(map(len, first)) == 27


def test_equal_runs_write_equal_bytes(site: Site) -> None:
    texts = ["\n".join([*site.body(), FOOTER]) for _ in range(24)]
    wholes = []
    for _ in range(2):
        site(texts)
        files = sorted((site.run / "clusters").glob("*")) + sorted((site.run / "unique").rglob("*.parquet"))
        wholes.append([path.read_bytes() for path in files])
    assert wholes[0] == wholes[1]


def test_counts_are_those_of_a_plain_count(site: Site) -> None:
    """Documents that hold a line of the right form, whatever its place, against the runs' sums."""
    pool = [line + "습니다" for line in site.body(12)]
    texts = ["\n".join(site.rng.choices(pool, k=site.rng.randint(1, 30))) for _ in range(40)]
    site(texts, DedupSettings(lines=LineSettings(cut=True), similarity=1.0, bands=1, rows=32))
    layout = layout_of(site.run)
    context = JobContext(site.run, "", 0)
    columns = _summed(concatenate([read_run(context.run, "lines", name) for name in layout.names]))
    expected: dict[str, set[int]] = defaultdict(set)
    for i, text in enumerate(dict.fromkeys(texts)):
        for line in text.split("\n"):
            expected[line].add(i)
    assert sorted(columns["documents"].tolist()) == sorted(map(len, expected.values()))
