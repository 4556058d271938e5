# SPDX-License-Identifier: Apache-2.0
"""Check links: where they lead, and what they tell whoever looks at them."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from undisclosed.core.campaign import CheckFinding, Weight
from undisclosed.core.organisations import registrable_domain
from undisclosed.send.checks.check import Tally, messages
from undisclosed.send.checks.view import CampaignView, Merged

NAME = "links"

_LINK = re.compile(r'<a href="([^"]*)"[^<>]*>(.*?)</a>', re.DOTALL)
_IMAGE = re.compile(r'<img [^<>]*src="([^"]*)"')
_TAG = re.compile(r"<[^<>]*>")
_LOOKS_LIKE = re.compile(
    r"\s*(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,24})(?=[/:?#\s]|\Z)", re.IGNORECASE
)
_INSIDE = (".local", ".internal", ".lan", ".corp", ".intranet", ".home.arpa", ".test")
_SHORT = frozenset({
    "bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly",
    "rebrand.ly", "cutt.ly", "shorturl.at", "tiny.cc", "lnkd.in", "rb.gy", "s.id",
    "t.ly",
})  # fmt: skip
_MOST_KEPT = 10_000

HTTP = "A link is not encrypted (http): others can read and change what it shows"
NUMBER = "A link names a machine by its number"
INSIDE = "A link leads to a place that only insiders can reach"
SHORT = "A link is a shortener's: nobody sees where it leads, and it can be changed"
PASSWORD = "A link carries a name or a password before its host"  # noqa: S105
OTHER = "A link's words name another place than it leads to"
ADDRESS = "A link holds a mail address, which ends up in the records of web servers"
SCHEME = "A link is of a kind that mail programs do not open"
BROKEN = "A link cannot be read"
IMAGE = "A picture is fetched from the web: that tells its host who reads the mail"


class Links:
    """Looks at every link of every message; what is the same for all, once."""

    name = NAME
    description = "Find links that are broken, unsafe, misleading or tell too much."

    def start(self, view: CampaignView) -> "_Looking":
        """Nothing is known before the first message."""
        return _Looking()


@dataclass(slots=True)
class _Looking:
    tallies: dict[str, Tally] = field(default_factory=dict)
    known: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def look(self, one: Merged) -> None:
        """Look at the links of one message."""
        if one.message is None:
            return
        for link in set(_LINK.findall(one.message.html)):
            for problem in self._problems(link):
                self.tallies.setdefault(problem, Tally()).add(one.row.number)
        if _IMAGE.search(one.message.html):
            self.tallies.setdefault(IMAGE, Tally()).add(one.row.number)

    def findings(self) -> Iterator[CheckFinding]:
        """What was found, by problem."""
        for problem, tally in self.tallies.items():
            text = f"{problem} (in {messages(tally.count)})."
            yield tally.finding(NAME, Weight.OVERRIDE, text, "text")

    def _problems(self, link: tuple[str, str]) -> tuple[str, ...]:
        found = self.known.get(link)
        if found is None:
            if len(self.known) >= _MOST_KEPT:
                self.known.clear()
            found = self.known[link] = tuple(problems(*map(html.unescape, link)))
        return found


def problems(link: str, words: str) -> Iterator[str]:
    """What is wrong with a link; ``words`` are what people see of it."""
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        yield BROKEN
        return
    if parts.scheme in ("mailto", "tel", ""):
        if parts.scheme == "" and not link.startswith("#"):
            yield BROKEN
        return
    if parts.scheme not in ("http", "https"):
        yield SCHEME
        return
    if parts.scheme == "http":
        yield HTTP
    if "@" in parts.netloc:
        yield PASSWORD
    if "@" in unquote(parts.path + parts.query + parts.fragment):
        yield ADDRESS
    yield from _host_problems(host)
    if _names_another(words, host):
        yield OTHER


def _host_problems(host: str) -> Iterator[str]:
    if not host:
        yield BROKEN
    elif _is_number(host):
        yield NUMBER
    elif "." not in host or host.endswith(_INSIDE):
        yield INSIDE
    elif registrable_domain(host) in _SHORT:
        yield SHORT


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _names_another(words: str, host: str) -> bool:
    named = _LOOKS_LIKE.match(_TAG.sub("", words))
    if named is None or not host:
        return False
    return registrable_domain(named[1].lower()) != registrable_domain(host.lower())
