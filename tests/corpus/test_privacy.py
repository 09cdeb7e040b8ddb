"""Personal data: identifiers are masked by type, what merely looks like one stays."""

from __future__ import annotations

import time
from datetime import date

import hypothesis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.check_digits import brn_check_digit, ean13, luhn, rrn_check_digit
from corpus.edits import apply_edits, edits_array, text_buffers
from corpus.identifiers import IDENTIFIERS, PLACEHOLDERS
from corpus.measure import PrivacySettings
from corpus.privacy import dropped_names, find_private, private_spans

POLICIES = PrivacySettings().policies()


def masked(*texts: str, policies: dict[str, str] = POLICIES) -> list[str]:  # type: ignore[assignment]
    column = pa.array(texts, pa.large_string())
    found = find_private(*text_buffers(column), policies)  # type: ignore[arg-type]
    edited: list[str] = apply_edits(column, edits_array(found.edits, len(texts))).to_pylist()
    return edited


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("주민등록번호 900101-1234567 입니다", "주민등록번호 <|rrn|> 입니다"),
        ("번호는 900101-1234567이다", "번호는 <|rrn|>이다"),  # a failing check digit clears nothing
        ("신생아 301231-3123456", "신생아 <|rrn|>"),  # nor does a birth date to come
        ("주민번호: 123456-1234567", "주민번호: <|rrn|>"),  # said to be one
        ("외국인등록번호 900101-5234567", "외국인등록번호 <|rrn|>"),
        ("900101 1234567", "<|rrn|>"),
        ("주민등록번호 9001011234567", "주민등록번호 <|rrn|>"),
        ("휴대폰 010-1234-5678로", "휴대폰 <|phone|>로"),
        ("01012345678", "<|phone|>"),
        ("010 1234 5678", "<|phone|>"),
        ("010.1234.5678", "<|phone|>"),
        ("010–1234–5678", "<|phone|>"),
        ("010-1234-5678,010-2345-6789/011-234-5678", "<|phone|>,<|phone|>/<|phone|>"),
        ("+82-10-1234-5678", "<|phone|>"),
        ("+82 10 1234 5678", "<|phone|>"),
        ("+82 (0)2 123 4567", "<|phone|>"),
        ("02)555-1234", "<|phone|>"),
        ("(02) 555-1234", "<|phone|>"),
        ("02) 748 - 6350", "<|phone|>"),
        ("(02-788-4649)", "(<|phone|>)"),
        ("전화 031-123-4567", "전화 <|phone|>"),
        ("전화: 0311234567", "전화: <|phone|>"),
        ("070-1234-5678, 0505-123-4567", "<|phone|>, <|phone|>"),
        ("hong.gil-dong+a@mail.example.co.kr에게", "<|email|>에게"),
        ("메일(a@b.kr, c@d.com).", "메일(<|email|>, <|email|>)."),
        ("카드 4111-1111-1111-1111", "카드 <|card|>"),
        ("결제 카드 4111111111111111", "결제 카드 <|card|>"),
        ("3782 822463 10005", "<|card|>"),
        ("국민은행 123456-78-901234 홍길동", "국민은행 <|account|> 홍길동"),
        ("계좌번호: 농협 351-1234-5678-93", "계좌번호: 농협 <|account|>"),
        ("110-234-567890 (신한은행)", "<|account|> (신한은행)"),
        ("카카오뱅크 3333012345678", "카카오뱅크 <|account|>"),
        ("여권번호 M12345678", "여권번호 <|passport|>"),
        ("passport no. M123A4567", "passport no. <|passport|>"),
        ("면허 11-12-345678-90", "면허 <|license|>"),
        ("운전면허 서울 12-345678-90", "운전면허 서울 <|license|>"),
        ("차량 12가 3456", "차량 <|plate|>"),
        ("123가4567 차가", "<|plate|> 차가"),
        # Without a dash and a label: the date and the seventh digit suffice, whatever the check digit.
        ("홍길동 9001011234567", "홍길동 <|rrn|>"),
        ("홍길동,9001011234568,서울", "홍길동,<|rrn|>,서울"),
        ("김철수 8801012681551", "김철수 <|rrn|>"),  # of a barcode and of a person the check digit holds
        ("주문번호 12, 김철수 9001011234567", "주문번호 12, 김철수 <|rrn|>"),
        ("주문번호 240315-1234560", "주문번호 <|rrn|>"),  # a check digit that holds
        ("법인번호 없음, 대표자 900101-1234567", "법인번호 없음, 대표자 <|rrn|>"),
        ("홍길동 900101-1234567 법인등록번호 110111-1234567", "홍길동 <|rrn|> 법인등록번호 110111-1234567"),
        # Behind a list's number, or with other separators.
        ("1.010-1234-5678", "1.<|phone|>"),
        ("1.02-123-4567", "1.<|phone|>"),
        ("No.3-900101-1234567", "No.3-<|rrn|>"),
        ("2-4111-1111-1111-1111", "2-<|card|>"),
        ("010-1234-5678.3시", "<|phone|>.3시"),
        ("010--1234-5678", "<|phone|>"),
        ("010  1234  5678", "<|phone|>"),
        ("010\t1234\t5678", "<|phone|>"),
        ("010−1234−5678", "<|phone|>"),
        ("010‐1234‐5678", "<|phone|>"),
        ("010ㅡ1234ㅡ5678", "<|phone|>"),
        ("900101−1234567 900101ㅡ1234567", "<|rrn|> <|rrn|>"),
        ("홍길동\t900101\t1234567\t서울", "홍길동\t<|rrn|>\t서울"),
        ("농협 351ㅡ1234ㅡ5678ㅡ93", "농협 <|account|>"),
        # Addresses from their first to their last character.
        ("_hong@naver.com, -kim@naver.com", "<|email|>, -<|email|>"),
        ("hong@naver.com-서울 hong@naver.com_1", "<|email|>-서울 <|email|>_1"),
        ("hong.@naver.com", "<|email|>"),
        # A registration number with other separators, spaced or said to be one.
        ("주민등록번호 900101.1234567", "주민등록번호 <|rrn|>"),
        ("9 0 0 1 0 1 - 1 2 3 4 5 6 7", "<|rrn|>"),
        ("번호 990616-4108697", "번호 <|rrn|>"),  # born in 2099
        # Telephones as people hide them.
        ("0 1 0 - 1 2 3 4 - 5 6 7 8", "<|phone|>"),
        ("공일공 일이삼사 오육칠팔로", "<|phone|>로"),
        ("영일영-일이삼사-오육칠팔", "<|phone|>"),
        ("공일공에 일이삼사에 오육칠팔입니다", "<|phone|>입니다"),
        ("010-일이삼사-5678", "<|phone|>"),
        ("o1o-1234-5678", "<|phone|>"),
        ("0l0-1234-5678", "<|phone|>"),
        ("82-10-1234-5678", "<|phone|>"),
        ("(+82) 10-1234-5678", "<|phone|>"),
        # E-mail as people hide it.
        ("hong(at)naver.com", "<|email|>"),
        ("hong [at] naver [dot] com", "<|email|>"),
        ("hong골뱅이네이버 닷컴", "<|email|>"),
        ("hong 골뱅이 naver.com으로", "<|email|>으로"),
        ("hong at naver dot com", "<|email|>"),
        ("hong@네이버", "<|email|>"),
        ("hong @ naver.com", "<|email|>"),
        # Where somebody lives: names of towns and streets stay.
        ("서울특별시 강남구 테헤란로 152, 1203호", "서울특별시 강남구 테헤란로 <|address|>"),
        ("경기도 성남시 분당구 판교역로166번길 12-3", "경기도 성남시 분당구 판교역로166번길 <|address|>"),
        ("서울 강남구 역삼동 736-1번지에 산다", "서울 강남구 역삼동 <|address|>에 산다"),
        ("경기 양평군 서종면 문호리 산 12-3", "경기 양평군 서종면 문호리 산 <|address|>"),
        ("주소: 테헤란로 12", "주소: 테헤란로 <|address|>"),
        ("서울 노원구 동일로 1234 (상계동), 101동 1203호", "서울 노원구 동일로 <|address|>"),
        ("한조아파트 101동 1203호 앞", "한조아파트 <|address|> 앞"),
        # And where on the net.
        ("접속 IP 8.8.4.4 차단", "접속 IP <|ip|> 차단"),
        ("211.234.100.5에서 접속", "<|ip|>에서 접속"),
        ("서버 2001:db8:85a3::8a2e:370:7334", "서버 <|ip|>"),
        ("카톡 ID: abc123", "카톡 ID: <|messenger|>"),
        ("텔레그램 @hong_gd 문의", "텔레그램 <|messenger|> 문의"),
        ("카카오톡 아이디 honggd 추가", "카카오톡 아이디 <|messenger|> 추가"),
        ("건강보험증 번호 1-2345678901", "건강보험증 번호 <|health|>"),
        ("건강보험증: 12345678901", "건강보험증: <|health|>"),
        ("여권 AB1234567", "여권 <|passport|>"),
        ("서울 12가 3456", "서울 <|plate|>"),
        ("차량 12 가 3456", "차량 <|plate|>"),
        ("운전면허 11-12-345678-90", "운전면허 <|license|>"),
        ("+82 (10) 9876 5432", "<|phone|>"),
        ("새마을금고 9002-1234-5678-9", "새마을금고 <|account|>"),
        ("제 차 34모5678입니다", "제 차 <|plate|>입니다"),
        ("부산 부산진구 중앙대로 691번길 23-4 (부전동)", "부산 부산진구 중앙대로 691번길 <|address|> (부전동)"),
        ("농협 1905-10-8492504", "농협 <|account|>"),
        ("하나 110 234567 89012", "하나 <|account|>"),
        ("hong@department-of-computer-science-engineering.university.ac.kr로", "<|email|>로"),
        (f"hong@{'a' * 63}.{'b' * 63}.{'c' * 63}.co.kr로", "<|email|>로"),
    ],
)
def test_an_identifier_is_masked_by_its_type(text: str, wanted: str) -> None:
    assert masked(text) == [wanted]


