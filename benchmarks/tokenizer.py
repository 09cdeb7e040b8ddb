"""Measures encoding and training of tokenizers on one core, beside datatrove and other trainers, on the same text.

    python -m benchmarks.tokenizer [--texts recipes/sample] [--bytes 50MB] [--runs 3] [--json FILE] [--skip peers]

Encoding: Parquet → .bin, .idx and the table of documents, as the stage does it, once over texts of which each occurs
once (new words all the way) and once over the same recombined to --bytes by `benchmarks/make_corpus.py`; every
document's ids are compared with those of the `tokenizers` library. Beside it the same with gigatoken and with the
library, and datatrove's DocumentTokenizer in an environment of its own. Training: 32,000 entries by each trainer on 19
of 20 documents, bytes a token on the rest; all but gigatoken with digits apart, as is ours to begin with, and without.
Rates are MB of UTF-8 text a second of processor time. Prints tables and JSON; it is no test.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # before this folder, whose tokenizer.py is not the package

from benchmarks import make_corpus  # noqa: E402
from benchmarks.measuring import machine, pin, print_table, processor_seconds, write_result  # noqa: E402
from benchmarks.peers import UnavailableError, ask, environment  # noqa: E402
from corpus.settings import parse_size  # noqa: E402

MEGABYTE = 1e6
PEER = ("datatrove==0.10.1", "tokenizers>=0.22", "pyarrow", "numpy", "orjson")
ENTRIES = 32_000
HELD_OUT = 20
Count = Callable[[str], int]


def documents(texts: Path) -> list[str]:
    """Every paragraph of a folder's files once, eight to a document."""
    pool = make_corpus.paragraphs(texts)
    return ["\n".join(pool[first : first + 8]) for first in range(0, len(pool), 8)]


def recombined(texts: Path, size: int) -> list[str]:
    """Documents of the same paragraphs, drawn again and again."""
    pool, found, held = make_corpus.paragraphs(texts), [], 0
    for one in make_corpus.documents(pool, 7):
        found.append(one.text)
        held += len(one.text.encode())
        if held >= size:
            return found
    raise AssertionError("documents without end ended")


def prepared(run: Path, texts: list[str], tokenizer: Path) -> Path:
    """A run's folder with one unique shard of the texts and the tokenizer; the shard."""
    from corpus.documents import UNIQUE, text_hash
    from corpus.rights import Rights, rights_id, rights_row, write_rights
    from corpus.shards import JobContext, write_table

    grant = Rights(True, True, True, True, True, "", None, "none", "made for a measurement")
    shutil.rmtree(run, ignore_errors=True)
    context = JobContext(run, "f" * 32, 1 << 30)
    write_rights(run, [rights_row("benchmark", "texts", grant)], context)
    size = len(texts)
    same = {"source": "texts", "contributor": "benchmark", "rights_id": rights_id("benchmark", "texts", grant)}
    same |= {"path": "a.jsonl", "lang": "ko", "domain": "other", "origin": "natural", "meta": "{}"}
    columns: dict[str, Any] = {name: pa.repeat(value, size) for name, value in same.items()}
    ids = [f"{number:032x}" for number in range(size)]
    columns |= {"id": ids, "text": pa.array(texts, pa.large_string()), "cluster": ids, "size": pa.repeat(1, size)}
    columns |= {"offset": list(range(size)), "length": [len(text.encode()) for text in texts]}
    columns |= {"text_hash": pa.array([text_hash(text) for text in texts], pa.binary(16))}
    columns |= {"url": pa.nulls(size), "created": pa.nulls(size)}
    table = pa.table(columns).select(UNIQUE.names).cast(UNIQUE)
    path = run / "unique" / "train" / "00000.parquet"
    write_table(path, table, UNIQUE, context)
    (run / "tokenizer").mkdir()
    for one in tokenizer.iterdir():
        if one.is_file():
            shutil.copy(one, run / "tokenizer" / one.name)
    return path


def encode(run: Path, shard: Path) -> dict[str, Any]:
    """The stage's job over the shard; its counts."""
    from corpus.shards import JobContext, fingerprint_of
    from tokenizer.encode import encode_shard
    from tokenizer.vocabulary import content_hash

    outcome = encode_shard(
        JobContext(run, "e" * 32, 1 << 30),
        split="train",
        shard=shard.relative_to(run).as_posix(),
        of=fingerprint_of(shard),
        tokenizer=content_hash(run / "tokenizer"),
        rights=["train"],
        as_of="2026-11-24",
    )
    return outcome.counts


