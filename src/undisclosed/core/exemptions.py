# SPDX-License-Identifier: Apache-2.0
"""Exemptions: named exceptions with an owner, a reason and an end (journal routes).

An exemption says which clients may hand in which mail to which recipients whatever
the rules say. It rests on the client or on the recipients, never on a sender alone:
anybody may write a sender's address.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.core.mail import Envelope
from undisclosed.formats.configuration import Table

LONGEST = timedelta(days=400)
"""An exemption ends within thirteen months: then somebody looks at it again."""

LOCAL = "local"
"""Stands for programs of this machine that hand mail in without a network."""

NULL_SENDER = "<>"

_KEYS = ("name", "owner", "reason", "until", "clients", "senders", "recipients")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class ExemptionRule:
    """One exemption of the policy.

    ``until`` is its last day (UTC). ``clients`` are networks; ``is_local`` lets in what
    this machine's own programs hand in. ``senders`` and ``recipients`` are whole
    addresses as ``Address.person``, or domains, which mean their sub-domains, too;
    ``has_null_sender`` lets the null sender in. What is empty matches everything. Every
    recipient has to match.
    """

    name: str
    owner: str
    reason: str
    until: date
    clients: tuple[Network, ...] = ()
    is_local: bool = False
    senders: frozenset[str] = field(default=frozenset(), repr=False)
    has_null_sender: bool = False
    recipients: frozenset[str] = field(default=frozenset(), repr=False)

    def is_over(self, now: datetime) -> bool:
        """Whether its last day is past: then it has no effect."""
        return now.astimezone(UTC).date() > self.until

    def covers(self, envelope: Envelope, client: str, endpoint: str) -> bool:
        """Whether it stands for this mail; ``client`` is an IP address or empty."""
        return (
            self._covers_client(client, endpoint)
            and self._covers_sender(envelope.mail_from)
            and self._covers_recipients(envelope.rcpt_tos)
        )

    def _covers_client(self, client: str, endpoint: str) -> bool:
        if not (self.clients or self.is_local):
            return True
        if not client:
            return self.is_local and bool(endpoint)
        try:
            address = ipaddress.ip_address(client)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self.clients)

    def _covers_sender(self, sender: Address | None) -> bool:
        if not (self.senders or self.has_null_sender):
            return True
        if sender is None:
            return self.has_null_sender
        return _is_among(sender, self.senders)

    def _covers_recipients(self, recipients: Iterable[Address]) -> bool:
        return not self.recipients or all(
            _is_among(one, self.recipients) for one in recipients
        )


def _is_among(address: Address, names: frozenset[str]) -> bool:
    person = address.person
    domain = person.rpartition("@")[2]
    if person in names or domain in names:
        return True
    return any("@" not in name and domain.endswith(f".{name}") for name in names)


def exemptions_from(table: Table) -> tuple[ExemptionRule, ...]:
    """The exemptions of ``[[policy.exemptions]]``. Raises ConfigurationError."""
    found: dict[str, ExemptionRule] = {}
    for entry in table.tables("exemptions"):
        entry.refuse_unknown(_KEYS)
        rule = _exemption(entry)
        if rule.name in found:
            raise entry.error("Two exemptions have this name.", "name")
        found[rule.name] = rule
    return tuple(found.values())


def _exemption(entry: Table) -> ExemptionRule:
    name, owner, reason = (_said(entry, key) for key in ("name", "owner", "reason"))
    networks, is_local = _clients(entry)
    senders = tuple(entry.texts("senders"))
    recipients = _people(entry, "recipients", entry.texts("recipients"))
    if not (networks or is_local or recipients):
        raise entry.error(
            "An exemption needs clients or recipients: anybody may write a sender.",
            "name",
        )
    others = tuple(text for text in senders if text.strip() != NULL_SENDER)
    return ExemptionRule(
        name=name,
        owner=owner,
        reason=reason,
        until=_until(entry),
        clients=networks,
        is_local=is_local,
        senders=_people(entry, "senders", others),
        has_null_sender=len(others) < len(senders),
        recipients=recipients,
    )


def _said(entry: Table, key: str) -> str:
    """A text that must be there, without an address: it goes into the journal."""
    text = entry.text(key).strip()
    if not text:
        raise entry.error(f"An exemption needs {key!r}.", key)
    if "@" in text:
        raise entry.error(
            f'"{entry.name_of(key)}" must be words without an address: it goes into '
            "the journal.",
            key,
        )
    return text


def _until(entry: Table) -> date:
    value = entry.values.get("until")
    if isinstance(value, datetime) or not isinstance(value, date):
        raise entry.error(
            f'"{entry.name_of("until")}" must be a day, as in 2027-03-31.', "until"
        )
    return value


def _clients(entry: Table) -> tuple[tuple[Network, ...], bool]:
    texts = entry.texts("clients")
    try:
        networks = tuple(ipaddress.ip_network(one) for one in texts if one != LOCAL)
    except ValueError:
        raise entry.error(
            f'"{entry.name_of("clients")}" must be networks, as in ["10.1.0.9/32"], or '
            f'"{LOCAL}".',
            "clients",
        ) from None
    return networks, LOCAL in texts


def _people(entry: Table, key: str, texts: Iterable[str]) -> frozenset[str]:
    people = set()
    for text in texts:
        address = parse_addr_spec(text) if "@" in text else None
        if address is not None:
            people.add(address.person)
        elif "@" not in text and "." in text and not set(text) & set(" <>,;"):
            people.add(Address("x", text).person.rpartition("@")[2])
        else:
            raise entry.error(
                f'"{entry.name_of(key)}" must be addresses or domains.', key
            )
    return frozenset(people)
