# SPDX-License-Identifier: Apache-2.0
"""The addresses in the text of a field body: all that any reader would find there.

RFC 5322 §3.4 says what an address list is. Mail readers accept much more, and each
something else, so nothing here parses a grammar: every at sign is looked at, and the
text beside it is read as an address in each way that a strict or a liberal reader
would (quoted local parts, comments, folding white space, routes, groups, semicolons,
addresses inside display names, several at signs). What it finds is a superset.

Everything is linear in the length of the text.
"""

import re
from collections.abc import Iterator

from undisclosed.core.address import Address, plain_address

AT_SIGNS = "@\uff20\ufe6b"
"""The at sign and its two compatibility forms, which mail readers take for it."""

_INVISIBLE = "\u00ad\u034f\u061c\u115f\u180e\u200b\u200c\u200d\u200e\u200f\u202a"
_INVISIBLE += "\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067"
_INVISIBLE += "\u2068\u2069\ufe0e\ufe0f\ufeff"
_INVISIBLE += "\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2065\u3164\uffa0"
_INVISIBLE += "\ufff9\ufffa\ufffb"
# Deprecated format characters, variation selectors, and the tags of plane 14.
_INVISIBLE += "".join(map(chr, (*range(0x206A, 0x2070), *range(0xFE00, 0xFE10))))
_INVISIBLE += "".join(map(chr, (*range(0x1D173, 0x1D17B), *range(0xE0000, 0xE0200))))
# Full-width letters, digits, dots and signs of addresses are read as what they show.
_FULL_WIDTH = "".join(
    chr(code + 0xFEE0)
    for code in range(0x21, 0x7F)
    if chr(code).isalnum() or chr(code) in ".+-_"
)
_AS_SEEN = str.maketrans(
    dict.fromkeys(_INVISIBLE)
    | dict.fromkeys(AT_SIGNS[1:], "@")
    | {one: chr(ord(one) - 0xFEE0) for one in _FULL_WIDTH}
)
_NOT_AS_SEEN = frozenset(map(chr, _AS_SEEN))
_ASCII = re.compile(r"[\x00-\x7f]+")
_OVERLAID = re.compile("@[\u0300-\u036f\u20d0-\u20ff]+")
_ROUTED = re.compile(
    r"(?<![^\s<>,;:(\"])(?:([\w.+=~/'-]{1,64})%([a-z\d-]+(?:\.[a-z\d-]+)*\.[a-z]{2,24})"
    r"|([a-z\d-]+(?:\.[a-z\d-]+)*\.[a-z]{2,24})!([\w.+=~/'-]{1,64}))(?![^\s<>,;:)\"])",
    re.IGNORECASE,
)