def identical(run: Path, texts: list[str]) -> int:
    """Documents whose ids in the token shard are those of the library."""
    from tokenizer.engines import Library
    from tokenizer.indexed import IndexedTokens
    from tokenizer.vocabulary import open_vocabulary

    ids, sizes = Library(open_vocabulary(run / "tokenizer")).encode(pa.array(texts, pa.large_string()))
    tokens = IndexedTokens(run / "tokens" / "train" / "00000")
    theirs = np.split(ids, np.cumsum(sizes)[:-1])
    return sum(np.array_equal(tokens.document(row), one) for row, one in enumerate(theirs))


@contextmanager
def watched(spent: dict[str, float]) -> Iterator[None]:
    """Add up the processor seconds of the job's parts, by what they are."""
    from tokenizer import encode, engines
    from tokenizer.indexed import IndexedWriter

    parts: list[tuple[Any, str, str]] = [
        (encode, "refuse_without_rights", "look up the rights"),
        (engines.Check, "differing", "compare a sample with tokenizers"),
        (engines.Compiled, "encode", "encode"),
        (engines.Gigatoken, "encode", "encode"),
        (IndexedWriter, "add", "write tokens"),
        (encode, "docs_rows", "make the table of documents"),
        (encode, "write_table", "write the table of documents"),
    ]
    depth = [0]

    def timed(call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def inner(*arguments: Any, **named: Any) -> Any:
            depth[0] += 1
            started = time.process_time()
            try:
                return call(*arguments, **named)
            finally:
                depth[0] -= 1
                if not depth[0]:
                    spent[name] = spent.get(name, 0.0) + time.process_time() - started

        return inner

    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in parts]
    for (owner, name, told), (_, _, call) in zip(parts, kept, strict=True):
        setattr(owner, name, timed(call, told))
    try:
        yield
    finally:
        for owner, name, call in kept:
            setattr(owner, name, call)


def encoding(work: Path, texts: list[str], tokenizer: Path, runs: int) -> dict[str, Any]:
    """Rate of the stage's job on texts, where its time goes, and how many documents are identical."""
    size = sum(len(text.encode()) for text in texts)
    shard = prepared(work / "run", texts, tokenizer)
    started = time.process_time()
    counts = encode(work / "run", shard)  # kernels are loaded and the tokenizer is open from here on
    first = time.process_time() - started
    seconds = processor_seconds(lambda: encode(work / "run", shard), runs)
    spent: dict[str, float] = {}
    with watched(spent):
        started = time.process_time()
        encode(work / "run", shard)
        whole = time.process_time() - started
    spent["read Parquet and the rest"] = whole - sum(spent.values())
    engine = [reason.partition("/")[2] for reason in counts if reason.startswith("encoder/")]
    return {
        "bytes": size,
        "documents": len(texts),
        "tokens": counts["kept"]["tokens"],
        "engine": ", ".join(engine),
        "megabytes_a_second": size / MEGABYTE / seconds,
        "identical": identical(work / "run", texts),
        "seconds_by_part": spent,
        "first_call": first,
    }


def by_the_library(texts: list[str], tokenizer: Path) -> float:
    """MB a second of the library and our writer's arrays alone, in memory."""
    from tokenizer.engines import Library
    from tokenizer.vocabulary import open_vocabulary

    library, column = Library(open_vocabulary(tokenizer)), pa.array(texts, pa.large_string())
    size = sum(len(text.encode()) for text in texts)
    return size / MEGABYTE / processor_seconds(lambda: library.encode(column), 1)


def datatrove(work: Path, run: Path, size: int) -> dict[str, Any]:
    """MB a second of datatrove's two writers on the run's shard; `why` where it fails."""
    found: dict[str, Any] = {}
    try:
        python = environment(work, "tokenizer-datatrove", PEER)
        for step in ("documents", "megatron"):
            out = work / f"datatrove-{step}"
            shutil.rmtree(out, ignore_errors=True)
            shutil.rmtree(f"{out}-logs", ignore_errors=True)
            shard, file = run / "unique" / "train" / "00000.parquet", run / "tokenizer" / "tokenizer.json"
            told = ask(python, ROOT / "benchmarks" / "tokenizer_datatrove.py", str(shard), str(file), str(out), step)
            found[step] = size / MEGABYTE / json.loads(told)["seconds"]
    except UnavailableError as error:
        return {"why": str(error)}
    return found


