# SPDX-License-Identifier: Apache-2.0
"""The addresses in prose, and HTML as the text that a reader sees.

Everything starts from the at signs: text without one costs a search. In prose an
address needs a domain with a dot (or an address literal), unlike in an address
field, where a local host name is one; else every price and handle were a person.
"""

import html
import re
from collections.abc import Iterator

from undisclosed.core.address import Address, plain_address
from undisclosed.core.mailboxes import AT_SIGNS, as_seen

MOST_AT_SIGNS = 400_000
"""At signs that are looked at in one text; a block of text is far below it."""

_SHORTEST_CUT = 32
_AT = re.compile(r"@(?=[\w\[])")
_NO_LOCAL_PART = " \t\r\n<>()[]{},;:@"
_BEFORE = re.compile(
    r"[\s\x00-\x1f\x7f<>()\[\]{},;:\"\\|/@"
    r"，；：、。「」『』（）＜＞｜【】…“”„«»‹›‘’]"  # noqa: RUF001 (also in Japanese)
)
_DOMAIN = re.compile(r"[\w.-]+")
_LITERAL = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9a-fA-F:.]{2,45})\]")
_ASCII_HEAD = re.compile(r"[A-Za-z0-9.-]+")
_ASCII_TAIL = re.compile(r"[!-~]*\Z")
_KEY = re.compile(
    r"(?:.*[?&])?(?:to|cc|bcc|from|mail|e-?mail|mailto|addr|address|rcpt|recipient|"
    r"user|username|login|id|u|e|r|m|smtp\.\w+|header\.\w+|[\w-]*(?:mail|addr)\w*)=",
    re.IGNORECASE | re.DOTALL,
)
_LAST_PARAMETER = re.compile(r".*[?&][\w-]+=", re.DOTALL)
_NOT_FIRST = "'*`~.!?^&#$%=+"
_NOT_LAST = ".-_"

# What stands on its own line or in its own cell; other tags may split a word.
_BLOCK_TAGS = re.compile(
    r"</?(?:address|article|aside|blockquote|body|br|caption|center|dd|div|dl|dt|fieldset"
    r"|footer|form|h[1-6]|head|header|hr|html|img|input|legend|li|main|nav|ol|option|p"
    r"|pre|section|select|table|tbody|td|textarea|tfoot|th|thead|title|tr|ul)"
    r"(?![\w:-])[^<>]*>",
    re.IGNORECASE,
)
_TAGS = re.compile(r"<[^<>]*>")
_VANISHING = re.compile(
    r"</?wbr[^<>]*>|<!--[^<>@]*-->|&(?:shy|zwnj|zwj|ZeroWidthSpace|#173|#8203);?",
    re.IGNORECASE,
)
_UNSEEN = ("style", "script", "head", "title")
_UNSEEN_START = re.compile(rf"<({'|'.join(_UNSEEN)})\b[^<>]*>", re.IGNORECASE)
_UNSEEN_END = {tag: re.compile(rf"</{tag}\s*>", re.IGNORECASE) for tag in _UNSEEN}
_REFERENCE = re.compile(
    r"&(?:commat|#0*+(?:64|65312|65131)(?!\d)"
    r"|#[xX]0*+(?:40|[fF][fF]20|[fF][eE]6[bB])(?![0-9a-fA-F]))"
)
_REACH = 512
"""Characters around an at sign of HTML that are read: an address and its tags."""


def addresses_in_text(text: str) -> list[Address]:
    """Every address in running text, in its order; the same person may come twice."""
    if "%40" in text:
        text = text.replace("%40", "@")
    if not text.isascii():
        if "\u202e" in text:
            # What follows this character is shown from right to left.
            text = f"{text} {text[::-1]}"
        text = as_seen(text)
    found: list[Address] = []
    if "@" not in text:
        return found
    earlier = 0
    for count, sign in enumerate(_AT.finditer(text)):
        if count >= MOST_AT_SIGNS:
            break
        at = sign.start()
        if not at or text[at - 1] in _NO_LOCAL_PART:
            continue
        domains = _domains(text, at + 1)
        if domains:
            ordinary = _ordinary_local_part(text, earlier, at)
            if ordinary and domains[0].isascii():
                found.append(plain_address(ordinary, domains[0]))
            else:
                local_parts = list(_local_parts(text, earlier, at))
                found += (Address(one, each) for each in domains for one in local_parts)
        earlier = at + 1
    return found


