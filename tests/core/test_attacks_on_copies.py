# SPDX-License-Identifier: Apache-2.0
"""No private copy names another recipient, in whatever field and form they stand."""

import base64
import dataclasses

import pytest

from undisclosed.core.address import Address
from undisclosed.core.disclosure import Reading, read
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.policy import Policy
from undisclosed.core.private import private_copy, why_not_singly

POLICY = Policy(own_domains=frozenset({"own.example"}))
PEOPLE = [Address(f"v{number}", f"d{number}.example") for number in range(8)]
NAMED = "v3@d3.example"
CODED = "v3=d3.example"

FIELDS = [
    "Message-ID", "References", "In-Reply-To", "Thread-Index", "X-UIDL", "Content-ID",
    "List-Post", "List-Unsubscribe", "List-Id", "X-Loop", "Feedback-ID", "Received",
    "Return-Path", "Sender", "Subject", "Thread-Topic", "Comments", "Reply-To",
    "Errors-To", "Delivered-To", "Resent-To", "Resent-From", "X-Anything", "Autocrypt",
    "Content-Type", "Content-Description", "DKIM-Signature", "Organization",
]  # fmt: skip
FORMS = [
    f"{NAMED}",
    f"<{NAMED}>",
    f"Ann <{NAMED}>",
    f"<mailto:leave-{CODED}@list.example>",
    f"from a.example by b.example id {NAMED}; Mon, 2 Nov 2026 12:00:00 +0000",
    f"<https://x.example/?u={NAMED}>",
    f'x; name="{NAMED}"',
]


def _mail(*fields: str) -> Mail:
    to = ", ".join(person.spelled_out() for person in PEOPLE)
    lines = ["From: o@own.example", f"To: {to}", *fields, "", "Hello.", ""]
    envelope = Envelope(Address("o", "own.example"), tuple(map(Recipient, PEOPLE)))
    return Mail(envelope, "\r\n".join(lines).encode())


def _others_named(mail: Mail, reading: Reading, recipient: Address) -> list[str]:
    patch = private_copy(mail.content, reading, recipient, POLICY)
    header = patch.apply(mail.content).partition(b"\r\n\r\n")[0].decode()
    others = [person for person in PEOPLE if person != recipient]
    return [
        form
        for person in others
        for form in (person.person, person.person.replace("@", "="))
        if form in header
    ]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", FIELDS)
def test_no_copy_names_another_recipient(name: str, form: str) -> None:
    mail = _mail(f"{name}: {form}")
    reading = read(mail, POLICY)

    named = [_others_named(mail, reading, person) for person in PEOPLE]

    assert why_not_singly(mail, reading, POLICY) is not None or not any(named)


def test_an_identifier_that_is_nobodys_address_stays_in_every_copy() -> None:
    mail = _mail("References: <1.2@mx.d3.example>", "List-Post: <mailto:l@l.example>")
    reading = read(mail, POLICY)

    copies = [
        private_copy(mail.content, reading, person, POLICY).apply(mail.content)
        for person in PEOPLE
    ]

    assert why_not_singly(mail, reading, POLICY) is None
    assert all(b"References: <1.2@mx.d3.example>\r\n" in copy for copy in copies)
    assert all(b"List-Post: <mailto:l@l.example>\r\n" in copy for copy in copies)


def test_a_header_with_too_many_separators_is_not_sent_singly() -> None:
    mail = _mail("Comments: " + ";" * 600_000)

    assert why_not_singly(mail, read(mail, POLICY), POLICY) == (
        "The header is too long to be edited for each recipient."
    )


def test_nobody_gets_encrypted_content_without_the_keys_that_may_open_it() -> None:
    keys = {f"{number:02X}" * 8: PEOPLE[number] for number in (1, 2)}
    sessions = [
        b"\xc1\x1e\x03" + bytes.fromhex(one) + b"\x01" + bytes(20) for one in keys
    ]
    encrypted = b"".join((*sessions, b"\xd2\x05\x01abcd"))
    armored = base64.encodebytes(encrypted).decode()
    mail = _mail()
    text = f"-----BEGIN PGP MESSAGE-----\n\n{armored}-----END PGP MESSAGE-----\n"
    mail = Mail(mail.envelope, mail.content + text.encode())
    policy = dataclasses.replace(POLICY, keys=keys)
    reading = read(mail, policy)
    assert len(reading.content.key_ids) == 2

    third = private_copy(mail.content, reading, PEOPLE[3], policy).apply(mail.content)

    assert third.endswith(text.encode())
    assert why_not_singly(mail, reading, policy) == (
        "Each copy would still name the keys of other recipients."
    )
