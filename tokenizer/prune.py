"""A vocabulary without the tokens that some texts do not use: `hanjo tokenizer prune`. Apart from extend: ids move.

What stays: the bytes, added tokens, every token that the texts use, and all that those are merged from. So the texts,
and any other text that needs no dropped token, are cut as before. `hanjo pretrain resize` finds the rows by the tokens.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from corpus.errors import SchemaError, SourceError, UsageError
from corpus.shards import atomic_path, write_json
from tokenizer.byte_level import byte_names
from tokenizer.extend import write_state
from tokenizer.extendable import Bpe, from_state, merge_pair
from tokenizer.folders import copy_tokenizer, whole_folder
from tokenizer.vocabulary import CONFIG

RECORD = "pruning.json"
_BATCH = 512  # texts


@dataclass(frozen=True, slots=True)
class Pruned:
    """A smaller vocabulary.

    Attributes:
        base, pruned: before and after.
        old_ids: for each new id, the old one.
        used: tokens that the texts use; with `keep` given, some of them may be gone.
    """

    base: Bpe
    pruned: Bpe
    old_ids: list[int]
    used: int


def prune(base: Bpe, texts: Iterable[str], keep: int | None = None) -> Pruned:
    """Drop what texts do not use.

    Args:
        texts: of every kind that must go on being cut well; English and code too, where they matter.
        keep: entries at most; the rarest tokens go beyond it, and the texts are then cut finer in places.

    Raises:
        SourceError: there is no text. UsageError: `keep` is less than bytes and added tokens need.
    """
    if not base.byte_level:
        raise SourceError(
            "a sentencepiece-style BPE cannot be pruned",
            where=str(base.folder),
            fix="only byte-level BPE can: its 256 bytes stay, so that any text can still be written",
        )
    counts = _used(base, texts)
    if not counts:
        raise SourceError("no text to see which tokens are used", fix="give text")
    names = {number: token for token, number in base.ids.items()}
    stay = {token["content"] for token in base.added}
    stay |= {character for character in byte_names() if character in base.ids}
    if keep is not None and keep < len(stay):
        raise UsageError(f"bytes and added tokens alone are {len(stay)} entries", fix="raise --keep")
    made_of = _made_of(base)
    for number, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        needed = _needed(names[number], made_of, stay)
        if keep is not None and len(stay) + len(needed) > keep:
            continue
        stay |= needed
    tokens = sorted(stay, key=lambda token: base.ids[token])
    return Pruned(base, from_state(base.folder, _state(base, tokens)), [base.ids[t] for t in tokens], len(counts))


def _used(base: Bpe, texts: Iterable[str]) -> Counter[int]:
    counts: Counter[int] = Counter()
    stream = iter(texts)
    while batch := list(islice(stream, _BATCH)):
        for one in base.tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            counts.update(one.ids)
    return counts


def _made_of(base: Bpe) -> dict[str, list[tuple[str, str]]]:
    made: dict[str, list[tuple[str, str]]] = {}
    for left, right in base.merges:
        made.setdefault(left + right, []).append((left, right))
    return made


def _needed(token: str, made_of: dict[str, list[tuple[str, str]]], stay: set[str]) -> set[str]:
    """A token and all that it can be merged from, but for what stays anyway."""
    needed: set[str] = set()
    todo = [token]
    while todo:
        one = todo.pop()
        if one not in stay and one not in needed:
            needed.add(one)
            todo += [part for pair in made_of.get(one, []) for part in pair]
    return needed


def _state(base: Bpe, tokens: list[str]) -> dict[str, Any]:
    """The `tokenizer.json` with these tokens, in this order, and the merges between them."""
    now = {token: number for number, token in enumerate(tokens)}
    state = copy.deepcopy({name: value for name, value in base.state.items() if name != "model"})
    model = dict(base.state["model"])
    model["vocab"] = now
    model["merges"] = [one for one in model["merges"] if _stays(merge_pair(one), now)]
    for token in state.get("added_tokens") or []:
        token["id"] = now[token["content"]]
    for part in _parts(state.get("post_processor")):
        for token in part.get("special_tokens", {}).values() if part.get("type") == "TemplateProcessing" else []:
            token["ids"] = [now[name] for name in token["tokens"]]
        for name in ("sep", "cls"):
            if name in part:
                part[name] = [part[name][0], now[part[name][0]]]
    if state.get("padding"):
        state["padding"]["pad_id"] = now[state["padding"]["pad_token"]]
    return {**state, "model": model}


def _stays(pair: tuple[str, str], now: dict[str, int]) -> bool:
    return pair[0] in now and pair[1] in now and pair[0] + pair[1] in now


def _parts(processor: Any) -> Iterator[dict[str, Any]]:
    if isinstance(processor, dict):
        yield processor
        for one in processor.get("processors", []):
            yield from _parts(one)


def require_same(made: Pruned, texts: Iterable[str]) -> None:
    """Raise SchemaError unless texts are cut into the same tokens as before, whatever their ids."""
    stream, number = iter(texts), 0
    while batch := list(islice(stream, _BATCH)):
        both = [one.tokenizer.encode_batch(batch, add_special_tokens=False) for one in (made.base, made.pruned)]
        for before, after in zip(*both, strict=True):
            number += 1
            if before.tokens != after.tokens:
                raise SchemaError(
                    f"text {number} (from 1) is cut otherwise than before; nothing was written",
                    where=str(made.base.folder),
                    fix="please report it with the tokenizer's name",
                )


def write_pruned(made: Pruned, folder: Path) -> None:
    """Write the smaller tokenizer as a folder, and `pruning.json` with the old id of each new one."""
    with whole_folder(folder) as temporary:
        copy_tokenizer(made.base.folder, temporary)
        if (temporary / CONFIG).is_file():
            config = _renamed(temporary / CONFIG, made)
            with atomic_path(temporary / CONFIG) as path:
                path.write_text(config, encoding="utf-8")
        write_state(made.pruned.state, temporary)
        write_json(temporary / RECORD, {"old_ids": made.old_ids, "used": made.used})


def _renamed(path: Path, made: Pruned) -> str:
    """tokenizer_config.json with the ids that added tokens have now."""
    config = json.loads(path.read_text("utf-8"))
    now = {old: number for number, old in enumerate(made.old_ids)}
    if isinstance(listed := config.get("added_tokens_decoder"), dict):
        config["added_tokens_decoder"] = {str(now[int(k)]): v for k, v in listed.items() if int(k) in now}
    return json.dumps(config, ensure_ascii=False, indent=2) + "\n"
