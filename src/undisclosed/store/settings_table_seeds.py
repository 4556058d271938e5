# SPDX-License-Identifier: Apache-2.0
"""The settings of seed boxes. They stand in ``settings_table.SETTINGS``."""

from typing import Final

from undisclosed.store.settings_kinds import Kind, Setting

_T, _L, _W = Kind.TEXT, Kind.TEXTS, Kind.WHOLE

SEEDS: Final = (
    Setting(
        "send.seeds.addresses",
        _L,
        (),
        "Addresses of a mailbox of your own at another provider: messages of a "
        "campaign go there first and are compared.",
    ),
    Setting(
        "send.seeds.automatic",
        _T,
        "on",
        '"on": a campaign begins only once a message to each of these addresses came '
        'back as it left. "off": they are compared when somebody asks for it '
        "(undisclosed seeds).",
    ),
    Setting(
        "send.seeds.wait_minutes",
        _W,
        15,
        "Minutes for them to arrive; then the campaign pauses.",
        minimum=1,
    ),
    Setting(
        "send.seeds.imap",
        _T,
        "",
        "The mail server that this mailbox is read from, as host:port.",
    ),
    Setting(
        "send.seeds.imap_tls",
        _T,
        "tls",
        'TLS to it: "tls", "starttls", or "none" on this machine.',
    ),
    Setting(
        "send.seeds.imap_ca",
        _T,
        "",
        "File of the authorities (PEM) that it is verified with. Empty: the system's.",
    ),
    Setting(
        "send.seeds.imap_login",
        _T,
        "",
        "The login of the mailbox; its password is in UNDISCLOSED_SEEDS_PASSWORD.",
    ),
    Setting("send.seeds.imap_folder", _T, "INBOX", "The folder that is read."),
)
