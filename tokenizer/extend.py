"""An existing vocabulary with more tokens: new merges, learned by going on with the old merge list; no id moves.

`hanjo tokenizer extend`. Every piece of the texts is cut as the old vocabulary cuts it, and byte pair encoding goes on
from there, with the old tokenizer's own normaliser and pre-tokenizer. So a text is first merged as before and then
further: its segmentation only gets coarser. A sentencepiece-style vocabulary first gets the characters of Hangul that
it lacks: one token where there were three of bytes, which no old merge touches. New ids begin after all old ones. Added
tokens are written into the model's vocabulary with their ids: the `tokenizers` library would else give them new ones
when it opens the file, since it numbers those that the vocabulary does not know from the vocabulary's end on.
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import SchemaError, SourceError
from corpus.interrupts import heard
from corpus.shards import atomic_path, write_json
from tokenizer.byte_level import HANGUL_CLASS
from tokenizer.counted_pieces import count_pieces
from tokenizer.extendable import Bpe, from_state
from tokenizer.folders import copy_tokenizer, whole_folder
from tokenizer.hangul_runs import roles, runs, word_border
from tokenizer.indexed import token_dtype
from tokenizer.verify_extension import Check, failures
from tokenizer.vocabulary import MODEL, MULTIPLE, TOKENIZER, content_hash

RECORD = "extension.json"
_SAVED = 2  # tokens at each place of a character that had three of bytes and has its own


@dataclass(frozen=True, slots=True)
class Extension:
    """A vocabulary that was extended.

    Attributes:
        base: what it was.
        extended: what it is.
        times: how often each new token's pair occurred in the texts when it was merged, in the order of new ids.
        characters: how many of them are characters that the base lacked; they come first, with their own times.
        pieces: different pieces with Hangul that it was learned from; `occurrences` counts them as often as they occur.
    """

    base: Bpe
    extended: Bpe
    times: list[int]
    characters: int
    pieces: int
    occurrences: int


def extend(base: Bpe, texts: Iterable[str], add: int, *, least: int = 2, workers: int = 1) -> Extension:
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
    counts = count_pieces(base.tokenizer, texts, workers, None if base.byte_level else word_border(base.ids))
    if not counts:
        raise SourceError("no Hangul in the texts", fix="give Korean text: new merges are learned for Hangul alone")
    missing = {} if base.byte_level else _missing(base, counts, least)
    widened = from_state(base.folder, with_merges(base, list(missing), [])) if missing else base
    merges = heard(lambda: _learn(widened, counts, add, least))
    characters, made = _most_saving(list(missing.values()), merges.times.tolist(), add)
    if characters + made < add:
        raise SourceError(
            f"the texts have pairs for {characters + made:,} new tokens, {add:,} were asked for",
            fix=f"give more text, or ask for fewer with --add {characters + made}",
        )
    tokens, first = {number: token for token, number in widened.ids.items()}, widened.entries
    new = list(missing)[:characters]
    pairs: list[tuple[str, str]] = []
    for left, right in zip(merges.left[:made].tolist(), merges.right[:made].tolist(), strict=True):
        pairs.append((tokens[left], tokens[right]))
        new.append(tokens[left] + tokens[right])
        tokens[first + len(pairs) - 1] = new[-1]
    times = [*missing.values()][:characters] + merges.times[:made].tolist()
    extended = from_state(base.folder, with_merges(base, new, pairs))
    return Extension(base, extended, times, characters, len(counts), counts.total())


def _missing(base: Bpe, counts: Counter[str], least: int) -> dict[str, int]:
    """Characters of Hangul that the vocabulary lacks, and how often they occur; the most frequent first."""
    found: Counter[str] = Counter()
    hangul = re.compile(f"[{HANGUL_CLASS}]")
    for piece, number in counts.items():
        for character in hangul.findall(piece):
            if character not in base.ids:
                found[character] += number
    return {one: found[one] for one in sorted(found, key=lambda one: (-found[one], one)) if found[one] >= least}


def _most_saving(characters: Sequence[int], merges: Sequence[int], add: int) -> tuple[int, int]:
    """How many of the characters and of the merges to take, from the first on: those that save most tokens.

    A merge with a character in it occurs at most as often as that, so that the character is always taken before it.

    Args:
        characters, merges: how often each occurs.
    """
    taken = made = 0
    while taken + made < min(add, len(characters) + len(merges)):
        if made == len(merges) or (taken < len(characters) and _SAVED * characters[taken] >= merges[made]):
            taken += 1
        else:
            made += 1
    return taken, made


def _learn(base: Bpe, counts: Counter[str], add: int, least: int) -> Any:
    from tokenizer.next_merges import learn_merges

    model = base.tokenizer.model
    names = {number: token for token, number in base.ids.items()}
    role = None if base.byte_level else roles([names.get(number, "") for number in range(base.entries)])
    ids: list[int] = []
    starts, times = [0], []
    for piece in sorted(counts):
        whole = [token.id for token in model.tokenize(piece)]
        for cut in [whole] if role is None else runs(whole, role):
            if len(cut) > 1:
                ids += cut
                starts.append(len(ids))
                times.append(counts[piece])
    table = base.token_bytes()
    known = {one for one in table if one} | {token["content"].encode() for token in base.added}
    return learn_merges(
        np.array(ids, np.int32), np.array(starts, np.int64), np.array(times, np.int64), table, known, add, least
    )


def with_merges(base: Bpe, new: list[str], pairs: list[tuple[str, str]]) -> dict[str, Any]:
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
    if (made.base.folder / MODEL).is_file():
        told.append(f"{MODEL} was left out: it holds the old vocabulary, and would be read in place of the new one")
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

    A `tokenizer.model` of sentencepiece is left out: it would say otherwise than the new `tokenizer.json`.

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
        "new_characters": made.characters,
        "rarest_merge": made.times[-1] if len(made.times) > made.characters else None,
        "pieces": made.pieces,
        "occurrences": made.occurrences,
        "checks": [asdict(check) for check in checks],
    }
    with whole_folder(folder) as temporary:
        copy_tokenizer(made.base.folder, temporary, without=MODEL)
        write_state(made.extended.state, temporary)
        write_json(temporary / RECORD, record)


def write_state(state: dict[str, Any], folder: Path) -> None:
    """Write a `tokenizer.json`."""
    with atomic_path(folder / TOKENIZER) as path:
        path.write_text(json.dumps(state, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
