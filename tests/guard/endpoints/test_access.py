# SPDX-License-Identifier: Apache-2.0
"""Who may hand in mail, and on what proof: one table."""

import ipaddress

import pytest

from undisclosed.guard.endpoints.access import Access, Auth, Standing
from undisclosed.guard.tenant import Tenant
from undisclosed.transport.smtp.certificates import ClientCertificate
from undisclosed.transport.smtp.handler import Session

PROVIDER = ipaddress.ip_network("198.51.100.0/24")
OWN = ipaddress.ip_network("192.0.2.0/24")
TENANT = Tenant("office", "X-Proof", (b"s" * 20,), frozenset({"council.example"}))
RELAY = ClientCertificate("ab" * 32, frozenset({"relay.council.example"}))
CLOUD = ClientCertificate("cd" * 32, frozenset({"mail.protection.provider.example"}))
ACCESS = Access(
    clients=(OWN, PROVIDER),
    certificates=frozenset({"relay.council.example"}),
    tenant=TENANT,
    tenant_clients=(PROVIDER,),
    tenant_certificates=frozenset({"cd" * 32}),
    auth=Auth.INSIDE_TLS,
)


@pytest.mark.parametrize(
    ("peer", "certificate", "login", "expected"),
    [
        ("192.0.2.7", None, "", Standing.OWN),
        ("203.0.113.9", None, "", Standing.STRANGER),
        ("203.0.113.9", None, "scanner", Standing.OWN),
        ("203.0.113.9", RELAY, "", Standing.OWN),
        ("203.0.113.9", CLOUD, "", Standing.TENANT),
        ("198.51.100.1", None, "", Standing.TENANT),
        ("198.51.100.1", RELAY, "", Standing.OWN),
        ("198.51.100.1", None, "scanner", Standing.OWN),
        ("192.0.2.7", CLOUD, "", Standing.TENANT),
        ("::ffff:198.51.100.1", None, "", Standing.TENANT),
        ("nonsense", None, "", Standing.STRANGER),
    ],
)
def test_standing(
    peer: str, certificate: ClientCertificate | None, login: str, expected: Standing
) -> None:
    session = Session(peer, certificate=certificate)

    assert ACCESS.standing(session, login) is expected


def test_any_certificate_counts_where_that_is_said() -> None:
    access = Access(clients=(), certificates=frozenset({"*"}))

    assert access.standing(Session("203.0.113.9", certificate=RELAY), "") is (
        Standing.OWN
    )
    assert access.standing(Session("203.0.113.9"), "") is Standing.STRANGER


def test_nobody_is_served_where_nobody_is_listed() -> None:
    access = Access(clients=())

    assert access.standing(Session("127.0.0.1"), "") is Standing.STRANGER
    assert not access.admits_strangers


@pytest.mark.parametrize(
    ("auth", "peer", "is_secured", "expected"),
    [
        (Auth.NEVER, "127.0.0.1", True, False),
        (Auth.INSIDE_TLS, "127.0.0.1", False, False),
        (Auth.INSIDE_TLS, "203.0.113.9", True, True),
        (Auth.ON_LOOPBACK, "127.0.0.1", False, True),
        (Auth.ON_LOOPBACK, "::1", False, True),
        (Auth.ON_LOOPBACK, "192.0.2.7", False, False),
        (Auth.ON_LOOPBACK, "192.0.2.7", True, True),
    ],
)
def test_a_password_is_never_asked_for_where_others_may_listen(
    auth: Auth, peer: str, is_secured: bool, expected: bool
) -> None:
    session = Session(peer, is_secured=is_secured)

    assert Access(auth=auth).offers_auth(session) is expected
