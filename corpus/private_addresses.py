"""Where somebody lives or is on the net: postal addresses from the building's number on, and public IP addresses.

The names of province, town, street and quarter say no more than where many live: they stay. Sources: 도로명주소법 (road
name, building number, 동·층·호), RFC 6890 (addresses that are nobody's).
"""

from __future__ import annotations

import ipaddress
import re

from corpus.private_context import Context

_SIDO = (
    r"서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주|"
    r"충청[남북]|전라[남북]|경상[남북]"
)
_PROVINCE = rf"(?:{_SIDO})(?:특별자치시|특별자치도|특별시|광역시|도|시)?"
_TOWN = r"[가-힣]{1,6}(?:시|군|구)"
_QUARTER = r"[가-힣]{1,6}\d{0,2}(?:읍|면|동|리|가)"
# Words that end like a town or a quarter.
_NO_TOWN = re.compile(
    r"(?:^|\s)(?:다시|역시|혹시|잠시|동시|즉시|표시|게시|명시|제시|지시|예시|일시|임시|수시|필시|친구|도구|연구|요구|지구|"
    r"기구|누구|하구|인구|입구|출구|창구|항구|전구|영구|가구|복구|장군|아군|적군|국군|육군|해군|공군|하면|되면|화면|반면|측면|"
    r"장면|표면|전면|정면|이면|라면|으면|자동|이동|활동|행동|운동|노동|작동|변동|공동|연동|구동|정리|처리|관리|우리|거리|소리|"
    r"논리|분리|수리|권리|유리|원리|심리|물리|영리|대리|금리|"
    r"[가-힣]*(?:하면|되면|라면|으면|이면|치면|지면|보면|려면|다면|니까|하리|보다))\s"
)
_LABEL = (
    r"주\s?소|소재지|거주지?|배송지|배송\s?주소|수령지|자택|본점|본사|오시는\s?길|도로명|지번|address|사는\s?곳|살고"
)
_ROAD = re.compile(
    rf"(?:(?P<province>{_PROVINCE})\s+)?(?P<town>(?:{_TOWN}\s+){{0,2}})(?P<quarter>(?:{_QUARTER}\s+)?)"
    r"(?P<road>[가-힣A-Za-z0-9·.]{1,14}(?:(?<!으)로|길)(?:\s?\d{1,4}번?[가나다라]?길)?)\s?(?:지하\s?)?$"
)
_LOT = re.compile(
    rf"(?:(?P<province>{_PROVINCE})\s+)?(?P<town>(?:{_TOWN}\s+){{0,2}})(?P<quarter>(?:[가-힣]{{1,5}}[읍면]\s+)?)"
    rf"(?P<road>{_QUARTER})\s?(?:산\s?)?$"
)
_BUILDING = (
    r"[가-힣A-Za-z0-9·]{0,14}(?:아파트|빌딩|빌라|타워|오피스텔|맨션|주택|하이츠|자이|푸르지오|래미안|힐스테이트|타운|센터|"
    r"상가|프라자|플라자|캐슬|파크|마을|빌|아이파크|주공|고시원|원룸|하우스|단지|회관|사옥)(?:[ ]?\d{1,2}(?:단지|차))?"
)
_PAREN = r"(?:[ ]?\([^()\n]{1,30}\))?"
# The building number, and what follows of building, 동, 층 and 호; a quarter in parentheses only between these.
_DOOR = r"제?(?:[A-Z]-?)?B?\d{1,5}[ ]?호(?![선차])"
_FLOOR = r"(?:지하[ ]?)?B?\d{1,3}[ ]?층"
_BLOCK = r"(?:지하[ ]?)?제?(?:\d{1,4}|[A-Za-z가나다라마바사비])[ ]?동"
POSTAL = re.compile(
    r"(?<![\d.,/:~-])\d{1,5}(?:-\d{1,4})?(?![\d.]*\d)(?![,:/~-]\d)(?:[ ]?번지(?:[ ]?\d{1,3}호)?)?"
    rf"(?:{_PAREN}[ ,]{{1,3}}(?:{_BUILDING}[ ,]{{0,2}}\d{{2,4}}-\d{{2,4}}(?!\d)|(?:{_BUILDING}[ ,]{{0,2}})?"
    rf"(?:{_BLOCK}[ ,]{{0,2}}(?:{_FLOOR}[ ,]{{0,2}})?{_DOOR}|{_FLOOR}(?:[ ,]{{0,2}}{_DOOR})?|{_DOOR})"
    rf"|{_BUILDING}(?![가-힣])))?"
)
_COUNTED = (
    r"[ ]?(?:개|명|원|년|월|일(?![가-힣]*동)|시간|분|초|번(?!지)|차|회|배|%|퍼센트|점|위|살|"
    r"kg|km|m(?![a-z])|cm|mm|단계|가지|"
    r"쪽|장|권|호선|이상|이하|이내|미만|석|평|㎡|만|억|천|백|조|MB|GB|바이트|비트|행|열|"
    r"픽셀|학년|등(?![이의을 ])|포인트|주|번길|[길로]\s?\d|건|곳|척|군데|"
    r"구간|필지|세대|가구|줄|곡|편|화|호기|공구|일대|여|층|동|구역|블록|지구|번째|년대)|(?:[시세대인자도])(?![가-힣])"
)