# Between addresses stand white space, control characters and the separators of
# address lists, full-width ones among them.
_SEPARATORS = r"\s\x00-\x1f\x7f<>,;\uff0c\uff1b\u3001\uff1c\uff1e\uff5c"
_COLONS = r":\uff1a"
_BETWEEN = re.compile(rf"[{_SEPARATORS}{_COLONS}]+")
_AROUND = re.compile(rf"[{_SEPARATORS}{_COLONS}()]")
_LOOSELY_AROUND = re.compile(r"[\s<>,@]")
_DOMAIN = re.compile(rf'[^{_SEPARATORS}{_COLONS}()"@]*')
_LITERAL = re.compile(r"\[[^\[\]<>@\s]{1,255}\]")
# Display names in quotes that hold no address, and stand before one.
_QUOTED_NAMES = re.compile(r'"[^"\\@]*"\s*(?=<)')
_PLAIN_COMMENTS = re.compile(r'\([^()"\\@]*+\)')
# A mailbox as nearly all are written: a name without anything that could be read in
# two ways, one address, and the separator or the end behind it. Whatever does not
# begin with one is taken whole, so that no text is gone over twice.
_ODD = r"""@%\x00-\x08\x0a-\x1f\x7f"""
_QUOTED_NAME = rf'"[^"\\{_ODD}]*+(?:\\[^"\\{_ODD}][^"\\{_ODD}]*+)*"[ \t]*+'
_COMMENT = rf'\([^()"\\<>{_ODD}]*+\)'
_BARE_NAME = rf'[^()"\\<>{_ODD}]*+(?:{_COMMENT}[^()"\\<>{_ODD}]*+)*'
_USUAL_MAILBOX = re.compile(
    rf"(?:(?:{_QUOTED_NAME}|{_BARE_NAME})<)?"
    r"([A-Za-z0-9_.+-]++(?:'[A-Za-z0-9_.+-]++)*)"
    r"@([A-Za-z0-9][A-Za-z0-9.-]*+(?<![.-]))>?"
    rf"(?:[ \t]++{_COMMENT})?[ \t]*+(?:[,;][ \t]*+|\Z)"
    r"|(?s:.+)"
)
_ORDINARY = re.compile(r"""[^"'()\[\]\\%\x00\x7f-\U0010ffff]*""")
_GAPS = re.compile(
    rf"""@\s|\s@|\.\s+[^{_SEPARATORS}:@"]*@|@[^{_SEPARATORS}:@"]*(?:\s+\.|\.\s+)"""
)
# Folding in the middle of an address leaves a space there: ann@a.exam ple.
_SHORT = 2
_TORN = re.compile(
    rf"(?<=\w)\s(?:[_+-][^{_SEPARATORS}@]*|[^{_SEPARATORS}@]{{1,{_SHORT}}})@"
    rf"|@[^{_SEPARATORS}@]*+\s+[\w.]++\s*(?:[,;>]|\Z)"
)
_TORN_DOMAIN = re.compile(rf"@[^{_SEPARATORS}@]*+\s+(?:[\w.]++\s*(?:[,;>]|\Z)|\.)")
_SPACED_ANGLE = re.compile(r"<[^<>@,;:\s]*+\s+[^<>@,;:]*+@")
_ITEMS = re.compile(r"[,;<>]")
_SPACE_AT_DOTS = re.compile(r"\s*([.@])\s*")
_WORDS_ONLY = re.compile(r"[\w\s.+\-']{1,1024}")
_QUERY = re.compile(r"[?&][\w-]+=")
_AFTER_DOMAIN = re.compile(r"[?/&=#|]")
_EDGES_OF_DOMAIN = "\"'`.|*!?\\/=&#~}{_-"
_QUOTES_AND_COMMENTS = re.compile(r'["()\\]')
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PERCENT_AT = re.compile("%40")
_AT_SIGNS = re.compile("@@+")


def as_seen(text: str) -> str:
    """The text without invisible characters, each kind of at sign as ``@``."""
    # Hundreds of characters from everywhere: a set is quicker than a class of them.
    if not _NOT_AS_SEEN.isdisjoint(_ASCII.sub("", text)):
        text = text.translate(_AS_SEEN)
    return _OVERLAID.sub("@", text) if _OVERLAID.search(text) else text


def mailboxes(text: str) -> list[Address]:
    """Every address in the decoded text of a field body, in its order.

    The same person may come twice. Never raises.
    """
    if "!" in text or "%" in text:
        routed = _routed(text)
        if routed:
            return _at_signs(text) + routed
    return _at_signs(text)


def _routed(text: str) -> list[Address]:
    """Routing of old without an at sign, which mail servers rewrite to one.

    ``ann%a.example`` and ``a.example!ann`` (Postfix: allow_percent_hack and
    swap_bangpath, both on by default).
    """
    return [
        Address(found[1] or found[4], found[2] or found[3])
        for found in _ROUTED.finditer(text)
    ]


def _at_signs(text: str) -> list[Address]:
    if not text.isascii():
        if "\u202e" in text:
            text = f"{text}, {text[::-1]}"
        text = as_seen(text)
    if "@@" in text:
        text = _AT_SIGNS.sub("@", text)
    if "@" not in text and "%40" not in text:
        return []
    usual = _usual_mailboxes(text)
    if usual is not None:
        return usual
    plain = text
    if '"' in plain:
        plain = _QUOTED_NAMES.sub(" ", plain)
    if "(" in plain:
        plain = _PLAIN_COMMENTS.sub(" ", plain)
    found = _ordinary_mailboxes(plain)
    if found is not None:
        return found
    once: dict[tuple[str, str], None] = {}
    for reading in _readings(text):
        once.update(dict.fromkeys(_every_at_sign(reading)))
    return [Address(local_part, domain) for local_part, domain in once]


