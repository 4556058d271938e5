# SPDX-License-Identifier: Apache-2.0
"""The settings of the guard and of what hands mail to it.

They stand in ``settings_table.SETTINGS``.
"""

from typing import Final

from undisclosed.store.settings_kinds import Kind, Setting
from undisclosed.store.settings_table_smarthost import SMARTHOST

_T, _L, _W, _N = Kind.TEXT, Kind.TEXTS, Kind.WHOLE, Kind.NUMBER
_MEBIBYTE: Final = 1024 * 1024

GUARD: Final = (
    Setting("guard.listen", _T, "127.0.0.1:10025", "Where the guard takes mail."),
    Setting(
        "guard.next_hop",
        _T,
        "",
        "The mail server behind the guard, as host:port. While it is empty, a post "
        "office catches all mail and nothing leaves this machine.",
    ),
    Setting(
        "guard.clients",
        _L,
        ("127.0.0.0/8", "::1/128"),
        "Networks whose hosts may hand in mail. Everybody else is refused.",
    ),
    Setting(
        "guard.mode",
        _T,
        "guard",
        '"guard" acts on its verdicts; "observe" changes, holds and refuses nothing '
        "and only records what it would have done.",
    ),
    Setting(
        "guard.processes",
        _W,
        1,
        "How many processes share the guard's port. 0 is one for each core.",
    ),
    Setting(
        "guard.hostname",
        _T,
        "",
        "The name that the guard greets with. Empty: the machine's own name.",
    ),
    Setting(
        "guard.tls_certificate",
        _T,
        "",
        "File of the certificate chain (PEM) for STARTTLS. Empty: no STARTTLS.",
    ),
    Setting("guard.tls_key", _T, "", "File of the certificate's private key (PEM)."),
    *SMARTHOST,
    Setting(
        "guard.trace",
        _T,
        "off",
        '"on" keeps keyed hashes of the sender and the recipients of accepted mail for '
        "holds.keep days, so that `undisclosed trace` finds it, too.",
    ),
    Setting(
        "guard.metrics",
        _T,
        "",
        "Where metrics are served for Prometheus, as host:port. Empty: nowhere.",
    ),
    Setting(
        "guard.milter.listen",
        _T,
        "",
        "Where an MTA finds the guard as a milter: the path of a UNIX socket, as in "
        "/run/undisclosed/milter.sock, or host:port. Empty: no milter.",
    ),
    Setting(
        "guard.milter.inbound_listen",
        _T,
        "",
        "Where an MTA shows incoming mail to a second milter, which records who was "
        "shown to whom and changes nothing: a path or host:port. Empty: none.",
    ),
    Setting(
        "guard.milter.mode",
        _T,
        "0660",
        "Permissions of the UNIX sockets, in octal. Whoever may write may connect.",
    ),
    Setting(
        "guard.milter.owner",
        _T,
        "",
        "Name of the user who owns the UNIX sockets. Empty: the guard's own.",
    ),
    Setting(
        "guard.milter.group",
        _T,
        "",
        "Name of their group, as in postfix. Empty: the guard's own.",
    ),
    Setting(
        "guard.reader.processes",
        _W,
        2,
        "How many attached documents one guard process reads at the same time, each "
        "in a child process.",
        minimum=1,
    ),
    Setting(
        "guard.reader.seconds",
        _N,
        20,
        "Seconds that reading one document may take. One that takes longer counts as "
        "unreadable.",
        minimum=1,
    ),
    Setting(
        "guard.reader.memory",
        _W,
        512 * _MEBIBYTE,
        "Bytes of address space of a process that reads documents.",
        minimum=256 * _MEBIBYTE,
    ),
    Setting(
        "guard.limits.max_size",
        _W,
        50 * _MEBIBYTE,
        "Largest message in bytes; above it the answer is 552.",
        minimum=64 * 1024,
    ),
    Setting(
        "guard.limits.max_recipients",
        _W,
        10_000,
        "Most recipients of one mail; above it the answer is 452 (RFC 5321 §4.5.3.1.8 "
        "asks for 100 at least).",
        minimum=100,
    ),
    Setting(
        "guard.limits.max_connections",
        _W,
        1_000,
        "Most clients at once in one process; above it the answer is 421.",
        minimum=1,
    ),
    Setting(
        "guard.limits.in_flight",
        _W,
        256 * _MEBIBYTE,
        "Most bytes of mail in one process at once; above it the answer is 452.",
        minimum=_MEBIBYTE,
    ),
    Setting(
        "guard.limits.command_timeout",
        _N,
        300,
        "Seconds to wait for a client's next command (RFC 5321 §4.5.3.2.7).",
        minimum=1,
    ),
    Setting(
        "guard.limits.content_timeout",
        _N,
        600,
        "Seconds for one message from DATA to the final dot.",
        minimum=1,
    ),
    Setting(
        "sendmail.through",
        _T,
        "auto",
        'How `undisclosed sendmail` judges: "store" in its own process, "guard" by '
        'handing the mail to the guard that listens; "auto": through the store where '
        "the user may read the master key, else through the guard.",
    ),
    Setting(
        "sendmail.domain",
        _T,
        "",
        "Domain of the names without one in mail of local programs. Empty: "
        "guard.hostname.",
    ),
    Setting(
        "guard.feed.listen",
        _T,
        "",
        "Where copies of inbound mail are taken and recorded, as host:port; nothing of "
        "them is kept or sent on. Empty: nowhere.",
    ),
    Setting(
        "guard.feed.authserv_ids",
        _L,
        (),
        "Names that your own mail servers write into Authentication-Results (RFC "
        "8601). Inbound mail counts only where one of them says that its author's "
        'domain sent it. "" stands for Exchange Online, which writes no name: it '
        "counts in journal reports alone.",
    ),
    Setting(
        "guard.feed.journal_clients",
        _L,
        (),
        "IP addresses or networks of servers that send Exchange's journal reports to "
        "the feed, and no other mail: the mail in a report of theirs is recorded. They "
        "need not stand in guard.clients.",
    ),
)
