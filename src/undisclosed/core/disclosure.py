# SPDX-License-Identifier: Apache-2.0
"""Who would newly be shown whom: the disclosure graph of one mail, as two sets.

The graph is viewers × shown, less everyone's view of themselves. It is counted by
sets and by organisations, never edge by edge: 5,000 people would be 25 million
edges. New is what two outsiders do not know of one another already:

- insiders know everybody, and everybody may know insiders;
- people of one outside organisation know one another, unless its domain is a mail
  provider or a university, or a sensitive list is touched;
- the author and the sender know whom they write to and are not counted as shown.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from undisclosed.core.address import Address
from undisclosed.core.documents import Reader
from undisclosed.core.header import HeaderBlock
from undisclosed.core.known import Known
from undisclosed.core.mail import Mail
from undisclosed.core.organisations import (
    is_mail_provider,
    is_public_suffix,
    organisation_of,
)
from undisclosed.core.policy import DistributionList, Policy
from undisclosed.core.quiet_fields import (
    COUNTED,
    People,
    named_quietly,
    quiet_channel,
)
from undisclosed.core.reading import Content, read_content
from undisclosed.core.strangers import Strangers, still_new

INSIDE = ""
"""Stands for the organisation itself where another organisation's domain could."""


_NOT_ASKED = "@"
_ROUTE = re.compile(r"[%@]([^%!@]+)|([^%!@]+)!")


class Sides:
    """Which side people are on, seen from the organisation that writes.

    ``own_domains`` are the organisation's, with their sub-domains; ``outsiders``
    are declared outsiders on them (addresses as ``Address.person``, or domains).
    """

    __slots__ = ("_by_domain", "_by_person", "_outside", "_own")

    def __init__(self, own_domains: Iterable[str], outsiders: Iterable[str]) -> None:
        self._own = tuple(own_domains)
        self._outside = frozenset(outsiders)
        self._by_domain: dict[str, str | None] = {}
        self._by_person: dict[str, str | None] = {}

    def is_seen_from(self, own: Iterable[str], outsiders: frozenset[str]) -> bool:
        """Whether the sides are those of an organisation with these domains."""
        return self._own == tuple(own) and self._outside == outsiders

    def __reduce__(self) -> tuple[object, ...]:
        """Travel to another process without what was looked up in this one."""
        return Sides, (self._own, self._outside)

    def organisation(self, address: Address) -> str | None:
        """INSIDE, the name of an outside organisation, or None: a person alone."""
        # Viewers are mostly shown, too, so most people are asked about twice.
        organisation = self._by_person.get(address.person, _NOT_ASKED)
        if organisation is _NOT_ASKED:
            organisation = self._of_person(address.person)
            self._by_person[address.person] = organisation
        return organisation

    def _of_person(self, person: str) -> str | None:
        domain = person[person.rfind("@") + 1 :]
        organisation = self._by_domain.get(domain, _NOT_ASKED)
        if organisation is _NOT_ASKED:
            organisation = self._by_domain[domain] = self._look_up(domain)
        if organisation == INSIDE and (
            person in self._outside or self._is_routed_outside(person)
        ):
            return None
        return organisation

    def _is_routed_outside(self, person: str) -> bool:
        """Whether mail servers pass it on: ``bob%b.example@own.example``.

        Routing of old (RFC 5321 appendix F.2); Postfix does so for trusted clients.
        """
        local_part = person[: person.rfind("@")]
        if "%" not in local_part and "!" not in local_part and "@" not in local_part:
            return False
        routed = _ROUTE.findall(local_part.strip('"'))
        return any(
            "." in domain and not _is_in(domain, self._own)
            for domain in ("".join(each) for each in routed)
        )

    def is_outsider(self, address: Address) -> bool:
        """Whether the person does not belong to the organisation."""
        return self.organisation(address) != INSIDE

    def _look_up(self, domain: str) -> str | None:
        if self._own and domain.endswith(self._own) and _is_in(domain, self._own):
            # Declared outsiders of an own domain are strangers to one another.
            return None if _is_in(domain, self._outside) else INSIDE
        return organisation_of(domain)


