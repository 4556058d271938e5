# SPDX-License-Identifier: Apache-2.0
"""Whether our own server found that the author's domain sent a mail."""

import pytest

from undisclosed.core.address import Address
from undisclosed.core.authentication import is_authenticated
from undisclosed.core.header import split_content

OURS = frozenset({"mx.council.example"})
AUTHOR = Address("ann", "partner.example")


def authenticated(*fields: str, author: Address = AUTHOR) -> bool:
    content = "".join(f"{field}\r\n" for field in fields) + "\r\n"
    return is_authenticated(split_content(content.encode()).fields, author, OURS)


def results(text: str, server: str = "mx.council.example") -> str:
    return f"Authentication-Results: {server}; {text}"


@pytest.mark.parametrize(
    ("text", "is_proved"),
    [
        ("dmarc=pass header.from=partner.example", True),
        ("dmarc=fail; dkim=pass header.d=partner.example", False),
        ("dmarc=none; dkim=pass header.d=partner.example", True),
        ("dkim=pass header.d=mail.partner.example", True),
        ("dkim=pass header.i=@partner.example", True),
        ("dkim=pass header.d=other.example", False),
        ("dkim=fail header.d=partner.example", False),
        ("dkim=pass", False),
        ("spf=pass smtp.mailfrom=bounces@partner.example", True),
        ("spf=pass smtp.mailfrom=partner.example", True),
        ("spf=pass smtp.mailfrom=other.example", False),
        ("spf=pass smtp.helo=partner.example", False),
        ("iprev=pass policy.iprev=192.0.2.1", False),
        ("none", False),
    ],
)
def test_what_a_server_found_decides(text, is_proved):
    assert authenticated(results(text)) is is_proved


def test_only_our_own_server_counts():
    assert not authenticated(results("dmarc=pass", server="mx.attacker.example"))
    assert not authenticated("Subject: dmarc=pass")


def test_the_first_field_of_our_server_counts():
    """A field that came with the mail stands below the one that our server wrote."""
    ours, forged = results("dmarc=fail"), results("dmarc=pass")
    other = results("dmarc=pass", server="mx.elsewhere.example")

    assert not authenticated(other, ours, forged)
    assert authenticated(other, forged, ours)


def test_letters_of_the_server_s_name_may_be_large():
    assert authenticated(results("dmarc=pass", server="MX.Council.EXAMPLE"))


def test_without_a_server_of_ours_nothing_is_authenticated():
    fields = split_content(f"{results('dmarc=pass')}\r\n\r\n".encode()).fields

    assert not is_authenticated(fields, AUTHOR, frozenset())
