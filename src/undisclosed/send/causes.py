# SPDX-License-Identifier: Apache-2.0
"""Why a message was not delivered, and whether that will last.

Status codes (RFC 3463) say it where they are written with care; many servers write
5.0.0 or 5.7.1 above a sentence that says more. The sentences are tried first, most
telling ones before general ones; then the status.
"""

import re
from typing import Final

from undisclosed.core.returns import Cause

LONGEST: Final = 4_000
"""Characters of a reply in which sentences are looked for."""


_SENTENCES: Final = tuple(
    (cause, re.compile("|".join(sentences), re.IGNORECASE))
    for cause, sentences in (
        (
            # About us, whatever it says of addresses and domains.
            Cause.REFUSED,
            (
                r"sender(?:'s)? (?:address|domain)|domain of sender|from address",
                r"\bhelo\b|\behlo\b|reverse dns|\bptr\b|authentication (?:check|fail)",
                r"\bspf\b|\bdkim\b|\bdmarc\b",
                r"my name was rejected",  # what qmail writes where its HELO was
            ),
        ),
        (
            Cause.FULL,
            (
                r"over\s?quota",
                r"quota (?:has been )?exceed",
                r"exceed\w* (?:\w+ ){0,4}quota",
                r"mailbox (?:is |size )?(?:full|limit exceeded)",
                r"(?:mail)?box is full",
                r"out of (?:storage|disk) space",
                r"insufficient (?:\w+ )?(?:storage|disk)",
                r"not enough (?:storage|disk) space",
                r"too many messages in (?:the )?mailbox",
            ),
        ),
        (
            Cause.TOO_LARGE,
            (
                r"message (?:\w+ ){0,4}too (?:large|big)",
                r"message size exceeds",
                r"exceed\w* (?:\w+ ){0,4}(?:message size|size limit)",
                r"size limit",
            ),
        ),
        (
            Cause.MOVED,
            (
                r"has moved to",
                r"user not local; please try",
                r"is now at\b",
                r"no longer (?:at|with|works|employed)",
            ),
        ),
        (
            Cause.NO_DOMAIN,
            (
                r"(?:host|domain)(?: \S+)? (?:was )?not found",
                r"host (?:or domain )?name not found",
                r"(?:host|domain) unknown",
                r"unknown (?:host|domain)",
                r"no such (?:host|domain)",
                r"(?:invalid|bad) (?:domain|destination host)",
                r"couldn'?t find any host named",
                r"can'?t find (?:any )?(?:host|domain)",
                r"name (?:service|server) error",
                r"no mx (?:record|or a record)",
                r"illegal host/domain name",
                r"domain (?:\S+ )?does not exist",
                r"hostname/name not",
                r"not accepting network messages",  # RFC 3463 §3.4, 5.3.2
                r"indicated no (?:smtp|mail) service",  # RFC 7505
            ),
        ),
        (
            Cause.REFUSED,
            (
                r"\bspam\b",
                r"(?:black|block)[ -]?list|\brbl\b|dnsbl",
                r"spamhaus|spamcop|barracuda",
                r"virus",
                r"sender (?:\w+ ){0,3}(?:rejected|denied|blocked)",
                r"(?:relay|relaying)(?: access)? (?:is )?(?:denied|not permitted)",
                r"unable to relay|not permitted to relay|relaying denied",
                r"reputation",
                r"administrative(?:ly)? (?:prohibit|denied|reject)",
                r"content (?:\w+ ){0,3}reject",
                r"rejected (?:\w+ ){0,4}(?:policy|content)",
            ),
        ),
        (
            Cause.NO_MAILBOX,
            (
                r"(?:user|recipient|mailbox|address|account|addressee|name)"
                r"(?: \S+){0,3} (?:is |was )?(?:unknown|not found|invalid"
                r"|nonexistent|non-existent|does not exist|doesn'?t exist)",
                r"unknown (?:or illegal )?(?:user|recipient|local|address|mailbox"
                r"|account|alias)",
                r"(?:no|not an?) (?:such|valid|known|active) ?"
                r"(?:local )?(?:user|recipient|mailbox|address|person|account|alias)",
                r"invalid (?:\w+ )?(?:user|recipient|mailbox|address|account)",
                r"(?:user|mailbox|account|recipient)(?: \S+){0,3} "
                r"(?:is |has been |was )?(?:disabled|inactive|deactivated|suspended"
                r"|terminated|closed|deleted|discontinued|expired|not active"
                r"|unavailable)",
                r"(?:don'?t|doesn'?t|does not|do not) have (?:an?|any) (?:\S+ )?"
                r"(?:account|user|mailbox)",
                r"(?:doesn'?t|does not) exist",
                r"not listed in",
                r"no mailbox (?:here|found|by that name)",
                r"not a (?:known|valid|local|registered) (?:user|recipient|mailbox)",
                r"no one (?:here )?by that name|nobody by that name",
                r"rejected address|bad (?:destination )?(?:mailbox|address)"
                r"|undeliverable address|bad recipient",
                r"mailbox (?:not|cannot be) (?:found|accessed)",
                r"unrouteable address",
                r"recipnotfound|resolver\.adr",
                r"not our customer|user not known|user unknown|no user\b",
                r"could not be found|unable to locate",
                r"this (?:address|user) no longer",
                r"no longer (?:valid|accepts|available)",
                r"cannot find (?:the )?(?:user|recipient|account)",
                # What Exchange Online says where nobody of its directory is meant.
                r"5\.4\.1 \S+ recipient address rejected: access denied",
            ),
        ),
        (
            Cause.UNREACHABLE,
            (
                r"timed? ?out|timeout",
                r"connection (?:refused|reset|lost|dropped)",
                r"(?:network|host) (?:is )?unreachable|no route to host",
                r"delivery (?:time )?expired|retry time(?:out)?|retries exhausted",
                r"temporar(?:y|ily)",
                r"greylist",
                r"too many hops|mail loop|loops? back",
                r"receiving mail at a rate|too many connections|rate limit",
            ),
        ),
        # Postfix writes it before every reason of its own.
        (Cause.NO_MAILBOX, (r"recipient address rejected:? *(?:$|\()",)),
    )
)
_STATUSES: Final = (
    (re.compile(r"[45]\.1\.[016]$|[45]\.1\.10$|5\.2\.1$"), Cause.NO_MAILBOX),
    (re.compile(r"[45]\.1\.2$|5\.4\.4$|5\.4\.310$"), Cause.NO_DOMAIN),
    (re.compile(r"[45]\.1\.3$"), Cause.NO_MAILBOX),
    (re.compile(r"[45]\.2\.2$"), Cause.FULL),
    (re.compile(r"[45]\.2\.3$|[45]\.3\.4$"), Cause.TOO_LARGE),
    (re.compile(r"[45]\.7\.|[45]\.6\.|5\.1\.[78]$"), Cause.REFUSED),
    (re.compile(r"[45]\.4\.|4\.3\."), Cause.UNREACHABLE),
)
_CERTAIN: Final = re.compile(
    r"5\.1\.[12678]$|5\.1\.10$|[45]\.2\.[23]$|[45]\.3\.4$|[45]\.7\.\d\d"
)
"""Statuses that nobody writes without meaning them."""

_OVER_QUOTA: Final = re.compile(r"over\s?quota", re.IGNORECASE)


def cause_of(status: str, text: str) -> Cause:
    """The cause that a status code and the words beside it tell of."""
    by_status = next(
        (cause for known, cause in _STATUSES if known.match(status)), Cause.OTHER
    )
    words = " ".join(text[:LONGEST].split())
    # Who is over quota is there, whatever status stands beside it.
    if _CERTAIN.match(status) and not _OVER_QUOTA.search(words):
        return by_status
    for cause, sentences in _SENTENCES:
        if sentences.search(words):
            return cause
    return by_status
