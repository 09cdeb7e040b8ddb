"""One form of Korean text before anything is measured: NFC, syllables, plain spaces and ASCII; what goes is counted.

No NFKC (it turns ㄱㅏ into 가 and ㅋ into a conjoining jamo). Old Hangul, hanja, curly quotes, tabs, indentation, blank
lines and emoji's ZWJ stay.
Most texts need nothing: one search finds that out. `normalise` of its own result changes nothing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from corpus.hangul import COMPATIBILITY, CONJOINING, FILLER, compose_filled, free_lone_jamo, widen_jamo
from corpus.hanyang import to_jamo
from corpus.mojibake import reverse_mojibake

_CONTROL = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_SURROGATE = "\ud800-\udfff"
_NONCHARACTER = "\ufdd0-\ufdef\ufffe\uffff"
_ZERO_WIDTH = "\u00ad\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_BREAKS = "\r\x0b\x0c\x85\u2028\u2029"
_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_FULL_WIDTH = "\uff01-\uff5e\uffe6"
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # and kana
_PRIVATE = "\ue000-\uf8ff"

# Nothing but these: nothing to do. All are in NFC, whatever stands beside them.
_PLAIN = re.compile(
    r"[^\t\n -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u2328\u232b-\u2adb"
    r"\u3001-\u3029\u3200-\u33ff\u4e00-\u9fff\uac00-\ud7a3]"
)
_WORK = re.compile(
    f"[{_CONTROL}{_SURROGATE}{_NONCHARACTER}{_ZERO_WIDTH}\u200d{_BREAKS}{_SPACES}{_FULL_WIDTH}{_PRIVATE}"
    f"{CONJOINING}{FILLER}\uffa0-\uffdc]"
)
_LAUGHTER = re.compile(f"[{COMPATIBILITY}]{{4}}")  # by itself: an alternation is searched five times as slowly
_REMOVED = {
    "text.control": re.compile(f"[{_CONTROL}]"),
    "text.surrogate": re.compile(f"[{_SURROGATE}]"),
    "text.noncharacter": re.compile(f"[{_NONCHARACTER}]"),
    # A zero-width joiner belongs where it joins emoji.
    "text.zero_width": re.compile(f"[{_ZERO_WIDTH}]|(?<![\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])\u200d"),
}
_LOST = re.compile(f"[{_CONTROL}{_SURROGATE}{_NONCHARACTER}{_ZERO_WIDTH}\u200d]")
_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACE = re.compile(f"[{_SPACES}]")
# Chinese and Japanese have these signs full-width by right; letters, digits and signs beside Hangul do not.
_WIDE = re.compile(f"((?<=[{_IDEOGRAPHS}])[，！？：；]+)|[{_FULL_WIDTH}]+")
_PRIVATE_USE = re.compile(f"[{_PRIVATE}]")
_LONG_RUN = re.compile(rf"([{COMPATIBILITY}])\1{{3,}}")
_ASCII = {0xFF01 + index: 0x21 + index for index in range(0x5E)} | {0xFFE6: 0x20A9}


@dataclass(frozen=True, slots=True)
class Normalised:
    """The text in one form, and cause → times of what was removed from it.

    Two causes are no removals: `text.private_use`, left as it was; `text.hanyang`, old Hangul brought into Unicode.
    """

    text: str
    losses: dict[str, int] = field(default_factory=dict)


def mended(text: str) -> Normalised:
    """A record's text as collect keeps it: double mojibake undone, then `normalise`; losses of both."""
    original, undone = reverse_mojibake(text)
    found = normalise(original)
    return Normalised(found.text, undone | found.losses) if undone else found


def normalise(text: str) -> Normalised:
    """Bring a text into the one form; idempotent."""
    if not _PLAIN.search(text):
        return Normalised(text)
    if not _WORK.search(text) and not _LAUGHTER.search(text):
        return Normalised(text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text))
    losses: dict[str, int] = {}
    if _LOST.search(text):  # one search instead of four: most texts need none
        for cause, pattern in _REMOVED.items():
            text, times = pattern.subn("", text)
            if times:
                losses[cause] = times
    text = _BREAK.sub("\n", text)
    text = _WIDE.sub(lambda match: match[1] or match[0].translate(_ASCII), _SPACE.sub(" ", text))
    text = compose_filled(widen_jamo(text)).replace(FILLER, " ")  # a filler that fills nothing is an invisible blank
    text = free_lone_jamo(unicodedata.normalize("NFC", text))
    text, old = to_jamo(text)
    if old:
        losses["text.hanyang"] = old
        text = free_lone_jamo(unicodedata.normalize("NFC", text))
    text = _LONG_RUN.sub(r"\1\1\1", text)  # ㅋㅋㅋㅋㅋ → ㅋㅋㅋ; never a syllable or a digit
    private = len(_PRIVATE_USE.findall(text))
    if private:
        losses["text.private_use"] = private
    return Normalised(text, losses)
