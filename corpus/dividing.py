"""The jobs that divide big files by their records: a job a file, its facts the ranges. Collect and check run them.

What they find depends on the file and on what its reader is told alone, so a file that has not changed is not read for
it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from corpus.ranges import Range, ranges_of
from corpus.shards import Job, JobContext, Outcome
from corpus.sources import ReadOptions
from corpus.work_units import Files, Unit, to_divide


def divide_jobs(listed: list[Files], unit_bytes: int, max_record: int) -> list[Job]:
    """A job for each file that its reader must divide, in the order in which `units_of` wants their ranges."""
    return [
        Job(
            f"{number:05d}",
            divide_file,
            {
                "path": piece.path,
                "form": piece.format,
                "size": piece.size,
                "changed": list(piece.changed),
                "told": {
                    "text": told.text,
                    "key": told.key,
                    "url": told.url,
                    "created": told.created,
                    "meta": list(told.meta),
                    "max_record": max_record,
                },
                "unit_bytes": unit_bytes,
            },
            local={"file": piece.files[0]},
            weight=piece.size,
        )
        for number, (piece, told) in enumerate(to_divide(listed, unit_bytes))
    ]


def divide_file(
    context: JobContext,
    *,
    path: str,
    form: str,
    size: int,
    changed: list[int | str],
    told: dict[str, Any],
    unit_bytes: int,
    file: str,
) -> Outcome:
    """Map job: where a file may be divided (`facts`); none where it is read whole."""
    options = ReadOptions(**{**told, "meta": tuple(told["meta"])})
    return Outcome(facts={"ranges": [asdict(one) for one in ranges_of(file, form, options, unit_bytes)]})


def told_ranges(outcomes: Sequence[Outcome]) -> list[list[Range]]:
    """The ranges that jobs of `divide_jobs` found, as `units_of` takes them."""
    return [
        [
            Range(row["start"], row["end"], row["bytes"], tuple((a, b) for a, b in row["spans"]), row["state"])
            for row in outcome.facts["ranges"]
        ]
        for outcome in outcomes
    ]


def told_parts(unit: Unit) -> dict[str, dict[str, Any]]:
    """Of those pieces of a unit that a reader has divided, by their place: the spans it looks at, and its state."""
    return {
        str(place): {"spans": [list(span) for span in piece.part.spans], "state": piece.part.state}
        for place, piece in enumerate(unit.pieces)
        if piece.part is not None
    }
