# SPDX-License-Identifier: Apache-2.0
"""The tenant proof: what is ours among everything a cloud provider sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.guard.tenant import Tenant

SECRET = b"five-blue-otters-sleep-late"
TENANT = Tenant(
    "office",
    "X-Council-Proof",
    (SECRET, b"the-secret-of-next-year"),
    frozenset({"council.example"}),
)
SAM = Address("sam", "council.example")
REST = b"From: sam@council.example\r\nTo: ann@a.example\r\n\r\nText\r\n"


def mail(content: bytes, sender: Address | None = SAM) -> Mail:
    return Mail(Envelope(sender, (Recipient(Address("ann", "a.example")),)), content)


@pytest.mark.parametrize(
    "field",
    [
        b"X-Council-Proof: " + SECRET + b"\r\n",
        b"x-council-PROOF:" + SECRET + b"\r\n",
        b"X-Council-Proof :\t" + SECRET + b" \r\n",
        b"X-Council-Proof: the-secret-of-next-year\r\n",
        b"X-Council-Proof: wrong\r\nX-Council-Proof: " + SECRET + b"\r\n",
    ],
    ids=["usual", "other case", "space before the colon", "second secret", "twice"],
)
def test_the_secret_proves_the_tenant_and_is_cut_out(field: bytes) -> None:
    opened, is_proved = TENANT.opened(mail(field + REST))

    assert is_proved
    assert opened.content == REST


@pytest.mark.parametrize(
    "field",
    [
        b"X-Council-Proof: wrong\r\n",
        b"X-Council-Proof:\r\n",
        b"X-Council-Proof: " + SECRET[:-1] + b"\r\n",
        b"X-Council-Proof: " + SECRET + b"\r\n and-more\r\n",
        b"X-Council-Proof: " + SECRET + b"\xff\r\n",
    ],
    ids=["wrong", "empty", "too short", "folded", "8 bit"],
)
def test_what_is_not_the_secret_proves_nothing_and_is_cut_out_all_the_same(
    field: bytes,
) -> None:
    opened, is_proved = TENANT.opened(mail(field + REST))

    assert not is_proved
    assert opened.content == REST


@pytest.mark.parametrize(
    "content",
    [
        REST,
        b"Subject: X-Council-Proof: " + SECRET + b"\r\n" + REST,
        REST + b"X-Council-Proof: " + SECRET + b"\r\n",
        b"\r\nX-Council-Proof: " + SECRET + b"\r\n" + REST,
        b"X-Council-Proofs: " + SECRET + b"\r\n" + REST,
    ],
    ids=["none", "inside another field", "in the body", "no header", "another name"],
)
def test_the_secret_counts_in_its_field_of_the_header_only(content: bytes) -> None:
    opened, is_proved = TENANT.opened(mail(content))

    assert not is_proved
    assert opened.content == content


@pytest.mark.parametrize(
    ("sender", "author", "is_ours"),
    [
        (SAM, b"eve@e.example", True),  # forwarded under our own envelope
        (Address("sam", "mail.council.example"), b"sam@council.example", True),
        (Address("sam", "other.example"), b"sam@council.example", False),
        (Address("sam", "evilcouncil.example"), b"sam@council.example", False),
        (None, b"Sam <sam@council.example>", True),
        (None, b"eve@e.example", False),
        (None, b"", False),
    ],
)
def test_the_sender_has_to_be_ours_too(
    sender: Address | None, author: bytes, is_ours: bool
) -> None:
    content = b"X-Council-Proof: " + SECRET + b"\r\nFrom: " + author + b"\r\n\r\n"

    assert TENANT.opened(mail(content, sender))[1] is is_ours


PIECES = (b"X-Council-Proof : ", b"To: a", b" ", b"junk", b"\t")
LINES = st.lists(st.sampled_from(PIECES))


@given(LINES, LINES, st.sampled_from([b"\r\n", b"\n"]))
def test_no_field_of_that_name_is_left_in_any_header(
    before: list[bytes], after: list[bytes], line_end: bytes
) -> None:
    proof = b"X-Council-Proof: " + SECRET
    content = line_end.join([b"Date: today", *before, proof, *after, b"", b"Text"])

    opened, is_proved = TENANT.opened(mail(content))

    assert SECRET not in opened.content
    assert b"X-Council-Proof" not in opened.content
    assert opened.content.endswith(line_end + b"Text")
    has_more = bool(after) and after[0] in (b" ", b"\t")
    assert is_proved or has_more


def test_the_tenant_does_not_print_its_secret() -> None:
    assert "otters" not in repr(TENANT)
