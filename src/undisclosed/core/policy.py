# SPDX-License-Identifier: Apache-2.0
"""The policy: thresholds, actions and what the organisation says of itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.core.organisations import is_mail_provider, is_public_suffix
from undisclosed.core.verdict import Action
from undisclosed.formats.configuration import ConfigurationError, Table

RULE_NAMES = (
    "shown-outsiders",
    "addresses-in-body",
    "forwarded-addresses",
    "recall",
    "unreadable",
)
"""The rules whose action a policy may set, in the order of ``core.rules``."""

_DOMAIN = re.compile(r"[^\s@,;:<>()\[\]\"\\]+\.[^\s@,;:<>()\[\]\"\\]+")


class PolicyError(ConfigurationError):
    """The policy cannot be used: one sentence, its line, the setting's name."""


@dataclass(frozen=True, slots=True)
class DistributionList:
    """An address that stands for its members (the directory of the policy)."""

    members: tuple[Address, ...] = field(repr=False)
    is_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """What the rules compare with. Every field is a documented setting.

    ``own_domains`` (with their sub-domains) are the organisation's. Empty means:
    the From domain counts, never a mail provider's. ``outsiders`` are declared
    outsiders on own domains (pupils, patients): whole addresses as
    ``Address.person``, or domains, which mean their sub-domains, too. ``teams``
    name senders whose mail adds up together; ``lists`` are addresses that stand for
    their members. ``actions`` replace what a rule asks for by default. Domains are
    lower-case, in A-labels. The mappings are plain dicts, so that a policy can be
    handed to another process; nobody changes them.
    """

    own_domains: frozenset[str] = frozenset()
    outsiders: frozenset[str] = field(default=frozenset(), repr=False)
    max_shown_outsiders: int = 5
    max_shown_outsiders_sensitive: int = 2
    max_addresses_in_text: int = 25
    max_shown: int = 100_000
    mailing_window: timedelta = timedelta(days=14)
    teams: Mapping[str, frozenset[Address]] = field(default_factory=dict, repr=False)
    lists: Mapping[Address, DistributionList] = field(default_factory=dict, repr=False)
    actions: Mapping[str, Action] = field(default_factory=dict)

    def action(self, rule: str, default: Action) -> Action:
        """What a finding of this rule asks for."""
        return self.actions.get(rule, default)


def policy_from(table: Table) -> Policy:
    """The policy that stands in the ``[policy]`` table of the settings.

    Raises PolicyError for an unknown key or a value that cannot be used.
    """
    try:
        return _policy_from(table)
    except ConfigurationError as error:
        raise PolicyError(error.message, line=error.line, key=error.key) from None


def _policy_from(table: Table) -> Policy:
    default = Policy()
    table.refuse_unknown(_KEYS)
    window = table.number("mailing_window_days", default.mailing_window.days)
    if window > _LONGEST_WINDOW:
        raise table.error(
            f'"{table.name_of("mailing_window_days")}" must be at most '
            f"{_LONGEST_WINDOW:,} days.",
            "mailing_window_days",
        )
    return Policy(
        own_domains=_own_domains(table),
        outsiders=_outsiders(table),
        max_shown_outsiders=table.integer(
            "max_shown_outsiders", default.max_shown_outsiders
        ),
        max_shown_outsiders_sensitive=table.integer(
            "max_shown_outsiders_sensitive", default.max_shown_outsiders_sensitive
        ),
        max_addresses_in_text=table.integer(
            "max_addresses_in_text", default.max_addresses_in_text
        ),
        max_shown=table.integer("max_shown", default.max_shown, minimum=1),
        mailing_window=timedelta(days=window),
        teams=_teams(table.table("teams")),
        lists=_lists(table),
        actions=_actions(table.table("actions")),
    )


_LONGEST_WINDOW = 366
_LIST_KEYS = ("address", "members", "sensitive")
_KEYS = (
    "own_domains",
    "outsiders",
    "max_shown_outsiders",
    "max_shown_outsiders_sensitive",
    "max_addresses_in_text",
    "max_shown",
    "mailing_window_days",
    "teams",
    "lists",
    "actions",
)


def _own_domains(table: Table) -> frozenset[str]:
    domains = set()
    for index, text in enumerate(table.texts("own_domains")):
        domain = _domain(text)
        if domain is None:
            problem = 'must be domains, as in ["council.example"]'
        elif is_mail_provider(domain):
            problem = (
                f"must not hold a mail provider ({domain}): its users are strangers"
            )
        elif is_public_suffix(domain):
            problem = f"must not hold a public suffix ({domain}): it has many owners"
        else:
            domains.add(domain)
            continue
        name = table.name_of("own_domains")
        raise table.error(f'"{name}" {problem}.', "own_domains", index)
    return frozenset(domains)


def _outsiders(table: Table) -> frozenset[str]:
    outsiders = set()
    for index, text in enumerate(table.texts("outsiders")):
        address = parse_addr_spec(text) if "@" in text else None
        found = address.person if address else _domain(text)
        if found is None:
            name = table.name_of("outsiders")
            raise table.error(
                f'"{name}" must be addresses or domains, as in '
                '["pupils.school.example"].',
                "outsiders",
                index,
            )
        outsiders.add(found)
    return frozenset(outsiders)


def _domain(text: str) -> str | None:
    """The domain as it is compared, or None where the text is none."""
    text = text.strip()
    if not _DOMAIN.fullmatch(text):
        return None
    return Address("x", text).person.rpartition("@")[2]


def _teams(table: Table) -> Mapping[str, frozenset[Address]]:
    return {name: frozenset(_addresses(table, name)) for name in table.values}


def _addresses(table: Table, key: str) -> tuple[Address, ...]:
    addresses = []
    for index, text in enumerate(table.texts(key)):
        address = parse_addr_spec(text)
        if address is None:
            name = table.name_of(key)
            raise table.error(f'"{name}" must be a list of addresses.', key, index)
        addresses.append(address)
    return tuple(addresses)


def _lists(table: Table) -> Mapping[Address, DistributionList]:
    lists: dict[Address, DistributionList] = {}
    for entry in table.tables("lists"):
        entry.refuse_unknown(_LIST_KEYS)
        address = parse_addr_spec(entry.text("address"))
        if address is None:
            name = entry.name_of("address")
            raise entry.error(f'"{name}" must be one address.', "address")
        if address in lists:
            name = entry.name_of("address")
            raise entry.error(f'"{name}" stands here a second time.', "address")
        lists[address] = DistributionList(
            members=_addresses(entry, "members"),
            is_sensitive=entry.boolean("sensitive", False),
        )
    return lists


def _actions(table: Table) -> Mapping[str, Action]:
    table.refuse_unknown(RULE_NAMES)
    actions = {}
    for rule in table.values:
        try:
            actions[rule] = Action(table.text(rule))
        except ValueError:
            words = ", ".join(f'"{action.value}"' for action in Action)
            name = table.name_of(rule)
            raise table.error(f'"{name}" must be one of {words}.', rule) from None
    return actions
