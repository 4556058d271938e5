# SPDX-License-Identifier: Apache-2.0
"""Documents are read by whoever can; without a reader the content asks for one."""

import base64

import pytest

from undisclosed.core.documents import Document, DocumentText
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.core.shown.documents import MOST_DOCUMENTS

POLICY = Policy()
PDF = b"%PDF-1.4\n" + bytes(range(256))


class FakeReader:
    """Gives the same document for whatever it is asked to read."""

    def __init__(self, **found):
        self.document = Document(**found)
        self.asked = []

    def read(self, kind, content):
        self.asked.append((kind, content))
        return self.document


def _attached(*contents, media_type="application/octet-stream", name="list.pdf"):
    parts = "".join(
        f"--x\r\nContent-Type: {media_type}\r\n"
        f"Content-Disposition: attachment; filename={name}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
        f"{base64.encodebytes(each).decode()}\r\n"
        for each in contents
    )
    header = "From: own@own.example\r\nContent-Type: multipart/mixed; boundary=x"
    return f"{header}\r\n\r\n{parts}--x--\r\n".encode()


def _people(shown):
    return {address.person: list(channels) for address, channels in shown.items()}


def test_a_document_without_a_reader_asks_for_one():
    reading = read_content(_attached(PDF), POLICY)

    assert reading.needs_reader
    assert reading.unread_parts == ("application/octet-stream",)


def test_a_picture_asks_for_no_reader():
    content = _attached(b"\x89PNG\r\n\x1a\n", media_type="image/png", name="me.png")

    reading = read_content(content, POLICY)

    assert not reading.needs_reader
    assert reading.unread_parts == ("image/png",)


def test_the_texts_of_a_document_are_shown_by_their_channel():
    text = "Ann <ann@a.example>\r\nbob at b"
    reader = FakeReader(texts=(DocumentText("attached PDF", text),))

    reading = read_content(_attached(PDF), POLICY, reader=reader)

    assert reader.asked == [("pdf", PDF)]
    assert _people(reading.in_text) == {"ann@a.example": ["attached PDF"]}
    assert not reading.needs_reader
    assert reading.unread_parts == ()


def test_a_header_block_in_a_document_is_forwarded():
    text = "From: Ann\r\nTo: bob@b.example\r\nSubject: x\r\n"
    reader = FakeReader(texts=(DocumentText("attached document", text),))

    reading = read_content(_attached(PDF), POLICY, reader=reader)

    assert "bob@b.example" in _people(reading.in_forwarded)


def test_messages_in_a_document_are_attached_messages():
    inner = b"From: fred@f.example\r\nTo: ann@a.example\r\n\r\nAsk bob@b.example.\r\n"
    reader = FakeReader(messages=(inner,))

    reading = read_content(_attached(PDF), POLICY, reader=reader)

    assert _people(reading.in_forwarded) == {
        "fred@f.example": ["attached message: From"],
        "ann@a.example": ["attached message: To"],
    }
    assert _people(reading.in_text) == {
        "bob@b.example": ["attached message: body text"]
    }


def test_documents_in_messages_in_documents_end():
    class Deeper(FakeReader):
        def read(self, kind, content):
            self.asked.append((kind, content))
            return Document(messages=(_attached(content + b"x"),))

    reader = Deeper()

    reading = read_content(_attached(PDF), POLICY, reader=reader)

    assert len(reader.asked) < 20
    assert "nested deeper" in reading.uncertain[0]


def test_a_document_that_is_attached_twice_is_read_once():
    reader = FakeReader(texts=(DocumentText("attached PDF", "ann@a.example"),))

    reading = read_content(_attached(PDF, PDF), POLICY, reader=reader)

    assert len(reader.asked) == 1
    assert _people(reading.in_text) == {"ann@a.example": ["attached PDF"]}


def test_what_a_reader_could_not_read_is_uncertain():
    reader = FakeReader(uncertain=("An attached table has a password.",))

    reading = read_content(_attached(PDF), POLICY, reader=reader)

    assert reading.body_uncertain == ("An attached table has a password.",)
    assert reading.uncertain == reading.body_uncertain


def test_a_recall_object_is_known_by_its_reader():
    reader = FakeReader(is_recall=True)

    assert read_content(_attached(PDF), POLICY, reader=reader).recall


def test_outlooks_own_form_of_a_mail_is_no_attached_message():
    found = {
        "texts": (
            DocumentText("attached message: properties", "ann@a.example"),
            DocumentText("attached message: text", "bob@b.example"),
        ),
        "messages": (b"To: cem@c.example\r\n\r\n",),
    }
    tnef = _attached(b"\x78\x9f\x3e\x22", media_type="application/ms-tnef")
    nested = b"From: own@own.example\r\nContent-Type: message/rfc822\r\n\r\n" + tnef

    own = read_content(tnef, POLICY, reader=FakeReader(**found))
    others = read_content(nested, POLICY, reader=FakeReader(**found))

    assert _people(own.in_text) == {
        "ann@a.example": ["winmail.dat: properties"],
        "bob@b.example": ["winmail.dat: text"],
    }
    assert _people(own.in_forwarded) == {"cem@c.example": ["winmail.dat: To"]}
    assert _people(others.in_text)["ann@a.example"] == ["attached message: properties"]
    assert _people(others.in_forwarded) == {"cem@c.example": ["attached message: To"]}


def test_a_document_under_the_name_of_a_text_is_read():
    reader = FakeReader(texts=(DocumentText("attached PDF", "ann@a.example"),))
    content = _attached(PDF, media_type="text/plain", name="list.txt")

    reading = read_content(content, POLICY, reader=reader)

    assert _people(reading.in_text) == {"ann@a.example": ["attached PDF"]}


@pytest.mark.timeout(60)
def test_too_many_documents_are_said():
    reader = FakeReader()

    documents = [PDF + bytes([number % 256, number // 256]) for number in range(501)]
    reading = read_content(_attached(*documents), POLICY, reader=reader)

    assert len(reader.asked) == MOST_DOCUMENTS
    assert "more than 500 documents" in reading.uncertain[0]


def test_a_private_copy_keeps_what_documents_showed():
    reader = FakeReader(texts=(DocumentText("attached PDF", "ann@a.example"),))
    content = _attached(PDF)
    whole = read_content(content, POLICY, reader=reader)

    copy = read_content(content, POLICY, body=whole)

    assert copy.in_text is whole.in_text
    assert len(reader.asked) == 1
