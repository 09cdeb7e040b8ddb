"""An index's files: what is damaged, foreign, half written or in use is refused with the reason; nothing holds text."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import dedup.index_parameters
from corpus.errors import HanjoError, LockedError, StaleError, StorageError, UsageError
from corpus.manifest import fingerprint
from dedup import stage
from dedup.index import Index, writing
from dedup.index_adding import add_sources
from dedup.index_check import check
from dedup.index_parameters import IndexParameters, from_values
from dedup.index_query import verdicts
from dedup.index_sources import Fields, ids_of
from dedup.index_update import Documents
from dedup.inputs import NO_DATE
from dedup.settings import DedupSettings

PARAMETERS = IndexParameters.of(DedupSettings())
Damage = Callable[[Path], object]


def documents(kit: Any, first: int, count: int) -> Documents:
    rng = random.Random(first)
    texts = [kit.korean_text(rng, 30) for _ in range(count // 2)]
    texts += [kit.changed(text, "replace", 0.03, rng) for text in texts]
    numbers = np.arange(first, first + len(texts)).astype(np.uint64)
    return Documents(numbers, numbers, np.full(len(texts), NO_DATE), pa.array(texts, pa.large_string()))


@pytest.fixture
def folder(kit: Any, tmp_path: Path) -> Path:
    """An index of two segments."""
    with writing(tmp_path / "index", PARAMETERS, create=True) as index:
        index.add(documents(kit, 0, 40))
        index.add(documents(kit, 100, 10))
    return tmp_path / "index"


def segment(folder: Path) -> Path:
    return min((folder / "segments").iterdir())


def cut(share: float) -> Damage:
    return lambda folder: os.truncate(segment(folder), int(segment(folder).stat().st_size * share))


def with_manifest(**values: object) -> Damage:
    def damage(folder: Path) -> None:
        held = json.loads((folder / "manifest.json").read_text()) | values
        held.pop("check")
        (folder / "manifest.json").write_text(json.dumps({**held, "check": fingerprint(held)}))

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut(0), "cut short"),
        (cut(0.5), "cut short"),
        (cut(0.999), "cut short"),
        (lambda folder: segment(folder).unlink(), "missing"),
        (lambda folder: segment(folder).write_bytes(os.urandom(segment(folder).stat().st_size)), "not a segment"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "not a readable manifest"),
        (lambda folder: (folder / "manifest.json").write_text('{"stages": {}}'), "not the manifest of an index"),
        (lambda folder: (folder / "manifest.json").unlink(), "no index here"),
        (with_manifest(format=99), "format 99; this version of hanjo reads format 1"),
        (with_manifest(probe="0" * 16), "hashes otherwise"),
        (with_manifest(parameters={"shingle": 5}), "not a readable manifest"),
    ],
)
def test_a_damaged_or_foreign_index_is_refused_with_the_reason(folder: Path, damage: Damage, message: str) -> None:
    damage(folder)
    with pytest.raises(HanjoError, match=message) as refused:
        Index.open(folder)
    assert refused.value.fix
    with pytest.raises(HanjoError, match=message), writing(folder):
        pass


def test_a_manifest_that_was_changed_by_hand_is_refused(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"documents": 50', '"documents": 51'))
    with pytest.raises(StaleError, match="changed after it was written"):
        Index.open(folder)


def test_one_flipped_bit_is_found_by_the_check(folder: Path) -> None:
    check(Index.open(folder))
    data = bytearray(segment(folder).read_bytes())
    data[len(data) // 2] ^= 4
    segment(folder).write_bytes(data)
    with pytest.raises(StaleError, match="not those that were written"):
        check(Index.open(folder))


@pytest.mark.parametrize("other", [{"similarity": 0.7}, {"shingle": 4}, {"prefer": ("shortest",)}])
def test_other_settings_are_refused_by_name(folder: Path, other: dict[str, Any]) -> None:
    asked = IndexParameters.of(replace(DedupSettings(), **other))
    with pytest.raises(StaleError, match=f"made with .*{next(iter(other))} "), writing(folder, asked):
        pass
    with pytest.raises(StaleError, match="made with seed 0, not 7"):
        Index.open(folder, IndexParameters.of(DedupSettings(), seed=7))


def test_parameters_that_are_wrong_are_refused() -> None:
    with pytest.raises(UsageError, match="unknown: similariti"):
        from_values({"similariti": 1}, "--set")
    with pytest.raises(UsageError, match="similarity"):
        from_values({"similarity": 7}, "--set")
    with pytest.raises(UsageError, match="more than everything"):
        from_values({"valid": 0.9, "test": 0.9}, "--set")


def test_another_version_of_the_hash_functions_is_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands for a change of the kernels: another text gives another probe."""
    monkeypatch.setattr(dedup.index_parameters, "_PROBE", "다른 글")
    with pytest.raises(StaleError, match="hashes otherwise"):
        Index.open(folder)


