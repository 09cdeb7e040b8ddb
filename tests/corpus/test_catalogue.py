"""Products become readable Korean text by one template, from any of the shapes that catalogues come in."""

import decimal
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.documents import Record, Rejected
from corpus.errors import SourceError
from corpus.product_text import category, plain, price, product_of, review_lines, spec_lines
from corpus.sources import ReadOptions, named_reader

ROW = {
    "id": 7,
    "상품명": "전기밥솥 CRP-LHTR1009F",
    "카테고리": ["가전", "주방", "전기밥솥"],
    "브랜드": "한빛",
    "가격": 329000,
    "사양": {"용량": "10인용", "소비전력": "1,090 W", "크기": {"가로": {"value": 30, "unit": "cm"}, "세로": "25.6cm"}},
    "설명": "<p>밥맛이 <b>좋은</b> 압력밥솥.</p><script>x()</script><p>AS 1588-0000</p>",
    "리뷰": [{"작성자": "홍길동", "평점": 5, "내용": "배송이 빨라요."}, "밥이 고슬고슬해요 &amp; 조용해요."],
}
TEXT = """전기밥솥 CRP-LHTR1009F
분류: 가전 > 주방 > 전기밥솥
브랜드: 한빛
가격: 329,000원

사양
- 용량: 10인용
- 소비전력: 1,090 W
- 크기 가로: 30 cm
- 크기 세로: 25.6cm

밥맛이 좋은 압력밥솥.

AS 1588-0000

리뷰
- 평점 5: 배송이 빨라요.
- 밥이 고슬고슬해요 & 조용해요."""


def read(path: Path, **options: Any) -> list[Any]:
    return list(named_reader("catalogue").load()(path, ReadOptions(**options), 0, None))


def lines(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def test_a_product_is_a_document_by_the_template(tmp_path: Path) -> None:
    (record,) = read(lines(tmp_path / "a.jsonl", ROW), key="id")
    assert (record.text, record.key, record.losses) == (TEXT, "7", {})
    assert "홍길동" not in record.text


def test_reviews_can_be_documents_of_their_own(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", ROW, {"name": "컵", "reviews": ["예뻐요."]})
    product, first, second, alone = read(path, key="id", reviews="apart")
    assert product.text == TEXT.partition("\n\n리뷰")[0]
    assert first.text == "리뷰: 전기밥솥 CRP-LHTR1009F\n\n평점 5: 배송이 빨라요."
    assert [one.key for one in (product, first, second)] == ["7", "7!review1", "7!review2"]
    # A row with no more than a name and a review is that review; without a key it is known by its place.
    assert (alone.text, alone.key, alone.member) == ("리뷰: 컵\n\n예뻐요.", None, "review1")
    size = path.stat().st_size - 1
    assert sum(one.length for one in (product, first, second, alone)) == size


def test_columns_are_named_by_the_source_or_known(tmp_path: Path) -> None:
    row = {"품목": "컵", "name": "안 쓰임", "값": "3,000원~", "price": 5}
    path = lines(tmp_path / "a.jsonl", row)
    assert read(path, columns={"name": "품목", "price": "값"})[0].text == "컵\n가격: 3,000원~"
    assert read(path)[0].text == "안 쓰임\n가격: 5원"
    with pytest.raises(SourceError, match="'이름'"):
        read(path, columns={"이름": "품목"})


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (329000, "", "329,000원"),
        (329000.0, "KRW", "329,000원"),
        ("329000", "원", "329,000원"),
        ("329,000원", "USD", "329,000원"),
        ("1만 원대", "", "1만 원대"),
        (12.5, "USD", "12.5 USD"),
        (decimal.Decimal("1200.00"), "", "1,200원"),
        ({"amount": 900, "currency": "엔"}, "", "900 엔"),
        ("무료", "", "무료"),
        (True, "", "예"),
        (None, "", ""),
    ],
)
def test_prices_get_a_unit_only_where_they_are_bare(value: object, currency: str, text: str) -> None:
    assert price(value, currency) == text


