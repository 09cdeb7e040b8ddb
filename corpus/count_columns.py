"""Columns of the counts that the compiled passes of measure make of every document, and of their words and lines.

`corpus/counting.py` and `corpus/repetition.py` write them; what they come to stands in `corpus/signals.py`.
"""

from __future__ import annotations

from corpus.characters import (  # noqa: F401  (the first columns, one a class)
    BROKEN,
    CLASSES,
    DIGIT,
    EMOJI,
    HANGUL,
    HANJA,
    JAMO,
    KANA,
    LATIN,
    LETTER,
    NEWLINE,
    SPACE,
    SYMBOL,
)

# A row of counts: characters of each class, then these.
(BYTES, CHARS, BEYOND, OLD_HANGUL, RUNS, LAUGHTER, MOJIBAKE, ENTROPY, SAVED) = range(CLASSES, CLASSES + 9)
(WORDS, WORD_CHARS, WORD_SQUARES, SINGLES, LONG, LETTERED, HANGUL_WORDS, PARTICLES, STRAYS) = range(21, 30)
(URLS, PHONES, SPACED, UNSPACED_CHARS) = range(30, 34)
(LINES, LINE_BYTES, LINE_CHARS, ENDED, SHORT, BULLETED, NUMBERED, ELLIPSES) = range(34, 42)
(SENTENCES, FORMS, SIGNS) = range(42, 45)
(REPEATED_LINES, REPEATED_LINE_BYTES, REPEATED_LINE_CHARS, DISTINCT, TOP_PAIR, REPEATED_FIVES) = range(45, 51)
(TOP_2, TOP_3, TOP_4, REPEAT_5, REPEAT_6, REPEAT_7, REPEAT_8, REPEAT_9, REPEAT_10) = range(51, 60)
COLUMNS = 60

# A row of words, int64: first byte, byte after the last, characters, hash, classes of its characters as bits, the last
# of them that is no symbol (code point and cell, 0 where there is none) and its first byte.
(W_START, W_END, W_CHARS, W_HASH, W_KINDS, W_LAST, W_LAST_AT) = range(7)
# A row of lines that are not blank, int64: bytes as above, first word, characters with and without white space, hash.
(L_START, L_END, L_FIRST, L_CHARS, L_VISIBLE, L_HASH) = range(6)