def test_two_writers_never_meet_and_readers_need_no_lock(folder: Path, kit: Any) -> None:
    with writing(folder) as index:
        with pytest.raises(LockedError, match="another process writes"), writing(folder):
            pass
        reader = Index.open(folder)
        index.add(documents(kit, 200, 10))
        index.compact()  # the reader's files are gone by name, not under its hands
        assert reader.totals["documents"] == 50
        ids = np.array([0, 200], np.uint64)
        assert verdicts(reader.tables, (ids, ids))["known"].to_pylist() == [True, False]
    assert Index.open(folder).totals["documents"] == 60


def test_what_a_killed_writer_left_is_cleared_away(folder: Path) -> None:
    before = Index.open(folder).segments
    (folder / "segments" / "000099.seg").write_bytes(b"written, never named")
    (folder / "segments" / ".000003.seg.tmp").write_bytes(b"half")
    with writing(folder) as index:
        assert index.segments == before
    assert {path.name for path in (folder / "segments").iterdir()} == {one.name for one in before}


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="not empty"), writing(tmp_path, PARAMETERS, create=True):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_the_index_holds_no_text_and_is_its_owner_s(folder: Path, kit: Any) -> None:
    held = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for text in documents(kit, 0, 40).texts.to_pylist():
        assert text[:6].encode() not in held
    assert folder.stat().st_mode & 0o777 == 0o700
    assert segment(folder).stat().st_mode & 0o777 == 0o600


def test_a_full_disk_leaves_the_index_as_it_was(kit: Any, small_disk: Callable[[str], Path]) -> None:
    small = small_disk("300k")
    with writing(small / "index", PARAMETERS, create=True) as index:
        index.add(documents(kit, 0, 40))
        with pytest.raises(StorageError, match="no space left"):
            index.add(documents(kit, 1000, 2000))
    assert Index.open(small / "index").totals["documents"] == 40
    check(Index.open(small / "index"))
    small_disk("50m")
    with writing(small / "index") as index:
        index.add(documents(kit, 1000, 2000))
    assert Index.open(small / "index").totals["documents"] == 2040


def test_a_run_in_the_index_is_as_its_own_stage_says(kit: Any, run_phases: Any, tmp_path: Path) -> None:
    rng = random.Random(5)
    texts = [kit.korean_text(rng, rng.randint(5, 40)) for _ in range(60)]
    texts += [kit.changed(rng.choice(texts), rng.choice(("replace", "particle", "spacing")), 0.04, rng) for _ in texts]
    made = [kit.Document(str(i), text, keep=i % 7 != 3, created=kit.day(1 + i % 5)) for i, text in enumerate(texts)]
    made.append(kit.Document("0", texts[1] + " 더", created=kit.day(9)))  # a newer version
    run = tmp_path / "run"
    run.mkdir()
    kit.make_run(run, [made[::2], made[1::2]])
    (run / "recipe.yaml").write_text("")  # a made run: the stages before are fixtures
    how = DedupSettings(valid=0.3, test=0.3)
    run_phases("dedup", stage, run, how, kit.common(run, 4))
    said = {}
    for shard in ("00000", "00001"):
        ids = pa.parquet.read_table(run / "documents" / f"{shard}.parquet")["id"].to_pylist()
        rows = pa.parquet.read_table(run / "clusters" / f"{shard}.parquet").drop_columns(["cuts"]).to_pylist()
        said |= {one: row for one, row in zip(ids, rows, strict=True) if row["cluster"] is not None}
    for memory in (1 << 30, 1 << 20):
        with writing(tmp_path / str(memory), IndexParameters.of(how, 4), memory, create=True) as index:
            added = add_sources(index, [run], Fields())
            assert index.totals["documents"] == len(said) == sum(added.counts.values())
            rows = verdicts(index.tables, ids_of(said)).drop_columns(["known"]).to_pylist()
            told = {row.pop("id"): row for row in rows}
            assert told == said
    shutil.rmtree(run / "clusters")
    with writing(tmp_path / "other", IndexParameters.of(how, 4), create=True) as index, pytest.raises(StaleError):
        add_sources(index, [run], Fields())
