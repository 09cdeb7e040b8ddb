"""The report's figures: each against a count by hand on a small vocabulary."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from tokenizer.byte_level import byte_names, from_bytes
from tokenizer.measured import Measured, Sums, measure, renyi_efficiency, told
from tokenizer.morpheme_borders import Agreement, agreement, morpheme_borders
from tokenizer.opened import Encoded, Opened, open_any


def small(folder: Path, merges: list[tuple[bytes, bytes]], extra: list[bytes] = [], nfc: bool = False) -> Opened:  # noqa: B006
    """A byte-level vocabulary: the bytes, what the merges make, and entries that nothing makes."""
    names = list(byte_names())
    names += [from_bytes(left + right) for left, right in merges] + [from_bytes(one) for one in extra]
    pairs = [(from_bytes(left), from_bytes(right)) for left, right in merges]
    tokenizer = Tokenizer(models.BPE({name: number for number, name in enumerate(names)}, pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if nfc:
        tokenizer.normalizer = normalizers.NFC()
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return open_any(folder)


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """가 is a token, 나 is not; 다 is an entry that no merge makes."""
    a = "가".encode()
    return small(tmp_path / "small", [(a[:1], a[1:2]), (a[:2], a[2:])], ["다".encode()])


def measured(opened: Opened, *texts: str) -> Measured:
    return measure(opened, [("all", text) for text in texts])


def test_ratios_are_sums_over_sums(opened: Opened) -> None:
    found = told(measured(opened, "가가 a", "나"))
    assert found["texts"] == 2
    assert found["tokens"] == 2 + 2 + 3
    assert found["bytes_per_token"] == pytest.approx((6 + 2 + 3) / 7)
    assert found["chars_per_token"] == pytest.approx(5 / 7)
    assert found["tokens_per_eojeol"] == pytest.approx(7 / 3)
    assert found["cut_characters"] == pytest.approx(1 / 5)
    assert (found["lost"], found["changed_up_to_nfc"]) == (0, 0)


def test_syllables_and_entries_used_and_unreachable(opened: Opened) -> None:
    found = told(measured(opened, "가a"))
    assert found["single_syllables"] == 2 / 11172
    assert found["unused"] == 1 - 2 / 259
    assert found["unreachable"] == 1


def test_what_is_made_inside_a_piece_alone_is_reachable(tmp_path: Path) -> None:
    """A token of two bytes within a character is no text; the model is asked for it."""
    found = measured(small(tmp_path / "parts", [(b"\x95", b"\x9c")], [b"\x95\x9d"]), "a")
    assert found.unreachable == 1


def test_texts_that_change_are_told_apart_from_those_that_are_lost(tmp_path: Path) -> None:
    opened = small(tmp_path / "nfc", [], nfc=True)
    found = told(measured(opened, "한", "e\u0301"))
    assert (found["lost"], found["changed_up_to_nfc"]) == (0, 1)
    sums = Sums()
    sums.add("가나", Encoded([1], [(0, 2)]), "가")
    assert (sums.lost, sums.normalised) == (1, 0)


def test_domains_add_up(opened: Opened) -> None:
    found = measure(opened, [("a", "가"), ("b", "나 나"), ("a", "가가")])
    assert set(found.domains) == {"a", "b"}
    assert found.all.tokens == sum(one.tokens for one in found.domains.values()) == 3 + 7
    assert found.domains["a"].cut == 0


def test_renyi_efficiency_is_1_for_even_use_and_0_for_one_token() -> None:
    assert renyi_efficiency(Counter(dict.fromkeys(range(64), 5)), 64) == pytest.approx(1)
    assert renyi_efficiency(Counter({3: 100}), 64) == pytest.approx(0)
    shares = [0.5, 0.25, 0.25]
    by_hand = math.log(sum(one**2.5 for one in shares)) / (1 - 2.5) / math.log(10)
    assert renyi_efficiency(Counter({1: 2, 2: 1, 3: 1}), 10) == pytest.approx(by_hand)
    assert math.isnan(renyi_efficiency(Counter(), 10))


def test_the_curve_ends_at_all_entries_and_all_tokens(opened: Opened) -> None:
    curve = measured(opened, "가가가 나 abc").curve
    assert curve[-1] == (1.0, 1.0)
    assert all(later[1] >= earlier[1] for earlier, later in pairwise(curve))


def test_borders_agree_where_both_stand_within_an_eojeol() -> None:
    text = "학교에 갔다"
    encoded = Encoded([1, 2, 3, 4], [(0, 2), (2, 3), (3, 5), (5, 6)])
    assert agreement([text], [{2}], [encoded]) == Agreement(tokens=2, morphemes=1, both=1)
    cut = Encoded([1, 2, 3], [(0, 1), (0, 1), (1, 6)])  # 학 in two parts: a border that no morpheme has
    assert agreement([text], [{2}], [cut]) == Agreement(tokens=2, morphemes=1, both=0)
    both = Agreement(4, 3, 2)
    assert (both.precision, both.recall, both.f1) == (0.5, 2 / 3, 4 / 7)
    assert math.isnan(Agreement(0, 0, 0).f1)


def test_kiwi_puts_borders_before_particles() -> None:
    pytest.importorskip("kiwipiepy")
    text = "학교에서 친구를 만났다."
    (borders,) = morpheme_borders([text])
    assert text.index("에서") in borders
    assert text.index("를") in borders
    assert text.index("친구") not in borders  # at a space
    assert 0 not in borders


def test_the_base_of_an_extension_cuts_more_characters(make_base: Callable[[Path, str], Path], tmp_path: Path) -> None:
    from tokenizer.extend import extend, write_extension
    from tokenizer.extendable import open_bpe

    texts = ["사용자는 파일을 열어 내용을 바꾸고 저장한다."] * 5
    base = make_base(tmp_path / "base", "gpt2")
    write_extension(extend(open_bpe(base), texts, 40), [], tmp_path / "out")
    before, after = (measured(open_any(path), *texts) for path in (base, tmp_path / "out"))
    assert after.all.cut < before.all.cut
    assert after.all.tokens < before.all.tokens / 2
    assert after.unreachable == before.unreachable
