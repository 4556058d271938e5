# SPDX-License-Identifier: Apache-2.0
"""The settings of the guard as a smarthost: what belongs together comes together."""

from pathlib import Path

import pytest

from undisclosed.core.address import Address
from undisclosed.core.policy import OnBroken
from undisclosed.errors import UndisclosedError
from undisclosed.store.settings import Settings, load

SECRET = {"UNDISCLOSED_TENANT_SECRET": "five-blue-otters-sleep-late"}
OWN = '[policy]\nown_domains = ["council.example"]\n'
TLS = 'tls_certificate = "guard.crt"\ntls_key = "guard.key"\n'
FINGERPRINT = ":".join(["AB"] * 32)


def loaded(
    folder: Path, text: str, environment: dict[str, str] | None = None
) -> Settings:
    file = folder / "undisclosed.toml"
    file.write_text(text)
    return load(file, environment or {})


def test_by_default_nobody_but_listed_networks_is_served(tmp_path: Path) -> None:
    guard = loaded(tmp_path, "").guard

    assert guard.access.auth == "none"
    assert guard.access.client_ca is None
    assert guard.access.tenant.field_name == ""
    assert (guard.next_hop_tls, guard.has_stamp, guard.dkim.mode) == (
        "none",
        False,
        "keep",
    )


def test_certificates_are_fingerprints_without_colons_or_names(tmp_path: Path) -> None:
    text = (
        f"[guard]\n{TLS}"
        'client_ca = "clients.pem"\n'
        f'client_certificates = ["{FINGERPRINT}", "Relay.X.example"]\n'
    )

    access = loaded(tmp_path, text).guard.access

    assert access.certificates == {"ab" * 32, "relay.x.example"}
    assert access.client_ca == tmp_path / "clients.pem"


def test_a_tenant_has_its_field_its_networks_and_its_secrets(tmp_path: Path) -> None:
    text = (
        '[guard.tenant]\nname = "office"\nfield = "X-Council-Proof"\n'
        'clients = ["198.51.100.0/24"]\n' + OWN
    )
    both = {
        "UNDISCLOSED_TENANT_SECRET": "five-blue-otters-sleep-late\nthe-one-of-next-year"
    }

    tenant = loaded(tmp_path, text, both).guard.access.tenant

    assert tenant.secrets == ("five-blue-otters-sleep-late", "the-one-of-next-year")
    assert (tenant.name, tenant.field_name) == ("office", "X-Council-Proof")
    assert [str(network) for network in tenant.clients] == ["198.51.100.0/24"]
    assert "otters" not in repr(tenant)


def test_the_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("five-blue-otters-sleep-late\n")
    environment = {"UNDISCLOSED_TENANT_SECRET_FILE": str(tmp_path / "secret")}
    text = '[guard.tenant]\nfield = "X-Council-Proof"\n' + OWN

    tenant = loaded(tmp_path, text, environment).guard.access.tenant

    assert tenant.secrets == ("five-blue-otters-sleep-late",)


def test_signatures_stand_in_the_policy_that_copies_are_judged_by(
    tmp_path: Path,
) -> None:
    text = (
        '[guard.dkim]\nmode = "sign"\ndomains = ["Council.example"]\n'
        'selector = "guard2026"\nkey = "dkim.pem"\n'
    )

    settings = loaded(tmp_path, text)

    assert settings.guard.dkim.key == tmp_path / "dkim.pem"
    assert settings.policy.signatures.on_broken is OnBroken.SIGN
    assert settings.policy.signatures.may_break(Address("sam", "council.example"))


def test_tls_to_the_next_hop_and_the_stamp_are_switches(tmp_path: Path) -> None:
    text = '[guard]\nnext_hop_tls = "verify"\nnext_hop_ca = "hop.pem"\nstamp = "on"\n'

    guard = loaded(tmp_path, text).guard

    assert (guard.next_hop_tls, guard.has_stamp) == ("verify", True)
    assert guard.next_hop_ca == tmp_path / "hop.pem"


TENANT = '[guard.tenant]\nfield = "X-Council-Proof"\n'


@pytest.mark.parametrize(
    ("text", "environment", "words"),
    [
        ('[guard]\nauth = "always"\n', {}, "guard.auth"),
        ('[guard]\nauth = "tls"\n', {}, "needs guard.tls_certificate"),
        (f'[guard]\n{TLS}client_ca = "a.pem"\n', {}, "guard.client_certificates"),
        (
            '[guard]\nclient_ca = "a.pem"\nclient_certificates = ["*"]\n',
            {},
            "needs guard.tls_certificate",
        ),
        (
            f'[guard]\n{TLS}client_certificates = ["a.example"]\n',
            {},
            "must name the file",
        ),
        (
            f'[guard]\n{TLS}client_ca = "a.pem"\nclient_certificates = ["a b"]\n',
            {},
            "fingerprints or DNS names",
        ),
        (TENANT + OWN, {}, "UNDISCLOSED_TENANT_SECRET"),
        (TENANT, SECRET, "policy.own_domains"),
        (TENANT + OWN, {"UNDISCLOSED_TENANT_SECRET": "short"}, "20 ASCII characters"),
        ('[guard.tenant]\nfield = "Subject"\n' + OWN, SECRET, "begins with X-"),
        ('[guard.tenant]\nfield = "X-Pr: oof"\n' + OWN, SECRET, "begins with X-"),
        (
            '[guard.tenant]\nclients = ["198.51.100.0/24"]\n' + OWN,
            SECRET,
            "must name the field",
        ),
        ('[guard]\nnext_hop_tls = "yes"\n', {}, "guard.next_hop_tls"),
        ('[guard]\nnext_hop_ca = "a.pem"\n', {}, 'next_hop_tls = "verify"'),
        ('[guard]\nstamp = "maybe"\n', {}, "guard.stamp"),
        ('[guard.dkim]\nmode = "resign"\n', {}, "guard.dkim.mode"),
        ('[guard.dkim]\nmode = "sign"\n', {}, "needs guard.dkim.domains"),
        (
            '[guard.dkim]\nmode = "sign"\ndomains = ["x"]\n'
            'selector = "a;b"\nkey = "k"\n',
            {},
            "as it stands in DNS",
        ),
    ],
)
def test_what_would_let_others_in_or_cannot_work_is_refused(
    tmp_path: Path, text: str, environment: dict[str, str], words: str
) -> None:
    with pytest.raises(UndisclosedError) as refused:
        loaded(tmp_path, text, environment)

    assert words in str(refused.value)
    assert "otters" not in str(refused.value)