@pytest.mark.parametrize(
    "text",
    [
        "주문번호 20241015-1234567",
        "주문번호: 2024101512345",
        "가격은 1,234,567,890원이다",
        "2024-10-15 09:30:00",
        "2024.10.15 ~ 2024.10.20, 2002. 12. 11. 법률 제6762호",
        "19450815-19500625",
        "모델 SM-G998N, RTX-4090-24, M12345678",
        "ISBN 978-89-546-4211-5",
        "바코드 8801234567893",
        "3.14159265358979323846264338327950288",
        "버전 2.0.1.1234.5678, 10.0.19041.1288",
        "대법원 2006다53245 판결, 2010두12345",
        "고객센터 1588-1234, 1600-0000, 080-123-4567",
        "사업자등록번호 120-81-47521",
        "법인등록번호 110111-1234567",
        "예산 12조 3456억 원, 23만4567명, 30호 1234",
        "우편번호 02111-1307",
        "좌표 37.56667, 126.97806",
        "git@github.com:a/b.git",
        "@user, a@b",
        "카드 4111-1111-1111-1112",
        "송장번호 123456789012",
        "110 234 567890 123",
        "국민은행은 2024-10-15에 발표했다",
        "새우깡 8801234567893 1500원",
        "바코드: 8801012681551",
        "주문번호: 2403151234567 접수",
        "주문번호 240315-1234567",
        "운송장 9001011234567 조회",
        '{"sku": "9001011234567"}',
        '"timestamp": 1701151234567',
        "https://shop.example.com/a/1701151234567.jpg",
        "IMG_1701151234567.png, 9001011234567원",
        "S/N A9001011234567",
        "0.9001011234567, 1.02.123.4567",
        "3202\t8210\t4703\t9542",
        "8205343\t210829\t4872933\t9313982",
        "2024-02-1234-5678",
        "법인등록번호 1101111234567",
        "110111-1234567 (법인등록번호)",
        "icon@2x.png",
        "서울특별시 강남구 인구는 54만 명, 종로구 사직동 12명",
        "경기도 성남시 분당구로 3회 출장을 다녀왔다",
        "다시 처음으로 3번, 화면 아래로 20픽셀",
        "제3조 2호, 3동 2호실",
        "내부망 192.168.0.12, 10.1.2.3, 127.0.0.1",
        "버전 11.20.30.40, v121.12.34.56, 6.3.4.1. 설치",
        "이진수 1010101010101",
        "고객번호 0312345678, 품번 02-1234-5678, 관리번호 2024-02-1234-5678",
        "골뱅이 무침 20000원, 김밥 at home",
        "카톡 PC 버전, 카카오톡 채널 @hanjo, 텔레비전",
        "공일은 쉬는 날, 영일만 친구",
        "건강보험료 12345678901원",
        "대법원 98누1234 판결, 91다54270",
        "npm install package@1.2.3",
        '{"id": 4611125667207, "code": "9001011234567"}',
        "담당자 홍길동, 성명: 김하늘",
    ],
)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert masked(text) == [text]