def _usual_mailboxes(text: str) -> list[Address] | None:
    """The addresses of a text that is nothing but usual mailboxes; else None."""
    found = _USUAL_MAILBOX.findall(text)
    if not found[-1][0]:
        return None
    return [plain_address(local_part, domain) for local_part, domain in found]


def _ordinary_mailboxes(text: str) -> list[Address] | None:
    """The addresses of a text without anything odd; None when there is."""
    ordinary = _ORDINARY.match(text)
    if ordinary is None or ordinary.end() != len(text):
        return None
    if _TORN_DOMAIN.search(text) or _SPACED_ANGLE.search(text):
        return None
    found = []
    before = ""
    has_short = False
    for token in _BETWEEN.split(text):
        if "@" in token:
            local_part, _, domain = token.partition("@")
            if not local_part or before[-1:] == ".":
                return None
            if not domain.replace(".", "").replace("-", "").isalnum():
                return None
            if len(local_part) <= _SHORT or local_part[0] in "_+-":
                has_short = True
            found.append(Address(local_part, domain))
        before = token
    return None if has_short and _TORN.search(text) else found


def _readings(text: str) -> Iterator[str]:
    """The text in each way in which a reader might take it before looking for at."""
    if "%40" in text:
        text = _PERCENT_AT.sub("@", text)
    texts = [text]
    if _CONTROLS.search(text):
        texts.append(_CONTROLS.sub("", text))
    if "(" in text and ")" in text:
        texts += [_without_comments(each) for each in texts]
    yield from texts
    for each in texts:
        if _GAPS.search(each):
            yield _SPACE_AT_DOTS.sub(r"\1", each)
        if _TORN.search(each):
            items = [item for item in _ITEMS.split(each) if item.count("@") == 1]
            yield ",".join("".join(item.split()) for item in items)
            yield ",".join(_with_its_space(item) for item in items)


def _with_its_space(item: str) -> str:
    """A local part that holds a space, in the quotes that it would need."""
    local_part, _, domain = item.partition("@")
    return f'"{local_part.strip()}"@{domain}' if '"' not in local_part else item


def _without_comments(text: str) -> str:
    """The text less its comments (RFC 5322 §3.2.2), which may be nested.

    A parenthesis inside a quoted string is text; one that is never closed is left.
    """
    pieces: list[str] = []
    kept_to = 0
    opened: list[int] = []
    is_quoted = False
    skip_to = 0
    for mark in _QUOTES_AND_COMMENTS.finditer(text):
        if mark.start() < skip_to:
            continue
        if mark[0] == "\\":
            skip_to = mark.end() + 1
        elif mark[0] == '"' and not opened:
            is_quoted = not is_quoted
        elif mark[0] == "(" and not is_quoted:
            opened.append(mark.start())
        elif mark[0] == ")" and opened:
            start = opened.pop()
            if not opened:
                pieces.append(text[kept_to:start])
                kept_to = mark.end()
    pieces.append(text[kept_to:])
    return "".join(pieces)


def _every_at_sign(text: str) -> Iterator[tuple[str, str]]:
    """Read each at sign with what stands on its two sides."""
    earlier = 0
    chain = -1
    at = text.find("@")
    while at >= 0:
        local_parts = list(_local_parts(text, earlier, at))
        domain, after = _domain_after(text, at)
        follows = text[after : after + 1] == "@"
        if chain < 0 and local_parts:
            chain = at - len(local_parts[0])
        for local_part in local_parts:
            yield from _address(local_part, domain)
        if not follows:
            whole = text[max(chain, 0) : at]
            if local_parts and domain and "@" in whole and not _QUERY.search(whole):
                # a@b@c: mail systems take the last at sign for the one that counts.
                yield whole, domain.rstrip(_EDGES_OF_DOMAIN)
            chain = -1
        earlier = at + 1
        at = text.find("@", earlier)


