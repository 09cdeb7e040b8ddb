from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretrain.model import untrained
from pretrain.packing import IGNORED, cut, pack
from pretrain.settings import ModelSettings

END = 0


def test_positions_start_anew_at_each_end_of_text() -> None:
    batch = pack(np.array([[5, 6, END, 7, 8, 9, END, END, 4]]), END)
    assert batch.input_ids.tolist() == [[5, 6, END, 7, 8, 9, END, END]]
    assert batch.position_ids.tolist() == [[0, 1, 0, 1, 2, 3, 0, 0]]


def test_there_is_a_loss_everywhere_but_from_end_of_text_to_end_of_text() -> None:
    batch = pack(np.array([[5, 6, END, 7, 8, 9, END, END, 4]]), END)
    assert batch.labels.tolist() == [[6, END, 7, 8, 9, END, IGNORED, 4]]
    assert batch.targets == 7


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=20))
def test_a_position_sees_itself_and_what_came_before_in_its_document(tokens: list[int]) -> None:
    batch = pack(np.array([tokens]), END)
    inputs = tokens[:-1]
    for query in range(len(inputs)):
        for key in range(len(inputs)):
            between = END in inputs[key + 1 : query + 1]
            assert batch.mask[0, 0, query, key] == (key <= query and not between)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.integers(1, 8))
def test_cut_windows_have_every_token_as_target_once(tokens: list[int], context: int) -> None:
    windows = cut(np.array(tokens), context, END)
    labels = pack(windows, END).labels.ravel()
    assert windows.shape == (-(-len(tokens) // context), context + 1)
    assert labels[: len(tokens)].tolist() == tokens
    assert set(labels[len(tokens) + 1 :].tolist()) <= {IGNORED, END}


def test_a_packed_document_gets_the_logits_that_it_gets_alone() -> None:
    torch = pytest.importorskip("torch")
    model = untrained(ModelSettings(32, 2, 4, 2, 64, 32), 50, END, seed=1).eval()
    generator = np.random.Generator(np.random.Philox(1))
    documents = [generator.integers(1, 50, length) for length in (7, 1, 11, 4)]
    stream = np.concatenate([np.append(document, END) for document in documents])
    batch = pack(np.concatenate([[END], stream])[None], END)
    with torch.no_grad():
        together = model(
            input_ids=torch.from_numpy(batch.input_ids),
            attention_mask=torch.from_numpy(batch.mask),
            position_ids=torch.from_numpy(batch.position_ids),
        ).logits[0]
        start = 0
        for document in documents:
            alone = model(input_ids=torch.from_numpy(np.append(END, document)[None])).logits[0]
            packed = together[start : start + len(alone)]
            assert torch.allclose(packed, alone, atol=1e-5)
            start += len(alone)
    assert start == len(together)