def test_of_two_labels_the_nearer_one_says_whose_number_it_is() -> None:
    text = "주민등록번호 900101-1234567, 법인등록번호 110111-1234567, 주민등록번호 900101-2234567"
    assert masked(text) == ["주민등록번호 <|rrn|>, 법인등록번호 110111-1234567, 주민등록번호 <|rrn|>"]


def test_a_firms_number_is_no_persons_where_firms_numbers_are_kept() -> None:
    assert masked("법인등록번호 110111-1234567", policies={"rrn": "mask"}) == ["법인등록번호 110111-1234567"]


@given(
    st.dates(date(1950, 1, 1), date(2035, 12, 31)),
    st.integers(0, 999999),
    st.sampled_from(["", "-", " ", "ㅡ"]),
    st.sampled_from(["홍길동 {} 서울", "김철수, {}, 부산", "{}", "신청인 {}의 동의", "1. {} 이민수", "고객님({})께"]),
)
def test_a_registration_number_is_masked_whether_its_check_digit_holds_or_not(
    born: date, tail: int, separator: str, sentence: str
) -> None:
    number = f"{born:%y%m%d}{'1' if born.year < 2000 else '3'}{tail:06}"
    barcode = not separator and ean13(number) and number.startswith(("880", "45", "49", "69"))
    hypothesis.assume(rrn_check_digit(number) or not barcode)
    assert masked(sentence.format(number[:6] + separator + number[6:])) == [sentence.format("<|rrn|>")]


