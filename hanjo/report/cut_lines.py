"""What the report shows of a line that a rule cut: the rule's own fixed words, and blots where anything else stood.

A cut line is not masked (the cut takes its place), and by-lines, imprints and notices are made of names, addresses
and numbers. No list of their shapes is ever whole, so this goes the other way about: only words known beforehand are
shown, with the punctuation between them. Used by `excerpts`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from corpus.boilerplate import LINE_RULES

BLOT = "○○○"  # of one length, so that a blot tells nothing of what it hides
# Rules whose pattern is a closed list of words: a line that it matches can hold nothing else.
CLOSED = frozenset(f"boilerplate.{name}" for name in ("menu_bar", "menu_list", "related", "share"))
# Rules whose needle follows a name without a space: 홍길동기자.
_GLUED = frozenset({"boilerplate.byline"})

_BETWEEN = r"\s|,.:：;·ㆍㅣ│/()\[\]<>【】〈〉〔〕=&*!?▶▷▲△☞■◆●◇※★ⓒ©®»›≫@+%_~\-"  # the only other characters shown
_OTHER = f"[^{_BETWEEN}]"
_RUN = re.compile(f"{_OTHER}+")
_RUNS = re.compile(rf"{BLOT}(?:[\s@.,+%_~/·ㆍ-]*{BLOT})+")

_FORBIDDEN = (
    r"무단\s?(?:전재|복제|배포|사용|도용)(?:\s?(?:및|·|ㆍ|,|와|-|&|/|or)?\s?(?:무단)?\s?"
    r"(?:재배포|복제|배포|수집|이용|전재|ai\s?학습(?:\s?이용|\s?및\s?활용)?)){0,4}\s?[를을]?\s?(?:등을?\s?)?"
    r"(?:금지|금합니다|엄금|불허|금지합니다|금지됩니다)?"
)
_LABEL = (
    r"(?:상호|법인명|회사명|제호|사업자\s?(?:등록)?\s?번호|통신판매업?\s?(?:신고)?\s?(?:번호)?|대표(?:이사|자)?명?|등록번호|"
    r"등록일자?|발행일자?|발행인|편집인|(?:청소년보호|개인정보\s?(?:보호|관리)?\s?)책임자|주소|소재지|전화|대표전화|고객센터|"
    r"팩스|fax|tel|e-?mail|이메일|호스팅\s?(?:제공자|서비스)?)(?=\s*[:：])"
)
# Words that the rules' patterns spell out beside their needles.
_ALSO = {
    "boilerplate.reprint": _FORBIDDEN,
    "boilerplate.copyright": rf"copyrights?|(?<=\()c(?=\))|{_FORBIDDEN}",
    "boilerplate.tip": r"제보하기|제보해\s?주세요|구독하기|구독하세요|채널\s?추가|친구\s?추가|보러\s?가기|네이버에서",
    "boilerplate.footer": _LABEL,
    "boilerplate.cookie": (
        r"(?:이|본|저희)\s?(?:웹\s?)?(?:사이트|페이지|홈페이지)(?:는|은|에서는)|쿠키를|사용합니다|사용하고\s?있습니다|수집합니다|"
        r"쿠키\s?(?:사용\s?)?(?:동의|허용|거부|설정|수락)|(?:we|this\s(?:web)?site)\suses?\scookies|accept\s(?:all\s)?cookies"
    ),
    "boilerplate.login": (
        r"로그인[이을]?\s?(?:후|하셔야|하시면|하여야|해야|필요)|이용하실\s?수\s?있습니다|이용\s?가능합니다|필요합니다|아이디|"
        r"비밀번호\s?(?:찾기|저장)|(?:아이디|자동)\s?(?:저장|로그인)|회원\s?(?:로그인|가입(?:하기)?)|"
        r"회원이\s?아니(?:세요|신가요|십니까)"
    ),
    "boilerplate.help_site": r"help\scontent\sdebug\sinfo",
}


def shown_of_cut(text: str, rule: str) -> str:
    """Cut text as it may be shown, line by line: `○○○ 기자 ○○○`, `무단전재 및 재배포 금지`.

    Args:
        text: what was cut, one line or several.
        rule: the id of the rule that cut it; of one that is not in LINE_RULES nothing but punctuation is shown.
    """
    return "\n".join(_shown_of_line(line, rule) for line in text.splitlines())


def _shown_of_line(line: str, rule: str) -> str:
    known = next((one for one in LINE_RULES if one.id == rule), None)
    if known and rule in CLOSED and known.pattern.fullmatch(line.strip().lower()):
        return line
    parts, at = [], 0
    for fixed in _fixed(rule).finditer(line):
        parts += [_RUN.sub(BLOT, line[at : fixed.start()]), fixed[0]]
        at = fixed.end()
    return _RUNS.sub(BLOT, "".join([*parts, _RUN.sub(BLOT, line[at:])]))


@lru_cache(maxsize=64)
def _fixed(rule: str) -> re.Pattern[str]:
    """The words that a line of this rule may show, each standing alone: never a part of a longer word."""
    needles = [needle for one in LINE_RULES if one.id == rule for needle in one.needles]
    words = [_ALSO[rule]] if rule in _ALSO else []
    words += [r"\s".join(map(re.escape, needle.split())) for needle in sorted(needles, key=len, reverse=True)]
    if not words:
        return re.compile(r"(?!)")
    before = "" if rule in _GLUED else f"(?<!{_OTHER})"
    return re.compile(f"{before}(?:{'|'.join(words)})(?!{_OTHER})", re.IGNORECASE)
