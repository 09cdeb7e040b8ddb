"""What an incremental index was made with: written into it once, and refused where another command says otherwise."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from corpus.errors import StaleError, UsageError
from dedup.index_segments import WORTH
from dedup.settings import DedupSettings

TAKEN = ("shingle", "bands", "rows", "similarity", "neighbours", "prefer", "valid", "test")
_PROBE = "다람쥐 헌 쳇바퀴에 타고파. The quick brown fox 1234567890 키스의 고유 조건은 입술끼리 만나야 한다는 것."


@dataclass(frozen=True, slots=True)
class IndexParameters:
    """Settings of deduplication that decide what stands in an index; see `DedupSettings`. `seed` is the recipe's."""

    shingle: int
    bands: int
    rows: int
    similarity: float
    neighbours: int
    prefer: tuple[str, ...]
    valid: float
    test: float
    seed: int = 0

    @classmethod
    def of(cls, settings: DedupSettings, seed: int = 0) -> IndexParameters:
        """Those of a recipe."""
        return cls(**{name: getattr(settings, name) for name in TAKEN}, seed=seed)

    @classmethod
    def read(cls, values: dict[str, Any]) -> IndexParameters:
        """Out of JSON.

        Raises:
            TypeError, KeyError, ValueError: they are no such parameters.
        """
        settings = DedupSettings(**{name: values[name] for name in TAKEN if name != "prefer"}, prefer=())
        if not all(isinstance(one, str) for one in values["prefer"]):
            raise TypeError("prefer")
        return dataclasses.replace(cls.of(settings, int(values["seed"])), prefer=tuple(values["prefer"]))

    @property
    def worth(self) -> tuple[str, ...]:
        """What the preference goes by beside length and date: `quality`, `rights`, both or neither."""
        return tuple(name for name in WORTH if name in self.prefer)

    def refuse_other(self, asked: IndexParameters, where: str) -> None:
        """Refuse to go on with settings that the index was not made with.

        Raises:
            StaleError: naming each that differs.
        """
        ours, theirs = dataclasses.asdict(self), dataclasses.asdict(asked)
        other = [f"{name} {ours[name]}, not {theirs[name]}" for name in ours if ours[name] != theirs[name]]
        if other:
            raise StaleError(
                f"the index was made with {'; '.join(other)}",
                where=where,
                fix="leave those settings as the index has them, or make another index in a new folder",
            )

    def probe(self) -> str:
        """16 hex digits that change when the hash functions do: signatures of two versions never meet in one index."""
        from dedup.minhash import band_keys, sign
        from dedup.shingles import shingle_sets

        texts = pa.array([_PROBE], pa.large_string())
        signed = sign(texts, self.shingle, self.bands * self.rows)
        keys = band_keys(signed.values, self.bands, self.rows)
        parts = [keys.reshape(-1), signed.text.reshape(-1), np.sort(shingle_sets(texts, self.shingle).values)]
        mixed = 0
        for value in np.concatenate(parts).tolist():
            mixed = (mixed * 0x9E3779B97F4A7C15 + value + 1) % (1 << 64)
        return f"{mixed:016x}"


def from_values(values: dict[str, Any], where: str) -> IndexParameters:
    """Checked parameters out of `key: value` as a person gives them, defaults where left out.

    Raises:
        UsageError: an unknown key or a wrong value.
    """
    from pydantic import TypeAdapter, ValidationError

    values = dict(values)
    seed = values.pop("seed", 0)
    unknown = [name for name in values if name not in TAKEN]
    if unknown:
        raise UsageError(f"unknown: {', '.join(unknown)}", where=where, fix=f"known are {', '.join((*TAKEN, 'seed'))}")
    try:
        return IndexParameters.of(
            TypeAdapter(DedupSettings).validate_python(values), TypeAdapter(int).validate_python(seed)
        )
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise UsageError(told, where=where, fix="`hanjo recipe explain dedup` says what a value means") from error
    except ValueError as error:
        raise UsageError(str(error), where=where) from error
