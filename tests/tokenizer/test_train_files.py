"""Training from files: the same seed gives the same files, weights weigh, and too little text is said to be so."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.errors import SourceError, UsageError
from corpus.privacy import PLACEHOLDERS
from tokenizer.engines import Library, open_engine
from tokenizer.sample import Sample
from tokenizer.train_files import KINDS, Kind, TrainSettings, train_files
from tokenizer.vocabulary import END_OF_TEXT, MULTIPLE, ROLES, open_vocabulary

NASTY = "\x00 a\tb  <|endoftext|> <|phone|>로 ㅋㅋㅋㅋ龘😀 12,345 <0x41> <unk>\r\n e\u0301"


def korean(count: int) -> list[str]:
    """Documents whose words differ enough for a thousand entries."""
    syllables = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호"
    stems = [a + b for a in syllables for b in syllables]
    return [
        " ".join(stems[(7 * number + 13 * k) % len(stems)] + "에서는을이"[k % 5] for k in range(20)) + f" {number}년."
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "words.jsonl"
    lines = [json.dumps({"id": number, "text": text}) for number, text in enumerate(korean(600))]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=KINDS)
def made(request: pytest.FixtureRequest, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kind: Kind = request.param
    out = tmp_path_factory.mktemp("made") / kind
    train_files([source], out, TrainSettings(vocab_size=1024, kind=kind))
    return out


def test_every_text_comes_back_and_special_tokens_never_come_out_of_it(made: Path) -> None:
    vocabulary = open_vocabulary(made)
    for text in (NASTY, *korean(20), ""):
        ids = vocabulary.tokenizer.encode(text, add_special_tokens=False).ids
        assert vocabulary.tokenizer.decode(ids, skip_special_tokens=False) == text
        special = {number for number, one in vocabulary.tokenizer.get_added_tokens_decoder().items() if one.special}
        assert not special & set(ids)
    ours, theirs = (
        one.encode(pa.array([NASTY, *korean(50)], pa.large_string()))
        for one in (open_engine(vocabulary), Library(vocabulary))
    )
    assert ours[0].tolist() == theirs[0].tolist()


def test_the_vocabulary_has_its_named_tokens_and_is_a_multiple_of_128(made: Path) -> None:
    vocabulary = open_vocabulary(made)
    assert vocabulary.entries % MULTIPLE == 0
    assert vocabulary.entries >= 1024
    assert vocabulary.end_of_text == vocabulary.tokenizer.token_to_id(END_OF_TEXT) == 0
    added = {one.content: one.special for one in vocabulary.tokenizer.get_added_tokens_decoder().values()}
    assert all(added[name] for name in (END_OF_TEXT, *ROLES))
    for name in PLACEHOLDERS:
        assert not added[name]
        assert len(vocabulary.tokenizer.encode(name, add_special_tokens=False).ids) == 1


def test_no_token_holds_two_digits_or_reaches_across_an_eojeol(made: Path) -> None:
    tokenizer = open_vocabulary(made).tokenizer
    for number in range(tokenizer.get_vocab_size()):
        text = tokenizer.decode([number], skip_special_tokens=False)
        if not text.startswith("<"):
            assert sum(one.isdigit() for one in text) <= 1
            assert len(text) == 1 or not any(one.isdigit() for one in text)
            assert " " not in text.lstrip(" ")


def test_transformers_opens_the_folder_and_sentencepiece_its_model(made: Path) -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoTokenizer.from_pretrained(made, local_files_only=True)
    ours = open_vocabulary(made).tokenizer
    text = korean(3)[2] + " <|phone|>"
    assert theirs(text, add_special_tokens=False)["input_ids"] == ours.encode(text, add_special_tokens=False).ids
    assert (theirs.eos_token, theirs.pad_token) == (END_OF_TEXT, "<|pad|>")
    model = made / "tokenizer.model"
    assert model.exists() == (made.name != "byte-bpe")
    if model.exists():
        sentencepiece = pytest.importorskip("sentencepiece")
        processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
        for one in (*korean(30), "가  나ㅋㅋ 龘 12", "a<b> <0x41>"):
            assert processor.encode(one) == ours.encode(one, add_special_tokens=False).ids


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_sample_and_seed_give_the_same_files(source: Path, tmp_path: Path, kind: Kind) -> None:
    settings = TrainSettings(vocab_size=1024, kind=kind, sample_bytes=60_000, seed=3)
    for name in "ab":
        train_files([source], tmp_path / name, settings)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    card = json.loads((tmp_path / "a" / "training.json").read_text(encoding="utf-8"))
    assert card["sample"]["bytes"] <= 60_000


def test_where_all_would_fit_a_source_of_half_the_weight_gives_half_of_its_documents() -> None:
    def drawn(weights: dict[str, float], size: int = 1 << 20) -> Counter[str]:
        sample = Sample(1, size, weights)
        for number in range(4000):
            sample.add(["ab"[number % 2]], [str(number)], ["ab"[number % 2]])
        return Counter(sample.texts())

    assert drawn({}) == {"a": 2000, "b": 2000}
    for weights in ({"b": 0.5}, {"a": 2.0}, {"a": 4.0, "b": 2.0}):
        assert drawn(weights)["a"] == 2000
        assert 900 < drawn(weights)["b"] < 1100
    few = drawn({"a": 4.0, "b": 2.0}, 600)  # far from all: the weights themselves
    assert few.total() == 600
    assert 1.6 < few["a"] / few["b"] < 2.5


def test_a_weight_counts_for_the_source_that_each_line_names(tmp_path: Path) -> None:
    path = tmp_path / "all.of.it.jsonl"
    lines = [{"text": text, "source": ["news", "web"][row % 2]} for row, text in enumerate(korean(600))]
    path.write_text("\n".join(map(json.dumps, [*lines, {"text": "이름 없는 글"}])), encoding="utf-8")
    card = train_files([path], tmp_path / "out", TrainSettings(vocab_size=600, weights={"news": 0.0}))
    assert {name: one["of_documents"] for name, one in card["sources"].items()} == {"all": 1, "news": 300, "web": 300}
    assert [one["documents"] for one in card["sources"].values()] == [1, 0, 300]
    assert sum(one["bytes"] for one in card["sources"].values()) == card["sample"]["bytes"]
    with pytest.raises(UsageError, match="newz") as error:
        train_files([path], tmp_path / "other", TrainSettings(vocab_size=600, weights={"newz": 0.0}))
    assert "news" in str(error.value)


def test_with_no_borders_a_token_may_hold_several_words(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"text": f"할 수 있다. {text}"}) for text in korean(400)]
    path.write_text("\n".join(lines), encoding="utf-8")
    train_files([path], tmp_path / "out", TrainSettings(vocab_size=1024, borders="none"))
    tokenizer = open_vocabulary(tmp_path / "out").tokenizer
    words = [tokenizer.decode([number]) for number in range(tokenizer.get_vocab_size())]
    assert any("할 수 있다." in word for word in words)


@pytest.mark.parametrize("kind", KINDS)
def test_with_digits_together_a_token_may_hold_a_number(tmp_path: Path, kind: Kind) -> None:
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"text": f"2024년부터 {text}"}) for text in korean(400)]
    path.write_text("\n".join(lines), encoding="utf-8")
    found = {}
    for digits in ("single", "together"):
        settings = TrainSettings(vocab_size=1024, kind=kind, digits=digits)
        train_files([path], tmp_path / digits, settings)
        tokenizer = open_vocabulary(tmp_path / digits).tokenizer
        ids = tokenizer.encode("2024년부터", add_special_tokens=False).ids
        found[digits] = [tokenizer.decode([one]) for one in ids]
        assert "".join(found[digits]) == "2024년부터"
        model = tmp_path / digits / "tokenizer.model"
        if model.exists():
            sentencepiece = pytest.importorskip("sentencepiece")
            processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
            for text in korean(20):
                assert processor.encode(text) == tokenizer.encode(text, add_special_tokens=False).ids
    assert any(sum(map(str.isdigit, one)) > 1 for one in found["together"])
    assert found["single"][:4] == ["2", "0", "2", "4"]


def test_borders_of_morphemes_keep_particles_apart(tmp_path: Path) -> None:
    pytest.importorskip("kiwipiepy")
    path = tmp_path / "a.jsonl"
    nouns = [
        "학교",
        "시장",
        "바다",
        "하늘",
        "나무",
        "사람",
        "도시",
        "마을",
        "강물",
        "구름",
        "노래",
        "그림",
        "책방",
        "서점",
        "병원",
        "공원",
        "극장",
        "식당",
        "은행",
        "회사",
    ]
    lines = [json.dumps({"text": " ".join(f"{noun}에서는 {noun}까지도" for noun in nouns[k % 7 :])}) for k in range(80)]
    path.write_text("\n".join([*lines, *(json.dumps({"text": text}) for text in korean(300))]), encoding="utf-8")
    found = {}
    for borders in ("kiwi", "eojeol"):
        out = tmp_path / borders
        train_files([path], out, TrainSettings(vocab_size=900, borders=borders, min_frequency=1))
        tokenizer = open_vocabulary(out).tokenizer
        found[borders] = tokenizer.encode("학교에서는", add_special_tokens=False)
    offsets = list(found["kiwi"].offsets)
    assert 2 in {start for start, _ in offsets}, "학교 | 에서는"
    assert len(found["kiwi"].ids) > len(found["eojeol"].ids)


def test_a_sample_depends_on_documents_seed_and_weights_alone() -> None:
    def drawn(order: list[int], seed: int, weights: dict[str, float], size: int = 3000) -> list[str]:
        sample = Sample(seed, size, weights)
        for number in order:
            sample.add(["ab"[number % 2]], [str(number)], ["ab"[number % 2] * 10])
        return sample.texts()

    numbers = list(range(2000))
    once = drawn(numbers, 1, {})
    assert once == drawn(numbers[::-1], 1, {})
    assert drawn(numbers, 2, {}) != once
    assert sum(map(len, once)) == 3000
    even, heavy = Counter("".join(once)), Counter("".join(drawn(numbers, 1, {"b": 4.0})))
    assert 0.4 < even["b"] / 3000 < 0.6
    assert 0.7 < heavy["b"] / 3000 < 0.9
    assert set("".join(drawn(numbers, 1, {"b": 0.0}))) == {"a"}
    with pytest.raises(UsageError, match="no document of source 'aa'"):
        drawn(numbers, 1, {"aa": 2.0})


def test_too_little_text_and_text_without_hangul_are_said_to_be_so(source: Path, tmp_path: Path) -> None:
    for kind in KINDS:
        with pytest.raises(SourceError, match=r"entries"):
            train_files([source], tmp_path / "out", TrainSettings(vocab_size=64_000, kind=kind))
    english = tmp_path / "english.jsonl"
    english.write_text('{"text": "no Korean here at all"}\n', encoding="utf-8")
    with pytest.raises(SourceError, match="no Hangul in 1 documents"):
        train_files([english], tmp_path / "out", TrainSettings(vocab_size=512))
    with pytest.raises(SourceError, match="entries"):
        train_files([english], tmp_path / "out", TrainSettings(vocab_size=512, without_hangul=True))
    english.write_text("", encoding="utf-8")
    with pytest.raises(SourceError, match="no document: it is empty"):
        train_files([english], tmp_path / "out", TrainSettings(vocab_size=512))
    english.write_text('{"text": ""}\n', encoding="utf-8")
    with pytest.raises(SourceError, match="no text in 1 documents"):
        train_files([english], tmp_path / "out", TrainSettings(vocab_size=512, without_hangul=True))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (TrainSettings(vocab_size=300), "a vocabulary of 300 entries"),
        (TrainSettings(kind="wordpiece"), "no kind 'wordpiece'"),  # type: ignore[arg-type]
        (TrainSettings(borders="words"), "no borders 'words'"),
        (TrainSettings(weights={"words": -1.0}), "a weight below 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    source: Path, tmp_path: Path, settings: TrainSettings, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        train_files([source], tmp_path / "out", settings)
