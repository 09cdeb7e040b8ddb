"""A vocabulary extended by going on with its merges, against tokens appended by hand: same base, text and number.

    scripts/fetch_base_model
    python -m benchmarks.tokenizer_extend --base runs/SmolLM2-135M --learn LEARN.jsonl… --held-out OTHER.jsonl…

Appended tokens are those with Hangul that a trainer learns on the same text with the base's own pre-tokenizer, given to
the base by `add_tokens`; a sentencepiece-style base has no pre-tokenizer to learn such words with, and is measured
without them. English is this Python's standard library, its comments and names, in pieces of a file each.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring import machine, pin, print_table, write_result
from tokenizer.byte_level import certain_hangul
from tokenizer.extend import extend
from tokenizer.extendable import Bpe, from_state, open_bpe
from tokenizer.texts import read_texts
from tokenizer.verify_extension import Check, Tally, on_texts, verify

ENGLISH = 1_000_000  # bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, default=Path("runs/SmolLM2-135M"), help="folder of a BPE")
    parser.add_argument("--learn", type=Path, nargs="+", required=True, help="Korean text to learn on")
    parser.add_argument("--held-out", type=Path, nargs="+", required=True, help="Korean text to measure on")
    parser.add_argument("--add", type=int, default=16384, help="new tokens")
    parser.add_argument("--json", type=Path, help="write the result here instead of standard output")
    given = parser.parse_args()
    pin()
    base = open_bpe(given.base)
    learn, held_out = list(read_texts(given.learn)), list(read_texts(given.held_out))
    started = time.process_time()
    made = extend(base, learn, given.add)
    seconds = time.process_time() - started
    others = english()
    rows = [
        {"how": "base", **measured(base, base, held_out, others)},
        {"how": "merges gone on with", **measured(base, made.extended, held_out, others)},
    ]
    if base.byte_level:
        appended = append(base, learn, given.add)
        rows.append({"how": "tokens appended", **measured(base, appended, held_out, others)})
    result: dict[str, Any] = {
        "machine": machine(),
        "learned on": sum(len(text.encode()) for text in learn),
        "held out": sum(len(text.encode()) for text in held_out),
        "seconds to extend": seconds,
        "rows": rows,
        "checks of the extension": {one.name: failed(one) for one in verify(base, made.extended, [*held_out, *others])},
    }
    names = list(rows[1])[1:]
    print_table(("how", *names), [(row["how"], *(row.get(name, "") for name in names)) for row in rows])
    print(f"\nextended by {given.add:,} tokens in {seconds:.1f} s of one core; its checks: how many of how many failed")
    print(", ".join(f"{name} {told}" for name, told in result["checks of the extension"].items()))
    write_result(given.json, result)


def failed(check: Check) -> str:
    return f"{check.failed:,} of {check.checked:,}"


def measured(base: Bpe, other: Bpe, texts: Sequence[str], others: Sequence[str]) -> dict[str, Any]:
    """Bytes a token on Korean; shares of harm, in percent: of English bytes, Korean texts and new tokens."""
    before, after = (
        [one.ids for one in each.tokenizer.encode_batch_fast(list(others), add_special_tokens=False)]
        for each in (base, other)
    )
    sizes = [len(text.encode()) for text in others]
    same = sum(size for size, old, new in zip(sizes, before, after, strict=True) if old == new)
    tallies = [Tally(), Tally(), Tally()]
    on_texts(base, other, "text", texts, *tallies)
    finer, lost, _ = tallies
    spelt = other.state["model"]["vocab"]
    new = {n: other.text_of(one) if one in spelt else one for one, n in other.ids.items() if one not in base.ids}
    whole = {number: text for number, text in new.items() if text}
    around = [f"{before}{text}" for text in whole.values() for before in ("", "a")]
    found = [one.ids for one in other.tokenizer.encode_batch(around, add_special_tokens=False)]
    missed = sum(number not in found[2 * i] + found[2 * i + 1] for i, number in enumerate(whole))
    tokens = sum(len(one.ids) for one in other.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False))
    return {
        "bytes a token": sum(len(text.encode()) for text in texts) / tokens,
        "% of English unchanged": 100 * same / sum(sizes),
        "% of texts with a new border": 100 * finer.failed / finer.checked,
        "% of texts that do not come back": 100 * lost.failed / lost.checked,
        "% of new tokens unreachable": 100 * missed / max(len(whole), 1),
    }


def append(base: Bpe, texts: Sequence[str], add: int) -> Bpe:
    """The base with tokens of a vocabulary of its own, as added tokens."""
    from tokenizers import Tokenizer, decoders, models, trainers

    with tempfile.TemporaryDirectory() as scratch:
        shutil.copy(base.folder / "tokenizer.json", scratch)
        tokenizer = Tokenizer.from_file(f"{scratch}/tokenizer.json")
    other = Tokenizer(models.BPE())
    other.pre_tokenizer = tokenizer.pre_tokenizer
    other.decoder = decoders.ByteLevel()
    alphabet = [token for token in base.ids if len(token) == 1]
    other.train_from_iterator(
        iter(texts), trainers.BpeTrainer(vocab_size=2 * add, initial_alphabet=alphabet, show_progress=False)
    )
    known = {tokenizer.decode([number]) for number in base.ids.values()}
    names = [other.decode([number]) for number in range(other.get_vocab_size())]
    new = [name for name in dict.fromkeys(names) if name not in known and certain_hangul(name.encode())]
    tokenizer.add_tokens(new[:add])
    return from_state(base.folder, json.loads(tokenizer.to_str()))


def english() -> list[str]:
    """Files of the standard library, about a megabyte."""
    texts: list[str] = []
    held = 0
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        texts.append(path.read_text(encoding="utf-8", errors="ignore"))
        held += len(texts[-1].encode())
        if held >= ENGLISH:
            break
    return texts


if __name__ == "__main__":
    main()