def _domain_after(text: str, at: int) -> tuple[str, int]:
    literal = _LITERAL.match(text, at + 1)
    if literal:
        return literal[0], literal.end()
    domain = _DOMAIN.match(text, at + 1)
    return (domain[0], domain.end()) if domain else ("", at + 1)


def _local_parts(text: str, earlier: int, at: int) -> Iterator[str]:
    """What can stand before this at sign, the likeliest reading first."""
    quoted = _quoted_before(text, at)
    if quoted:
        yield quoted
        if "<" not in quoted:
            return
    token = _token_before(text, earlier, at, _AROUND)
    if token.strip("\"'"):
        yield token
        # <ann smith@a.example>: readers keep the space, drop it, or take a part.
        angle = text.rfind("<", earlier, at)
        spaced = text[angle + 1 : at - len(token)].rstrip() if angle >= 0 else ""
        if spaced and _WORDS_ONLY.fullmatch(spaced):
            yield text[angle + 1 : at].strip()
            yield "".join(text[angle + 1 : at].split())
        return
    # Nothing but punctuation: <Undisclosed-Recipient:;@a.example> is seen in mail.
    loose = _token_before(text, earlier, at, _LOOSELY_AROUND)
    if loose and loose[-1] != ")" and re.search(r"\w", loose):
        yield loose.replace('"', "")


def _quoted_before(text: str, at: int) -> str:
    """The quoted string (RFC 5322 §3.2.4) that ends just before the at sign."""
    end = at - 1
    if end < 1 or text[end] != '"' or text[end - 1] == "\\":
        return ""
    start = text.rfind('"', 0, end)
    while start > 0 and text[start - 1] == "\\":
        start = text.rfind('"', 0, start - 1)
    if start < 0 or end - start == 1:
        return ""
    before = ""
    if start and text[start - 1] == ".":
        before = _token_before(text, max(0, start - 64), start, _AROUND)
    return before + text[start:at]


def _token_before(
    text: str, earliest: int, at: int, separators: re.Pattern[str]
) -> str:
    width = 64
    while True:
        start = max(earliest, at - width)
        token = separators.split(text[start:at])[-1]
        if len(token) < at - start or start == earliest:
            return token
        width *= 8


def _address(local_part: str, domain: str) -> Iterator[tuple[str, str]]:
    """The readings of one pair, cleaned of what stands around an address in prose."""
    clean = domain
    if not domain.startswith("["):
        clean = _AFTER_DOMAIN.split(domain, maxsplit=1)[0]
        clean = clean.rstrip(_EDGES_OF_DOMAIN + "[]").lstrip(".\"'")
    if not clean:
        return
    if domain.endswith("]") and local_part.startswith("["):
        local_part = local_part[1:]
    if "=" in local_part:
        local_part = _QUERY.split(local_part)[-1]  # mailto:…?cc= (RFC 6068 §2)
    for reading in _unquoted(local_part, is_enclosed=domain.endswith("'")):
        yield reading, clean
        account, _, relayed = reading.rpartition("%")
        if account and "." in relayed:
            # ann%a.example@relay.example: routing of old (RFC 5321 appendix F.2).
            yield account, relayed


def _unquoted(local_part: str, *, is_enclosed: bool) -> Iterator[str]:
    """The local part without quotes and apostrophes that do not belong to it."""
    is_quoted = local_part.startswith('"') and local_part.endswith('"')
    if '"' in local_part and not is_quoted:
        tail = local_part.rpartition('"')[2]
        if tail:
            yield tail.lstrip("'")
        if local_part.startswith('"'):
            local_part = local_part[1:]
    if local_part.startswith("'"):
        if not is_enclosed:
            yield local_part
        local_part = local_part.lstrip("'")
    if local_part.strip("\"'"):
        yield local_part
