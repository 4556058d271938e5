# SPDX-License-Identifier: Apache-2.0
"""What a mail makes of its people: a thread of some, a hidden audience of others."""

from undisclosed.core.disclosure import Reading
from undisclosed.core.known import People
from undisclosed.core.policy import Policy

FEWEST_HIDDEN = 2
"""One person alone is hidden from nobody."""


def thread_of(reading: Reading) -> People:
    """The outsiders whom the mail shows to each other: its writer and its readers.

    The author, where outside, and whoever stands in a destination field. That a mail
    went to all of them is taken from its fields: some mail servers make a transaction
    for each recipient. Other fields show people who may not have got the mail.
    """
    content, sides = reading.content, reading.sides
    read_by = reading.viewers.union(content.destinations)
    people = read_by.intersection(content.in_header)
    if content.author is not None:
        people |= {content.author}
    return frozenset(filter(sides.is_outsider, people))


def hidden_by(reading: Reading, policy: Policy) -> People:
    """The outsiders who get the mail and stand in no field of it; nobody, if alone.

    Only of mail that was written here: who stands behind a list of others, or behind
    an address that forwards, was hidden by somebody else.
    """
    if len(reading.outside_viewers) < FEWEST_HIDDEN:
        return frozenset()
    content = reading.content
    author = content.author
    if policy.own_domains and author and reading.sides.is_outsider(author):
        return frozenset()
    hidden = reading.outside_viewers.difference(content.in_header)
    hidden -= {content.author, content.sender}
    return hidden if len(hidden) >= FEWEST_HIDDEN else frozenset()
