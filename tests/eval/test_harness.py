"""lm-eval's numbers against a computation of our own, straight from the model's logits."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from corpus.errors import StaleError, UsageError
from eval.harness import Request as Asked
from eval.harness import evaluate, load
from eval.suites import FOLDER

TOLERANCE = 1e-4  # nats of a whole document


class Own:
    """Log-likelihoods without lm-eval: tokenizers for the ids, one unpadded forward pass a window."""

    def __init__(self, folder: Path, which: Any, seed: int) -> None:
        from tokenizers import Tokenizer

        self.model = load(str(folder), which, seed)
        self.context = int(self.model.config.max_position_embeddings)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.encode_special_tokens = True
        self.end_of_text = self.tokenizer.token_to_id("<|endoftext|>")

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text).ids

    def last(self, tokens: list[int], scored: int) -> float:
        """Summed log-likelihood of the last `scored` tokens, each given those before it."""
        import torch

        with torch.no_grad():
            logits = self.model(torch.tensor([tokens[:-1]])).logits[0].double()
        chosen = torch.log_softmax(logits, -1)[range(len(tokens) - 1), tokens[1:]]
        return float(chosen[-scored:].sum())

    def document(self, text: str) -> float:
        tokens = [self.end_of_text, *self.ids(text)]
        total, done = 0.0, 1
        while done < len(tokens):
            scored = min(self.context, len(tokens) - done)
            done += scored
            total += self.last(tokens[max(0, done - self.context - 1) : done], scored)
        return total

    def ending(self, before: str, ending: str) -> float:
        tokens, given = self.ids(f"{before} {ending}"), len(self.ids(before))
        return self.last(tokens[-(self.context + 1) :], len(tokens) - given)


@pytest.fixture(scope="module", params=["trained", "untrained"])
def own(request: pytest.FixtureRequest, model_folder: Path) -> tuple[str, Own]:
    return request.param, Own(model_folder, request.param, seed=7)


def samples(run: Path, suite: str, model: str) -> list[dict[str, Any]]:
    return pq.read_table(run / "evaluate" / "samples" / f"{suite}.{model}.parquet").to_pylist()


def test_every_document_has_the_loglikelihood_that_its_logits_give(evaluated: Path, own: tuple[str, Own]) -> None:
    which, mine = own
    table = pq.read_table(evaluated / "unique" / "test").to_pylist()
    texts = {row["id"]: row["text"] for row in table}
    rows = samples(evaluated, "bits_per_byte", which)
    assert {row["id"] for row in rows} == set(texts)
    assert max(len(mine.ids(text)) for text in texts.values()) > 3 * mine.context
    for row in rows:
        assert row["bytes"] == len(texts[row["id"]].encode())
        assert row["loglikelihood"] == pytest.approx(mine.document(texts[row["id"]]), abs=TOLERANCE)


def test_bits_per_byte_is_the_bits_of_all_documents_over_their_bytes(evaluated: Path, own: tuple[str, Own]) -> None:
    which, mine = own
    texts = [row["text"] for row in pq.read_table(evaluated / "unique" / "test").to_pylist()]
    nats = -sum(mine.document(text) for text in texts)
    found = json.loads((evaluated / "evaluate" / "results.json").read_text(encoding="utf-8"))["scores"]
    (told,) = (s["value"] for s in found if s["suite"] == "bits_per_byte" and s["model"] == which)
    assert told == pytest.approx(nats / math.log(2) / sum(len(text.encode()) for text in texts), abs=1e-6)


def test_every_ending_has_the_loglikelihood_that_its_logits_give(evaluated: Path, own: tuple[str, Own]) -> None:
    which, mine = own
    lines = (FOLDER / "korean_cloze.jsonl").read_text(encoding="utf-8").splitlines()
    items = {item["id"]: item for item in map(json.loads, lines)}
    rows = samples(evaluated, "korean_cloze", which)
    assert [row["id"] for row in rows] == list(items)[:12]
    for row in rows:
        item = items[row["id"]]
        wanted = [mine.ending(item["context"], choice) for choice in item["choices"]]
        assert row["loglikelihoods"] == pytest.approx(wanted, abs=TOLERANCE)
        best = max(range(4), key=row["loglikelihoods"].__getitem__)
        assert row["acc"] == float(best == item["answer"])


def test_special_tokens_spelled_out_in_a_text_are_text(own: tuple[str, Own]) -> None:
    _, mine = own
    assert mine.end_of_text not in mine.ids("끝 <|endoftext|> 끝")
    assert mine.tokenizer.token_to_id("<|phone|>") in mine.ids("전화 <|phone|>")


def test_the_untrained_twin_is_the_model_that_training_began_with(model_folder: Path, tmp_path: Path) -> None:
    import torch

    exported = load(str(model_folder), "trained", seed=0).state_dict()
    twin = load(str(model_folder), "untrained", seed=8).state_dict()  # the exported one is seed 8's first weights
    assert exported.keys() == twin.keys()
    assert all(torch.equal(exported[name], twin[name]) for name in exported)
    other = load(str(model_folder), "untrained", seed=9).state_dict()
    assert not torch.equal(exported["model.embed_tokens.weight"], other["model.embed_tokens.weight"])


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StaleError, match="not a model"):
        load(str(tmp_path), "trained", seed=0)


def test_a_gpu_that_is_not_there_is_refused(model_folder: Path, tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    asked = Asked(str(model_folder), str(tmp_path), ("korean_cloze",), ("trained",), 0, 1, 1, 1, 1, "gpu")
    with pytest.raises(UsageError, match="no GPU"):
        evaluate(asked)
