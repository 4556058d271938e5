# SPDX-License-Identifier: Apache-2.0
"""Mailboxes: what is written into one comes out, whatever it is packed in."""

import gzip
import hashlib
import io
import json
import os
import socket
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.transport import mailbox
from undisclosed.transport.mailbox import (
    Item,
    Message,
    PassedOver,
    Unreadable,
    read_path,
    read_stream,
    stored_size,
    unquoted,
)

REALMAIL = Path(__file__).parents[3] / "shared/corpora/realmail"

ANN = b"From: ann@a.example\nTo: bob@b.example\nSubject: one\n\nHello.\n"
BOB = b"From: bob@b.example\nTo: ann@a.example\nSubject: two\n\nHello yourself.\n"
SEPARATOR = b"From ann@a.example Mon Jan  1 00:00:00 2024\n"

lines = st.lists(
    st.one_of(
        st.just(b""),
        st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")),
        st.builds(
            bytes.__add__,
            st.sampled_from([b"From ", b">From ", b">>From ", b"From: "]),
            st.just(b"me 12:30"),
        ),
    ),
    max_size=8,
)
messages = lines.map(
    lambda body: b"From: ann@a.example\n\n" + b"".join(line + b"\n" for line in body)
)


def quoted(content: bytes) -> bytes:
    """A message as an mboxrd holds it."""
    done = []
    for line in (
        content.splitlines(keepends=True)
        if b"\r" not in content
        else [line + b"\n" for line in content.split(b"\n")[:-1]]
    ):
        done.append(b">" + line if line.lstrip(b">").startswith(b"From ") else line)
    return b"".join(done)


def mbox(contents: Iterable[bytes]) -> bytes:
    return b"".join(SEPARATOR + quoted(one) + b"\n" for one in contents)


def read(data: bytes) -> list[Item]:
    return list(read_stream(io.BytesIO(data), "in.mbox"))


def contents(items: Iterable[Item]) -> list[bytes]:
    return [item.content for item in items if isinstance(item, Message)]


def names(items: Iterable[Item]) -> list[str]:
    return [item.name for item in items if isinstance(item, Message)]


def reasons(items: Iterable[Item]) -> list[str]:
    return [item.reason for item in items if isinstance(item, Unreadable)]


@given(st.lists(messages, min_size=1, max_size=6), st.integers(1, 70))
def test_an_mbox_gives_back_every_byte_that_was_put_in(
    written: list[bytes], block: int
) -> None:
    before, mailbox.BLOCK = mailbox.BLOCK, block
    try:
        found = contents(read(mbox(written)))
    finally:
        mailbox.BLOCK = before

    assert found == written


@given(st.binary(max_size=400))
def test_any_bytes_end_in_messages_or_a_reason(data: bytes) -> None:
    items = read(data)

    assert items
    assert all(isinstance(item, Message | Unreadable) for item in items)


@given(st.binary(max_size=400))
def test_any_damaged_gzip_ends_in_messages_or_a_reason(data: bytes) -> None:
    whole = gzip.compress(mbox([ANN, BOB]))

    items = read(whole[: len(whole) // 2] + data)

    assert all(isinstance(item, Message | Unreadable) for item in items)


@given(messages)
def test_quoting_is_undone_by_unquoting(content: bytes) -> None:
    assert unquoted(quoted(content)) == content


def test_messages_of_an_mbox_are_numbered_and_one_alone_is_not() -> None:
    assert names(read(mbox([ANN, BOB]))) == ["in.mbox:1", "in.mbox:2"]
    assert names(read(mbox([ANN]))) == ["in.mbox"]


def test_line_ends_of_crlf_are_kept() -> None:
    data = mbox([ANN, BOB]).replace(b"\n", b"\r\n")

    expected = [one.replace(b"\n", b"\r\n") for one in (ANN, BOB)]
    assert contents(read(data)) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"From now on all is well.\n",
        b"From the office,\nAnn wrote this.\n",
        b"From: a field of a quoted mail\n",
        b" From ann@a.example Mon Jan  1 00:00:00 2024\n",
    ],
    ids=["prose", "prose before a comma", "a field", "indented"],
)
def test_a_body_line_that_begins_with_from_is_no_new_message(line: bytes) -> None:
    content = ANN + b"\n" + line + b"and more\n"

    found = contents(read(SEPARATOR + content + b"\n" + mbox([BOB])))

    assert found == [content, BOB]


@pytest.mark.parametrize(
    "separator",
    [
        b"From - Mon Jan 01 00:00:00 2024\n",
        b"From MAILER-DAEMON Thu, 4 Jul 2002 09:10:11 +0200\n",
        b"From ann@a.example Mon Jan  1 00:00 2024 remote from relay\n",
        b"From ann@a.example\n",
        b"From \n",
    ],
    ids=["Thunderbird", "RFC 822 date", "UUCP", "no date", "nothing"],
)
def test_separators_of_many_programs_are_understood(separator: bytes) -> None:
    data = separator + ANN + b"\n" + separator + BOB + b"\n"

    assert contents(read(data)) == [ANN, BOB]


