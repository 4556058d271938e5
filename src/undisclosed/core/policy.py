# SPDX-License-Identifier: Apache-2.0
"""The policy: thresholds, actions and what the organisation says of itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.core.exemptions import ExemptionRule, exemptions_from
from undisclosed.core.organisations import is_mail_provider, is_public_suffix
from undisclosed.core.verdict import Action
from undisclosed.formats.configuration import ConfigurationError, Table

RULE_NAMES = (
    "shown-outsiders",
    "hidden-audience",
    "visible-mail-control",
    "addresses-in-body",
    "forwarded-addresses",
    "protected-headers",
    "encrypted-recipients",
    "recall",
    "unreadable",
)
"""The rules whose action a policy may set, in the order of ``core.rules``."""

_HEXADECIMAL = re.compile(r"[0-9A-F]{2,128}")
_KEY_ID = re.compile(r"\A0[xX]|[\s:]")
_DOMAIN = re.compile(r"[^\s@,;:<>()\[\]\"\\]+\.[^\s@,;:<>()\[\]\"\\]+")


class PolicyError(ConfigurationError):
    """The policy cannot be used: one sentence, its line, the setting's name."""


@dataclass(frozen=True, slots=True)
class DistributionList:
    """An address that stands for its members (the directory of the policy).

    ``is_sensitive``: a lower limit, and nothing makes its members known to anybody.
    ``is_confidential``: its members are a hidden audience.
    """

    members: tuple[Address, ...] = field(repr=False)
    is_sensitive: bool = False
    is_confidential: bool = False


class OnBroken(Enum):
    """What becomes of a DKIM signature (RFC 6376) that a private copy would break."""

    KEEP = "keep"  # it is not broken: nothing is sent singly
    DROP = "drop"  # it is taken off, because mail is signed behind the guard
    SIGN = "sign"  # it is taken off, and the copy is signed with a key of ours


@dataclass(frozen=True, slots=True)
class Signatures:
    """How private copies get along with DKIM.

    ``domains`` are those that we have a key for, with their sub-domains.
    """

    on_broken: OnBroken = OnBroken.KEEP
    domains: frozenset[str] = frozenset()

    def may_break(self, author: Address | None) -> bool:
        """Whether a signature of this author's mail may be taken off or replaced."""
        if self.on_broken is OnBroken.SIGN:
            return self.domain_for(author) is not None
        return self.on_broken is OnBroken.DROP

    def domain_for(self, author: Address | None) -> str | None:
        """The domain to sign as; aligned with the author's (RFC 7489 §3.1.1)."""
        domain = author.person.rpartition("@")[2] if author else ""
        while domain:
            if domain in self.domains:
                return domain
            domain = domain.partition(".")[2]
        return None


@dataclass(frozen=True, slots=True)
class Policy:
    """What the rules compare with. Every field is a documented setting.

    ``own_domains`` (with their sub-domains) are the organisation's. Empty means:
    the From domain counts, never a mail provider's. ``outsiders`` are declared
    outsiders on own domains (pupils, patients): whole addresses as
    ``Address.person``, or domains, which mean their sub-domains, too.
    ``authored_elsewhere`` is the most that is done to mail written outside that only
    passes through (lists, forwarding). ``exemptions`` pass what the rules object to.
    ``teams``
    name senders whose mail adds up together; ``lists`` are addresses that stand for
    their members. ``keys`` say whose an OpenPGP key id or the serial number or key
    identifier of a certificate is (upper-case hexadecimal digits), so that those of
    others can be left out of encrypted copies. ``actions`` replace what a rule asks
    for by default; ``signatures`` come from the settings of the guard. Domains are
    lower-case, in A-labels. The mappings are plain dicts, so that a policy can be
    handed to another process; nobody changes them.
    """

    own_domains: frozenset[str] = frozenset()
    outsiders: frozenset[str] = field(default=frozenset(), repr=False)
    max_shown_outsiders: int = 5
    max_shown_outsiders_sensitive: int = 2
    max_addresses_in_text: int = 25
    max_shown: int = 100_000
    authored_elsewhere: Action = Action.HOLD
    exemptions: tuple[ExemptionRule, ...] = ()
    mailing_window: timedelta = timedelta(days=14)
    teams: Mapping[str, frozenset[Address]] = field(default_factory=dict, repr=False)
    lists: Mapping[Address, DistributionList] = field(default_factory=dict, repr=False)
    actions: Mapping[str, Action] = field(default_factory=dict)
    signatures: Signatures = Signatures()
    keys: Mapping[str, Address] = field(default_factory=dict, repr=False)

    def action(self, rule: str, default: Action) -> Action:
        """What a finding of this rule asks for."""
        return self.actions.get(rule, default)

    def owner_of(self, key_id: str) -> Address | None:
        """Whose key this is, or certificate; None where nobody's is known."""
        # Programs write serial numbers with and without zeros in front.
        return self.keys.get(key_id) or self.keys.get(key_id.lstrip("0"))


def policy_from(table: Table) -> Policy:
    """The policy that stands in the ``[policy]`` table of the settings.

    Raises PolicyError for an unknown key or a value that cannot be used.
    """
    try:
        return _policy_from(table)
    except ConfigurationError as error:
        raise PolicyError(
            error.message, line=error.line, key=error.key, path=error.path
        ) from None


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
        authored_elsewhere=_action_of(
            table, "authored_elsewhere", default.authored_elsewhere
        ),
        exemptions=exemptions_from(table),
        mailing_window=timedelta(days=window),
        teams=_teams(table.table("teams")),
        lists=_lists(table),
        keys=_keys(table.table("keys")),
        actions=_actions(table.table("actions")),
    )


_LONGEST_WINDOW = 366
_LIST_KEYS = ("address", "members", "sensitive", "confidential")
_KEYS = (
    "own_domains",
    "outsiders",
    "max_shown_outsiders",
    "max_shown_outsiders_sensitive",
    "max_addresses_in_text",
    "max_shown",
    "authored_elsewhere",
    "exemptions",
    "mailing_window_days",
    "teams",
    "lists",
    "keys",
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
            is_confidential=entry.boolean("confidential", False),
        )
    return lists


def _keys(table: Table) -> Mapping[str, Address]:
    keys: dict[str, Address] = {}
    for spelling in table.values:
        owner = parse_addr_spec(spelling)
        name = table.name_of(spelling)
        if owner is None:
            raise table.error(f'"{name}" must be one address.', spelling)
        for index, text in enumerate(table.texts(spelling)):
            key = _KEY_ID.sub("", text).upper()
            if not _HEXADECIMAL.fullmatch(key):
                problem = "must be key ids, serial numbers or key identifiers"
                raise table.error(
                    f'"{name}" {problem} in hexadecimal digits.', spelling, index
                )
            if keys.setdefault(key.lstrip("0"), owner) != owner:
                raise table.error(f'"{name}" has a key of another.', spelling, index)
    return keys


def _actions(table: Table) -> Mapping[str, Action]:
    table.refuse_unknown(RULE_NAMES)
    actions = {}
    for rule in table.values:
        actions[rule] = _action_of(table, rule, Action.HOLD)
    return actions


def _action_of(table: Table, key: str, default: Action) -> Action:
    try:
        return Action(table.text(key, default.value))
    except ValueError:
        words = ", ".join(f'"{action.value}"' for action in Action)
        name = table.name_of(key)
        raise table.error(f'"{name}" must be one of {words}.', key) from None
