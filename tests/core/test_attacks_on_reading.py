# SPDX-License-Identifier: Apache-2.0
"""Ways to hide a list from the guard that some mail reader would show: all are read.

Each case spells the same eight people in another way. A case is a message; the test
asks that everybody was found, or that the message counts as not read whole.
"""

import base64
import binascii
from collections.abc import Callable

import pytest

from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content

PEOPLE = [f"v{number}@d{number}.example" for number in range(8)]
LINES = "\r\n".join(PEOPLE)
LIST = ", ".join(PEOPLE)
POLICY = Policy(own_domains=frozenset({"own.example"}))
_START = b"From: o@own.example\r\nTo: x@x.example\r\nMIME-Version: 1.0\r\n"


def _found(message: bytes) -> set[str]:
    content = read_content(message, POLICY)
    return {one.person for one in (*content.shown, *content.in_removed)}


def _body(fields: str, body: str | bytes) -> bytes:
    raw = body if isinstance(body, bytes) else body.encode()
    return _START + fields.encode("latin-1") + b"\r\n\r\n" + raw


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def _plain(charset: str) -> str:
    return f"Content-Type: text/plain; charset={charset}"


def _encoded(name: str, charset: str = "utf-8") -> str:
    return f"{_plain(charset)}\r\nContent-Transfer-Encoding: {name}"


def _uu(data: bytes) -> bytes:
    rows = [binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)]
    return b"begin 644 list.txt\r\n" + b"".join(rows) + b"`\r\nend\r\n"


def _spelled(spell: Callable[[str, str], str]) -> str:
    return "\r\n".join(spell(*person.split("@")) for person in PEOPLE)


IN_BASE64 = _base64(LINES.encode())
PART = "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
PART += IN_BASE64.decode()
PARTS = f"--abc\r\n{PART}\r\n--abc--\r\n"
SHORT = "Content-Type: text/plain\r\n\r\nhi\r\n"

CHARSETS = {
    "EBCDIC that is ASCII": _body(_plain("cp037"), LINES),
    "UTF-16 that is ASCII": _body(_plain("utf-16le"), LINES),
    "UTF-16 with line ends": _body(
        _encoded("base64", "utf-16le"), _base64(LINES.encode("utf-16le"))
    ),
    "UTF-16 longer than a block": _body(
        _encoded("base64", "utf-16le"),
        _base64(("Hello.\r\n" * 40_000 + LINES).encode("utf-16le")),
    ),
    "UTF-16 with an odd byte": _body(
        _encoded("base64", "utf-16le"), _base64(LINES.encode("utf-16le") + b"x")
    ),
    "UTF-16 that is not declared": _body(
        _encoded("base64", "us-ascii"), _base64(LINES.encode("utf-16"))
    ),
    "two charsets": _body(
        "Content-Type: text/plain; charset=us-ascii; charset=utf-16le\r\n"
        "Content-Transfer-Encoding: base64",
        _base64(LINES.encode("utf-16le")),
    ),
    "broken UTF-7": _body(_plain("utf-7"), LINES.replace("@", "+AEA-") + " +!@ \xff"),
    "Japanese without a charset": _body(
        "Content-Type: text/plain",
        LINES.replace("@", "\uff20").encode("iso-2022-jp"),
    ),
    "full width": _body(
        _plain("utf-8"),
        _spelled(
            lambda a, b: "".join(chr(ord(one) + 0xFEE0) for one in f"{a}@{b}"),
        ),
    ),
    "full width and a byte that is no UTF-8": _body(
        _plain("utf-8"), LINES.replace("@", "\uff20").encode() + b" \xff"
    ),
    "invisible characters": _body(
        _plain("utf-8"), LINES.replace("@", "\u200b@\u2065\ufe00\U000e0041")
    ),
    "an overlaid at sign": _body(_plain("utf-8"), LINES.replace("@", "@\u0334")),
    "control characters": _body(_plain("utf-8"), LINES.replace("@", "\0@\x01")),
    "from right to left": _body(
        _plain("utf-8"), _spelled(lambda a, b: f"\u202e{b[::-1]}@{a[::-1]}\u202c")
    ),
    "flowed lines": _body(
        "Content-Type: text/plain; format=flowed; delsp=yes",
        LINES.replace("@", " \r\n@"),
    ),
}

