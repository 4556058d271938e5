# SPDX-License-Identifier: Apache-2.0
"""Fields whose addresses are nobody's, unless they are a viewer's.

Identifiers, a list's own addresses, the queue ids of servers, who sent the message:
counted as people they would hold ordinary mail. Where one of them is the address of
somebody whom the mail goes to, or whom another field shows, it names that person, and
no other viewer's copy may carry it.
"""

import re
from collections.abc import Iterable, Iterator

from undisclosed.core.address import Address
from undisclosed.core.encoded_words import field_text
from undisclosed.core.header import Field
from undisclosed.core.shown import name_and_channel
from undisclosed.core.shown.channel import FieldChannel, Role
from undisclosed.core.text import addresses_in_text

COUNTED = frozenset({Role.IDENTIFIER, Role.OFFICE})
"""Quiet fields whose viewers count as shown."""

QUIET = COUNTED | {Role.RETURN, Role.SENDER}
"""Fields that may name a viewer without counting as showing one."""

# Bounces and unsubscriptions carry the recipient: leave-ann=a.example@list.example.
_RETURNS_TO = re.compile(r"([^\s@=<>,;:?&/]{1,64})=([\w.-]{1,255})")
_EDGE = "-+._"


class People:
    """Some people, looked up in the text of a field in any form that names them."""

    def __init__(self, people: Iterable[Address]) -> None:
        self._by_person = {person.person: person for person in people}
        self._domains: dict[str, list[tuple[str, Address]]] | None = None

    def named_in(self, body: bytes) -> frozenset[Address]:
        """Those whose address stands in the body of a field, as it is or coded."""
        if b"@" not in body and b"%40" not in body and b"=" not in body:
            return frozenset()
        text = field_text(body)
        found = {
            self._by_person[one.person]
            for one in addresses_in_text(text)
            if one.person in self._by_person
        }
        if "=" in text:
            found.update(self._returned_to(text))
        return frozenset(found)

    def _returned_to(self, text: str) -> Iterator[Address]:
        for coded in _RETURNS_TO.finditer(text):
            local_part, domain = coded[1].lower(), coded[2].lower()
            for each, person in self._of(domain):
                before = local_part[: -len(each)][-1:]
                if local_part.endswith(each) and (not before or before in _EDGE):
                    yield person

    def _of(self, domain: str) -> list[tuple[str, Address]]:
        if self._domains is None:
            self._domains = {}
            for each, person in self._by_person.items():
                local_part, _, its_domain = each.rpartition("@")
                self._domains.setdefault(its_domain, []).append((local_part, person))
        return self._domains.get(domain, [])


def quiet_channel(raw_name: bytes, roles: frozenset[Role]) -> FieldChannel | None:
    """The channel of a field if it is a quiet one of these roles."""
    channel = name_and_channel(raw_name)[1]
    return channel if channel is not None and channel.role in roles else None


def named_quietly(
    fields: Iterable[Field], people: People, roles: frozenset[Role]
) -> dict[Address, tuple[str, ...]]:
    """Those of the people whom quiet fields name, with the fields' labels."""
    named: dict[Address, tuple[str, ...]] = {}
    for one in fields:
        channel = quiet_channel(one.raw_name, roles)
        if channel is not None:
            for person in people.named_in(one.body):
                named[person] = (channel.label,)
    return named
