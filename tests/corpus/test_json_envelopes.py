"""Objects of a JSON file come one by one wherever they stand, a bad one alone is lost, and memory stays bounded."""

import gzip
import io
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.documents import Rejected
from corpus.json_envelopes import Element, elements, plain_names, read_elements

LISTS = ("document", "data")


def found(data: str | bytes, limit: int = 1 << 20) -> list[Element | Rejected]:
    return list(elements(io.BytesIO(data.encode() if isinstance(data, str) else data), LISTS, limit))


def values(data: str | bytes) -> list[object]:
    return [one.value if isinstance(one, Element) else one.cause for one in found(data)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"id":"x","document":[{"a":"]}\\""},{"b":[{"c":{}}]}],"z":{}}', [{"a": ']}"'}, {"b": [{"c": {}}]}]),
        ('[{"a":1},{"b":{"data":[{"x":1}]}}]', [{"a": 1}, {"b": {"data": [{"x": 1}]}}]),
        ('[{"data":[{"a":1}]},{"x":2},{"data":[{"c":1}]}]', [{"a": 1}, {"x": 2}, {"c": 1}]),
        ('{"a":{"b":1}}', [{"a": {"b": 1}}]),
        ('{"document":["가","나"]}', [{"document": ["가", "나"]}]),
        ('{"other":[{"a":1}]}', [{"other": [{"a": 1}]}]),
        ('\ufeff{"data":[{"a":1}]}', [{"a": 1}]),
        ('{"data":[{"a":1},{"a":tru},{"b":2}]}', [{"a": 1}, "json.broken", {"b": 2}]),
        ('{"data":[{"a":1},{"a":[1}},{"b":2}]}', [{"a": 1}, "json.broken"]),
        ('{"data":[{"a":1},{"a":"x', [{"a": 1}, "json.truncated"]),
        ("", ["json.no_object"]),
        ("PK\3\4 no JSON", ["json.no_object"]),
        ("[" * 100_000, ["json.too_deep"]),
    ],
)
def test_objects_are_found_by_the_shape_of_the_file(data: str, expected: list[object]) -> None:
    assert values(data) == expected


def test_places_are_those_of_the_bytes_and_the_envelope_is_told() -> None:
    data = '{"id":"가","metadata":{"category":"나"},"document":[{"a":"다"}, {"b":1}]}'.encode()
    first, second = found(data)
    assert isinstance(first, Element)
    assert isinstance(second, Element)
    assert json.loads(data[first.offset : first.offset + first.length]) == first.value
    assert json.loads(data[second.offset : second.offset + second.length]) == second.value
    assert (second.list_name, second.envelope["metadata"]) == ("document", {"category": "나"})


def test_cp949_is_read_and_utf16_is_refused_with_the_reason() -> None:
    text = '{"data":[{"a":"똠방각하 펲시콜라의 수도는 서울이다"}]}'
    assert values(text.encode("cp949")) == [{"a": "똠방각하 펲시콜라의 수도는 서울이다"}]
    assert values(text.encode("utf-16")) == ["json.utf16"]


def test_an_object_over_the_limit_costs_itself_alone() -> None:
    data = '{"data":[{"a":1},{"long":"' + "가" * 2_000_000 + '"},{"b":2}]}'
    first, long, last = found(data, limit=1 << 22)
    assert isinstance(long, Rejected)
    assert (long.cause, long.length) == ("record.too_long", 6_000_011)
    assert isinstance(first, Element)
    assert isinstance(last, Element)
    assert last.value == {"b": 2}


def test_a_string_without_end_is_refused_in_time() -> None:
    started = time.monotonic()
    (only,) = found(b'{"a":"' + b"x" * (200 << 20), limit=1 << 22)
    assert isinstance(only, Rejected)
    assert only.cause == "record.too_long"
    assert time.monotonic() - started < 10


@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), st.text() | st.integers() | st.lists(st.text(), max_size=3), max_size=4),
        min_size=1,
        max_size=4,
    )
)
def test_what_json_writes_is_what_is_read(rows: list[dict[str, object]]) -> None:
    rows = [{"_": 0, **{name: value for name, value in row.items() if name not in LISTS}} for row in rows]
    for ascii_only in (True, False):
        text = json.dumps({"data": rows}, ensure_ascii=ascii_only)
        assert values(text) == rows
        assert values(json.dumps(rows, ensure_ascii=ascii_only)) == rows


def test_a_cut_gzip_keeps_what_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    data = json.dumps({"data": [{"a": f"{n} 번째 문장"} for n in range(1000)]}).encode()
    path.write_bytes(gzip.compress(data)[:-2000])
    read = list(read_elements(path, LISTS, 1 << 20))
    assert all(isinstance(one, Element) for one in read[:-1])
    assert len(read) > 2
    assert isinstance(read[-1], Rejected)
    assert read[-1].cause == "gzip.truncated"


def test_names_that_may_be_personal_data_are_not_told() -> None:
    assert plain_names({"id": 1, "홍길동": 2, "010-1234-5678": 3}) == "; there are: id"
    assert plain_names({"홍길동": 2}) == ""
