"""Rights are asked by day and field, and survive their table."""

import dataclasses
import datetime
from pathlib import Path

import pytest

from corpus.errors import RightsError
from corpus.rights import Rights, allows, lacking, read_rights, rights_id, rights_row, write_rights
from corpus.shards import JobContext

DAY = datetime.date(2026, 11, 24)
GRANT = Rights(True, True, False, True, True, "우리", DAY, "contract", "section 3")


def test_the_last_day_counts_and_the_next_does_not() -> None:
    assert allows(GRANT, "train", DAY)
    assert not allows(GRANT, "train", DAY + datetime.timedelta(days=1))
    assert not allows(GRANT, "redistribute", DAY)


def test_lacking_names_the_field_in_the_way() -> None:
    assert lacking(GRANT, ("train", "publish_weights"), DAY) is None
    assert lacking(GRANT, ("train", "redistribute"), DAY) == "redistribute"
    assert lacking(GRANT, ("train",), DAY + datetime.timedelta(days=1)) == "until"


def test_an_unknown_right_is_an_error() -> None:
    with pytest.raises(RightsError):
        allows(GRANT, "sell", DAY)  # type: ignore[arg-type]


def test_another_grant_is_another_id() -> None:
    assert len(rights_id("a", "b", GRANT)) == 16
    assert rights_id("a", "b", GRANT) != rights_id("a", "b", dataclasses.replace(GRANT, until=None))


def test_the_table_gives_back_the_rights(tmp_path: Path) -> None:
    write_rights(tmp_path, [rights_row("a", "b", GRANT)], JobContext(tmp_path, "f", 0))
    assert read_rights(tmp_path) == {rights_id("a", "b", GRANT): GRANT}
