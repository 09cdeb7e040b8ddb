from __future__ import annotations

import pytest

from pretrain.model import untrained
from pretrain.settings import ModelSettings, PretrainSettings

torch = pytest.importorskip("torch")
SMALL = ModelSettings(hidden=16, layers=1, heads=2, kv_heads=1, intermediate=32, context=16)


def test_first_weights_follow_from_the_seed_alone() -> None:
    one = untrained(SMALL, 40, 0, seed=5).state_dict()
    torch.rand(3)
    again, other = untrained(SMALL, 40, 0, seed=5).state_dict(), untrained(SMALL, 40, 0, seed=6).state_dict()
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["model.embed_tokens.weight"], other["model.embed_tokens.weight"])


def test_building_a_model_leaves_torchs_generator_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    untrained(SMALL, 40, 0, seed=5)
    assert torch.equal(torch.rand(1), expected)


def test_the_default_model_has_six_million_weights_with_a_vocabulary_of_8192() -> None:
    weights = sum(weight.numel() for weight in untrained(ModelSettings(), 8192, 0, seed=1).parameters())
    assert 6e6 < weights < 7e6


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ValueError, match="heads must divide"):
        ModelSettings(hidden=100, heads=8)


def test_deepspeed_keys_that_have_a_setting_are_refused_and_others_pass() -> None:
    PretrainSettings(deepspeed={"zero_optimization": {"stage": 2}})
    with pytest.raises(ValueError, match=r"pretrain\.global_batch"):
        PretrainSettings(deepspeed={"train_batch_size": 3})
    with pytest.raises(ValueError, match="only ZeRO stages 1 and 2"):
        PretrainSettings(deepspeed={"zero_optimization": {"stage": 3}})
    with pytest.raises(ValueError, match="no multiple"):
        PretrainSettings(global_batch=6, micro_batch=4)
