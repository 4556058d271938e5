# SPDX-License-Identifier: Apache-2.0
"""Check sender-domain: would receivers believe that this mail is ours?

Reads SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489) of the author's domain, as
a receiver would. Large providers refuse mass mail that is not authenticated.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from undisclosed.core.campaign import CheckFinding, Weight
from undisclosed.core.organisations import is_mail_provider, registrable_domain
from undisclosed.send.checks.check import Once
from undisclosed.send.checks.view import (
    CampaignView,
    Domain,
    Resolver,
    ResolverAway,
)

NAME = "sender-domain"

MOST_LOOKUPS = 10
"""Look-ups that an SPF record may cost (RFC 7208 §4.6.4)."""

_P = re.compile(r"(?:\A|;)\s*p\s*=\s*([A-Za-z0-9+/= ]*)")


class SenderDomain:
    """Asks the domain name system; without a resolver it says so."""

    name = NAME
    description = "Read SPF, DKIM and DMARC of the sender's domain as receivers do."

    def start(self, view: CampaignView) -> Once:
        """Ask for the records."""
        author = view.draft.author.person.rpartition("@")[2]
        if view.resolver is None:
            sentence = "The domain name system was not asked about the sender's domain."
            return Once((CheckFinding(NAME, Weight.NOTE, sentence, "sender"),))
        asking = _Asking(view.resolver, author, view.domain)
        try:
            found = tuple(asking.all())
            if view.draft.reply_to is not None:
                found += tuple(asking.answers(view.draft.reply_to.person))
        except ResolverAway:
            sentence = (
                "No name server answered: nothing is known of the sender's domain."
            )
            found = (CheckFinding(NAME, Weight.OVERRIDE, sentence, "sender"),)
        return Once(found)


def _finding(sentence: str, *, is_note: bool = False) -> CheckFinding:
    weight = Weight.NOTE if is_note else Weight.OVERRIDE
    return CheckFinding(NAME, weight, sentence, "sender")


@dataclass(slots=True)
class _Asking:
    resolver: Resolver = field(repr=False)
    author: str
    domain: Domain

    def all(self) -> Iterator[CheckFinding]:
        """Everything about one author's domain."""
        if is_mail_provider(self.author):
            yield _finding(
                "The sender's address is of a mail provider: mass mail in its name "
                "is refused by most receivers."
            )
            return
        returns = self.domain.return_domain or self.author
        yield from self._spf(returns)
        yield from self._dkim()
        yield from self._dmarc()
        if not self._is_aligned(returns):
            yield _finding(
                "Neither the return path nor a signature is of the sender's own "
                "organisation: DMARC fails (RFC 7489 §3.1)."
            )

    def answers(self, person: str) -> Iterator[CheckFinding]:
        """Whether answers can be delivered (RFC 5321 §5.1, RFC 7505)."""
        domain = person.rpartition("@")[2]
        exchanges = self.resolver.exchanges(domain)
        is_null = any(one in (".", "") for one in exchanges)
        if is_null or not (exchanges or self.resolver.addresses(domain)):
            sentence = "Nobody could answer: the Reply-To's domain takes no mail."
            yield CheckFinding(NAME, Weight.OVERRIDE, sentence, "reply-to")

    def _spf(self, domain: str) -> Iterator[CheckFinding]:
        records = self._spf_records(domain)
        if not records:
            yield _finding("The return path's domain has no SPF record (RFC 7208).")
            return
        if len(records) > 1:
            yield _finding("There are two SPF records, so that none counts (§4.5).")
            return
        words = records[0].lower().split()[1:]
        if any(one in ("+all", "all", "?all") for one in words):
            yield _finding("The SPF record lets anybody send in this domain's name.")
        elif not any(one.endswith("all") or "redirect=" in one for one in words):
            yield _finding("The SPF record has no end (-all or ~all).", is_note=True)
        if self._lookups(domain, set()) > MOST_LOOKUPS:
            yield _finding("The SPF record costs more than ten look-ups: it fails.")

    def _spf_records(self, domain: str) -> list[str]:
        texts = self.resolver.texts(domain)
        return [one for one in texts if one.lower().split(" ")[0] == "v=spf1"]

    def _lookups(self, domain: str, seen: set[str]) -> int:
        """What an SPF record costs, those that it includes among it."""
        seen.add(domain)
        count = 0
        for word in " ".join(self._spf_records(domain)).lower().split():
            term = word.lstrip("+-~?")
            name, _, target = term.replace("=", ":", 1).partition(":")
            if name.partition("/")[0] in ("a", "mx", "ptr", "exists"):
                count += 1
            elif name in ("include", "redirect"):
                count += 1
                if target and target not in seen and count <= MOST_LOOKUPS:
                    count += self._lookups(target, seen)
        return count

    def _dkim(self) -> Iterator[CheckFinding]:
        if not self.domain.dkim_name:
            yield _finding(
                "Nothing here signs mail (guard.dkim): the next hop has to, with DKIM.",
                is_note=True,
            )
            return
        texts = self.resolver.texts(self.domain.dkim_name)
        ours = _public_key(self.domain.dkim_record)
        if not texts:
            yield _finding("The key that mail is signed with is not published (DKIM).")
        elif ours not in map(_public_key, texts):
            yield _finding(
                "Another DKIM key is published than the one that mail is signed with."
            )

    def _dmarc(self) -> Iterator[CheckFinding]:
        record = self._dmarc_record(self.author)
        if not record:
            record = self._dmarc_record(registrable_domain(self.author))
        if not record:
            yield _finding("The sender's domain has no DMARC record (RFC 7489).")
        elif _public_key(record).lower() == "none":
            yield _finding(
                "DMARC is p=none: others can send in this domain's name.", is_note=True
            )

    def _dmarc_record(self, domain: str) -> str:
        texts = self.resolver.texts(f"_dmarc.{domain}")
        return next((one for one in texts if one.lower().startswith("v=dmarc1")), "")

    def _is_aligned(self, returns: str) -> bool:
        own = registrable_domain(self.author)
        named = filter(None, (returns, self.domain.dkim_domain))
        return any(registrable_domain(one) == own for one in named)


def _public_key(record: str) -> str:
    """The value of the tag p, without the spaces that may stand in it."""
    found = _P.search(record)
    return found[1].replace(" ", "") if found else ""
