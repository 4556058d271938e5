# SPDX-License-Identifier: Apache-2.0
"""DKIM signatures of private copies: what is broken goes, what is ours verifies."""

from dataclasses import replace

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.guard.worlds import NAME, NOW, POLICY, mail, people, person
from undisclosed.core.address import Address
from undisclosed.core.disclosure import read
from undisclosed.core.held import Outgoing, OutgoingKind
from undisclosed.core.mail import Mail
from undisclosed.core.policy import OnBroken, Policy, Signatures
from undisclosed.core.private import why_not_singly
from undisclosed.formats.dkim import DkimKey, body_hash, signature
from undisclosed.guard.copies import HeldContent, copies_of
from undisclosed.guard.signing import Signing

PROVIDER = DkimKey(
    "provider.example", "cloud", rsa.generate_private_key(65537, key_size=2048)
)
OWN = DkimKey(
    "council.example", "guard", rsa.generate_private_key(65537, key_size=2048)
)
SIGN = Signatures(OnBroken.SIGN, frozenset({"council.example"}))
DROP = Signatures(OnBroken.DROP)


def signed(held: Mail, *names: bytes) -> Mail:
    """The mail with the provider's signature over these fields and the body."""
    header, _, body = held.content.partition(b"\r\n\r\n")
    fields = [
        (line.partition(b":")[0], line.partition(b":")[2])
        for line in header.replace(b"\r\n ", b"\0 ").split(b"\r\n")
    ]
    chosen = [
        (name, text.replace(b"\0", b"\r\n"))
        for name, text in fields
        if name.lower() in names
    ]
    field = signature(chosen, body_hash(body), PROVIDER, NOW)
    return replace(held, content=field + held.content)


def verified(content: bytes) -> list[bool]:
    """What dkimpy says of each signature, from the top down."""
    records = {
        f"{key.selector}._domainkey.{key.domain}.": key.record
        for key in (PROVIDER, OWN)
    }

    def in_dns(name: bytes, timeout: int = 5) -> bytes:
        return records[name.decode()].encode()

    number = content.count(b"DKIM-Signature:")
    verdicts = []
    for index in range(number):
        try:
            verdicts.append(bool(dkim.DKIM(content).verify(index, dnsfunc=in_dns)))
        except dkim.ValidationError:
            verdicts.append(False)
    return verdicts


TO_SIGNED = signed(mail(people(range(9))), b"from", b"to", b"subject", b"date")


def policy_with(signatures: Signatures) -> Policy:
    return replace(POLICY, signatures=signatures)


def left(held: Mail, signatures: Signatures, key: DkimKey | None = OWN) -> list[Mail]:
    """Every private copy as it leaves."""
    policy = policy_with(signatures)
    content = HeldContent("hold1", held, read(held, policy))
    signing = Signing(signatures, key)
    return [
        Mail(
            copy.envelope,
            signing.finished(copy, held.content, copy.patch.apply(held.content), NOW),
        )
        for copy in copies_of(content, policy, NAME, NOW)
        if copy.patch is not None
    ]


def test_the_signature_that_comes_in_is_good() -> None:
    assert verified(TO_SIGNED.content) == [True]


def test_without_a_key_send_singly_is_withheld() -> None:
    assert "DKIM" in str(why_not_singly(TO_SIGNED, read(TO_SIGNED, POLICY), POLICY))


@pytest.mark.parametrize("signatures", [SIGN, DROP])
def test_with_a_key_or_a_signer_behind_it_is_offered(signatures: Signatures) -> None:
    policy = policy_with(signatures)

    assert why_not_singly(TO_SIGNED, read(TO_SIGNED, policy), policy) is None


def test_a_key_of_another_domain_does_not_help() -> None:
    policy = policy_with(Signatures(OnBroken.SIGN, frozenset({"other.example"})))

    assert "DKIM" in str(why_not_singly(TO_SIGNED, read(TO_SIGNED, policy), policy))


def test_every_copy_is_signed_again_and_verifies() -> None:
    copies = left(TO_SIGNED, SIGN)

    assert len(copies) == 9
    for copy in copies:
        assert copy.content.startswith(b"DKIM-Signature: ")
        assert b" d=council.example;" in copy.content
        assert verified(copy.content) == [True]


def test_where_mail_is_signed_behind_the_guard_the_broken_signature_goes() -> None:
    for copy in left(TO_SIGNED, DROP, None):
        assert b"DKIM-Signature" not in copy.content
        assert copy.content.startswith(b"From:")


def from_signed(held: Mail) -> Mail:
    """The mail as a signer leaves it that signs no destination field, as some do."""
    pem = PROVIDER.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    field = dkim.sign(
        held.content,
        b"cloud",
        b"provider.example",
        pem,
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=[b"from", b"subject", b"date"],
    )
    return replace(held, content=field + held.content)