def test_a_separator_without_its_empty_line_still_separates() -> None:
    found = contents(read(SEPARATOR + ANN + SEPARATOR + BOB))

    assert [one.rstrip() for one in found] == [ANN.rstrip(), BOB.rstrip()]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_stored_bytes_add_up_to_the_file(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "sent.mbox"
    path.write_bytes(pack(mbox([ANN, BOB] * 500)))

    items = list(read_path(path))

    assert len(items) == 1000
    assert sum(one.stored for one in items if isinstance(one, Message)) == (
        stored_size(path)
    )


def test_a_folder_gives_every_mailbox_in_it_and_says_what_it_passed_over(
    tmp_path: Path,
) -> None:
    for folder in ("mail/cur", "mail/new", "mail/tmp", "mail/.Sent/cur", "exported"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mail/cur/1.a:2,S").write_bytes(ANN)
    (tmp_path / "mail/new/2.a").write_bytes(BOB)
    (tmp_path / "mail/tmp/3.a").write_bytes(BOB)
    (tmp_path / "mail/.Sent/cur/4.a").write_bytes(ANN)
    (tmp_path / "exported/a.eml").write_bytes(ANN)
    (tmp_path / "exported/b.eml.gz").write_bytes(gzip.compress(BOB))
    (tmp_path / "exported/old.mbox.gz").write_bytes(gzip.compress(mbox([ANN, BOB])))
    (tmp_path / "exported/Inbox").write_bytes(mbox([ANN]))
    (tmp_path / "exported/notes.json").write_bytes(b'{"to": "ann"}')

    items = list(read_path(tmp_path))

    assert [os.path.relpath(name, tmp_path) for name in names(items)] == [
        "exported/Inbox",
        "exported/a.eml",
        "exported/b.eml.gz",
        "exported/old.mbox.gz:1",
        "exported/old.mbox.gz:2",
        "mail/.Sent/cur/4.a",
        "mail/cur/1.a:2,S",
        "mail/new/2.a",
    ]
    assert [Path(one.name).name for one in items if isinstance(one, PassedOver)] == [
        "notes.json"
    ]
    assert not reasons(items)


def test_a_message_of_apple_mail_is_read_without_its_frame(tmp_path: Path) -> None:
    path = tmp_path / "1.emlx"
    path.write_bytes(b"%d\n%s<?xml version='1.0'?><plist/>" % (len(ANN), ANN))

    assert contents(read_path(path)) == [ANN]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"\r\n\r\n", "is empty"),
        (bytes(range(256)) * 40, "is binary: no message and no mbox"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is an Outlook file"),
        (b"!BDN" + bytes(600), "is an Outlook file; export it as mbox or .eml first"),
        (b"PK\x03\x04" + bytes(600), "is a ZIP archive; unpack it first"),
        (b"just words\nand more\n", "is a text without any header field"),
        (b"\x1f\x8b" + bytes(60), "is damaged: its compression"),
        (gzip.compress(b""), "is empty"),
    ],
    ids=["empty", "blank", "binary", "msg", "pst", "zip", "text", "gzip", "empty gzip"],
)
def test_what_is_no_mail_is_named_with_its_reason(data: bytes, reason: str) -> None:
    items = read(data)

    assert len(items) == 1
    assert reasons(items)[0].startswith(reason)


def test_a_gzip_that_breaks_off_gives_what_is_whole_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "sent.mbox.gz"
    noise = (os.urandom(99).hex().encode() for _ in range(900))
    whole = [b"To: ann@a.example\n\n%s\n" % one for one in noise]
    path.write_bytes(gzip.compress(mbox(whole))[:-4000])

    items = list(read_path(path))

    assert contents(items)[:500] == whole[:500]
    assert reasons(items) == ["is damaged: its compression breaks off"]


def test_a_missing_file_a_forbidden_one_and_an_empty_folder_have_their_reasons(
    tmp_path: Path,
) -> None:
    missing = list(read_path(tmp_path / "missing.mbox"))
    empty = list(read_path(tmp_path))

    assert reasons(missing) == ["cannot be read: no such file or directory"]
    assert reasons(empty) == ["holds no mail: no mbox, no Maildir, no .eml file"]


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    path = tmp_path / "door"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))

        items = list(read_path(path))

    assert reasons(items) == ["cannot be read: no such device or address"]


def test_a_pipe_is_read_as_a_file_is(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(mbox([ANN, BOB]))

    assert contents(read_path(f"/dev/fd/{reading}")) == [ANN, BOB]
    os.close(reading)


class Endless(io.RawIOBase):
    """An mbox of any size that is nowhere: one message over and over."""

    def __init__(self, size: int, message: bytes) -> None:
        self.left = size
        self.message = message
        self.waiting = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while len(self.waiting) < size and self.left > 0:
            self.waiting += self.message
            self.left -= len(self.message)
        block, self.waiting = self.waiting[:size], self.waiting[size:]
        return block


def test_memory_does_not_grow_with_the_mailbox() -> None:
    one = SEPARATOR + ANN + b"x" * 3000 + b"\n\n"
    tracemalloc.start()

    archive: Any = Endless(100 * 2**20, one)
    number = sum(isinstance(item, Message) for item in read_stream(archive, "big"))

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert number > 30_000
    assert peak < 12 * 2**20


def test_a_message_over_the_limit_is_cut_and_the_next_one_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mailbox, "MESSAGE_LIMIT", 5000)
    monkeypatch.setattr(mailbox, "BLOCK", 1000)
    long = ANN + b"y" * 60_000 + b"\n"

    items = read(mbox([long, BOB]))

    assert [one.is_cut for one in items if isinstance(one, Message)] == [True, False]
    assert contents(items) == [long[:5000], BOB]


def test_every_message_of_the_real_mailboxes_is_byte_for_byte_the_indexed_one() -> None:
    if not REALMAIL.is_dir():
        pytest.skip("the corpus realmail is not there")
    for path in sorted(REALMAIL.glob("*.mbox.gz")):
        index = path.with_name(path.name.replace(".mbox.", ".index.jsonl."))
        lines = gzip.decompress(index.read_bytes()).splitlines()
        expected = [json.loads(line)["sha1"] for line in lines]

        found = contents(read_path(path))

        assert len(found) == len(expected)
        # The index counts a last line end that was missing before mbox added it.
        assert all(
            digest in (_sha1(one), _sha1(one[:-1]))
            for one, digest in zip(found, expected, strict=True)
        )


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