def test_numbers_of_a_shop_a_log_and_a_table_stay_but_for_one_in_hundred() -> None:
    generator = np.random.default_rng(3)
    texts = []
    for _ in range(100):
        digits = "".join(map(str, generator.integers(0, 10, 13)))
        moment = int(generator.integers(14 * 10**11, 18 * 10**11))
        barcode = next(f"880{digits[:9]}{last}" for last in range(10) if ean13(f"880{digits[:9]}{last}"))
        texts += [
            f"상품 {barcode} (바코드), ISBN 979-11-{digits[:4]}-{digits[4:7]}-1",
            f"주문번호 2024{moment % 12 + 1:02}15-{digits[:7]}, 송장번호 {digits[:12]}, 총 {moment:,}원",
            f'{{"id": {moment}, "created_at": {moment + 1}, "hash": "{moment:x}{digits}{moment:x}"}}',
            f"3.14159265358979{digits}, 0.{digits}, 버전 1.02.{digits[:3]}.{digits[3:7]}, 12.{digits[:5]}",
            "\t".join(map(str, generator.integers(10**5, 10**7, 6))),
            f"모델 SM-G{digits[:3]}N, 대법원 2010다{digits[:5]} 판결, 문서번호 2024-02-{digits[:4]}-{digits[4:8]}",
        ]
    assert len(texts) == 600
    touched = sum(before != after for before, after in zip(texts, masked(*texts), strict=True))
    assert touched <= 6  # the one date in ten whose check digit holds


@pytest.mark.parametrize(
    "number",
    [
        *("010-1234-5678", "9001011234567", "2134567890123", "123-45-67890", "101동 1203호", "211.234.100.5"),
        *("공일공일이삼사오육칠팔", "0 1 0 - 1 2 3 4 - 5 6 7 8", "hong골뱅이naver.com", "(at)", "0공", "12로"),
    ],
)
def test_many_identifiers_side_by_side_take_time_in_proportion(number: str) -> None:
    seconds = []
    for times in (20_000, 80_000):
        text = "가나다 " + " ".join([number] * times)
        column = text_buffers(pa.array([text], pa.large_string()))
        masked("0")  # compiled
        start = time.process_time()
        found = find_private(*column, POLICIES)
        seconds.append(time.process_time() - start)
    assert seconds[1] < 9 * seconds[0] + 0.5  # four times the text; quadratic, it took sixteen times as long, minutes
    edits = found.edits.get(0, [])
    assert not edits or (len(edits) == 80_000 and text.encode()[edits[-1].start : edits[-1].end].decode() == number)


def test_firms_numbers_are_reported_and_counted_by_document() -> None:
    texts = pa.array(["사업자등록번호 120-81-47521, 120-81-47521", "120-81-47521", "없음"], pa.large_string())
    found = find_private(*text_buffers(texts), POLICIES)
    assert found.reported == {"brn": (2, 3)} and not found.edits
    assert found.numbers.tolist() == [2, 1, 0]
    spaced = private_spans(["사업자등록증 번호 120 81 47521", "표 120 81 47521"], POLICIES)
    assert [len(spans) for spans in spaced] == [1, 0]