@pytest.mark.parametrize("signatures", [Signatures(), SIGN, DROP])
def test_a_signature_that_covers_nothing_changed_stays_and_verifies(
    signatures: Signatures,
) -> None:
    held = from_signed(mail(people(range(9))))

    copies = left(held, signatures)

    assert len(copies) == 9
    assert all(verified(copy.content) == [True] for copy in copies)


def test_of_two_signatures_only_the_broken_one_goes() -> None:
    held = signed(from_signed(mail(people(range(9)))), b"from", b"to")

    for copy in left(held, SIGN):
        assert verified(copy.content) == [True, True]
        assert b"d=council.example" in copy.content
        assert b"d=provider.example" in copy.content


def test_mail_without_a_signature_gets_none() -> None:
    held = mail(people(range(9)))

    assert all(b"DKIM" not in copy.content for copy in left(held, SIGN))


def test_a_sub_domain_is_signed_for_by_its_parent() -> None:
    author = Address("olive", "mail.council.example")
    held = signed(mail(people(range(9)), author=author), b"from", b"to")

    for copy in left(held, SIGN):
        assert b" d=council.example;" in copy.content
        assert verified(copy.content) == [True]


def test_lines_that_end_in_lf_are_signed_as_they_will_leave() -> None:
    copy = left(TO_SIGNED, SIGN)[0]
    lf = TO_SIGNED.content.replace(b"\r\n", b"\n")
    outgoing = Outgoing("c", "hold2", OutgoingKind.PRIVATE_COPY, copy.envelope)
    edited = lf.replace(b"To: ", b"To: eve@e.example, ")

    content = Signing(SIGN, OWN).finished(outgoing, lf, edited, NOW)

    assert verified(content) == [True]


@pytest.mark.parametrize(
    "kind", [OutgoingKind.RELEASE, OutgoingKind.NOTICE, OutgoingKind.RETURN]
)
def test_what_is_no_copy_keeps_what_it_has(kind: OutgoingKind) -> None:
    held = TO_SIGNED
    outgoing = Outgoing("c", "hold1", kind, held.envelope)
    changed = held.content.replace(b"Subject: ", b"Subject: x")

    assert Signing(SIGN, OWN).finished(outgoing, held.content, changed, NOW) == changed


def test_two_holds_in_turn_do_not_share_a_body_hash() -> None:
    signing = Signing(SIGN, OWN)
    for number, text in enumerate(["One text.\r\n", "Another text.\r\n"] * 2):
        held = signed(mail(people(range(9)), text=text), b"from", b"to")
        outgoing = Outgoing(
            "c", f"hold{number}", OutgoingKind.PRIVATE_COPY, held.envelope
        )
        edited = held.content.replace(b"To: ", b"To: eve@e.example, ")

        content = signing.finished(outgoing, held.content, edited, NOW)

        assert verified(content) == [True]


def test_a_copy_whose_body_was_changed_is_signed_over_its_own_body() -> None:
    outgoing = Outgoing("c", "hold1", OutgoingKind.PRIVATE_COPY, TO_SIGNED.envelope)
    edited = TO_SIGNED.content.replace(b"library", b"museum")

    content = Signing(SIGN, OWN).finished(outgoing, TO_SIGNED.content, edited, NOW)

    assert verified(content) == [True]


def test_the_settings_say_what_may_be_broken() -> None:
    olive = Address("olive", "council.example")

    assert not Signatures().may_break(olive)
    assert DROP.may_break(None)
    assert SIGN.may_break(olive)
    assert not SIGN.may_break(person(1))
    assert not SIGN.may_break(None)


INVITATION = """From: <olive@council.example>\r
To: <p0@home0.example>, <p1@home1.example>, <p2@home2.example>\r
Subject: Meeting\r
Date: Mon, 2 Mar 2026 09:00:00 +0000\r
Content-Type: text/calendar; method=REQUEST\r
\r
BEGIN:VCALENDAR\r
BEGIN:VEVENT\r
ORGANIZER:mailto:olive@council.example\r
ATTENDEE:mailto:p0@home0.example\r
ATTENDEE:mailto:p1@home1.example\r
ATTENDEE:mailto:p2@home2.example\r
SUMMARY:The library\r
END:VEVENT\r
END:VCALENDAR\r
"""


def test_invitations_whose_body_is_another_in_each_copy_are_signed_each() -> None:
    everybody = people(range(3))
    held = replace(mail(everybody), content=INVITATION.encode())
    held = signed(held, b"from", b"subject")

    assert why_not_singly(held, read(held, POLICY), POLICY) is not None
    copies = left(held, SIGN)

    assert len(copies) == 3
    for copy in copies:
        assert copy.content.count(b"ATTENDEE") == 1
        assert verified(copy.content) == [True]
