# SPDX-License-Identifier: Apache-2.0
"""Documents in mail, from the bytes to the verdict: each hidden list is seen."""

import base64

import pytest

from tests.transport.reading import making
from tests.transport.reading.compound import compound
from undisclosed.core.address import Address
from undisclosed.core.disclosure import read
from undisclosed.core.judge import judge
from undisclosed.core.known import NOTHING_KNOWN
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.core.verdict import Action
from undisclosed.transport.reading.pool import PooledReader

POLICY = Policy(own_domains=frozenset({"council.example"}))
ANN, BOB = Address("ann", "a.example"), Address("bob", "b.example")
PEOPLE = [f"p{number}@home{number}.example" for number in range(30)]
LIST = "\r\n".join(PEOPLE)


@pytest.fixture(scope="module")
def reader():
    with PooledReader() as reader:
        yield reader


def _message(document: bytes, name: str, media_type: str) -> bytes:
    encoded = base64.encodebytes(document).replace(b"\n", b"\r\n")
    return (
        b"From: sam@council.example\r\nTo: ann@a.example\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n\r\nHello.\r\n'
        b"--x\r\nContent-Type: "
        + f'{media_type}; name="{name}"'.encode()
        + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + encoded
        + b"--x--\r\n"
    )


def _verdict(content: bytes, viewers, reader):
    envelope = Envelope(
        Address("sam", "council.example"), tuple(map(Recipient, viewers))
    )
    reading = read(Mail(envelope, content), POLICY, reader=reader)
    return judge(reading, NOTHING_KNOWN, POLICY)


def _sheet() -> bytes:
    rows = "".join(
        f'<row r="{number}"><c r="A{number}" t="inlineStr"><is><t>{person}</t></is></c>'
        "</row>"
        for number, person in enumerate(PEOPLE, 1)
    )
    sheet = f"<worksheet><sheetData>{rows}</sheetData></worksheet>"
    return making.with_files(making.workbook(), {"xl/worksheets/sheet3.xml": sheet})


def _winmail() -> bytes:
    files = making.zipped({"list.txt": LIST})
    return making.tnef() + making.attribute(2, 0x800F, 6, files)


LEAKS = {
    "very-hidden-sheet": (
        _sheet, "a.xlsx", "application/vnd.ms-excel", "attached table: hidden sheet",
    ),
    "table-in-an-archive": (
        lambda: making.zipped({"a.csv": LIST}), "a.zip", "application/zip",
        "attached archive: table",
    ),
    "table-without-its-type": (
        lambda: making.zipped({"a.csv": LIST}), "photo.jpg", "image/jpeg",
        "attached archive: table",
    ),
    "word-of-old": (
        lambda: compound({"WordDocument": bytes(64) + LIST.encode("utf-16-le")}),
        "a.doc", "application/msword", "attached document",
    ),
    "open-document": (
        lambda: making.open_document(
            "text", "".join(f"<text:p>{one}</text:p>" for one in PEOPLE), {}
        ),
        "a.odt", "application/vnd.oasis.opendocument.text", "attached document",
    ),
    "rich-text": (
        lambda: rb"{\rtf1 " + r"\par ".join(PEOPLE).encode() + b"}",
        "a.rtf", "application/rtf", "attached document",
    ),
    "winmail": (
        _winmail, "winmail.dat", "application/ms-tnef",
        "winmail.dat: attachment: archive: text",
    ),
}  # fmt: skip


@pytest.mark.parametrize("leak", LEAKS.values(), ids=list(LEAKS))
def test_a_list_in_a_document_is_held(reader, leak):
    document, name, media_type, channel = leak
    content = _message(document(), name, media_type)

    verdict = _verdict(content, [ANN], reader)
    read_with = read_content(content, POLICY, reader=reader)

    assert verdict.action is Action.HOLD
    assert [finding.rule for finding in verdict.findings] == ["addresses-in-body"]
    assert channel in read_with.in_text[Address("p0", "home0.example")]
    assert not read_with.needs_reader


@pytest.mark.parametrize("leak", LEAKS.values(), ids=list(LEAKS))
def test_without_a_reader_the_content_says_that_it_needs_one(leak):
    document, name, media_type, _ = leak

    assert read_content(_message(document(), name, media_type), POLICY).needs_reader


def test_recipients_in_a_message_file_are_those_of_an_attached_message(reader):
    content = _message(making.message_file(), "old.msg", "application/vnd.ms-outlook")

    forwarded = read_content(content, POLICY, reader=reader).in_forwarded

    assert forwarded[Address("cc", "recipient.example")] == ("attached message: Cc",)
    assert Address("bcc", "recipient.example") in forwarded


PROTECTED = compound({"EncryptedPackage": b"x" * 5000})


@pytest.mark.parametrize(
    ("viewers", "action"), [([ANN], Action.ACCEPT), ([ANN, BOB], Action.HOLD)]
)
def test_a_document_with_a_password_passes_to_one_viewer_alone(reader, viewers, action):
    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    content = _message(PROTECTED, "a.xlsx", media_type)

    verdict = _verdict(content, viewers, reader)

    assert verdict.action is action
    (sentence,) = read_content(content, POLICY, reader=reader).uncertain
    assert "password" in sentence


def test_outlooks_recall_object_is_known_by_its_class(reader):
    content = _message(
        making.tnef("IPM.Outlook.Recall"), "winmail.dat", "application/ms-tnef"
    )

    assert read_content(content, POLICY, reader=reader).recall
