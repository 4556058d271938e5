# SPDX-License-Identifier: Apache-2.0
"""One decision, one table of its wordings (RFC 5321 §4.2, RFC 3463).

Every endpoint takes its words from here, so that they cannot drift apart.
"""

import textwrap
from collections.abc import Mapping
from types import MappingProxyType

from undisclosed.core.verdict import Action, Verdict
from undisclosed.transport.milter.responses import Outcome
from undisclosed.transport.smtp.replies import Reply

MAX_LINE = 400
"""Characters of one reply line; RFC 5321 §4.5.3.1.5 allows 512 octets with all else."""
MAX_FINDINGS = 10
"""Findings that are spelled out in one reply; a client shows a few lines at most."""

REPLIES: Mapping[Action, Reply] = MappingProxyType(
    {  # SMTP (RFC 5321 §4.2.3, RFC 3463 §3)
        Action.ACCEPT: Reply(250, ("2.0.0 Accepted",)),
        Action.SPLIT: Reply(250, ("2.0.0 Held, to be sent singly",)),
        Action.HOLD: Reply(250, ("2.0.0 Held for confirmation",)),
        Action.REJECT: Reply(550, ("5.7.1 Refused, nobody has received it",)),
    }
)
"""What a client hears of each action. On accept the next hop's own reply is ours."""

OUTCOMES: Mapping[Action, Outcome] = MappingProxyType(
    {  # milter: a reject is answered with the SMTP reply, and trouble with TROUBLE
        Action.ACCEPT: Outcome.ACCEPT,
        Action.SPLIT: Outcome.DISCARD,
        Action.HOLD: Outcome.DISCARD,
        Action.REJECT: Outcome.REJECT,
    }
)
"""What an MTA that asks as a milter's MTA hears of each action."""

TROUBLE = Reply(451, ("4.3.0 The guard cannot decide now, please try again later",))
"""Our fault, or something is away: the client keeps the mail (RFC 3463 §3.4)."""


def reply_to(verdict: Verdict, hold_id: str | None = None) -> Reply:
    """What the client hears: a refusal says why, a hold under which id it is kept."""
    reply = REPLIES[verdict.action]
    status, _, words = reply.lines[0].partition(" ")
    texts = [words if hold_id is None else f"{words} as {hold_id}"]
    if verdict.action is Action.REJECT:
        texts += [finding.text for finding in verdict.findings[:MAX_FINDINGS]]
    lines = [line for text in texts for line in textwrap.wrap(_plain(text), MAX_LINE)]
    return Reply(reply.code, tuple(f"{status} {line}" for line in lines))


def _plain(text: str) -> str:
    """Printable ASCII: a reply is no place for other letters (RFC 5321 §4.2)."""
    ascii_text = text.encode("ascii", "replace").decode("ascii")
    return "".join(letter if letter.isprintable() else " " for letter in ascii_text)