def trained(train: list[str], held: list[str], skipped: set[str], folder: Path) -> list[dict[str, Any]]:
    """Each trainer's processor seconds and bytes a token on the documents held out; ours is left in `folder`."""
    size = sum(len(text.encode()) for text in held)
    rows = []
    for name, work in trainers(folder).items():
        if any(one and one in name for one in skipped):
            continue
        if name.startswith("hanjo"):
            work(train[:50])  # kernels are loaded from here on
        started = time.process_time()
        count = work(train)
        seconds = time.process_time() - started
        tokens = sum(count(text) for text in held)
        rows.append({"trainer": name, "seconds": seconds, "bytes_a_token": size / tokens})
        print(f"{name}: {seconds:.2f} s, {size / tokens:.3f} bytes a token", flush=True)
    return rows


def trainers(folder: Path) -> dict[str, Callable[[list[str]], Count]]:
    """Trainers by name: texts in, a function out that counts a text's tokens."""
    return {
        "hanjo, digits apart": lambda texts: ours(texts, True, True, folder),
        "hanjo": lambda texts: ours(texts, True, False, None),
        "hanjo, borders none, digits apart": lambda texts: ours(texts, False, True, None),
        "hanjo, borders none": lambda texts: ours(texts, False, False, None),
        "tokenizers, byte-level": lambda texts: huggingface(texts, "byte-level", False),
        "tokenizers, byte-level, digits apart": lambda texts: huggingface(texts, "byte-level", True),
        "tokenizers, metaspace": lambda texts: huggingface(texts, "metaspace", False),
        "tokenizers, metaspace, digits apart": lambda texts: huggingface(texts, "metaspace", True),
        "sentencepiece, bpe": lambda texts: sentencepiece(texts, "bpe", False),
        "sentencepiece, bpe, digits apart": lambda texts: sentencepiece(texts, "bpe", True),
        "sentencepiece, unigram": lambda texts: sentencepiece(texts, "unigram", False),
        "sentencepiece, unigram, digits apart": lambda texts: sentencepiece(texts, "unigram", True),
        "gigatoken": gigatoken,
    }


def ours(texts: list[str], spaces: bool, digits: bool, folder: Path | None) -> Count:
    """Our byte-level BPE; the first of the table is what the command makes without options."""
    from corpus.privacy import PLACEHOLDERS
    from tokenizer.pretokenize import Cut
    from tokenizer.train import train_tokenizer, write_tokenizer

    cut = Cut(spaces, digits)
    made = train_tokenizer(texts, vocab_size=ENTRIES, min_frequency=2, placeholders=PLACEHOLDERS, cut=cut)
    if folder is not None:
        write_tokenizer(made, folder)
    return lambda text: len(made.encode(text, add_special_tokens=False).ids)


def huggingface(texts: list[str], kind: str, digits: bool) -> Count:
    """The trainer of `tokenizers`, its threads off."""
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    if kind == "byte-level":
        made, cut = Tokenizer(BPE()), cast(Any, pre_tokenizers.ByteLevel(add_prefix_space=False))
        trainer = BpeTrainer(
            vocab_size=ENTRIES, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        )
    else:
        made, cut = Tokenizer(BPE(unk_token="<unk>", byte_fallback=True)), pre_tokenizers.Metaspace()
        names = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
        trainer = BpeTrainer(vocab_size=ENTRIES, show_progress=False, special_tokens=names)
    apart = [pre_tokenizers.Digits(individual_digits=True)] if digits else []
    made.pre_tokenizer = pre_tokenizers.Sequence([*apart, cut])
    made.train_from_iterator(iter(texts), trainer)
    return lambda text: len(made.encode(text, add_special_tokens=False).ids)


def sentencepiece(texts: list[str], kind: str, digits: bool) -> Count:
    """The trainer of sentencepiece on one thread, a line a sentence."""
    import sentencepiece as library

    written = io.BytesIO()
    library.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in texts for line in text.split("\n") if line]),
        model_writer=written,
        vocab_size=ENTRIES,
        model_type=kind,
        byte_fallback=True,
        character_coverage=0.9995,
        split_digits=digits,
        num_threads=1,
        max_sentence_length=1 << 20,
        minloglevel=2,
    )
    made = library.SentencePieceProcessor(model_proto=written.getvalue())
    return lambda text: len(made.encode(text))


