"""Fixtures for every package's tests: a stage carried out serially, as `hanjo/execution.py` would, without a recipe."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings

from corpus.documents import SHARDS
from corpus.manifest import check_counts, fingerprint
from corpus.settings import Common
from corpus.shards import Counts, JobContext, Outcome, Output, merge, write_table

# A first call compiles, and a shared machine is slow: neither is a defect. Where a change is judged, the examples are
# the same each time; elsewhere new ones are looked for.
settings.register_profile(
    "hanjo", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("hanjo")
MEMORY = 1 << 30
RunPhases = Callable[[str, ModuleType, Path, Any, Common], Counts]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """`small_disk(size)` → a folder with so much room ("64k"); called again, it has that much from then on."""
    folder = tmp_path / "small"

    def of(size: str) -> Path:
        if os.geteuid() != 0:
            pytest.skip("mounting a small tmpfs needs root")
        if folder.is_mount():
            subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)
            return folder
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
        if mounted.returncode:
            pytest.skip(f"no tmpfs may be mounted here: {mounted.stderr.strip()}")
        return folder

    yield of
    if folder.is_mount():
        gc.collect()  # a memory map that is still open keeps a disk busy
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def run_phases() -> RunPhases:
    """`run_phases(stage, module, run, settings, common)` → the stage's merged counts; files stand in `run` after it.

    Every job gets its fingerprint, its outcome goes through JSON as a done-marker would take it, its outputs must
    exist, the counts must add up, and `shards/STAGE.parquet` lists what was written outside `.scratch/`.
    """
    return _run_phases


def _run_phases(stage: str, module: ModuleType, run: Path, settings: Any, common: Common) -> Counts:
    plan = module.phases(run, settings, common)
    counts: list[Counts] = []
    outputs: list[Output] = []
    outcomes: list[Outcome] | None = None
    while True:
        try:
            phase = next(plan) if outcomes is None else plan.send(outcomes)
        except StopIteration:
            break
        names = [job.name for job in phase.jobs]
        assert len(set(names)) == len(names), f"{phase.name}: job names are not unique"
        outcomes = []
        for job in phase.jobs:
            counted = None if phase.told_all else settings
            made_of = fingerprint(stage, module.VERSION, counted, job.name, dict(job.arguments), list(job.inputs))
            done = job.call(JobContext(run, made_of, MEMORY), **job.arguments, **job.local)
            told = json.loads(json.dumps(asdict(done)))
            outcome = Outcome(tuple(Output(**one) for one in told["outputs"]), told["counts"], told["facts"])
            for output in outcome.outputs:
                assert (run / output.path).stat().st_size == output.bytes, output.path
            outcomes.append(outcome)
            counts.append(outcome.counts)
            outputs.extend(outcome.outputs)
    total = merge(counts)
    check_counts(stage, total)
    kept = sorted((one for one in outputs if not one.path.startswith(".scratch")), key=lambda one: one.path)
    rows = [{"name": o.path, "rows": o.rows, "bytes": o.bytes, "fingerprint": o.fingerprint} for o in kept]
    table = pa.Table.from_pylist(rows, schema=SHARDS)
    write_table(run / "shards" / f"{stage}.parquet", table, SHARDS, JobContext(run, "0" * 32, MEMORY))
    return total


_ENGLISH = (
    "The quick brown fox jumps over the lazy dog and the other one.",
    "def area(radius): return 3.14159 * radius ** 2  # the other other",
    "In the beginning there was the word, and then there were the others.",
)
_SOME_KOREAN = ("한국어 한국 사람은 한국말을 한다", "이것은 책이다 그것은 물이다")
_CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPECIAL = ("<|begin_of_text|>", "<|end_of_text|>")


@pytest.fixture(scope="session")
def make_base() -> Callable[[Path, str], Path]:
    """`make_base(folder, kind)` → a small BPE, made in the shape of a real one.

    Byte-level: `gpt2`: special tokens first, in the vocabulary, GPT-2's pattern. `llama3`: special tokens behind the
    vocabulary and not in it, `ignore_merges`, cl100k's pattern, merges as strings. `qwen`: as that, with NFC and merges
    as pairs. Sentencepiece-style: see `_make_sentencepiece_base`.
    """
    return lambda folder, kind: (_make_base if kind in ("gpt2", "llama3", "qwen") else _make_sentencepiece_base)(
        folder, kind
    )


def _make_base(folder: Path, kind: str) -> Path:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    if kind == "gpt2":
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    else:
        cutter = pre_tokenizers.Split(Regex(_CL100K), "isolated")
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [cutter, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
        )
    tokenizer.decoder = decoders.ByteLevel()
    first = [AddedToken(name, normalized=False, special=True) for name in _SPECIAL] if kind == "gpt2" else []
    trainer = trainers.BpeTrainer(
        vocab_size=330 + len(first),
        special_tokens=first,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*_ENGLISH * 4, *_SOME_KOREAN], trainer)
    if kind == "qwen":
        tokenizer.normalizer = normalizers.NFC()
    if kind != "gpt2":
        tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in _SPECIAL])
        tokenizer.add_tokens([AddedToken("<|tool|>", normalized=False, special=False)])
    state: dict[str, Any] = json.loads(tokenizer.to_str())
    if kind == "llama3":
        state["model"]["ignore_merges"] = True
        state["model"]["merges"] = [" ".join(merge) for merge in state["model"]["merges"]]
    return _write_base(folder, state)


def _make_sentencepiece_base(folder: Path, kind: str) -> Path:
    """`llama2`: a ▁ is put before the text, spaces are ▁, no pre-tokenizer, merges as strings. `gemma`: no ▁ is put
    before, an idle pre-tokenizer, added tokens behind the vocabulary and not in it, one that can be merged too and is
    not special, a token that reaches over a ▁. `metaspace`: a pre-tokenizer that cuts words.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.Metaspace()
    words.train_from_iterator(
        [*_ENGLISH * 4, *_SOME_KOREAN * 2, "a    b  c" * 9], trainers.BpeTrainer(vocab_size=240, show_progress=False)
    )
    model = json.loads(words.to_str())["model"]
    merges = [["▁", "▁"], ["▁▁", "▁▁"], *model["merges"]]
    if kind == "gemma":
        merges.append(["r", "▁a"])  # as Gemma 3 has `>▁</`
    special = ["<unk>", *_SPECIAL] if kind != "gemma" else ["<unk>"]
    names = [*special, *(f"<0x{byte:02X}>" for byte in range(256)), *model["vocab"], *map("".join, merges)]
    vocab = {token: number for number, token in enumerate(dict.fromkeys(names))}
    added = special if kind != "gemma" else [*special, "▁▁", *_SPECIAL, "<|tool|>"]
    state: dict[str, Any] = {
        "version": "1.0",
        "added_tokens": [],
        "model": {**model, "vocab": vocab, "merges": merges, "unk_token": "<unk>", "byte_fallback": True}
        | {"fuse_unk": True},
        **_spaces(kind),
    }
    for token in added:
        number = vocab.get(token, len(vocab) + sum(one["id"] >= len(vocab) for one in state["added_tokens"]))
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
        state["added_tokens"].append(
            {"id": number, "content": token, **flags, "special": token not in ("▁▁", "<|tool|>")}
        )
    if kind == "llama2":
        state["model"]["merges"] = [" ".join(merge) for merge in merges]
    return _write_base(folder, state)


def _spaces(kind: str) -> dict[str, Any]:
    """How spaces become ▁ and come back."""
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    back = [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]
    if kind == "llama2":
        before = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, replace]}
        strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
        parts = before, None, [*back, strip]
    elif kind == "gemma":
        idle = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
        parts = replace, idle, back
    else:
        words = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
        parts = None, words, [{"type": "ByteFallback"}, words]
    return {
        "normalizer": parts[0],
        "pre_tokenizer": parts[1],
        "post_processor": None,
        "decoder": {"type": "Sequence", "decoders": parts[2]},
    }


def _write_base(folder: Path, state: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": _SPECIAL[1], "model_max_length": 4096}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def token_hashes() -> Callable[[Path], dict[str, str]]:
    """`token_hashes(run)`: of every file of a run that the stage `tokenize` answers for, by its path."""

    def hashed(run: Path) -> dict[str, str]:
        return {
            path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for folder in ("tokens", "tokenizer", "shards")
            for path in sorted((run / folder).rglob("*"))
            if path.is_file()
        }

    return hashed
