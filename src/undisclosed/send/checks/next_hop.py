# SPDX-License-Identifier: Apache-2.0
"""Check next-hop: is it there, and how long will it take?"""

from collections.abc import Iterator
from datetime import timedelta

from undisclosed.core.campaign import CheckFinding, Weight
from undisclosed.send.checks.check import Once, messages
from undisclosed.send.checks.view import CampaignView, NextHop

NAME = "next-hop"

LONG = timedelta(days=1)
"""A campaign that takes longer is worth a second thought."""


class NextHopRates:
    """The rates that the settings allow, and what the next hop says of itself."""

    name = NAME
    description = "Say how long sending takes with the rates that are set."

    def start(self, view: CampaignView) -> Once:
        """Work it out from the number of people."""
        return Once(tuple(_found(view.next_hop, view.people)))


def duration(hop: NextHop, count: int) -> timedelta | None:
    """How long so many messages take at best; None where no rate is set."""
    rates = ((hop.per_second, 1), (hop.per_minute, 60), (hop.per_hour, 3600))
    seconds = [(count - 1) // rate * per for rate, per in rates if rate]
    return timedelta(seconds=max(seconds)) if seconds else None


def _found(hop: NextHop, count: int) -> Iterator[CheckFinding]:
    if hop.is_post_office:
        sentence = "No next hop is set: the post office of this machine keeps all mail."
        yield CheckFinding(NAME, Weight.NOTE, sentence, "settings guard.next_hop")
    elif hop.answers is False:
        sentence = "The next hop does not answer: nothing could be sent now."
        yield CheckFinding(NAME, Weight.OVERRIDE, sentence, "settings guard.next_hop")
    takes = duration(hop, count) if count else None
    if takes is None:
        if not hop.is_post_office and count:
            sentence = (
                "No rate is set: all leave as fast as the next hop takes them. A "
                "provider with a quota would refuse the rest."
            )
            yield CheckFinding(NAME, Weight.NOTE, sentence, "settings send", (), count)
        return
    weight = Weight.OVERRIDE if takes > LONG else Weight.NOTE
    sentence = f"{messages(count).capitalize()} take {_words(takes)} at the least."
    yield CheckFinding(NAME, weight, sentence, "settings send", (), count)


def _words(takes: timedelta) -> str:
    seconds = takes.total_seconds()
    for name, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"about {seconds / length:,.0f} {name}"
    return "two minutes" if seconds > 60 else "a minute"
