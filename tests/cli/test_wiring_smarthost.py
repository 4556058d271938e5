# SPDX-License-Identifier: Apache-2.0
"""What the settings of a smarthost become."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.acceptance.certificates import write_certificate
from undisclosed.cli import wiring_smarthost
from undisclosed.core.address import Address
from undisclosed.core.policy import OnBroken
from undisclosed.errors import UndisclosedError
from undisclosed.guard.endpoints.access import Auth, Standing
from undisclosed.guard.signing import Signing
from undisclosed.guard.stamp import StampPass, StampWriter
from undisclosed.store import crypto
from undisclosed.store.settings import HostPort, Settings, load
from undisclosed.transport.smtp.client import Tls
from undisclosed.transport.smtp.handler import Session

HOP = HostPort("hop.council.example", 25)


def loaded(folder: Path, text: str, **environment: str) -> Settings:
    file = folder / "undisclosed.toml"
    file.write_text(text)
    return load(file, environment)


@pytest.mark.parametrize(
    ("said", "expected"),
    [("none", Tls.NEVER), ("may", Tls.WHEN_OFFERED), ("verify", Tls.REQUIRED)],
)
def test_tls_to_the_next_hop_is_as_the_settings_say(
    tmp_path: Path, said: str, expected: Tls
) -> None:
    text = f'[guard]\nnext_hop = "hop.council.example:25"\nnext_hop_tls = "{said}"\n'

    client = wiring_smarthost.client(loaded(tmp_path, text), HOP)

    assert (client.host, client.tls, client.tls_context) == (HOP.host, expected, None)


def test_the_post_office_of_this_machine_is_asked_for_no_tls(tmp_path: Path) -> None:
    settings = loaded(tmp_path, '[guard]\nnext_hop_tls = "verify"\n')

    assert wiring_smarthost.client(settings, HOP).tls is Tls.NEVER


def test_the_next_hop_is_verified_by_the_authorities_of_the_settings(
    tmp_path: Path,
) -> None:
    certificate, _ = write_certificate(tmp_path)
    text = (
        '[guard]\nnext_hop = "hop.council.example:25"\nnext_hop_tls = "verify"\n'
        f'next_hop_ca = "{certificate}"\n'
    )

    context = wiring_smarthost.client(loaded(tmp_path, text), HOP).tls_context

    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509"] == 1


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authorities_that_are_no_use_are_said_at_the_start(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "hop.pem").write_text(content)
    text = (
        '[guard]\nnext_hop = "hop.council.example:25"\nnext_hop_tls = "verify"\n'
        'next_hop_ca = "hop.pem"\n'
    )

    with pytest.raises(UndisclosedError, match=r"hop\.pem"):
        wiring_smarthost.client(loaded(tmp_path, text), HOP)


def test_who_may_hand_in_mail_is_as_the_settings_say(tmp_path: Path) -> None:
    text = (
        '[guard]\nauth = "loopback"\n[guard.tenant]\nfield = "X-Proof"\n'
        'clients = ["198.51.100.0/24"]\n[policy]\nown_domains = ["council.example"]\n'
    )
    secret = "five-blue-otters-sleep-late"

    access = wiring_smarthost.access(
        loaded(tmp_path, text, UNDISCLOSED_TENANT_SECRET=secret)
    )

    assert access.auth is Auth.ON_LOOPBACK
    assert access.standing(Session("198.51.100.9"), "") is Standing.TENANT
    assert access.standing(Session("127.0.0.1"), "") is Standing.OWN
    assert access.tenant is not None
    assert access.tenant.secrets == (secret.encode(),)
    assert access.tenant.sends_as(Address("sam", "council.example"))


def test_without_settings_nothing_is_done_to_copies_and_nobody_logs_in(
    tmp_path: Path,
) -> None:
    settings = loaded(tmp_path, "")

    assert wiring_smarthost.finishes(settings, None) == ()
    assert wiring_smarthost.passes(settings) == ()
    assert wiring_smarthost.access(settings).auth is Auth.NEVER


def test_the_stamp_is_written_first_and_the_signature_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crypto, "keys", lambda: crypto.Keys(b"k" * 32))
    settings = loaded(tmp_path, '[guard]\nstamp = "on"\n[guard.dkim]\nmode = "drop"\n')

    done = wiring_smarthost.finishes(settings, None)

    assert [type(one) for one in done] == [StampWriter, Signing]
    assert settings.policy.signatures.on_broken is OnBroken.DROP
    assert [type(one) for one in wiring_smarthost.passes(settings)] == [StampPass]


def test_the_key_of_the_settings_signs(tmp_path: Path) -> None:
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "dkim.pem").write_bytes(pem)
    text = (
        '[guard.dkim]\nmode = "sign"\ndomains = ["b.example", "a.example"]\n'
        'selector = "guard2026"\nkey = "dkim.pem"\n'
    )
    settings = loaded(tmp_path, text)

    key = wiring_smarthost.dkim_key(settings)

    assert key is not None
    assert (key.domain, key.selector) == ("a.example", "guard2026")
    assert len(wiring_smarthost.finishes(settings, None)) == 1


@pytest.mark.parametrize("content", [None, "no key"])
def test_a_key_that_cannot_be_used_is_said_when_the_worker_starts(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "dkim.pem").write_text(content)
    text = (
        '[guard.dkim]\nmode = "sign"\ndomains = ["council.example"]\n'
        'selector = "guard2026"\nkey = "dkim.pem"\n'
    )

    with pytest.raises(UndisclosedError):
        wiring_smarthost.finishes(loaded(tmp_path, text), None)
