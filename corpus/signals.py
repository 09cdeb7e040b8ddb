"""The signals: what each says of a text, and how it comes from the counts of the compiled pass.

measure writes them, a column each, of the text as edited; decide compares them with limits (`corpus/rules.py`). To add
one is a line in SIGNALS; only where it needs a new count does `corpus/kernels.py` change.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.edits import text_buffers

Floats = npt.NDArray[np.float64]

# Last syllables of an eojeol that are a particle or an ending: 은/는/이/가 …, 고/며/면/서 …, 다/요 …
PARTICLES = (
    "은는이가을를의에도로와과만서고며면지게여어아해던한할된될인일적들니다요까네죠음함됨임라자야나려듯히써나든께부터"
)
# Last syllables of a Korean sentence, with or without a full stop: 다 요 죠 까, and clipped 음 함 됨 임 것.
ENDINGS = "다요죠까네라자지음함됨임것오소셔냐군걸게해야어아"
STOPS = ".?!。…！？\"'”’)]」』~"
BULLETS = "-*•·●○■□▶▷◆◇※‣∙･ㆍ▪①②③④⑤⑥⑦⑧⑨⑩"
# Terms of advertisements for gambling, loans and massage. News has such words too: only their density counts.
SPAM_TERMS = tuple(
    """
