# SPDX-License-Identifier: Apache-2.0
"""What the checks are told about the next hop, asked of one that answers."""

import asyncio
from dataclasses import replace

import pytest

from undisclosed.console.campaigns import outside
from undisclosed.store.settings import HostPort, load
from undisclosed.transport.smtp.testing import EVERYTHING, FakeHop, Fault, Script


def settings_with(port):
    made = load(None, {"UNDISCLOSED_MASTER_KEY": "00" * 32})
    hop = HostPort("127.0.0.1", port) if port else None
    return replace(made, guard=replace(made.guard, next_hop=hop))


def asked(offers=EVERYTHING, script=None):
    async def ask():
        async with FakeHop(offers, script) as hop:
            facts = await asyncio.to_thread(outside.next_hop, settings_with(hop.port))
            return facts, hop.verbs()

    return asyncio.run(ask())


def test_the_next_hop_says_how_much_it_takes_and_is_left_politely():
    facts, verbs = asked(("SIZE 1000", "SMTPUTF8"))

    assert (facts.longest, facts.has_utf8, facts.answers) == (1000, True, True)
    assert verbs == ["EHLO", "QUIT"]


@pytest.mark.parametrize("offers", [("SIZE 0",), ("SIZE",), ()])
def test_a_hop_without_a_limit_has_none(offers):
    facts, _ = asked(offers)

    assert (facts.longest, facts.has_utf8, facts.answers) == (None, False, True)


@pytest.mark.parametrize("greeting", ["554 no", Fault.CLOSE], ids=["refuses", "closes"])
def test_a_hop_that_does_not_answer_is_said_to(greeting):
    facts, _ = asked(script=Script(greeting=greeting))

    assert facts.answers is False


def test_without_a_next_hop_nobody_is_asked():
    facts = outside.next_hop(settings_with(0))

    assert facts.is_post_office
    assert facts.answers is None
    assert outside.resolver(settings_with(0)) is None
    assert outside.resolver(settings_with(25)) is not None