ENCODINGS = {
    "soft break and blanks": _body(
        _encoded("quoted-printable"), LINES.replace("@", "= \t\r\n@")
    ),
    "long soft lines": _body(
        _encoded("quoted-printable"),
        _spelled(lambda a, b: ("y" * 76 + "=\r\n") * 3500 + f" {a}=\r\n@{b} "),
    ),
    "lines longer than a block": _body(
        _plain("utf-8"), "".join(" " + "y" * 262_100 + f" {one}" for one in PEOPLE)
    ),
    "a comment before it": _body(_encoded("(x) base64"), IN_BASE64),
    "a misspelt name": _body(_encoded("base-64"), IN_BASE64),
    "two names": _body(_encoded("7bit base64"), IN_BASE64),
    "a zero byte behind it": _body(_encoded("base64\0"), IN_BASE64),
    "five fields": _body(
        "\r\n".join(
            f"Content-Transfer-Encoding: {name}"
            for name in ("7bit", "8bit", "binary", "quoted-printable", "base64")
        ),
        IN_BASE64,
    ),
    "padding in the middle": _body(
        _encoded("base64"),
        b"\r\n".join(base64.b64encode(one.encode() + b"\r\n") for one in PEOPLE),
    ),
    "uuencode": _body(_encoded("x-uuencode"), _uu(LINES.encode())),
    "uuencode in a text": _body(_plain("utf-8"), b"See:\r\n" + _uu(LINES.encode())),
    "an encoded multipart": _body(
        "Content-Type: multipart/mixed; boundary=abc\r\n"
        "Content-Transfer-Encoding: base64",
        _base64(PARTS.encode()),
    ),
    "a message that is no Base64": _body(
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64",
        f"To: {LIST}\r\n\r\nhi",
    ),
}

BOUNDARIES = [
    "multipart/mixed boundary=abc",
    "multipart/mixed; boundary=abc(c)",
    "multipart/mixed; (c) boundary=abc",
    "multipart/mixed; boundary='abc'",
    "multipart/mixed; boundary=x1; boundary=x2; boundary=x3; boundary=abc",
    'multipart/mixed; x="; boundary=abc',
    "multipart/mixed,boundary=abc",
    "multipart/mixed; boundary=ABC",
    "multipart/mixed",
    "multipart; boundary=abc",
    "(c) multipart/mixed; boundary=abc",
    "multi/mixed; boundary=abc",
    "text/plain",
    "nothing",
]

PARTS_OF_MESSAGES = {
    **{
        f"Content-Type: {one}": _body(f"Content-Type: {one}", PARTS)
        for one in BOUNDARIES
    },
    "an 8-bit boundary": _START
    + b'Content-Type: multipart/mixed; boundary="a\xe9c"\r\n\r\n'
    + PARTS.encode().replace(b"abc", b"a\xe9c"),
    "a longer delimiter": _body(
        "Content-Type: multipart/mixed; boundary=abc",
        f"--abc\r\n{SHORT}--abcdef\r\n{PART}\r\n--abc--\r\n",
    ),
    "parts behind the last": _body(
        "Content-Type: multipart/mixed; boundary=abc",
        f"--abc\r\n{SHORT}--abc--\r\n--def\r\n{PART}\r\n--def--\r\n",
    ),
    "parts before the first": _body(
        "Content-Type: multipart/mixed; boundary=abc",
        f"--def\r\n{PART}\r\n--def--\r\n--abc\r\n{SHORT}--abc--\r\n",
    ),
    "five content types": _body(
        "\r\n".join(
            f"Content-Type: {one}"
            for one in ("application/a", "application/b", "application/c", "text/plain")
        )
        + "\r\nContent-Transfer-Encoding: base64",
        IN_BASE64,
    ),
    "a line of blanks in the header": _body(
        "X: y\r\n \r\nContent-Type: application/pdf", LINES
    ),
    "CR CR LF in the header": _body("X: y\r\r\nContent-Type: application/pdf", LINES),
    "a line that is no field": _body(
        "this is no field\r\nContent-Type: application/pdf", LINES
    ),
    "a text file of no type": _body(
        "Content-Type: application/octet-stream; name=list.csv\r\n"
        "Content-Transfer-Encoding: base64",
        IN_BASE64,
    ),
    "a message with a dot behind its name": _body(
        "Content-Type: application/octet-stream; name=a.EML.",
        f"To: {LIST}\r\n\r\nhi",
    ),
    "a message of an unknown kind": _body(
        "Content-Type: message/rfc822-x", f"Content-Type: text/x\r\n\r\n{LINES}"
    ),
    "folded fields of a report": _body(
        "Content-Type: message/delivery-status",
        "\r\n\r\n".join(f"Final-Recipient: rfc822;\r\n {one}" for one in PEOPLE),
    ),
    "other fields of a report": _body(
        "Content-Type: message/delivery-status",
        "\r\n\r\n".join(f"Diagnostic-Code: smtp; 550 {one}" for one in PEOPLE),
    ),
}