카지노 바카라 토토 먹튀 놀이터 슬롯 가입쿠폰 가입머니 첫충 꽁머니 환전 룰렛 홀덤 사설 파워볼 무직자 신용불문 당일대출
즉시대출 급전 소액결제현금화 현금화 출장마사지 출장안마 스웨디시 오피 유흥 룸싸롱 조건만남 비아그라 시알리스 즉시지급
카톡상담 텔레그램문의 24시간상담
""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the signals are computed from, for one batch.

    Attributes:
        counts: float64 [documents, kernels.COLUMNS].
        spam: int64 [documents, 2], see `scanning.count_needles`.
        cut_off: bool [documents], the text ends in … 더보기.
        boilerplate: float64 [documents], share of the bytes before editing that boilerplate rules describe.
        private: float64 [documents], identifiers found before editing.
        quality: float64 [documents], the classifier's scores; NaN where there is none.
        dropped: float64 [documents], see `privacy.Private.dropped`.
        tags: int64 [documents, 2], see `tags.count_tags`.
    """

    counts: Floats
    spam: npt.NDArray[np.int64]
    cut_off: npt.NDArray[np.bool_]
    boilerplate: Floats
    private: Floats
    quality: Floats
    dropped: Floats
    tags: npt.NDArray[np.int64]

    def __getitem__(self, column: str) -> Floats:
        """A column of the counts by its name in `corpus/kernels.py`."""
        from corpus import kernels  # numba is wanted only where texts are measured, not where limits are compared

        column_of_counts: Floats = self.counts[:, getattr(kernels, column)]
        return column_of_counts

    def of_visible(self, *columns: str) -> Floats:
        """Share of the characters that are no white space."""
        return ratio(self._sum(*columns), self["CHARS"] - self["SPACE"] - self["NEWLINE"])

    def of_letters(self, *columns: str) -> Floats:
        """Share of the letters of any script."""
        return ratio(self._sum(*columns), self._sum("HANGUL", "JAMO", "HANJA", "KANA", "LATIN", "LETTER"))

    def of_words(self, *columns: str) -> Floats:
        return ratio(self._sum(*columns), self["WORDS"])

    def of_lines(self, *columns: str) -> Floats:
        return ratio(self._sum(*columns), self["LINES"])

    def _sum(self, *columns: str) -> Floats:
        return np.sum([self[column] for column in columns], axis=0)


def ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


@dataclass(frozen=True, slots=True)
class Signal:
    """One number of a text.

    Attributes:
        name: its column in signals/.
        doc: what it says.
        unit: of the value; a share is between 0 and 1.
        value: from the counts, float64 [documents].
        source: where the idea is from, where it is not plain counting.
    """

    name: str
    doc: str
    unit: str
    value: Callable[[Measured], Floats]
    source: str = ""


GOPHER = "Rae et al. 2021, arXiv:2112.11446, A1.1; over eojeol, so published limits do not transfer"

SIGNALS = (
    Signal("bytes", "UTF-8 bytes", "bytes", lambda m: m["BYTES"]),
    Signal("chars", "code points, white space too", "characters", lambda m: m["CHARS"]),
    Signal("eojeol", "pieces between white space", "eojeol", lambda m: m["WORDS"]),
    Signal("lines", "lines that are not blank", "lines", lambda m: m["LINES"]),
    Signal("hangul", "Hangul syllables", "share of visible characters", lambda m: m.of_visible("HANGUL")),
    Signal("hangul_letters", "Hangul among the letters", "share of letters", lambda m: m.of_letters("HANGUL", "JAMO")),
    Signal("hanja", "Chinese characters", "share of letters", lambda m: m.of_letters("HANJA")),
    Signal("kana", "Japanese syllables", "share of letters", lambda m: m.of_letters("KANA")),
    Signal("latin", "Latin letters", "share of letters", lambda m: m.of_letters("LATIN")),
    Signal("jamo", "single jamo: ㅋㅋ, ㅠㅠ, 초성체", "share of visible characters", lambda m: m.of_visible("JAMO")),
    Signal("digits", "digits", "share of visible characters", lambda m: m.of_visible("DIGIT")),
    Signal("symbols", "punctuation and symbols", "share of visible characters", lambda m: m.of_visible("SYMBOL")),
    Signal("emoji", "emoji", "share of visible characters", lambda m: m.of_visible("EMOJI")),
    Signal(
        "runs",
        "fourth and later of equal characters in a row",
        "share of visible characters",
        lambda m: m.of_visible("RUNS"),
    ),
    Signal("laughter", "of those, jamo: ㅋㅋㅋㅋ", "share of visible characters", lambda m: m.of_visible("LAUGHTER")),
    Signal(
        "mojibake",
        "U+FFFD, controls, private use, and Latin-1 signs side by side",
        "share of visible characters",
        lambda m: m.of_visible("MOJIBAKE"),
    ),
    Signal("eojeol_length", "mean length of an eojeol", "characters", lambda m: m.of_words("WORD_CHARS"), GOPHER),
    Signal("singles", "eojeol of one character: 글 자 띄 우 기", "share of eojeol", lambda m: m.of_words("SINGLES")),
    Signal(
        "particles",
        "Hangul eojeol that end like a particle or an ending; running Korean has more than half",
        "share of Hangul eojeol",
        lambda m: ratio(m["PARTICLES"], m["HANGUL_WORDS"]),
        "the stop-word rule of Gopher, as Korean has it: the function words are suffixes",
    ),
    Signal("distinct", "different eojeol", "share of eojeol", lambda m: m.of_words("DISTINCT")),
    Signal(
        "ended_lines",
        "lines that end like a sentence, by ending or sign",
        "share of lines",
        lambda m: m.of_lines("ENDED"),
    ),
    Signal("short_lines", "lines of fewer than 20 characters", "share of lines", lambda m: m.of_lines("SHORT")),
    Signal("bullets", "lines that begin with a bullet", "share of lines", lambda m: m.of_lines("BULLETED"), GOPHER),
    Signal("ellipses", "lines that end in an ellipsis", "share of lines", lambda m: m.of_lines("ELLIPSES"), GOPHER),
    Signal(
        "repeated_lines",
        "lines that stood before",
        "share of the bytes of lines",
        lambda m: ratio(m["REPEATED_LINE_BYTES"], m["LINE_BYTES"]),
        GOPHER,
    ),
    Signal(
        "top_pair",
        "eojeol in the most frequent pair",
        "share of eojeol",
        lambda m: np.minimum(2 * m.of_words("TOP_PAIR"), 1),
        GOPHER,
    ),
    Signal(
        "repeated_fives",
        "eojeol in a run of five that stood before",
        "share of eojeol",
        lambda m: m.of_words("REPEATED_FIVES"),
        GOPHER,
    ),
    Signal(
        "entropy",
        "entropy of the visible characters, those beyond U+FFFF taken as one",
        "bits a character",
        lambda m: m["ENTROPY"],
    ),
    Signal("urls", "eojeol with a web address", "share of eojeol", lambda m: m.of_words("URLS")),
    Signal(
        "spam",
        "terms of advertisements (SPAM_TERMS)",
        "terms an eojeol",
        lambda m: ratio(m.spam[:, 0].astype(float), m["WORDS"]),
    ),
    Signal("spam_terms", "how many different ones", "terms", lambda m: np.bitwise_count(m.spam[:, 1]).astype(float)),
    Signal("cut_off", "1 where the text ends in … 더보기", "0 or 1", lambda m: m.cut_off.astype(float)),
    Signal("boilerplate", "boilerplate before editing, cut or not", "share of bytes", lambda m: m.boilerplate),
    Signal("private", "identifiers of persons before editing", "identifiers", lambda m: m.private),
    Signal(
        "quality",
        "how like the good text of the run's classifier (measure.classifier); null without one, and without an eojeol",
        "probability",
        lambda m: m.quality,
    ),
    Signal(
        "private_drop",
        "which identifiers whose policy is drop it holds, a bit each by their order in corpus/identifiers.py",
        "bits",
        lambda m: m.dropped,
    ),
    Signal(
        "toxicity",
        "coarse, sexual and threatening terms (corpus/tag_terms.py)",
        "terms an eojeol",
        lambda m: ratio(m.tags[:, 0].astype(float), m["WORDS"]),
    ),
    Signal(
        "bias",
        "slurs by sex, region, nation, disability, orientation, age and religion",
        "terms an eojeol",
        lambda m: ratio(m.tags[:, 1].astype(float), m["WORDS"]),
    ),
)
NAMES = tuple(signal.name for signal in SIGNALS)
SCHEMA = pa.schema([(name, pa.float64()) for name in NAMES])


@lru_cache(maxsize=1)
def character_table() -> npt.NDArray[np.uint8]:
    """Class (low four bits) and flags (high four) of every code point below 65,536, uint8 [65536]."""
    from corpus import kernels as k

    table = np.array([_class_of(chr(point)) for point in range(65536)], np.uint8)
    flags = ((PARTICLES, k.PARTICLE), (ENDINGS, k.ENDING), (STOPS, k.STOP), (BULLETS, k.BULLET))
    for characters, flag in flags:
        table[[ord(character) for character in characters]] |= flag
    return table


def _class_of(character: str) -> int:
    from corpus import kernels as k

    point = ord(character)
    if 0xAC00 <= point < 0xD7A4:
        return k.HANGUL
    if character == "\n":
        return k.NEWLINE
    if character.isspace():
        return k.SPACE
    category = unicodedata.category(character)
    if point == 0xFFFD or category in ("Cc", "Co", "Cs", "Cn"):
        return k.BROKEN
    if 0x1100 <= point < 0x1200 or 0x3131 <= point < 0x318F or 0xA960 <= point < 0xA97D or 0xD7B0 <= point < 0xD7FC:
        return k.JAMO
    if 0x3400 <= point < 0xA000 or 0xF900 <= point < 0xFB00:
        return k.HANJA
    if 0x3041 <= point < 0x3100 or 0x31F0 <= point < 0x3200:
        return k.KANA
    if category == "Nd":
        return k.DIGIT
    if category.startswith("L"):
        return k.LATIN if point < 0x250 or 0x1E00 <= point < 0x1F00 else k.LETTER
    return k.EMOJI if 0x2600 <= point < 0x27C0 else k.SYMBOL


@lru_cache(maxsize=1)
def _spam_automaton() -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    from corpus.scanning import automaton

    return automaton([(term, bit) for bit, term in enumerate(SPAM_TERMS)])


def measure_texts(
    texts: pa.Array,
    boilerplate: Floats,
    private: Floats,
    quality: Floats | None = None,
    dropped: Floats | None = None,
) -> pa.RecordBatch:
    """All the signals of some texts, by the schema SCHEMA.

    Args:
        texts: large_string [documents], as edited.
        boilerplate, private: found before editing, float64 [documents] (see Measured).
        quality: the classifier's scores, float64 [documents]; None where the run has no classifier.
        dropped: found before editing, float64 [documents] (see Measured); none where it is not given.
    """
    import pyarrow.compute as pc

    from corpus.kernels import COLUMNS, count_texts
    from corpus.scanning import count_needles
    from corpus.tags import TAGS, count_tags, tag_automaton

    buffer, offsets = text_buffers(texts)
    counts = np.zeros((len(texts), COLUMNS))
    count_texts(buffer, offsets, character_table(), counts)
    spam = np.zeros((len(texts), 2), np.int64)
    count_needles(buffer, offsets, *_spam_automaton(), spam)
    tags = np.zeros((len(texts), len(TAGS)), np.int64)
    count_tags(buffer, offsets, *tag_automaton(), tags)
    tails = pc.utf8_slice_codeunits(texts, -12)
    cut_off = pc.match_substring_regex(tails, r"(?:…|\.\.)\s*(?:더\s?보기|more|\[더보기\])\s*$")
    dropped = np.zeros(len(texts)) if dropped is None else dropped
    ends = cut_off.to_numpy(zero_copy_only=False)
    scores = np.full(len(texts), np.nan) if quality is None else quality
    measured = Measured(counts, spam, ends, boilerplate, private, scores, dropped, tags)
    # from_pandas: a NaN, which only a missing score is, is written as null.
    columns = [pa.array(signal.value(measured), from_pandas=True) for signal in SIGNALS]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
