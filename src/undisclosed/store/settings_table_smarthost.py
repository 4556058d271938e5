# SPDX-License-Identifier: Apache-2.0
"""The settings of the guard as a smarthost, for submission, and for what it sends.

They stand in ``settings_table.SETTINGS``; ``settings_smarthost`` reads what belongs
together.
"""

from typing import Final

from undisclosed.store.settings_kinds import Kind, Setting

_T, _L = Kind.TEXT, Kind.TEXTS

SMARTHOST: Final = (
    Setting(
        "guard.client_ca",
        _T,
        "",
        "File of the authorities (PEM) that clients' certificates are verified with; "
        "a client's own certificate may stand in it, too. Empty: none is asked for.",
    ),
    Setting(
        "guard.client_certificates",
        _L,
        (),
        "Certificates whose owners may hand in mail from anywhere: SHA-256 "
        'fingerprints or DNS names; ["*"] is every one that guard.client_ca signed.',
    ),
    Setting(
        "guard.auth",
        _T,
        "none",
        'Where AUTH is offered, for logins made with "undisclosed token": "tls" '
        'inside TLS, "loopback" there and to programs on this machine, "none" nowhere.',
    ),
    Setting(
        "guard.tenant.name",
        _T,
        "tenant",
        "What our tenant at a cloud provider is called in the guard's records.",
    ),
    Setting(
        "guard.tenant.field",
        _T,
        "",
        "The header field in which a rule of our tenant puts the secret of "
        "UNDISCLOSED_TENANT_SECRET, as in X-Council-Proof. It is cut out of every "
        "mail.",
    ),
    Setting(
        "guard.tenant.clients",
        _L,
        (),
        "Networks of the cloud provider. Each of their mails must hold the secret and "
        "come from a sender in policy.own_domains, since all the provider's customers "
        "send from there.",
    ),
    Setting(
        "guard.tenant.certificates",
        _L,
        (),
        "The provider's certificates, as in mail.protection.outlook.com: the same "
        "holds for whoever shows one.",
    ),
    Setting(
        "guard.next_hop_tls",
        _T,
        "none",
        'TLS to the next hop: "none", "may" (where it is offered, unverified) or '
        '"verify" (or nothing is sent).',
    ),
    Setting(
        "guard.next_hop_ca",
        _T,
        "",
        "File of the authorities (PEM) that the next hop is verified with. Empty: the "
        "system's.",
    ),
    Setting(
        "guard.stamp",
        _T,
        "off",
        '"on" puts a stamp on private copies and released mail, for a second guard of '
        "this installation behind this one: it is not counted twice there, nor held "
        "again after a release. It is judged all the same.",
    ),
    Setting(
        "guard.dkim.mode",
        _T,
        "keep",
        "What becomes of a DKIM signature that covers what a private copy changes: "
        '"keep" offers no *send singly*, "drop" takes it off (where mail is signed '
        'behind the guard), "sign" signs the copy with a key of ours.',
    ),
    Setting(
        "guard.dkim.domains",
        _L,
        (),
        "Domains that copies are signed for; the author's must be among them, or a "
        "sub-domain of one.",
    ),
    Setting(
        "guard.dkim.selector",
        _T,
        "",
        "The selector that the public key is published under, as in guard2026.",
    ),
    Setting(
        "guard.dkim.key",
        _T,
        "",
        "File of the private key (PEM): RSA of 2,048 bits or more, or Ed25519.",
    ),
)