@pytest.mark.parametrize(
    "spec",
    [
        {"모델": "SM-S928N", "화면": "6.8형 (172.5 mm)", "방수": True},
        [
            {"name": "모델", "value": "SM-S928N"},
            {"name": "화면", "value": "6.8형 (172.5 mm)"},
            {"이름": "방수", "값": True},
        ],
        [("모델", "SM-S928N"), ["화면", "6.8형 (172.5 mm)"], "방수: 예"],
        "모델: SM-S928N|화면 : 6.8형 (172.5 mm)| 방수: 예 ",
        "모델：SM-S928N\n화면: 6.8형 (172.5 mm)\n\n방수: 예",
        '{"모델": "SM-S928N", "화면": "6.8형 (172.5 mm)", "방수": "예"}',
    ],
)
def test_specifications_of_every_shape_read_the_same(spec: object) -> None:
    assert spec_lines(spec) == ["모델: SM-S928N", "화면: 6.8형 (172.5 mm)", "방수: 예"]


@pytest.mark.parametrize(
    "text",
    [
        "CRP-LHTR1009F",
        "10 kΩ ±5 %",
        "1<2, a<x>c, x > y",
        "3.5mm | 6.3mm",
        "http://a.kr/?a=1&b=2",
        "R&D AT&T",
        "㎡당 5,000원",
    ],
)
def test_text_without_markup_is_unharmed(text: str) -> None:
    assert plain(text) == text
    assert plain(f"<p>{text.replace('&', '&amp;').replace('<', '&lt;')}</p>") == text


def test_shapes_without_sense_give_nothing_and_no_error() -> None:
    deep: Any = "바닥"
    for _ in range(100):
        deep = {"속": deep}
    assert spec_lines(deep)
    assert spec_lines(7) == spec_lines([None, 3.5j]) == []
    assert spec_lines("[" * 5000) == ["[" * 5000]
    assert list(review_lines([{"작성자": "홍길동"}, None, 5, [[]]])) == []
    assert category({"대": "가전", "소": None}) == "가전"
    assert product_of({"다른": 1}, {}) is None


def test_csv_rows_have_quotes_line_ends_and_old_encodings(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    text = '상품명,설명,가격\r\n"컵, 큰","첫 줄\n""둘째"" 줄",3000\r\n\r\n접시,납작하다\r\n똠방각하,펲시,1\r\n'
    for encoding in ("utf-8-sig", "cp949"):
        path.write_bytes(text.encode(encoding))
        first, short, last = read(path)
        assert first.text == '컵, 큰\n가격: 3,000원\n\n첫 줄\n"둘째" 줄'
        assert path.read_bytes()[first.offset :].decode(encoding).startswith('"컵')
        assert (short.cause, "line 5" in short.detail) == ("csv.cells", True)
        assert last.text == "똠방각하\n가격: 1원\n\n펲시"


def test_an_open_quote_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("상품명\n컵\n" + '"열린\n' + "줄\n" * 100_000, encoding="utf-8")
    found = read(path, max_record=1000)
    assert isinstance(found[0], Record)
    assert isinstance(found[1], Rejected)
    assert found[1].cause == "record.too_long"


def test_parquet_and_json_rows_are_read_too(tmp_path: Path) -> None:
    specs = pa.array([[("용량", "1 L")], None], pa.map_(pa.string(), pa.string()))
    table = pa.table({"상품명": ["컵", "접시"], "사양": specs, "가격": [3000, None], "리뷰": [["좋다."], []]})
    pq.write_table(table, tmp_path / "a.parquet")
    assert [one.text for one in read(tmp_path / "a.parquet")] == [
        "컵\n가격: 3,000원\n\n사양\n- 용량: 1 L\n\n리뷰\n- 좋다.",
        "접시",
    ]
    (tmp_path / "a.json").write_text(json.dumps({"items": [ROW, {"x": 1}]}), encoding="utf-8")
    record, rejected = read(tmp_path / "a.json")
    assert record.text == TEXT
    assert rejected.cause == "catalogue.no_columns"


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.json"])
def test_bad_files_are_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    assert [one.cause for one in read(path)] == ["file.empty"]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    assert all(isinstance(one, Rejected) for one in read(path))
