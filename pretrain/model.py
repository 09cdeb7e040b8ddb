"""The model that is trained: a small Llama from settings, with weights that follow from the seed alone.

eval builds its untrained twin here too: same shape, same first weights.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pretrain.settings import ModelSettings

if TYPE_CHECKING:
    from transformers import LlamaConfig, LlamaForCausalLM


def llama_config(settings: ModelSettings, vocabulary: int, end_of_text: int) -> LlamaConfig:
    """The configuration of the model.

    Args:
        vocabulary: entries of the tokenizer, added tokens included.
        end_of_text: id that ends a document, and opens one too (see pretrain.packing).
    """
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=settings.hidden,
        intermediate_size=settings.intermediate,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.kv_heads,
        max_position_embeddings=settings.context,
        rope_parameters={"rope_type": "default", "rope_theta": settings.rope_theta},
        tie_word_embeddings=settings.tied,
        bos_token_id=end_of_text,
        eos_token_id=end_of_text,
        pad_token_id=None,
    )


def untrained(settings: ModelSettings, vocabulary: int, end_of_text: int, seed: int) -> LlamaForCausalLM:
    """A model with first weights: the same for the same arguments, and torch's own generator left as it was."""
    import torch
    from transformers import LlamaForCausalLM

    digest = hashlib.blake2b(f"hanjo.model/{seed}".encode(), digest_size=8).digest()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int.from_bytes(digest, "little") >> 1)
        return LlamaForCausalLM(llama_config(settings, vocabulary, end_of_text))
