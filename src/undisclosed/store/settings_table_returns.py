# SPDX-License-Identifier: Apache-2.0
"""The settings of what comes back of campaigns: by which way, and when it is too much.

They stand in ``settings_table.SETTINGS``; ``settings_returns`` reads what belongs
together.
"""

from typing import Final

from undisclosed.store.settings_kinds import Kind, Setting

_T, _L, _W, _N = Kind.TEXT, Kind.TEXTS, Kind.WHOLE, Kind.NUMBER

RETURNS: Final = (
    Setting(
        "send.returns.listen",
        _T,
        "",
        "Where a worker takes what comes back to send.return_domain by SMTP, as "
        "host:port. Empty: nowhere.",
    ),
    Setting(
        "send.returns.clients",
        _L,
        ("127.0.0.0/8", "::1/128"),
        "Networks of the mail servers that may hand it in there.",
    ),
    Setting(
        "send.returns.tls_certificate",
        _T,
        "",
        "Certificate chain (PEM) for STARTTLS there; without one, TLS is not offered.",
    ),
    Setting("send.returns.tls_key", _T, "", "Private key (PEM) of that certificate."),
    Setting(
        "send.returns.report_delivered",
        _T,
        "off",
        '"on": the next hop is asked to report what was delivered, too (NOTIFY of '
        "RFC 3461), where it offers that: one report comes back for each message.",
    ),
    Setting(
        "send.returns.feedback_id",
        _T,
        "",
        "Your name in the field Feedback-ID, 5 to 15 letters or digits: Gmail counts "
        "complaints by it, and what is returned with it is known. Empty: no such "
        "field.",
    ),
    Setting(
        "send.returns.complaints",
        _L,
        (),
        "Addresses that you gave mailbox providers for their complaints (ARF); mail to "
        "them is taken there, too.",
    ),
    Setting(
        "send.returns.imap",
        _T,
        "",
        "The mail server with the mailbox that what comes back is delivered to, as "
        "host:port. A worker fetches it from there. Empty: none.",
    ),
    Setting(
        "send.returns.imap_tls",
        _T,
        "tls",
        'TLS to it: "tls" from the first byte (port 993), "starttls" (port 143), or '
        '"none", which is for a server on this machine only.',
    ),
    Setting(
        "send.returns.imap_ca",
        _T,
        "",
        "File of the authorities (PEM) that it is verified with. Empty: the system's.",
    ),
    Setting(
        "send.returns.imap_login",
        _T,
        "",
        "The login of the mailbox; its password is in UNDISCLOSED_RETURNS_PASSWORD.",
    ),
    Setting("send.returns.imap_folder", _T, "INBOX", "The folder that is read."),
    Setting(
        "send.returns.imap_done",
        _T,
        "",
        "Folder into which reports are moved once they are taken. Empty: they stay, "
        "marked as read. What is no report stays unread for a person.",
    ),
    Setting(
        "send.returns.imap_minutes",
        _W,
        5,
        "Minutes between two looks into the mailbox.",
        minimum=1,
    ),
    Setting(
        "send.returns.complaint_percent",
        _N,
        0.3,
        "A campaign pauses when more of those that were mailed complain.",
    ),
    Setting(
        "send.returns.fewest_complaints",
        _W,
        3,
        "As long as fewer complain, it goes on.",
        minimum=1,
    ),
    Setting(
        "send.returns.failed_percent",
        _N,
        5,
        "A campaign pauses when more of its messages come back as failed.",
    ),
    Setting(
        "send.returns.fewest_failures",
        _W,
        10,
        "As long as no more come back, it goes on.",
        minimum=1,
    ),
)