def test_a_policy_decides_what_is_masked() -> None:
    text = "010-1234-5678 a@b.kr"
    assert masked(text, policies={"phone": "mask"}) == ["<|phone|> a@b.kr"]
    assert masked(text, policies={"email": "mask", "phone": "report"}) == ["010-1234-5678 <|email|>"]


def test_names_are_found_in_fields_alone_and_only_where_asked_for() -> None:
    text = "성명: 홍길동, 예금주 김하늘, 담당자: 이도윤에게. 신청인 정보는 없다. 홍길동이 왔다. 파일 이름: 선택한"
    assert masked(text, policies={"name": "mask"}) == [
        "성명: <|name|>, 예금주 <|name|>, 담당자: <|name|>에게. 신청인 정보는 없다. 홍길동이 왔다. 파일 이름: 선택한"
    ]


def test_spans_are_told_in_characters_with_what_is_only_reported() -> None:
    texts = ["", "한글 😀 010-1234-5678, 국민은행 123456-78-901234 끝", "사업자등록번호 120-81-47521, a@b.kr", "없음"]
    spans = private_spans(texts, POLICIES)
    assert [[(span.type, span.policy) for span in one] for one in spans] == [
        [],
        [("phone", "mask"), ("account", "mask")],
        [("brn", "report"), ("email", "mask")],
        [],
    ]
    told = [[text[span.start : span.end] for span in one] for text, one in zip(texts, spans, strict=True)]
    assert told == [[], ["010-1234-5678", "123456-78-901234"], ["120-81-47521", "a@b.kr"], []]


@given(st.lists(st.text("가é😀 01-@.", max_size=12), max_size=4), st.sampled_from(["010-1234-5678", "a@b.kr"]))
def test_a_span_and_its_edit_speak_of_the_same_text(parts: list[str], number: str) -> None:
    text = f" {number} 가 ".join(parts)
    found = find_private(*text_buffers(pa.array([text], pa.large_string())), POLICIES)
    edited = [text.encode()[edit.start : edit.end].decode() for edit in found.edits.get(0, [])]
    assert edited == [text[span.start : span.end] for span in private_spans([text], POLICIES)[0]]


@given(st.text("0123456789-.()@[]{} \n\t,:/abotklOM가동호로길리시구면공일영이골뱅이톡텔성명김주소é😀", max_size=120))
def test_any_text_is_read_and_its_spans_are_disjoint_and_inside(text: str) -> None:
    everything = dict.fromkeys(POLICIES, "report")
    spans = private_spans([text, text], everything)  # type: ignore[arg-type]
    assert spans[0] == spans[1]
    reach = 0
    for span in spans[0]:
        assert reach <= span.start < span.end <= len(text)
        reach = span.end


def test_what_is_to_be_dropped_is_masked_and_told_by_document() -> None:
    texts = pa.array(["010-1234-5678 a@b.kr", "a@b.kr", "없음"], pa.large_string())
    found = find_private(*text_buffers(texts), {**POLICIES, "phone": "drop"})
    assert [dropped_names(bits) for bits in found.dropped.tolist()] == [["phone"], [], []]
    assert [len(found.edits.get(row, [])) for row in range(3)] == [2, 1, 0]


def test_nothing_is_found_across_two_documents() -> None:
    assert masked("010-1234-", "5678", "a@", "b.kr") == ["010-1234-", "5678", "a@", "b.kr"]


def test_every_identifier_has_a_setting_and_a_placeholder_and_the_first_ones_keep_their_place() -> None:
    assert {f"<|{name}|>" for name in POLICIES} == set(PLACEHOLDERS)
    first = ["rrn", "passport", "license", "phone", "email", "card", "account", "plate"]
    assert list(PLACEHOLDERS[:8]) == [f"<|{name}|>" for name in first]
    assert {identifier.name for identifier in IDENTIFIERS} == set(POLICIES)


@given(st.text("가나 \n.,", max_size=20), st.text("가나 \n.,", max_size=20))
def test_a_number_is_found_whatever_korean_stands_around_it(before: str, after: str) -> None:
    assert masked(f"{before}가 010-1234-5678가{after}") == [f"{before}가 <|phone|>가{after}"]


def test_check_digits_are_those_of_the_standards() -> None:
    assert luhn("4111111111111111") and not luhn("4111111111111112")
    assert ean13("9788954642118") == (sum(int(d) * (1, 3)[i % 2] for i, d in enumerate("9788954642118")) % 10 == 0)
    assert brn_check_digit("1208147521") and not brn_check_digit("1208147522")
    assert sum(rrn_check_digit(f"900101123456{digit}") for digit in range(10)) == 1
