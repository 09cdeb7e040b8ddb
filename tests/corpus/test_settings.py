"""corpus/settings.py: sizes and counts as people write them."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from corpus.settings import Count, Size


@pytest.mark.parametrize(
    ("text", "size"), [("64MiB", 64 << 20), ("1.5 GB", 1_500_000_000), (7, 7), ("12", 12), ("2TiB", 2 << 40)]
)
def test_sizes_are_read(text: object, size: int) -> None:
    assert TypeAdapter(Size).validate_python(text) == size


@pytest.mark.parametrize("text", ["64 mib", "large", "", "MiB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="is no size"):
        TypeAdapter(Size).validate_python(text)


@pytest.mark.parametrize(
    ("text", "count"), [("1T tokens", 10**12), ("200M", 200_000_000), ("1e9", 10**9), ("1.5B", 1_500_000_000), (3, 3)]
)
def test_counts_are_read(text: object, count: int) -> None:
    assert TypeAdapter(Count).validate_python(text) == count


def test_what_is_no_count_is_refused() -> None:
    with pytest.raises(ValidationError, match="is no count"):
        TypeAdapter(Count).validate_python("many")