HTML = {
    "a bracket in a comment": "{a}<!-- < -->@{b}",
    "a tag in a comment": "{a}<!-- <b> -->@{b}",
    "a bracket in an attribute": '{a}<b title=">">@</b>{b}',
    "the other bracket in one": '{a}<b title="<">@</b>{b}',
    "a long tag": '{a}<b style="' + "x" * 2000 + '">@</b>{b}',
    "many tags": "{a}" + "<i></i>" * 300 + "@{b}",
    "a picture": "{a}<img width=0>@{b}",
    "cells": "<table><tr><td>{a}</td><td>@</td><td>{b}</td></tr></table>",
    "boxes in a line": '<div style="display:inline">{a}</div><div>@{b}</div>',
    "a hidden element": '{a}<span style="display:none"> x </span>@{b}',
    "small print": '{a}@<span style="font-size:0"> , </span>{b}',
    "a style in it": "{a}<style>p > b {{}}</style>@{b}",
    "many zeros": "{a}&#000000000000000000064;{b}",
    "a small at sign": "{a}&#65131;{b}",
    "CDATA": "{a}<![CDATA[<]]>@{b}",
    "an instruction": "{a}<?x < ?>@{b}",
    "a condition": "{a}<!--[if mso]> <![endif]-->@{b}",
    "letter by letter": None,
    "from right to left": None,
}

HTML_TYPES = [
    "text/html (c)", "(c) text/html", "text/html,", '"text/html"', "html", "text",
    "x/html", "text/x-html", "text/watch-html", "application/xml", "text/\0html",
    "image/svg+xml", "application/octet-stream; name=l.html",
]  # fmt: skip


def _html_body(spell: Callable[[str, str], str], field: str = "text/html") -> bytes:
    lines = [f"<p>{spell(*person.split('@'))}</p>" for person in PEOPLE]
    return _body(f"Content-Type: {field}", "<html>" + "\r\n".join(lines) + "</html>")


def _in_html(template: str | None, name: str) -> bytes:
    if template is not None:
        return _html_body(lambda a, b: template.format(a=a, b=b))
    if name == "from right to left":
        return _html_body(lambda a, b: f"<bdo dir=rtl>{b[::-1]}@{a[::-1]}</bdo>")
    style = "z" * 300
    return _html_body(
        lambda a, b: "".join(f'<u class="{style}">{one}</u>' for one in f"{a}@{b}")
    )


def _word(data: bytes, charset: str = "utf-8") -> str:
    return f"=?{charset}?B?{base64.b64encode(data).decode()}?="


_APART = f" , {LIST} , "
_IN_WORD = base64.b64encode(_APART.encode()).decode()
_IN_Q = _APART.replace("@", "=40").replace(" ", "_")
_IN_UTF_7 = _APART.replace("@", "+AEA-").replace(" ", "_")