@dataclass(frozen=True, slots=True)
class Reading:
    """Who would see whom in one mail.

    ``content``: what was read; distribution lists of the policy are replaced by
    their members wherever a field shows them. ``viewers``: the recipients, lists
    expanded. ``shown``: everybody whom the header, the text or forwarded and
    attached mail shows, the author and the sender excepted.

    ``newly_shown``: outsiders in the header whom at least one other outside viewer
    does not know already; ``newly_shown_in_body`` and ``newly_forwarded`` are the
    same for the body's text and for forwarded and attached mail, without those whom
    the header shows anyway.

    ``disclosures`` counts viewers × shown less oneself; ``new_disclosures`` the pairs
    of outsiders that are new, over all channels; ``new_disclosures_in_header`` those
    of the header alone, which is what mailings add up.
    """

    content: Content
    viewers: frozenset[Address] = field(repr=False)
    shown: frozenset[Address] = field(repr=False)
    newly_shown: frozenset[Address] = field(repr=False)
    newly_shown_in_body: frozenset[Address] = field(repr=False)
    newly_forwarded: frozenset[Address] = field(repr=False)
    outside_viewers: frozenset[Address] = field(repr=False)
    disclosures: int
    new_disclosures: int
    new_disclosures_in_header: int
    is_sensitive: bool
    sides: Sides = field(repr=False, compare=False)
    lists: Mapping[Address, DistributionList] = field(repr=False, compare=False)
    prepared: dict[str, object] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    """What private copies have in common, found when the first one is made."""

    @property
    def newly_shown_in_text(self) -> frozenset[Address]:
        """Outsiders newly shown by body text, forwarded or attached mail."""
        return self.newly_shown_in_body | self.newly_forwarded

    @property
    def outsiders_shown(self) -> frozenset[Address]:
        """Every outsider whom the header shows, known to the viewers or not."""
        return frozenset(filter(self.sides.is_outsider, self.content.in_header))

    @property
    def strangers(self) -> Strangers:
        """Who does not know whom without asking, to be asked again with Memory."""
        own_side = {self.content.author, self.content.sender}
        return Strangers(
            self.outside_viewers - own_side, self.sides.organisation, self.is_sensitive
        )

    def with_known(self, known: Known) -> "Reading":
        """The same reading after Memory was asked: who knows whom is no longer new.

        Of a thread that goes on, the people who join it are left in ``newly_shown``.
        A sensitive list is more than any circle or thread.
        """
        groups = (*known.circles, *known.threads)
        if not groups or self.is_sensitive:
            return self
        strangers = self.strangers
        newly_shown, _ = still_new(self.newly_shown, 0, known, strangers)
        return replace(
            self,
            newly_shown=newly_shown,
            newly_shown_in_body=strangers.new(self.newly_shown_in_body, groups)[0],
            newly_forwarded=strangers.new(self.newly_forwarded, groups)[0],
        )


def read(
    mail: Mail,
    policy: Policy,
    *,
    content: Content | None = None,
    reader: Reader | None = None,
    sides: Sides | None = None,
) -> Reading:
    """Read a mail as its viewers would; ``content`` where it is already read.

    ``reader`` reads the documents in it (spreadsheets, PDF, archives). ``sides`` are
    those of a mail that this is a copy of: what was looked up there is not again.
    """
    if content is None:
        content = read_content(mail.content, policy, reader=reader)
    viewers = frozenset(mail.envelope.rcpt_tos)
    lists: Mapping[Address, DistributionList] = _NO_LISTS
    if policy.lists:
        lists = policy.lists
        viewers = frozenset(_expanded(viewers, lists))
        named, content = content, _with_members(content, lists)
        is_touched = _is_touched(mail, named, lists)
    else:
        is_touched = False
    if len(viewers) > 1:
        content = _with_identified(content, viewers)
    own = _own_domains(mail, content, policy)
    if sides is None or not sides.is_seen_from(own, policy.outsiders):
        sides = Sides(own, policy.outsiders)
    return _count(content, viewers, sides, lists, is_touched)


def _with_identified(content: Content, viewers: frozenset[Address]) -> Content:
    """The content with the viewers whose address stands as an identifier in it."""
    # Few fields are quiet; only they are worth making into values.
    cuts = content.header.cuts
    quiet = [cut for cut in cuts if b"@" in cut[1] and quiet_channel(cut[0], COUNTED)]
    fields = HeaderBlock(tuple(quiet), content.header.body_start).fields
    named = named_quietly(fields, People(viewers), COUNTED)
    own = (content.author, content.sender)
    others = {one: where for one, where in named.items() if one not in own}
    if others.keys() <= content.in_header.keys():
        return content
    return replace(content, in_header={**others, **content.in_header})


def _own_domains(mail: Mail, content: Content, policy: Policy) -> frozenset[str]:
    """The organisation that writes: as configured, else the From domain.

    Without a From it is Sender's, then the envelope sender's. A mail provider's
    domain never makes its users colleagues, nor does a public suffix its owners.
    """
    if policy.own_domains:
        return policy.own_domains
    author = content.author or content.sender or mail.envelope.mail_from
    return _domain_of(author) if author else frozenset()


def _domain_of(author: Address) -> frozenset[str]:
    domain = author.person.rpartition("@")[2]
    if not domain or is_mail_provider(domain) or is_public_suffix(domain):
        return frozenset()
    return frozenset((domain,))


def _is_in(domain: str, domains: Iterable[str]) -> bool:
    return any(
        domain.endswith(own) and (domain == own or domain[-len(own) - 1] == ".")
        for own in domains
    )


_NO_LISTS: Mapping[Address, DistributionList] = {}
_NOBODY: frozenset[Address] = frozenset()


