# SPDX-License-Identifier: Apache-2.0
"""A policy that tells nobody who stands on its lists: for those who only ask.

Asking costs nothing and sends nothing, so it must not tell what sending tells. Of the
policy's lists only those count that the mail itself names, and their members are
stand-ins: as many people of as many organisations, and none of them anybody who could
be asked about. Whether a person is on a list then changes no answer.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from undisclosed.core.address import Address
from undisclosed.core.disclosure import Reading, Sides
from undisclosed.core.mail import Mail
from undisclosed.core.policy import DistributionList, Policy
from undisclosed.core.reading import Content

STAND_IN = "stand-in.invalid"
"""Domain of stand-ins (RFC 2606 §2); nobody's address."""


def veiled(policy: Policy, mail: Mail, content: Content) -> Policy:
    """The policy as far as it may be asked about this mail.

    Declared outsiders (pupils, patients) stay where a whole domain is declared; single
    ones are forgotten, since each of them is on a list, too.
    """
    named = dict.fromkeys((*mail.envelope.rcpt_tos, *content.in_header))
    lists = {
        address: DistributionList(
            members=_stand_ins(policy, address, f"{number}-{STAND_IN}"),
            is_sensitive=policy.lists[address].is_sensitive,
        )
        for number, address in enumerate(named)
        if address in policy.lists
    }
    domains = frozenset(one for one in policy.outsiders if "@" not in one)
    return replace(policy, lists=lists, outsiders=domains)


def is_stand_in(address: Address) -> bool:
    """Whether this is nobody's address but a place of a list's member."""
    return address.domain.endswith(STAND_IN)


def has_stand_ins(reading: Reading) -> bool:
    """Whether a list with people outside had a part in what was read."""
    everybody: Iterable[Address] = (*reading.viewers, *reading.content.in_header)
    return any(map(is_stand_in, everybody))


def _stand_ins(policy: Policy, address: Address, suffix: str) -> tuple[Address, ...]:
    """One for each outsider on the list; those of one organisation stay together.

    Who asks says who writes, so where no own domain is configured it is the list's own
    domain that tells insiders from outsiders.
    """
    own = policy.own_domains or (address.person.rpartition("@")[2],)
    sides = Sides(own, policy.outsiders)
    domains: dict[str, str] = {}
    found: list[Address] = []
    for number, member in enumerate(sorted(set(_members(policy.lists, address)))):
        if not sides.is_outsider(member):
            continue
        name = sides.organisation(member) or f"alone-{number}"
        domain = domains.setdefault(name, f"{len(domains)}-{suffix}")
        found.append(Address(f"member-{number}", domain))
    return tuple(found)


def _members(
    lists: Mapping[Address, DistributionList], address: Address
) -> Iterator[Address]:
    """The people of a list, those of lists within it among them."""
    waiting, seen = [address], {address}
    while waiting:
        for member in lists[waiting.pop()].members:
            if member not in lists:
                yield member
            elif member not in seen:
                seen.add(member)
                waiting.append(member)
