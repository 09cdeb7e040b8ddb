"""Rules: good Korean of every register passes the defaults, each kind of junk goes by the rule made for it."""

from __future__ import annotations

import pyarrow as pa
import pytest

from corpus.decide import judge
from corpus.measure import PrivacySettings, measure_batch
from corpus.rules import RULES, DecideSettings
from corpus.signals import NAMES

GOOD = {
    "news": "정부는 어제 새로운 정책을 발표했다. 이번 정책은 내년부터 시행될 예정이다.",
    "news about gambling": """
경찰은 불법 카지노를 운영한 혐의로 김 모 씨 등 다섯 명을 붙잡았다고 밝혔다. 이들은 3년 동안 바카라 사이트를 열어
회원을 모은 것으로 조사됐다. 법원은 도주할 우려가 있다며 구속 영장을 내주었다.
""",
    "blog without full stops": """
오늘은 친구랑 같이 망원동에 다녀왔어요
골목마다 작은 가게가 많아서
구경하는 재미가 있더라구요
다음에는 시장도 가 보려구요 ㅎㅎ
""",
    "chat": "야 오늘 뭐해? ㅋㅋㅋ\n나 집인데 ㅠㅠ\n나와 밥 먹자\n오키 지금 갈게",
    "law": """
제3조(정의) 이 법에서 사용하는 용어의 뜻은 다음과 같다.
1. “근로자”란 임금을 목적으로 사업이나 사업장에 근로를 제공하는 사람
2. “사용자”란 사업주 또는 사업 경영 담당자
가. 대표자
나. 관리자
""",
    "list": """
준비물
- 밀가루 200g
- 달걀 두 개
- 우유 한 컵
- 소금 조금
만드는 법
- 모두 섞어서 반죽한다
- 팬에 굽는다
""",
    "code-mixed": """
pandas의 DataFrame.groupby()는 key로 묶은 뒤 agg() 함수를 적용한다. GPU가 없으면 device='cpu'로 바꾸어
model.to(device)를 실행하고 batch size를 줄이면 된다.
""",
    "hanja": "大韓民國은 民主共和國이다. 大韓民國의 主權은 國民에게 있고, 모든 權力은 國民으로부터 나온다.",
    "short paragraph": "배는 물 위에 떠 있었고 바람은 잔잔했다.",
    "review without spaces": "진짜재미있게봤습니다배우들연기도좋고음악도좋아요 추천합니다 꼭보세요",
    "poem": "나 보기가 역겨워\n가실 때에는\n말없이 고이 보내 드리우리다",
    "citation": """
조세특례제한법(2002. 12. 11. 법률 제6762호로 개정되기 전의 것) 제69조 제1항, 같은 법 시행령 제66조 제2항에 의하면
그러하다.
""",
}
JUNK = {
    "script.hangul": "Next, you will be able to choose from the schemes listed in the table below.",
    "script.mojibake": "±×¸®±â µ¿ÀÛ¿¡ 2D ±×·¡ÇÈ ¶óÀÌºê¹ö¸® Ä«ÀÌ·Î¸¦ »ç¿ëÇÏ±â À§ÇÑ",
    "script.digits": "\n".join(f"{n}. A{7000 + n * 7}-{n} {n * 1000}원 재고 {n}" for n in range(1, 20)),
    "script.symbols": "★★★★★ ◆◆◆◆◆ ▶▶▶▶▶ 지금 바로 시작 ◀◀◀◀◀ ★★★★★ ◆◆◆◆◆ ▶▶▶▶▶",
    "length.chars": "주소록 보기 하기",
    "form.particles": "강남맛집 강남술집 강남회식 추천 정보 강남역맛집 강남데이트 가격 강남점심 강남맛집 BEST 강남룸 "
    * 3,
    "form.cut_off": "Alt 키를 누르면 현재 선택을 움직일 수 있습니다(선택된… 더보기",
    "repeat.lines": "위 첨자 텍스트에 밑줄을 사용할 경우 밑줄 위치가 위 첨\n" * 8,
    "repeat.fives": "마지막 방법을 선택하고 타일 값을 직접 설정해 시작 " * 9,
    "spam.density": "온라인카지노 바카라사이트 www.k119.example 가입쿠폰 3만원 즉시지급 코드 9754",
    "boilerplate.share": "홈 | 로그인 | 회원가입 | 사이트맵\nCopyright ⓒ All Rights Reserved.",
}


def verdicts(texts: list[str]) -> list[str | None]:
    _, signals = measure_batch(pa.array(texts, pa.large_string()), 0.5, PrivacySettings().policies(), {})
    documents = pa.table({"source": ["s"] * len(texts), "rights_id": ["r"] * len(texts)})
    limits = DecideSettings().limits()
    table, _ = judge(documents, pa.Table.from_batches([signals]), limits, {}, {"r": None})
    rules: list[str | None] = table.column("rule").to_pylist()
    return rules


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_good_korean_passes(text: str) -> None:
    assert verdicts([text]) == [None]


@pytest.mark.parametrize(("rule", "text"), JUNK.items(), ids=JUNK)
def test_junk_goes_by_its_rule(rule: str, text: str) -> None:
    assert verdicts([text]) == [rule]


def test_every_rule_names_a_signal_and_a_limit_that_exist() -> None:
    limits = DecideSettings().limits()["default"]
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.signal in NAMES and rule.since[0] in NAMES and rule.limit in limits
        assert rule.limit.startswith(f"{rule.bound}_")