class _Audience:
    """The viewers, counted so that what is new can be counted, too.

    People are looked up by ``Address.person``: strings compare in C, and there may
    be a hundred thousand of them.
    """

    def __init__(
        self, viewers: frozenset[Address], sides: Sides, content: Content
    ) -> None:
        self._organisation = sides.organisation
        self.knows_colleagues = True
        self._persons = {viewer.person for viewer in viewers}
        counted: dict[str | None, int] = {}
        insiders = []
        for viewer in viewers:
            organisation = self._organisation(viewer)
            if organisation == INSIDE:
                insiders.append(viewer)
            counted[organisation] = counted.get(organisation, 0) + 1
        self.outside = viewers.difference(insiders) if insiders else viewers
        self._number = len(self.outside)
        for author in {content.author, content.sender}:
            # Authors know whom they write to: nothing is new to them.
            if author is not None and author in self.outside:
                self._number -= 1
                counted[self._organisation(author)] -= 1
        self._by_organisation = counted

    def number_of(self, people: Iterable[Address]) -> int:
        """How many of these people are viewers."""
        persons = self._persons
        return sum([one.person in persons for one in people])

    def newly(self, people: frozenset[Address]) -> tuple[frozenset[Address], int]:
        """Those of the people who are new to a viewer, and to how many in all."""
        if not people or self._number <= 0:
            return _NOBODY, 0
        known, pairs = [], 0
        organisation_of_person, persons = self._organisation, self._persons
        for person in people:
            organisation = organisation_of_person(person)
            if organisation == INSIDE:
                viewers = 0
            elif organisation is not None and self.knows_colleagues:
                viewers = self._number - self._by_organisation.get(organisation, 0)
            else:
                viewers = self._number - (person.person in persons)
            if viewers:
                pairs += viewers
            else:
                known.append(person)
        if not pairs:
            return _NOBODY, 0
        return people.difference(known) if known else people, pairs


def _count(
    content: Content,
    viewers: frozenset[Address],
    sides: Sides,
    lists: Mapping[Address, DistributionList],
    is_touched: bool,
) -> Reading:
    in_header = content.in_header
    in_body = _without(content.in_text, in_header)
    forwarded = _without(content.in_forwarded, in_header)
    shown = frozenset(in_header)
    if in_body or forwarded:
        shown = shown.union(in_body, forwarded)
    audience = _Audience(viewers, sides, content)
    is_sensitive = is_touched or (
        bool(lists) and _are_members_together(lists, viewers | shown, sides.is_outsider)
    )
    audience.knows_colleagues = not is_sensitive
    newly_shown, pairs = audience.newly(frozenset(in_header))
    newly_in_body, pairs_in_text = audience.newly(in_body)
    newly_forwarded, _ = audience.newly(forwarded)
    if newly_forwarded:
        _, pairs_in_text = audience.newly(newly_in_body | newly_forwarded)
    return Reading(
        content=content,
        viewers=viewers,
        shown=shown,
        newly_shown=newly_shown,
        newly_shown_in_body=newly_in_body,
        newly_forwarded=newly_forwarded,
        outside_viewers=audience.outside,
        disclosures=len(viewers) * len(shown) - audience.number_of(shown),
        new_disclosures=pairs + pairs_in_text,
        new_disclosures_in_header=pairs,
        is_sensitive=is_sensitive,
        sides=sides,
        lists=lists,
    )


def _without(
    people: Mapping[Address, object], others: Mapping[Address, object]
) -> frozenset[Address]:
    if not people:
        return _NOBODY
    return frozenset([person for person in people if person not in others])


def _expanded(
    addresses: Iterable[Address], lists: Mapping[Address, DistributionList]
) -> dict[Address, None]:
    """The addresses with every list replaced by its members, lists in lists, too."""
    expanded: dict[Address, None] = {}
    waiting, seen = list(addresses), set()
    while waiting:
        address = waiting.pop()
        members = lists[address].members if address in lists else ()
        if not members:
            expanded[address] = None
        elif address not in seen:
            seen.add(address)
            waiting.extend(reversed(members))
    return expanded


def _with_members(
    content: Content, lists: Mapping[Address, DistributionList]
) -> Content:
    """The content as its viewers see it: a list in the header shows its members."""
    if lists.keys().isdisjoint(content.in_header):
        return content
    in_header: dict[Address, tuple[str, ...]] = {}
    for address, channels in content.in_header.items():
        for member in _expanded((address,), lists):
            if member not in (content.author, content.sender):
                earlier = in_header.get(member, ())
                in_header[member] = (*earlier, *channels) if earlier else channels
    return replace(content, in_header=in_header)


def _is_touched(
    mail: Mail, content: Content, lists: Mapping[Address, DistributionList]
) -> bool:
    """Whether the mail goes to a sensitive list, or a field names one."""
    sensitive = {address for address, one in lists.items() if one.is_sensitive}
    return bool(sensitive) and not (
        sensitive.isdisjoint(mail.envelope.rcpt_tos)
        and sensitive.isdisjoint(content.in_header)
    )


def _are_members_together(
    lists: Mapping[Address, DistributionList],
    people: frozenset[Address],
    is_outsider: Callable[[Address], bool],
) -> bool:
    """Whether two outsiders of one sensitive list stand in the mail one by one.

    A copied or saved list is as sensitive as its address.
    """
    return any(
        sum(map(is_outsider, people.intersection(one.members))) > 1
        for one in lists.values()
        if one.is_sensitive
    )
