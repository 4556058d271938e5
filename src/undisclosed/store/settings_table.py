# SPDX-License-Identifier: Apache-2.0
"""Every setting but those of the policy, in one table: what is documented, is read.

The reference page of the settings is made from this table; a setting that does not
stand here is refused with its line.
"""

from collections.abc import Mapping
from typing import Final

from undisclosed.formats.configuration import Table
from undisclosed.store.settings_journal import JOURNAL
from undisclosed.store.settings_kinds import Kind, Setting
from undisclosed.store.settings_table_guard import GUARD
from undisclosed.store.settings_table_returns import RETURNS
from undisclosed.store.settings_table_seeds import SEEDS
from undisclosed.store.settings_table_unsubscribe import UNSUBSCRIBE

__all__ = [
    "ENVIRONMENT",
    "SETTINGS",
    "Kind",
    "Setting",
    "defaults",
    "read_table",
]

_T, _L, _W, _N, _NL = Kind.TEXT, Kind.TEXTS, Kind.WHOLE, Kind.NUMBER, Kind.NUMBERS

SETTINGS: Final = (
    *GUARD,
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
        "console.time_zone",
        _T,
        "UTC",
        "The organisation's time zone, as in Europe/London: pages show times in it, "
        "and campaigns are scheduled in it.",
    ),
    Setting(
        "console.openid.issuer",
        _T,
        "",
        "The organisation's OpenID Connect server, as in "
        "https://login.council.example. People log in with it to accounts that have "
        "their verified address. Empty: none.",
    ),
    Setting("console.openid.client", _T, "", "Our client id at that server."),
    Setting(
        "console.openid.name",
        _T,
        "your organisation",
        "What the log-in page calls it.",
    ),
    Setting(
        "console.ask_again_after",
        _W,
        10,
        "Minutes for which a log-in, or an answer to who is there, counts: after them "
        "you are asked again before an act that counts, such as an approval.",
        minimum=1,
    ),
    Setting(
        "console.second_factor",
        _T,
        "optional",
        "Who needs a passkey, a security key or an app beside the password: optional "
        "(nobody has to), approvers (who approve or release, administer, or may read "
        "rows), or all. Whoever lacks it is led to set it up, and to nothing else.",
    ),
    Setting(
        "console.processes",
        _W,
        1,
        "How many processes serve the pages.",
        minimum=1,
    ),
    Setting(
        "api.checks_per_hour",
        _W,
        600,
        "How often in an hour one access token may ask POST /v1/check; above it the "
        "answer is 429.",
        minimum=1,
    ),
    Setting(
        "api.clearance_minutes",
        _N,
        60,
        "Minutes after which a clearance that POST /v1/check gave is worth nothing.",
        minimum=1,
    ),
    Setting(
        "api.origins",
        _L,
        (),
        "Web origins whose pages may ask POST /v1/check from a browser, as in "
        "https://addins.council.example. Empty: none but the console's own.",
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
        "store.audience_retention",
        _N,
        365,
        "Days for which Memory keeps keyed hashes of threads and of hidden audiences, "
        "from the last mail that was of them. Forgotten, a hidden audience can be "
        "shown to itself again.",
        minimum=1,
    ),
    Setting(
        "store.people_retention",
        _N,
        1095,
        "Days after the end of an epoch for which the journal's pseudonyms of it can "
        "still be read. Then their key is destroyed, and nobody can say who stood "
        "behind them; the entries stay.",
        minimum=1,
    ),
    *JOURNAL,
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
        "holds.undo_split",
        _N,
        120,
        "Seconds for which mail that is sent singly waits before its copies leave: "
        "until then it can be withdrawn whole. 0: they leave at once.",
        minimum=0,
    ),
    Setting(
        "holds.undo_accepted",
        _N,
        0,
        "The same for mail that no rule objects to. 0: it is relayed at once and never "
        "stored. Above 0 all mail of own senders is kept for this long, then sent by "
        "the workers.",
        minimum=0,
    ),
    Setting(
        "holds.alarm_after",
        _N,
        24,
        "Hours after which untouched held mail is an alarm: in the console, in "
        "`undisclosed doctor`, in the metrics.",
        minimum=0,
    ),
    Setting(
        "send.return_domain",
        _T,
        "",
        "Domain whose mail reaches us, for the bounces of campaigns: each message gets "
        "a return path of its own there. Empty: bounces go to the author.",
    ),
    *RETURNS,
    *SEEDS,
    *UNSUBSCRIBE,
    Setting(
        "send.connections",
        _W,
        10,
        "Connections of a worker, at most; it opens them where the next hop is slow.",
        minimum=1,
    ),
    Setting(
        "send.per_second",
        _W,
        0,
        "Most campaign messages in a second, over all workers. 0: no limit.",
    ),
    Setting("send.per_minute", _W, 0, "The same in a minute."),
    Setting("send.per_hour", _W, 0, "The same in an hour."),
    Setting(
        "send.per_domain_minute",
        _W,
        0,
        "Most campaign messages in a minute to the recipients of one domain. 0: no "
        "limit.",
    ),
    Setting(
        "send.approvals",
        _L,
        ("supervisor", "manager", "communications"),
        "Roles that have to approve a campaign to people outside, each by another "
        "person: supervisor, manager, communications, dpo. At least one.",
    ),
    Setting(
        "send.approvals_inside",
        _L,
        ("supervisor",),
        "The same for a campaign to insiders only. Empty: nobody has to.",
    ),
    Setting(
        "send.approvals_sensitive",
        _L,
        ("dpo",),
        "Roles that have to approve besides where the list is of a special category.",
    ),
    Setting(
        "send.remind_after",
        _N,
        24,
        "Hours after which approvers who were asked are reminded.",
        minimum=1,
    ),
    Setting("send.reminders", _W, 3, "How often they are. 0: never."),
    Setting(
        "send.keep",
        _N,
        400,
        "Days after its end for which a campaign's text, files and proof are kept.",
        minimum=1,
    ),
    Setting(
        "send.name_servers",
        _L,
        (),
        "Name servers that the checks of a campaign ask for SPF, DKIM and DMARC of the "
        "sender's domain, as in 192.0.2.53. Empty: the system's. Without a next hop "
        "nobody is asked.",
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
        "UNDISCLOSED_TENANT_SECRET, UNDISCLOSED_TENANT_SECRET_FILE",
        "The secret of guard.tenant.field; several, parted by white space, are all "
        "good.",
    ),
    (
        "UNDISCLOSED_JOURNAL_ADDRESS, UNDISCLOSED_JOURNAL_ADDRESS_FILE",
        "The address that a journal rule of Exchange sends its reports to, which "
        "nobody else knows: needed where guard.feed.journal_clients are shared with "
        "others. Several, parted by white space, are all good.",
    ),
    (
        "UNDISCLOSED_OPENID_SECRET, UNDISCLOSED_OPENID_SECRET_FILE",
        "The client secret for console.openid.issuer.",
    ),
    (
        "UNDISCLOSED_RETURNS_PASSWORD, UNDISCLOSED_RETURNS_PASSWORD_FILE",
        "The password of send.returns.imap_login.",
    ),
    (
        "UNDISCLOSED_SEEDS_PASSWORD, UNDISCLOSED_SEEDS_PASSWORD_FILE",
        "The password of send.seeds.imap_login.",
    ),
    (
        "UNDISCLOSED_MASTER_KEY, UNDISCLOSED_MASTER_KEY_FILE",
        "The master key, 64 hexadecimal digits; several, parted by white space, follow "
        "one another, the newest first. Without it: the file master.key in store.data, "
        "made on the first run.",
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