def _towns(found: re.Match[str]) -> int:
    """How many names of province, town and quarter stand before the street."""
    names = [found["province"] or "", *found["town"].split(), found["quarter"].strip()]
    return sum(1 for name in names if name and not _NO_TOWN.search(f" {name} "))


def is_postal(at: Context) -> bool:
    """Behind a street or quarter of a named town; or behind 주소, or with 동 and 호, behind any street."""
    if re.match(_COUNTED, at.after) and not re.search("[가-힣]", at.text):
        return False
    flat = re.search(r"동[ ,]*(?:\d{1,3}층[ ,]*)?제?\d{1,5}[ ]?호$", at.text) is not None
    if re.match(r"\d{1,4}동", at.after) and not flat:
        return False
    detail = flat or re.search(r"[층호]$|번지", at.text) is not None or re.search(r"[가-힣]", at.text) is not None
    for shape in (_ROAD, _LOT):
        found = shape.search(at.before)
        if found is None or _NO_TOWN.search(f" {found['road']} "):
            continue
        towns = _towns(found)
        labelled = re.search(_LABEL, at.before[: found.end()], re.IGNORECASE) is not None
        named = found["province"] is not None and towns >= 1
        ends = re.match(r"\s*(?:$|[^\w\s]|\n|에|으로|입니다|이며|이고|의|번지|외|일원)", at.after) is not None
        if shape is _LOT and not (detail or "-" in at.text or labelled or (towns >= 2 and ends) or towns >= 3):
            continue
        if named or towns >= 2 or ((labelled or detail) and (towns or labelled)) or (towns and ends and shape is _ROAD):
            return True
    return False


# 101동 1203호 says whose door it is, whatever stands before.
FLAT = re.compile(r"(?<![\d-])\d{1,4}동[ ,]{0,2}\d{3,5}호(?![가-힣]*선)")


def is_flat(at: Context) -> bool:
    return re.search(r"제?\d+조\s?$", at.before) is None


QUAD = re.compile(r"(?<![\d.A-Za-z_])(?:\d{1,3}\.){3}\d{1,3}(?![\d_A-Za-z]|\.\d|-\d)")
IPV6 = re.compile(
    r"(?<![0-9A-Fa-f:.])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{1,4}:){1,6}(?::?[0-9A-Fa-f]{1,4}){1,6}(?![0-9A-Fa-f:])"
    r"|(?<![0-9A-Fa-f:.])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{1,4}:){0,6}:"
    r"(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6})?(?![0-9A-Fa-f:])"
)
_NET = (
    r"\bip\b|\bipv4|ip\s?주소|아이피|접속|서버|호스트|공인|방화벽|차단|"
    r"\bhost|\bserver|\bping|\bssh|\bdns|client|remote|\bfrom\b"
)
_VERSION = (
    r"버전|판본|\bver(?:sion)?\b|(?<![a-z])v\.?\s?$|릴리스|빌드|\bbuild|\brelease|펌웨어|firmware|업데이트|업그레이드|패치|드라이버|"
    r"chrome|크롬|\bsdk|\bapi\b|[a-z]/$|"
    r"제\s?$|§\s?$|항목\s?$|절\s?$|그림\s?$|표\s?$|조항|section|chapter|figure|table"
)
# Private, loopback and the like are nobody's. Those kept for examples (RFC 5737) are masked as any other.
_NOBODYS = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.168.0.0/16", "224.0.0.0/3"),
    )
)


def is_quad(at: Context) -> bool:
    """A public address, said to be one; or alone, long enough to be no version, number of a section or date."""
    parts = at.text.split(".")
    if any(int(part) > 255 or (len(part) > 1 and part[0] == "0") for part in parts):
        return False
    address = ipaddress.ip_address(at.text)
    if any(address in network for network in _NOBODYS):
        return False
    before, after = at.before.rpartition("\n")[2], at.after.partition("\n")[0]
    direct = re.search(r"(?:ip|아이피|주소)\s?[:=(은는]?\s?$", before, re.IGNORECASE) is not None
    if re.match(r"\.\s|절|장|항", after) and not direct and len(at.digits) < 8:
        return False  # the number of a section
    said = re.search(_NET, before + "\0" + after, re.IGNORECASE) is not None
    if re.search(_VERSION, at.before[-14:], re.IGNORECASE):
        return re.search(r"\bip\b|아이피", at.before[-14:], re.IGNORECASE) is not None
    if re.match(r"\s?(?:버전|판|빌드|릴리스|version|업데이트)", at.after, re.IGNORECASE):
        return False
    if re.search(r"[A-Za-z)][-/_ ]?$", at.before) and not said:
        return False
    return (said and bool(before.strip())) or (len(at.digits) >= 8 and int(parts[0]) > 31)


def is_ipv6(at: Context) -> bool:
    if re.match(r"/\d", at.after):  # a network
        return False
    try:
        address = ipaddress.IPv6Address(at.text)
    except ValueError:
        return False
    return address in ipaddress.ip_network("2000::/3") and re.search(r"[A-Fa-f]|::", at.text) is not None