def gigatoken(texts: list[str]) -> Count:
    """The trainer of gigatoken; its merges are used by `tokenizers` with the pattern it was trained with (GPT-2's)."""
    from gigatoken import train_bpe
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers.models import BPE

    from tokenizer.byte_level import byte_names

    told = "\x00".join(text.replace("\x00", "") for text in texts).encode()
    vocab, merges = train_bpe(told, ENTRIES, ["<|endoftext|>"], separator=b"\x00")
    names = byte_names()

    def spelt(data: bytes) -> str:
        return "".join(names[byte] for byte in data)

    made = Tokenizer(
        BPE({spelt(data): number for number, data in vocab.items()}, [(spelt(a), spelt(b)) for a, b in merges])
    )
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return lambda text: len(made.encode(text, add_special_tokens=False).ids)


def show(result: dict[str, Any]) -> None:
    """The tables."""
    rows = result["trained"]
    print_table(
        ("trainer", "seconds", "bytes a token, held out"),
        [(row["trainer"], row["seconds"], f"{row['bytes_a_token']:.3f}") for row in rows],
    )
    encoded = result["encoded"]
    print_table(
        ("Parquet → .bin, .idx, table of documents", "MB", "by", "MB a second", "identical to tokenizers"),
        [
            (
                name,
                one["bytes"] / MEGABYTE,
                one["engine"],
                one["megabytes_a_second"],
                f"{one['identical']:,} of {one['documents']:,}",
            )
            for name, one in encoded.items()
        ],
    )
    for name, one in encoded.items():
        parts = sorted(one["seconds_by_part"].items(), key=lambda part: -part[1])
        print_table((f"where the time goes: {name}", "seconds"), parts)
    print_table(("text", "beside it", "MB a second", "ours to it"), [tuple(row) for row in result["beside"]])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, default=make_corpus.SAMPLE, help="folder of texts in any format")
    parser.add_argument("--bytes", default="50MB", help="recombined text to encode (default 50MB); 0: none")
    parser.add_argument("--runs", type=int, default=3, help="of each measurement of ours")
    parser.add_argument("--skip", default="", help="of: peers (datatrove), library, and parts of trainers' names")
    parser.add_argument("--work", type=Path, default=Path.home() / ".cache" / "hanjo-benchmarks")
    parser.add_argument("--json", type=Path, help="write the result there, not to standard output")
    told = parser.parse_args()
    skipped = set(told.skip.split(","))
    told.work.mkdir(parents=True, exist_ok=True)
    pin()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    texts = documents(told.texts)
    train = [text for number, text in enumerate(texts) if number % HELD_OUT]
    held = [text for number, text in enumerate(texts) if number % HELD_OUT == 0]
    size, folder = sum(len(text.encode()) for text in texts), told.work / "tokenizer-ours"
    print(f"{machine()}; {len(texts)} documents, {size} bytes of text, of which each occurs once")
    result: dict[str, Any] = {"machine": machine(), "documents": len(texts), "bytes": size, "encoded": {}}
    result["trained"] = trained(train, held, skipped, folder)
    result["beside"] = []
    wanted = int(str(parse_size(told.bytes)))
    for name, some in (("each text once", texts), ("recombined", recombined(told.texts, wanted) if wanted else [])):
        if some:
            found = result["encoded"][name] = encoding(told.work, some, folder, told.runs)
            result["beside"] += beside(name, told.work, some, folder, found["megabytes_a_second"], skipped)
    show(result)
    write_result(told.json, result)


def beside(name: str, work: Path, texts: list[str], folder: Path, rate: float, skipped: set[str]) -> list[list[object]]:
    """What others take for the same texts: who, MB a second, ours to it; a reason where there is no figure."""
    rows: list[list[object]] = []
    size = sum(len(text.encode()) for text in texts)
    if "library" not in skipped:
        slow = by_the_library(texts, folder)
        rows.append([name, "tokenizers alone, in memory", slow, rate / slow])
    if "peers" not in skipped:
        found = datatrove(work, work / "run", size)
        if "why" in found:
            rows.append([name, f"datatrove could not be run: {found['why']}", "–", "–"])
        else:
            names = {"documents": "datatrove, DocumentTokenizer", "megatron": "datatrove, MegatronDocumentTokenizer"}
            rows += [[name, names[step], found[step], rate / found[step]] for step in names]
    return rows


if __name__ == "__main__":
    main()
