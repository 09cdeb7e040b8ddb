"""Data sets of the Hugging Face library: a folder that `save_to_disk` wrote, a folder of data files, or one of the hub.

A source is one folder and read whole: its splits in their order, each row at its number. The hub is asked only where
the recipe says `path: hf://datasets/OWNER/NAME`; what is read there is the commit that was current when the run began.
No code of a data set is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpus.documents import Record, Rejected
from corpus.errors import MissingExtraError, SourceError
from corpus.places import HUB, is_url, store_errors
from corpus.sources import ReadOptions, fields_of
from corpus.streams import too_long

try:
    import datasets
except ModuleNotFoundError as missing:
    if missing.name != "datasets":
        raise
    told = "the format 'datasets' needs the library datasets"
    raise MissingExtraError(told, fix="pip install datasets") from missing

ENDINGS = ()
SPLIT = "folder"

_ROWS = 512  # a batch
_SAVED = ("dataset_dict.json", "state.json")  # what save_to_disk writes
_BROKEN = (ValueError, KeyError, TypeError, OSError, pa.ArrowException, datasets.exceptions.DatasetsError)


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """The rows of every split (or those that `splits` names); offsets are rows. start and end are not used.

    Raises:
        SourceError: there is no subset or split of that name, its files lie elsewhere, or the hub cannot be read.
    """
    hub = HUB.fullmatch(path.as_posix())
    if hub is None:
        yield from _read(path, options)
        return
    with store_errors(f"hf://datasets/{hub[1]}"):
        yield from _read(path, options)


def _read(path: Path, options: ReadOptions) -> Iterator[Record | Rejected]:
    datasets.disable_progress_bars()
    datasets.utils.logging.set_verbosity(datasets.utils.logging.CRITICAL)
    remote = HUB.fullmatch(path.as_posix()) is not None
    try:
        splits = _splits(path, options)
    except _BROKEN as error:
        if "BuilderConfig" in str(error) or "Config name is missing" in str(error):
            fix = "set the source's `subset` to one that the data set has"
            raise SourceError(f"no subset {options.subset!r}", where=path.name, fix=fix) from error
        if remote:
            raise
        told = f"no readable data set ({type(error).__name__})"
        detail = f"{told}: save it again by save_to_disk, or name its files' format"
        yield Rejected(0, 0, "datasets.broken", detail)
        return
    for name in options.splits or splits:
        if name not in splits:
            there = ", ".join(splits)
            raise SourceError(f"no split {name!r} (there are: {there})", where=path.name, fix="mend `splits`")
        yield from _rows(splits[name], name, options, remote=remote)


def _splits(path: Path, options: ReadOptions) -> dict[str, Any]:
    if hub := HUB.fullmatch(path.as_posix()):
        return dict(datasets.load_dataset(hub[1], options.subset, revision=hub[2], streaming=True))
    if any((path / name).is_file() for name in _SAVED):
        saved = datasets.load_from_disk(str(path), keep_in_memory=False)
        return dict(saved) if isinstance(saved, dict) else {str(saved.split or "train"): saved}
    # As an absolute path of a folder that is there, never as a name of the hub.
    scratch = None if options.scratch is None else str(options.scratch)
    builder = datasets.load_dataset_builder(str(path.resolve(strict=True)), options.subset, cache_dir=scratch)
    for files in (builder.config.data_files or {}).values():
        if elsewhere := [one for one in files if is_url(str(one))]:
            told = f"{len(elsewhere)} of its data files lie elsewhere"
            raise SourceError(told, where=path.name, fix="download them into the folder and mend its README.md")
    return dict(builder.as_streaming_dataset())


def _rows(rows: Any, split: str, options: ReadOptions, *, remote: bool) -> Iterator[Record | Rejected]:
    names, row = rows.column_names, 0
    wanted = [name for name in (options.text, options.key, options.url, options.created, *options.meta) if name]
    if names is not None:
        if options.text not in names:
            there = ", ".join(names[:8])
            detail = (
                f"no column {options.text!r} (there are: {there}): set the source's `text` to the column of the text"
            )
            yield Rejected(0, 0, "datasets.no_text", detail, split)
            return
        # Columns that are not asked for are not decoded: pictures and sound cost time and other libraries.
        rows = rows.select_columns([name for name in dict.fromkeys(wanted) if name in names])
    try:
        for batch in rows.iter(batch_size=_ROWS):
            count = len(next(iter(batch.values())))
            for at in range(count):
                yield _record(row, {name: values[at] for name, values in batch.items()}, split, options)
                row += 1
    except _BROKEN as error:
        if remote:  # a network's failure says nothing of the data: the run stops
            raise
        detail = f"split {split!r} cannot be read from row {row} on ({type(error).__name__}): copy or save it again"
        yield Rejected(row, 0, "datasets.broken", detail, split)


def _record(row: int, value: dict[str, Any], split: str, options: ReadOptions) -> Record | Rejected:
    text = value.get(options.text)
    if not isinstance(text, str):
        what = "is null" if text is None else "holds no text"
        detail = f"row {row}: column {options.text!r} {what}: fill or remove it"
        return Rejected(row, 0, "datasets.no_text", detail, split)
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > options.max_record:
        long = too_long(row, size, options.max_record, f"row {row}")
        return Rejected(long.offset, long.length, long.cause, long.detail, split)
    told_fields, lost = fields_of(value, options)
    return Record(text, row, size, member=split, losses=lost, **told_fields)
