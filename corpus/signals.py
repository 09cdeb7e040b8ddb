"""The signals: what each says of a text, and how it comes from the counts of the compiled passes.

measure writes them, a column each, of the text as edited; decide compares them with limits (`corpus/rules.py`);
`docs/signals.md` is made from them. To add one is a line in SIGNALS; only where it needs a new count does
`corpus/counting.py` change.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.characters import character_table
from corpus.count_columns import COLUMNS
from corpus.edits import Bytes, Longs, text_buffers
from corpus.lexicons import ADVERTISED, LEXICONS
from corpus.measured import Floats, Measured, Signal, ratio

if TYPE_CHECKING:
    from corpus.folding import Lexicon

GOPHER = "Rae et al. 2021, arXiv:2112.11446, A1.1; over eojeol, so published limits do not transfer"
FINEWEB = "FineWeb's char_duplicates_ratio (datatrove); lines are compared with every white space alike"
FINEWEB_LISTS = "FineWeb's new_line_ratio (datatrove); over eojeol"


def _deviation(m: Measured) -> Floats:
    mean = m.of_words("WORD_CHARS")
    return np.sqrt(np.maximum(m.of_words("WORD_SQUARES") - mean * mean, 0))


def _over_characters(name: str, doc: str, column: str) -> Signal:
    return Signal(name, doc, "share of characters", lambda m: m.of_chars(column), GOPHER)


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
    Signal("other_letters", "letters of other scripts", "share of letters", lambda m: m.of_letters("LETTER")),
    Signal(
        "old_hangul",
        "conjoining jamo: Hangul that has no modern syllable",
        "share of visible characters",
        lambda m: m.of_visible("OLD_HANGUL"),
    ),
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
    Signal("eojeol_length_sd", "standard deviation of that length", "characters", _deviation),
    Signal("long_eojeol", "eojeol of more than 15 characters", "share of eojeol", lambda m: m.of_words("LONG")),
    Signal("lettered", "eojeol with a letter in them", "share of eojeol", lambda m: m.of_words("LETTERED"), GOPHER),
    Signal("singles", "eojeol of one character: 글 자 띄 우 기", "share of eojeol", lambda m: m.of_words("SINGLES")),
    Signal(
        "spaced_out",
        "eojeol in runs of five and more single syllables: 글 자 띄 우 기",
        "share of eojeol",
        lambda m: m.of_words("SPACED"),
    ),
    Signal(
        "spacing",
        "syllables neither in such runs nor in eojeol of more than 15 syllables; 1 where there are none",
        "share of Hangul syllables",
        lambda m: 1 - np.minimum(ratio(m["SPACED"] + m["UNSPACED_CHARS"], m["HANGUL"]), 1),
    ),
    Signal(
        "particles",
        "Hangul eojeol that end like a particle or an ending; running Korean has more than half",
        "share of Hangul eojeol",
        lambda m: ratio(m["PARTICLES"], m["HANGUL_WORDS"]),
        "the stop-word rule of Gopher, as Korean has it: the function words are suffixes",
    ),
    Signal(
        "stray_particles",
        "particles set apart by spaces (' 의 ', ' 을 '), as machine translation leaves them",
        "share of eojeol",
        lambda m: m.of_words("STRAYS"),
    ),
    Signal("distinct", "different eojeol", "share of eojeol", lambda m: m.of_words("DISTINCT")),
    Signal(
        "ended_lines",
        "lines that end like a sentence, by ending or sign",
        "share of lines",
        lambda m: m.of_lines("ENDED"),
    ),
    Signal(
        "sentence_forms",
        "sentences that end in a final form (다 요 죠 까 음 함 됨 임, -았어, -는데 …), with or without a sign; "
        "a sentence goes to a sign that ends it or to the end of its line",
        "share of sentences",
        lambda m: ratio(m["FORMS"], m["SENTENCES"]),
    ),
    Signal(
        "sentence_signs",
        "sentences that end in a sign (. ? ! … and the like), whatever the form",
        "share of sentences",
        lambda m: ratio(m["SIGNS"], m["SENTENCES"]),
    ),
    Signal("line_chars", "mean length of a line", "characters", lambda m: m.of_lines("LINE_CHARS")),
    Signal("newlines", "newlines an eojeol", "newlines an eojeol", lambda m: m.of_words("NEWLINE"), FINEWEB_LISTS),
    Signal("short_lines", "lines of fewer than 20 characters", "share of lines", lambda m: m.of_lines("SHORT")),
    Signal("bullets", "lines that begin with a bullet", "share of lines", lambda m: m.of_lines("BULLETED"), GOPHER),
    Signal(
        "list_lines",
        "lines that begin with a number: 1. 2) (3) 가. 나) ① 제4조",
        "share of lines",
        lambda m: m.of_lines("NUMBERED"),
    ),
    Signal("ellipses", "lines that end in an ellipsis", "share of lines", lambda m: m.of_lines("ELLIPSES"), GOPHER),
    Signal(
        "repeated_lines",
        "lines that stood before",
        "share of the bytes of lines",
        lambda m: ratio(m["REPEATED_LINE_BYTES"], m["LINE_BYTES"]),
        GOPHER,
    ),
    Signal("line_repeats", "lines that stood before", "share of lines", lambda m: m.of_lines("REPEATED_LINES"), GOPHER),
    Signal(
        "char_repeats",
        "characters of lines that stood before",
        "share of characters but newlines",
        lambda m: ratio(m["REPEATED_LINE_CHARS"], m["CHARS"] - m["NEWLINE"]),
        FINEWEB,
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
    *(
        _over_characters(f"top_{n}", f"the most frequent run of {n} eojeol, where one stands twice", f"TOP_{n}")
        for n in (2, 3, 4)
    ),
    *(
        _over_characters(f"repeat_{n}", f"runs of {n} eojeol that stood before, none counted twice", f"REPEAT_{n}")
        for n in range(5, 11)
    ),
    Signal(
        "compressibility",
        "bytes that copies of four characters and more would save, at three bytes a copy",
        "share of bytes",
        lambda m: np.maximum(ratio(m["SAVED"], m["BYTES"]), 0),
        "an estimate of LZ77 over the last some thousand places; r = .89 to zlib's saving on 1,094 Korean documents",
    ),
    Signal(
        "entropy",
        "entropy of the visible characters, those beyond U+FFFF taken as one",
        "bits a character",
        lambda m: m["ENTROPY"],
    ),
    Signal("urls", "eojeol with a web address", "share of eojeol", lambda m: m.of_words("URLS")),
    Signal(
        "phones",
        "eojeol shaped like a telephone number, and the placeholders of masked ones",
        "numbers an eojeol",
        lambda m: m.of_words("PHONES"),
    ),
    Signal(
        "spam",
        "terms of advertisements, disguised or not (ADVERTISED in corpus/lexicons.py)",
        "terms an eojeol",
        lambda m: m.an_eojeol(m.in_lexicons(*ADVERTISED)),
    ),
    Signal("spam_terms", "how many different ones", "terms", lambda m: m.different_terms),
    Signal("gambling", "terms of gambling", "terms an eojeol", lambda m: m.an_eojeol(m.in_lexicons("gambling"))),
    Signal(
        "adult",
        "terms of massage, escorts, sexual drugs and goods",
        "terms an eojeol",
        lambda m: m.an_eojeol(m.in_lexicons("adult")),
    ),
    Signal("loan", "terms of loans and cash advances", "terms an eojeol", lambda m: m.an_eojeol(m.in_lexicons("loan"))),
    Signal(
        "schemes",
        "terms of other spammers' trades: forged papers, mule accounts, tips on stocks, detectives, followers",
        "terms an eojeol",
        lambda m: m.an_eojeol(m.in_lexicons("schemes")),
    ),
    Signal(
        "disguised",
        "terms of advertisements in disguise: 카.지.노, 카 지 노, 카Zl노, ㅋㅏ지노",
        "terms an eojeol",
        lambda m: m.an_eojeol(m.disguised),
    ),
    Signal(
        "ad_calls",
        "calls to act: 카톡상담, 즉시지급, 예약문의, 무료배송, 30%할인",
        "terms an eojeol",
        lambda m: m.an_eojeol(m.in_lexicons("offers", "calls")),
    ),
    Signal(
        "advertising",
        "the smaller of spam and of calls to act, telephone numbers, web addresses and disguises; news has terms alone",
        "terms an eojeol",
        lambda m: m.an_eojeol(np.minimum(m.in_lexicons(*ADVERTISED), m.contacts + m.disguised)),
    ),
    Signal(
        "mt_tells",
        "tells of machine translation: 그것은, 당신의, particles set apart by spaces",
        "tells an eojeol",
        lambda m: m.an_eojeol(m.in_lexicons("mt_tells") + m["STRAYS"]),
    ),
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
def _lexicon() -> Lexicon:
    from corpus.folding import lexicon

    return lexicon(LEXICONS, ADVERTISED)


_LAST_OF_CUT_OFF = b"\xb0e] \t\n\v\f\r"  # 기 is EA B8 B0


def _cut_off(texts: pa.Array, buffer: Bytes, offsets: Longs) -> npt.NDArray[np.bool_]:
    """Which texts end in … 더보기, … more, … [더보기]; looked for only where the last byte can be theirs."""
    import pyarrow.compute as pc

    cut = np.zeros(len(texts), np.bool_)
    last = buffer[offsets[1:] - 1] if len(buffer) else np.zeros(len(texts), np.uint8)
    may = np.flatnonzero(np.isin(last, np.frombuffer(_LAST_OF_CUT_OFF, np.uint8)) & (np.diff(offsets) > 0))
    tails = pc.utf8_slice_codeunits(texts.take(pa.array(may)), -12)
    ends = pc.match_substring_regex(tails, r"(?:…|\.\.)\s*(?:더\s?보기|more|\[더보기\])\s*$")
    cut[may] = ends.to_numpy(zero_copy_only=False)
    return cut


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
    from corpus.counting import count_texts
    from corpus.folding import count_terms
    from corpus.tags import TAGS, count_tags, tag_automaton

    buffer, offsets = text_buffers(texts)
    counts = np.zeros((len(texts), COLUMNS))
    count_texts(buffer, offsets, character_table(), counts)
    terms = np.zeros((len(texts), len(LEXICONS) + 2), np.int64)
    count_terms(buffer, offsets, *_lexicon(), terms)
    tags = np.zeros((len(texts), len(TAGS)), np.int64)
    count_tags(buffer, offsets, *tag_automaton(), tags)
    cut_off = _cut_off(texts, buffer, offsets)
    scores = np.full(len(texts), np.nan) if quality is None else quality
    dropped = np.zeros(len(texts)) if dropped is None else dropped
    measured = Measured(counts, terms.astype(float), cut_off, boilerplate, private, scores, dropped, tags)
    # from_pandas: a NaN, which only a missing score is, is written as null.
    columns = [pa.array(signal.value(measured), from_pandas=True) for signal in SIGNALS]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