def _ordinary_local_part(text: str, earlier: int, at: int) -> str:
    """What stands before this at sign if it is letters, digits and dots; or nothing."""
    before = text[max(earlier, at - _SHORTEST_CUT) : at]
    # These stand before nearly all; only where others do is it worth a pattern.
    local_part = before.rpartition(" ")[2].rpartition("\n")[2].rpartition("<")[2]
    if not local_part.replace(".", "").isalnum():
        local_part = _BEFORE.split(before)[-1]
    is_ordinary = (
        len(local_part) < _SHORTEST_CUT
        and local_part.isascii()
        and local_part.replace(".", "").isalnum()
        and local_part[0] != "."
    )
    return local_part if is_ordinary else ""


def _domains(text: str, start: int) -> list[str]:
    if text.startswith("[", start):
        literal = _LITERAL.match(text, start)
        return [literal[0]] if literal else []
    match = _DOMAIN.match(text, start)
    whole = match[0].rstrip(_NOT_LAST) if match else ""
    domains = [whole] if _is_domain(whole) else []
    if not whole.isascii():
        # Japanese goes on without a space: the address ends where ASCII ends.
        head = _ASCII_HEAD.match(whole)
        shorter = head[0].rstrip(_NOT_LAST) if head else ""
        if _is_domain(shorter):
            domains.append(shorter)
    return domains


def _is_domain(domain: str) -> bool:
    name, _, top = domain.rpartition(".")
    return bool(name.strip(".")) and len(top) > 1 and not top.isdecimal()


def _local_parts(text: str, earlier: int, at: int) -> Iterator[str]:
    width = 64
    while True:
        start = max(earlier, at - width)
        token = _BEFORE.split(text[start:at])[-1]
        if len(token) < at - start or start == earlier:
            break
        width *= 8
    if token.endswith("="):
        return
    if "=" in token:
        token = (_LAST_PARAMETER if "&" in token else _KEY).sub("", token, count=1)
    local_part = token.lstrip(_NOT_FIRST)
    if not local_part.strip("._-'"):
        return
    yield local_part
    if not local_part.isascii():
        tail = _ASCII_TAIL.search(local_part, max(0, len(local_part) - 128))
        shorter = tail[0].lstrip(_NOT_FIRST) if tail else ""
        if shorter:
            yield shorter


def html_has_at_sign(source: str) -> bool:
    """Whether HTML holds an at sign in any form, character references included."""
    return has_at_sign(source) or bool(_REFERENCE.search(source))


def html_around_at_signs(source: str) -> Iterator[str]:
    """The stretches of HTML that an address could stand in, apart from each other."""
    start = end = -1
    for at in _html_at_signs(source):
        if start >= 0 and at - _REACH <= end:
            end = at + _REACH
            continue
        if start >= 0:
            yield source[start:end]
        start, end = max(0, at - _REACH), at + _REACH
    if start >= 0:
        yield source[start:end]


def _html_at_signs(source: str) -> list[int]:
    places = [at.start() for at in _REFERENCE.finditer(source)]
    for sign in (*AT_SIGNS, "%40"):
        at = source.find(sign)
        while at >= 0:
            places.append(at)
            at = source.find(sign, at + 1)
    return sorted(places)


def html_sources(source: str) -> str:
    """HTML with its character references resolved, tags and comments still in it.

    Where addresses stand in attributes (``mailto:``), comments and hidden text.
    """
    return html.unescape(_VANISHING.sub("", source))


def html_text(source: str) -> str:
    """HTML as its reader sees it: tags gone, blocks on lines of their own.

    An address that tags split is whole again. What is hidden by a style stays in.
    """
    lines = _BLOCK_TAGS.sub("\n", _VANISHING.sub("", source))
    return html.unescape(_TAGS.sub("", lines))


def html_visible_text(source: str) -> str:
    """``html_text`` without style sheets, scripts and the head's title."""
    return html_text(without_unseen(source))


def without_unseen(source: str, gap: str = " ") -> str:
    """HTML less the elements whose text no reader sees, a gap in their places."""
    pieces: list[str] = []
    kept_to = position = 0
    never_closed: set[str] = set()
    while start := _UNSEEN_START.search(source, position):
        tag = start[1].lower()
        position = start.end()
        end = None
        if tag not in never_closed:
            end = _UNSEEN_END[tag].search(source, position)
        if end is None:
            # Looked for once: a second look for each start would not be linear.
            never_closed.add(tag)
            continue
        pieces.append(source[kept_to : start.start()])
        kept_to = position = end.end()
    pieces.append(source[kept_to:])
    return gap.join(pieces)


def number_of_at_signs(source: str) -> int:
    """How many at signs text or HTML holds in any form."""
    number = sum(source.count(sign) for sign in (*AT_SIGNS, "%40"))
    return number + len(_REFERENCE.findall(source)) if "&" in source else number


def has_at_sign(text: str) -> bool:
    """Whether any at sign is in it, its compatibility forms and ``%40`` included."""
    return any(sign in text for sign in AT_SIGNS) or "%40" in text