FIELDS = {
    "EBCDIC that is ASCII": _word(LIST.encode(), "cp037"),
    "UTF-16 with an odd byte": _word(_APART.encode("utf-16le") + b"x", "utf-16le"),
    "broken UTF-7": f"=?utf-7?Q?{_IN_UTF_7}=FF?=",
    "padding in a word": f"=?utf-8?B?QQ=={_IN_WORD}?=",
    "a question mark in a word": f"=?utf-8?Q?a?b{_IN_Q}?=",
    "a word without an end": f"=?utf-8?B?{_IN_WORD}",
    "blanks in a word": f"=? utf-8 ? B ?{_IN_WORD}?=",
    "percent routing": ", ".join(one.replace("@", "%") for one in PEOPLE),
    "bang paths": ", ".join("!".join(reversed(one.split("@"))) for one in PEOPLE),
    "two at signs": LIST.replace("@", "@@"),
    "from right to left": ", ".join(f"\u202e{one[::-1]}" for one in PEOPLE),
    "full width": LIST.replace("@", "\uff20").replace(".", "\uff0e"),
}

RAW_FIELDS = {
    "Japanese without a charset": LIST.replace("@", "\uff20").encode("iso-2022-jp"),
    "a byte that is no UTF-8": LIST.replace("@", "\uff20").encode() + b", \xff",
}

CASES = {
    **{f"charset: {name}": message for name, message in CHARSETS.items()},
    **{f"encoding: {name}": message for name, message in ENCODINGS.items()},
    **{f"parts: {name}": message for name, message in PARTS_OF_MESSAGES.items()},
    **{f"HTML: {name}": _in_html(one, name) for name, one in HTML.items()},
    **{
        f"type: {one}": _html_body(lambda a, b: f"{a}&#64;{b}", one)
        for one in HTML_TYPES
    },
    **{
        f"field: {name}": b"From: o@own.example\r\nTo: " + one.encode() + b"\r\n\r\nhi"
        for name, one in FIELDS.items()
    },
    **{
        f"field: {name}": b"From: o@own.example\r\nTo: " + one + b"\r\n\r\nhi"
        for name, one in RAW_FIELDS.items()
    },
    "field: copied by a signature": (
        b"From: o@own.example\r\nDKIM-Signature: v=1; z=To:"
        + LIST.replace("@", "=40").replace(" ", "=20").encode()
        + b"\r\n\r\nhi"
    ),
    "field: a list's, eight times": b"From: o@own.example\r\n"
    + b"".join(f"List-Post: <{one}>\r\n".encode() for one in [*PEOPLE, "z@z.example"])
    + b"\r\nhi",
    "field: References": (
        f"From: o@own.example\r\nReferences: {LIST}\r\n\r\nhi".encode()
    ),
    "field: Message-ID": (
        "From: o@own.example\r\nMessage-ID: "
        + ", ".join(f"Ann <{one}>" for one in PEOPLE)
        + "\r\n\r\nhi"
    ).encode(),
}


@pytest.mark.parametrize("name", CASES)
def test_everybody_is_read(name: str) -> None:
    assert set(PEOPLE) <= _found(CASES[name])


def test_an_identifier_field_that_is_repeated_is_not_trusted() -> None:
    fields = "".join(f"References: {one}\r\n" for one in PEOPLE)

    content = read_content(f"From: o@own.example\r\n{fields}\r\nhi".encode(), POLICY)

    assert content.uncertain


@pytest.mark.parametrize(
    "block",
    [b"X: y\r\n" * 60_000, b"To: ;" + b";" * 9_000_000 + b"\r\n"],
    ids=["too many fields", "too many bytes"],
)
def test_a_header_beyond_the_limits_is_not_read_whole_and_said_so(block: bytes) -> None:
    content = read_content(b"From: o@own.example\r\n" + block * 4 + b"\r\nhi", POLICY)

    assert content.uncertain == ("Its header is longer than is read.",)


def test_at_signs_beyond_the_limit_are_not_read_and_said_so() -> None:
    content = read_content(_body(_plain("utf-8"), "a@b " * 300_000), POLICY)

    assert content.uncertain


def test_a_long_text_in_an_odd_charset_is_not_read_whole_and_said_so() -> None:
    content = read_content(_body(_plain("utf-7"), "+ " * 5_000_000), POLICY)

    assert content.uncertain


def test_messages_that_are_decoded_over_and_over_are_not_read_whole() -> None:
    message = b"Subject: x\r\n\r\n" + b"hi there\r\n" * 2000
    for _ in range(30):
        message = (
            b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: x\r\n\r\n"
            + message
        )

    content = read_content(b"From: o@own.example\r\n" + message, POLICY)

    assert content.uncertain
