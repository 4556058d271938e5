# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies: addresses, and the ways in which headers spell them."""

import base64

from hypothesis import strategies as st

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

atoms = st.text(LETTERS + "-_+", min_size=3, max_size=12).filter(
    lambda text: text[0] in LETTERS and text[-1] in LETTERS
)
domains = st.builds("{}.{}".format, atoms, st.sampled_from(["example", "test"])).map(
    lambda domain: domain.replace("_", "-").replace("+", "-")
)
spellings = st.builds("{}@{}".format, atoms, domains)
"""One address, spelled out."""

address_lists = st.lists(spellings, min_size=1, max_size=8, unique=True)


def _encoded_word(text: str) -> str:
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def _quoted_word(text: str) -> str:
    body = "".join(f"={byte:02X}" for byte in text.encode())
    return f"=?utf-8?Q?{body}?="


LIST_SPELLINGS = {
    "plain": ", ".join,
    "folded": ",\r\n\t".join,
    "semicolons": "; ".join,
    "spaces": " ".join,
    "angles": lambda each: ", ".join(f"<{one}>" for one in each),
    "doubled angles": lambda each: ",".join(f"<<{one}>>" for one in each),
    "named": lambda each: ", ".join(f"Ann Lee <{one}>" for one in each),
    "quoted names": lambda each: ", ".join(f'"Lee, Ann" <{one}>' for one in each),
    "names after": lambda each: ", ".join(f"{one} (Ann Lee)" for one in each),
    "group": lambda each: f"Team: {', '.join(each)};",
    "unclosed quote": lambda each: '"Ann ' + ", ".join(each),
    "unclosed comment": lambda each: "(Ann " + ", ".join(each),
    "in one quoted name": lambda each: f'"{", ".join(each)}" <own@own.example>',
    "in one comment": lambda each: f"own@own.example (also {', '.join(each)})",
    "one encoded word": lambda each: _encoded_word(", ".join(each)),
    "one quoted word": lambda each: _quoted_word("; ".join(each)),
    "encoded names": lambda each: ", ".join(f"=?utf-8?q?Z=C3=B6?= <{o}>" for o in each),
    "mailto": lambda each: ", ".join(f"<mailto:{one}>" for one in each),
    "routes": lambda each: ", ".join(f"<@relay.example:{one}>" for one in each),
    "full width": lambda each: "，".join(one.replace("@", "＠") for one in each),
    "apostrophes": lambda each: ", ".join(f"'{one}'" for one in each),
    "capitals": lambda each: ", ".join(one.upper() for one in each),
    "comments inside": lambda each: ", ".join(o.replace("@", "(x)@") for o in each),
    "spaces around at": lambda each: ", ".join(o.replace("@", " @ ") for o in each),
    "nul": "\x00,".join,
}
"""How a list of addresses may be written into a field; every one must be read."""

list_spellings = st.sampled_from(sorted(LIST_SPELLINGS))

FRAGMENTS = [
    b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b";", b",", b"<", b">", b'"', b"(", b")",
    b"@", b"\\", b"=?", b"?=", b"utf-8", b"?q?", b"?b?", b"=40", b"%40", b"&#64;",
    b"To: ", b"From: ", b"Cc:", b"Bcc: ", b"Subject: ", b"Content-Type: ",
    b"multipart/mixed; boundary=x", b"message/rfc822", b"text/html", b"--x", b"--x--",
    b"Content-Transfer-Encoding: base64", b"quoted-printable", b"ann@a.example",
    b"\x00", b"\xff", b"\xef\xbc\xa0", b"[1.2.3.4]", b"<!--", b"-->", b"<b>", b".",
    b"charset=utf-7", b"charset=utf-16", b"name*0*=utf-8''a%40b", b"=\r\n", b"xn--",
]  # fmt: skip

hostile_bytes = st.lists(
    st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=8)), max_size=60
).map(b"".join)
"""Bytes that look like mail often enough to reach every branch."""
