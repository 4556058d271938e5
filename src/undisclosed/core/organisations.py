# SPDX-License-Identifier: Apache-2.0
"""Which organisation a domain belongs to, so that colleagues are not strangers.

Two people of one registrable domain (the public suffix and one label more) know
one another, unless the domain is a mail provider or a university. The public
suffixes are the list that the package ``publicsuffixlist`` carries; providers and
universities are the patterns of ``providers.txt`` beside this file, and whatever
lies below an academic suffix such as ``edu``, ``edu.au`` or ``ac.uk``.

Domains are lower-case here, internationalised labels in their ASCII form, without
a trailing dot: the part of ``Address.person`` behind the at sign.
"""

import fnmatch
import functools
import re
from dataclasses import dataclass
from enum import Enum, auto
from importlib.resources import files

_ACADEMIC = frozenset({"edu", "ac"})


@functools.lru_cache(maxsize=16_384)
def organisation_of(domain: str) -> str | None:
    """The registrable domain; None where its people do not know one another."""
    registrable = registrable_domain(domain)
    return None if _is_shared_by_strangers(registrable) else registrable


def is_mail_provider(domain: str) -> bool:
    """Whether anybody can have an address at this domain."""
    registrable = registrable_domain(domain)
    first, _, suffix = registrable.partition(".")
    return _of_sections("mail providers").match(registrable, first, suffix)


def registrable_domain(domain: str) -> str:
    """The public suffix and one label more; the domain itself where it is one.

    The algorithm is that of publicsuffix.org: the longest rule wins, ``!`` is an
    exception from a wildcard, and a name without any rule counts as ``*``.
    """
    if domain.count(".") < 2 or domain.startswith("["):
        # Two labels are registrable or are a suffix themselves; an address literal
        # (RFC 5321 §4.1.3) has no suffix: nothing to look up.
        return domain
    rules = _suffix_rules()
    grandchild = child = rest = domain
    while rest:
        rule = rules.get(rest)
        if rule is _Rule.SUFFIX:
            return child
        if rule is _Rule.WILDCARD:
            return grandchild
        if rule is _Rule.EXCEPTION:
            return rest
        grandchild, child, rest = child, rest, rest.partition(".")[2]
    return grandchild


def is_public_suffix(domain: str) -> bool:
    """Whether strangers register names below this domain, as below ``co.uk``."""
    if "." not in domain:
        return True
    rules = _suffix_rules()
    rule, parent = rules.get(domain), rules.get(domain.partition(".")[2])
    if rule is None:
        return parent is _Rule.WILDCARD
    return rule is not _Rule.EXCEPTION


class _Rule(Enum):
    SUFFIX = auto()
    WILDCARD = auto()
    EXCEPTION = auto()


@functools.cache
def _suffix_rules() -> dict[str, _Rule]:
    """One look-up per label; the package's own functions take five times as long."""
    rules: dict[str, _Rule] = {}
    data = files("publicsuffixlist").joinpath("public_suffix_list.dat")
    for line in data.read_text("utf-8").splitlines():
        name = line.partition(" ")[0].strip().lower()
        if not name or name.startswith("//"):
            continue
        bare = name.removeprefix("*.").removeprefix("!")
        if not bare.isascii():
            bare = bare.encode("idna").decode("ascii")
        if name.startswith("*."):
            rules[bare] = _Rule.WILDCARD
        elif name.startswith("!"):
            rules[bare] = _Rule.EXCEPTION
        else:
            rules.setdefault(bare, _Rule.SUFFIX)
    return rules


@dataclass(frozen=True, slots=True)
class _Patterns:
    """Lines of providers.txt, sorted by how they are looked up."""

    whole: frozenset[str]
    first_labels: frozenset[str]
    by_suffix: dict[str, re.Pattern[str]]

    def match(self, registrable: str, first: str, suffix: str) -> bool:
        """Whether any line is true of the registrable domain, given in two ways."""
        if registrable in self.whole or first in self.first_labels:
            return True
        pattern = self.by_suffix.get(suffix)
        return pattern is not None and pattern.fullmatch(first) is not None


def _is_shared_by_strangers(registrable: str) -> bool:
    first, _, suffix = registrable.partition(".")
    kind, _, country = suffix.partition(".")
    if not registrable or (kind in _ACADEMIC and len(country) <= 2):
        return True
    return _of_sections().match(registrable, first, suffix)


@functools.cache
def _of_sections(*names: str) -> _Patterns:
    """The lines of the named sections together; of all where none is named."""
    lines: dict[str, list[str]] = {}
    text = files(__package__).joinpath("providers.txt").read_text("utf-8")
    for line in text.splitlines():
        if line.startswith("["):
            section = lines.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            section.append(line)
    return _patterns([line for name in names or lines for line in lines[name]])


def _patterns(lines: list[str]) -> _Patterns:
    whole, first_labels = set(), set()
    by_suffix: dict[str, list[str]] = {}
    for line in lines:
        first, _, suffix = line.partition(".")
        if suffix == "*":
            first_labels.add(first)
        elif "*" in first:
            by_suffix.setdefault(suffix, []).append(fnmatch.translate(first))
        else:
            whole.add(line)
    compiled = {
        suffix: re.compile("|".join(firsts)) for suffix, firsts in by_suffix.items()
    }
    return _Patterns(frozenset(whole), frozenset(first_labels), compiled)
