# SPDX-License-Identifier: Apache-2.0
"""An address (RFC 5321 §2.3.11) as a person: two spellings of one are equal.

An address never prints itself whole. ``spelled_out`` does, and is easy to
find: it is for envelopes and header fields, never for logs.
"""

import functools
import re
import unicodedata

import idna

LONGEST_NORMALISED = 320
"""Characters up to which a local part or domain is normalised. RFC 5321 §4.5.3.1
allows 64 and 255; Unicode normalisation of longer hostile text is not linear."""

LONGEST_LABEL = 63
"""Characters of one label of a domain (RFC 1035 §2.3.4)."""

_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_WORDS = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BLANKS = re.compile(r"\s+")


@functools.total_ordering
class Address:
    """One mailbox: a local part and a domain, compared as the person behind it.

    ``local_part`` and ``domain`` are kept as they were written. ``person`` is
    what is compared: see ``person_of`` for the reduction. The reduction merges
    only spellings that no mail system tells apart in practice (letter case,
    quoting that is not needed, an internationalised domain in either form,
    a trailing dot); ``ann+news@`` and ``ann@`` stay two.
    Who has made sure of it gives the ``person`` (see ``plain_address``).
    """

    __slots__ = ("_hash", "domain", "local_part", "person")

    def __init__(self, local_part: str, domain: str, person: str | None = None) -> None:
        self.local_part = local_part
        self.domain = domain
        if person is None:
            person = person_of(local_part, domain)
        self.person = person
        self._hash = hash(person)

    def spelled_out(self) -> str:
        """The whole address as written: for envelopes and headers, never logs."""
        return f"{self.local_part}@{self.domain}" if self.domain else self.local_part

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and self.person == other.person

    def __lt__(self, other: "Address") -> bool:
        return self.person < other.person

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return f"{self.local_part[:1]}…@{self.domain}"

    def __repr__(self) -> str:
        return f"<Address {self}>"


def plain_address(local_part: str, domain: str) -> Address:
    """An address in which ``person_of`` would reduce nothing but letter case.

    ASCII without white space, quotes and backslashes, and no dot at the end: whoever
    calls this has seen to it. Most addresses are such; looking twice costs half.
    """
    return Address(local_part, domain, f"{local_part}@{domain}".lower())


def person_of(local_part: str, domain: str) -> str:
    """What two spellings of one person's address have in common.

    The reduction: letters become small; outer white space and a trailing dot of the
    domain go; quotes and backslashes that only protect characters (RFC 5322 §3.2.4)
    go; the local part is compared in Unicode's compatibility form (NFKC: full-width
    letters are letters); a domain is compared by its A-labels (RFC 5890 §2.3.2.1),
    so that both forms of an internationalised name are equal. Never raises.
    """
    whole = f"{local_part}@{domain}"
    if (
        whole.isascii()
        and '"' not in whole
        and "\\" not in whole
        and whole[-1] not in ". \t\r\n"
        and whole[0] > " "
        and " " not in whole
    ):
        return whole.lower()
    return f"{_plain_local_part(local_part)}@{_plain_domain(domain)}"


def _plain_local_part(local_part: str) -> str:
    plain = local_part.strip()
    if len(plain) > LONGEST_NORMALISED:
        return plain.replace('"', "").replace("\\", "").lower()
    if '"' in plain:
        plain = _WORDS.sub(lambda word: word[1], plain)
    if "\\" in plain:
        plain = _QUOTED_PAIR.sub(r"\1", plain)
    if not plain.isascii():
        plain = unicodedata.normalize("NFKC", plain)
    return plain.lower()


@functools.lru_cache(maxsize=1024)
def _plain_domain(domain: str) -> str:
    plain = _BLANKS.sub("", domain)
    if not plain.isascii() and len(plain) <= LONGEST_NORMALISED:
        plain = _a_labels(plain)
    return plain.rstrip(".").lower()


def _a_labels(domain: str) -> str:
    """The domain in A-labels (UTS #46); labels that IDNA refuses as plain Punycode.

    Names with an emoji are no IDNA2008 names, and are in use: both their forms must
    be equal, too.
    """
    try:
        return idna.encode(domain.rstrip(".。"), uts46=True).decode("ascii")
    except (UnicodeError, IndexError, ValueError):
        mapped = unicodedata.normalize("NFKC", domain).lower()
    return ".".join(
        label
        if label.isascii() or len(label) > LONGEST_LABEL
        else "xn--" + label.encode("punycode").decode("ascii")
        for label in re.split("[.。]", mapped)
    )


def parse_addr_spec(text: str) -> Address | None:
    """One address out of ``ann@a.example`` or ``Ann <ann@a.example>``, else None.

    For command lines and policies, where exactly one address is meant (RFC 5322
    §3.4: mailbox). Text that is no addr-spec but has an at sign is reduced the way
    mail systems resolve it: the last ``@`` outside quotes parts local part and
    domain, so ``a@b@c`` is the local part ``a@b`` at ``c``; a source route (RFC 5321
    §4.1.2) is dropped.
    """
    spec = text.strip()
    if spec.endswith(">") and "<" in spec:
        spec = spec[spec.rindex("<") + 1 : -1].strip()
    if spec.startswith("@") and ":" in spec:
        spec = spec[spec.index(":") + 1 :]
    if len(spec) > 2 * LONGEST_NORMALISED:
        return None
    local_part, at_sign, domain = spec.rpartition("@")
    unquoted = _WORDS.sub("", local_part)
    if not (local_part and at_sign and domain) or '"' in unquoted:
        return None
    if re.search(r"[\s,;:<>()\x00-\x1f\x7f]", unquoted + "@" + domain.strip("[]")):
        is_literal = re.fullmatch(r"\[[^\s\[\]]+\]", domain)
        if not is_literal or re.search(r"[\s,;:<>()\x00-\x1f\x7f]", unquoted):
            return None
    return Address(local_part, domain)
