# SPDX-License-Identifier: Apache-2.0
"""Every setting but those of the policy, in one table: what is documented, is read.

The reference page of the settings is made from this table; a setting that does not
stand here is refused with its line.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from undisclosed.formats.configuration import Table

MEBIBYTE: Final = 1024 * 1024


class Kind(Enum):
    """What a value looks like in TOML."""

    TEXT = "text"
    TEXTS = "list of texts"
    WHOLE = "whole number"
    NUMBER = "number"
    NUMBERS = "list of numbers"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its dotted name, its kind, its default and what it does."""

    name: str
    kind: Kind
    default: object
    description: str
    minimum: int = 0

    @property
    def section(self) -> str:
        """The table that the setting stands in, for example ``guard.limits``."""
        return self.name.rpartition(".")[0]

    @property
    def key(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]


_T, _L, _W, _N, _NL = Kind.TEXT, Kind.TEXTS, Kind.WHOLE, Kind.NUMBER, Kind.NUMBERS

SETTINGS: Final = (
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
    Setting(
        "guard.metrics",
        _T,
        "",
        "Where metrics are served for Prometheus, as host:port. Empty: nowhere.",
    ),
    Setting(
        "guard.limits.max_size",
        _W,
        50 * MEBIBYTE,
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
        256 * MEBIBYTE,
        "Most bytes of mail in one process at once; above it the answer is 452.",
        minimum=MEBIBYTE,
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
        "postoffice.listen",
        _T,
        "127.0.0.1:10026",
        "Where the post office takes mail while there is no next hop.",
    ),
    Setting(
        "worker.metrics",
        _T,
        "",
        "Where a worker's metrics are served for Prometheus, as host:port. Empty: "
        "nowhere.",
    ),
    Setting("console.listen", _T, "127.0.0.1:8025", "Where the web pages are served."),
    Setting(
        "console.url",
        _T,
        "",
        "What people type to reach the pages, as in https://guard.council.example. "
        "Links in notices begin with it. Empty: http:// and console.listen.",
    ),
    Setting(
        "console.processes",
        _W,
        1,
        "How many processes serve the pages.",
        minimum=1,
    ),
    Setting(
        "store.data",
        _T,
        "data",
        "Folder for the embedded PostgreSQL and the master key, from the folder of "
        "this file on. UNDISCLOSED_DATA overrides it.",
    ),
    Setting(
        "store.database",
        _T,
        "",
        "URL of your own PostgreSQL (15 or later), as in "
        "postgresql://undisclosed@db.council.example/undisclosed. Empty: the embedded "
        "one. DATABASE_URL or DATABASE_URL_FILE overrides it; passwords belong there.",
    ),
    Setting(
        "store.postgres_binaries",
        _T,
        "",
        "Folder of the programs initdb and postgres for the embedded PostgreSQL. "
        "Empty: those that were installed with us, else the system's.",
    ),
    Setting(
        "store.memory_retention",
        _N,
        30,
        "Days for which Memory keeps keyed hashes of who was shown to whom.",
        minimum=1,
    ),
    Setting(
        "holds.expiry",
        _N,
        3,
        "Days after which untouched held mail goes back to its sender.",
        minimum=0,
    ),
    Setting(
        "holds.escalate_after",
        _N,
        4,
        "Hours after which untouched held mail is brought before the next in line.",
        minimum=0,
    ),
    Setting(
        "holds.escalations",
        _W,
        3,
        "How often it is: approver, deputy, desk. 0: never.",
    ),
    Setting(
        "holds.approvers",
        _L,
        (),
        "Addresses that untouched held mail is brought before, one after the other, "
        "before the desk: the approver, then the deputy.",
    ),
    Setting(
        "holds.desk",
        _T,
        "",
        "Address of the desk that owns what has no other owner.",
    ),
    Setting(
        "holds.notice_from",
        _T,
        "",
        "Address that notices come from. Empty: postmaster at the guard's name.",
    ),
    Setting(
        "holds.keep",
        _N,
        30,
        "Days for which a decided mail and its copies can still be looked at.",
        minimum=0,
    ),
    Setting(
        "delivery.retry",
        _NL,
        (1, 5, 15, 30, 60, 120, 240),
        "Minutes between tries of a copy that the next hop did not take; the last one "
        "repeats.",
    ),
    Setting(
        "delivery.dsn_interval",
        _N,
        60,
        "Minutes between two reports to one sender about failed copies of one mail.",
        minimum=0,
    ),
)

ENVIRONMENT: Final = (
    ("UNDISCLOSED_SETTINGS", "File of the settings."),
    ("UNDISCLOSED_DATA", "Overrides store.data."),
    ("DATABASE_URL, DATABASE_URL_FILE", "Overrides store.database."),
    (
        "UNDISCLOSED_MASTER_KEY, UNDISCLOSED_MASTER_KEY_FILE",
        "The master key, 64 hexadecimal digits. Without it: the file master.key in "
        "store.data, made on the first run.",
    ),
)
"""What the environment may say; a name with _FILE names a file that holds the value."""


def read_table(table: Table) -> dict[str, object]:
    """The value of every setting, by its dotted name.

    Raises ConfigurationError for an unknown key and for a value of another kind.
    The table ``policy`` is left to ``core.policy.policy_from``.
    """
    sections = {setting.section for setting in SETTINGS}
    _refuse_unknown(table, "", sections)
    tables = {section: _below(table, section) for section in sections}
    for section, found in tables.items():
        _refuse_unknown(found, section, sections)
    return {
        setting.name: _value(tables[setting.section], setting) for setting in SETTINGS
    }


def _below(table: Table, section: str) -> Table:
    for part in section.split("."):
        table = table.table(part)
    return table


def _refuse_unknown(table: Table, section: str, sections: set[str]) -> None:
    prefix = f"{section}." if section else ""
    known = {setting.key for setting in SETTINGS if setting.section == section}
    known |= {
        name.removeprefix(prefix).split(".")[0]
        for name in sections
        if name.startswith(prefix)
    }
    table.refuse_unknown(known if section else known | {"policy"})


def _value(table: Table, setting: Setting) -> object:
    key, default = setting.key, setting.default
    match setting.kind, default:
        case Kind.TEXT, str():
            return table.text(key, default)
        case Kind.TEXTS, tuple():
            return table.texts(key, default)
        case Kind.WHOLE, int():
            return table.integer(key, default, minimum=setting.minimum)
        case Kind.NUMBER, int() | float():
            return table.number(key, float(default), minimum=setting.minimum)
        case Kind.NUMBERS, tuple():
            return _numbers(table, key, default)
    raise AssertionError(setting.name)


def _numbers(table: Table, key: str, default: tuple[float, ...]) -> tuple[float, ...]:
    values = table.values.get(key, list(default))
    if not isinstance(values, list) or not values:
        raise table.error(f'"{table.name_of(key)}" must be a list of numbers.', key)
    for value in values:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not value > 0:
            raise table.error(
                f'"{table.name_of(key)}" must be a list of numbers above 0.', key
            )
    return tuple(values)


def defaults() -> Mapping[str, object]:
    """The value of every setting where the file says nothing."""
    return {setting.name: setting.default for setting in SETTINGS}
