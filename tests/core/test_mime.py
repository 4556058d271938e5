# SPDX-License-Identifier: Apache-2.0
"""Every part is walked, in each way that a mail reader might walk it."""

import base64

import pytest
from hypothesis import given

from tests.strategies import hostile_bytes
from undisclosed.core.header import split_content
from undisclosed.core.media_types import Kind, parameters
from undisclosed.core.mime import DEEPEST, Limits, parts_of
from undisclosed.core.transfer_encodings import BLOCK, decoded, stream


def _parts(content):
    return list(parts_of(content, split_content(content), Limits()))


def _bytes(part):
    return b"".join(decoded(part.source, part.start, part.end, part.encoding))


@given(hostile_bytes)
def test_walking_never_raises_and_stays_inside_the_content(content):
    for part in _parts(content):
        assert 0 <= part.start <= part.end <= len(part.source)
        _bytes(part)


MULTIPART = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"


def test_parts_end_before_their_delimiter():
    content = MULTIPART + b"--x\r\n\r\none\r\n--x  \r\n\r\ntwo\r\n--x--\r\n"

    assert [_bytes(part) for part in _parts(content)] == [b"one", b"two"]


def test_the_last_part_may_lack_its_end():
    assert [_bytes(part) for part in _parts(MULTIPART + b"--x\n\none")] == [b"one"]


def test_a_longer_boundary_is_not_this_one():
    content = MULTIPART + b"--x\r\n\r\none\r\n--xy\r\n\r\nstill one\r\n--x--"

    assert len(_parts(content)) == 1


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b"a/b; boundary=x", ["x"]),
        (b'a/b; charset=u; boundary="x y"', ["x y"]),
        (b'a/b; BOUNDARY = "x\\"y"', ['x"y']),
        (b"a/b; boundary=x; boundary=y", ["x", "y"]),
        (b"a/b;\r\n boundary*=utf-8''x%20y", ["x y"]),
        (b"a/b; boundary*0=x; boundary*1*=%79", ["xy"]),
        (b"a/b; boundary*=x%20y", ["x y"]),
        (b'a/b; boundary="x', ["x"]),
        (b"a/b; other=x", []),
        (b"", []),
    ],
)
def test_parameters_are_read_in_every_form(body, values):
    assert parameters(body, "boundary") == values


def test_a_message_in_a_message_is_nested():
    inner = b"Content-Type: message/rfc822\r\n\r\nTo: a\r\n\r\nbody"

    message, text = _parts(inner)

    assert (message.kind, message.nesting) == (Kind.MESSAGE, 1)
    assert message.header is not None
    assert [each.name for each in message.header.fields] == ["to"]
    assert (text.kind, text.nesting, _bytes(text)) == (Kind.TEXT, 1, b"body")


def test_messages_nested_too_deep_are_read_as_text_and_reported():
    limits = Limits()
    content = b"Content-Type: message/rfc822\r\n\r\n" * (DEEPEST + 9) + b"a@b.example"

    parts = list(parts_of(content, split_content(content), limits))

    assert limits.exceeded
    assert parts[-1].kind is Kind.TEXT
    assert _bytes(parts[-1]).endswith(b"a@b.example")


def test_too_many_parts_are_reported():
    limits = Limits(parts=10)
    content = MULTIPART + b"--x\r\n\r\none\r\n" * 50

    assert len(list(parts_of(content, split_content(content), limits))) == 50
    assert limits.exceeded


def test_base64_is_decoded_in_blocks_that_end_with_a_line():
    plain = b"".join(b"%06d ann%d@a.example\r\n" % (n, n) for n in range(60_000))
    content = b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(plain)

    (part,) = _parts(content)
    blocks = list(decoded(part.source, part.start, part.end, part.encoding))

    assert b"".join(blocks) == plain
    assert all(len(block) <= 2 * BLOCK for block in blocks)
    assert all(block.endswith(b"\n") for block in blocks if block)


@pytest.mark.parametrize("encoding", ["", "quoted-printable", "base64"])
def test_long_lines_are_decoded_whole(encoding):
    plain = b"a" * (3 * BLOCK + 7)
    source = base64.b64encode(plain) if encoding == "base64" else plain

    blocks = list(stream(source, 0, len(source), encoding))

    assert b"".join(blocks) == plain


@pytest.mark.timeout(60)
@pytest.mark.parametrize("pattern", [b"= ", b"=\t", b"=", b"=\r", b"=4", b"=40"])
def test_quoted_printable_without_line_ends_is_gone_through_once(pattern):
    source = pattern * (1_000_000 // len(pattern))

    size = sum(map(len, decoded(source, 0, len(source), "quoted-printable")))

    assert size <= 2 * len(source)


def test_an_encoded_byte_is_not_cut_in_two():
    source = b"=40" * (BLOCK // 2)

    assert b"".join(stream(source, 0, len(source), "quoted-printable")) == b"@" * (
        BLOCK // 2
    )
