# SPDX-License-Identifier: Apache-2.0
"""Was a mail really sent by its author's domain? What our own mail server found out.

Only the first field of our own server counts (RFC 8601 §5: it removes those that
pretend to be its own). DMARC decides alone (RFC 7489 §4.2); without it DKIM or SPF
has to name the domain of the author, or one of the same organisation.
"""

from collections.abc import Collection, Iterable

from undisclosed.core.address import Address
from undisclosed.core.header import Field
from undisclosed.core.organisations import registrable_domain
from undisclosed.formats.authentication_results import (
    Result,
    parse_authentication_results,
)

_DOMAIN_OF = {
    "dkim": ("header.d", "header.i"),
    "spf": ("smtp.mailfrom", "smtp.from"),
}


def is_authenticated(
    fields: Iterable[Field], author: Address, authserv_ids: Collection[str]
) -> bool:
    """Whether one of our servers found that the author's domain sent the mail.

    An empty name stands for a server that names itself nowhere. Nobody else removes
    such fields, so that only one above all others can be its own.
    """
    given = (one.body for one in fields if one.name == "authentication-results")
    for place, body in enumerate(given):
        found = parse_authentication_results(body.decode("latin-1"))
        if found.authserv_id in authserv_ids and (found.authserv_id or not place):
            return _is_proved(found.results, author)
    return False


def _is_proved(results: tuple[Result, ...], author: Address) -> bool:
    dmarc = [one.result for one in results if one.method == "dmarc"]
    if dmarc and dmarc != ["none"]:
        return "pass" in dmarc
    return any(
        one.result == "pass" and _names(one, author)
        for one in results
        if one.method in _DOMAIN_OF
    )


def _names(result: Result, author: Address) -> bool:
    """Whether the domain that the result is about is the author's (alignment)."""
    for key in _DOMAIN_OF[result.method]:
        value = result.properties.get(key)
        if value:
            domain = Address("x", value.rpartition("@")[2]).person.partition("@")[2]
            own = author.person.rpartition("@")[2]
            return registrable_domain(domain) == registrable_domain(own)
    return False
