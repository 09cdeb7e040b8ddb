"""An existing vocabulary with more tokens: new merges, learned by going on with the old merge list; no id moves.

`hanjo tokenizer extend`. Every piece of the texts is cut as the old vocabulary cuts it, and byte pair encoding goes on
from there, with the old tokenizer's own normaliser and pre-tokenizer. So a text is first merged as before and then
further: its segmentation only gets coarser. New ids begin after all old ones. Added tokens are written into the
model's vocabulary with their ids: the `tokenizers` library would else give them new ones when it opens the file, since
it numbers those that the vocabulary does not know from the vocabulary's end on.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import SchemaError, SourceError
from corpus.shards import atomic_path, write_json
from tokenizer.counted_pieces import count_pieces
from tokenizer.extendable import ByteLevelBpe, from_state
from tokenizer.folders import copy_tokenizer, whole_folder
from tokenizer.indexed import token_dtype
from tokenizer.verify_extension import Check, failures
from tokenizer.vocabulary import MULTIPLE, TOKENIZER, content_hash

RECORD = "extension.json"


@dataclass(frozen=True, slots=True)
class Extension:
    """A vocabulary that was extended.

    Attributes:
        base: what it was.
        extended: what it is.
        times: how often each new token's pair occurred in the texts when it was merged, in the order of new ids.
        pieces: different pieces with Hangul that it was learned from; `occurrences` counts them as often as they occur.
    """

    base: ByteLevelBpe
    extended: ByteLevelBpe
    times: list[int]
    pieces: int
    occurrences: int


def extend(base: ByteLevelBpe, texts: Iterable[str], add: int, *, least: int = 2, workers: int = 1) -> Extension:
    """Learn `add` new tokens on texts.

    Args:
        least: times that a pair must occur to be merged.
        workers: processes that count pieces; the result is the same with any number.

    Raises:
        SourceError: there is no Hangul in the texts, or too little for so many tokens; or the base is at odds with
            itself.
    """
    for token in base.added:
        if base.ids[token["content"]] != token["id"]:
            raise SourceError(
                f"the file gives {token['content']!r} the id {token['id']}, the library opens it as "
                f"{base.ids[token['content']]}",
                where=str(base.folder / TOKENIZER),
                fix="mend the base first: its vocabulary was changed without its added tokens",
            )
    counts = count_pieces(base.tokenizer, texts, workers)
    if not counts:
        raise SourceError("no Hangul in the texts", fix="give Korean text: new merges are learned for Hangul alone")
    merges = _learn(base, counts, add, least)
    made = len(merges.times)
    if made < add:
        raise SourceError(
            f"the texts have pairs for {made:,} new tokens, {add:,} were asked for",
            fix=f"give more text, or ask for fewer with --add {made}",
        )
    tokens, first = {number: token for token, number in base.ids.items()}, base.entries
    new: list[str] = []
    pairs: list[tuple[str, str]] = []
    for number, (left, right) in enumerate(zip(merges.left.tolist(), merges.right.tolist(), strict=True)):
        pairs.append((tokens[left], tokens[right]))
        new.append(tokens[left] + tokens[right])
        tokens[first + number] = new[-1]
    extended = from_state(base.folder, with_merges(base, new, pairs))
    return Extension(base, extended, merges.times.tolist(), len(counts), counts.total())


def _learn(base: ByteLevelBpe, counts: Counter[str], add: int, least: int) -> Any:
    from tokenizer.next_merges import learn_merges

    model = base.tokenizer.model
    ids: list[int] = []
    starts, times = [0], []
    for piece in sorted(counts):
        cut = [token.id for token in model.tokenize(piece)]
        if len(cut) > 1:
            ids += cut
            starts.append(len(ids))
            times.append(counts[piece])
    table = base.token_bytes()
    known = {one for one in table if one} | {token["content"].encode() for token in base.added}
    return learn_merges(
        np.array(ids, np.int32), np.array(starts, np.int64), np.array(times, np.int64), table, known, add, least
    )


def with_merges(base: ByteLevelBpe, new: list[str], pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The `tokenizer.json` of a base with further tokens, in the style that the base writes merges in."""
    model, first = dict(base.state["model"]), base.entries
    vocab = base.ids | {token: first + number for number, token in enumerate(new)}
    model["vocab"] = dict(sorted(vocab.items(), key=lambda pair: pair[1]))
    as_text = bool(model["merges"]) and isinstance(model["merges"][0], str)
    model["merges"] = [*model["merges"], *(" ".join(pair) if as_text else list(pair) for pair in pairs)]
    return {**copy.deepcopy({k: v for k, v in base.state.items() if k != "model"}), "model": model}


def notes(made: Extension) -> list[str]:
    """What a person should know of an extension that is sound."""
    told = []
    if made.base.normaliser:
        told.append(f"the base normalises text first ({made.base.normaliser}): a text comes back up to that")
    before, after = token_dtype(made.base.entries), token_dtype(made.extended.entries)
    if before != after:
        room = len(made.times) // MULTIPLE * MULTIPLE
        while room > 0 and token_dtype(made.base.entries + room) != before:
            room -= MULTIPLE
        told.append(
            f"{made.extended.entries:,} entries take {after.itemsize} bytes a token in shards, not {before.itemsize}"
            + (f"; with --add {room} they would still fit" if room > 0 else "")
        )
    return told


def write_extension(made: Extension, checks: Sequence[Check], folder: Path) -> None:
    """Write the extended tokenizer as a folder: `tokenizer.json`, the base's other files as they are, and a record.

    Raises:
        SchemaError: a check failed; nothing is written. UsageError: the folder is there already.
    """
    if told := failures(checks):
        raise SchemaError(
            f"the extension is not sound, nothing was written: {told}",
            where=str(folder),
            fix="please report it with the base's name; a base that breaks its own rules cannot be extended",
        )
    record = {
        "base": content_hash(made.base.folder),
        "first_new_id": made.base.entries,
        "new_tokens": len(made.times),
        "rarest_merge": made.times[-1] if made.times else None,
        "pieces": made.pieces,
        "occurrences": made.occurrences,
        "checks": [asdict(check) for check in checks],
    }
    with whole_folder(folder) as temporary:
        copy_tokenizer(made.base.folder, temporary)
        write_state(made.extended.state, temporary)
        write_json(temporary / RECORD, record)


def write_state(state: dict[str, Any], folder: Path) -> None:
    """Write a `tokenizer.json`."""
    with atomic_path(folder / TOKENIZER) as path:
        path.write_text(json.dumps(state, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
