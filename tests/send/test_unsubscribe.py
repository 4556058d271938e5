# SPDX-License-Identifier: Apache-2.0
"""Whoever unsubscribes is left out, once, with the token of their own message alone."""

import pytest

from tests.send.test_returns import TOKENS, make_marketing, reason_of, sent_to, token
from tests.store.campaigns import COLUMNS, NOW, row, set_state
from undisclosed.core.campaign import (
    CampaignState,
    DeliveryState,
    MailKind,
    Sensitivity,
)
from undisclosed.send.tokens import Purpose
from undisclosed.send.unsubscribe import unsubscribe
from undisclosed.store import campaigns, ledger, lists
from undisclosed.store.database import transaction
from undisclosed.store.lists import ListFacts
from undisclosed.store.models import JournalEntry, ReturnedMail


def test_unsubscribing_ends_marketing_and_twice_is_once(database):
    campaign = make_marketing(sent_to(1))
    made = token(campaign, 1, Purpose.UNSUBSCRIBE)

    assert unsubscribe(TOKENS, made, NOW)
    assert unsubscribe(TOKENS, made, NOW)

    assert reason_of(campaign, 1, MailKind.MARKETING) == "unsubscribed"
    assert reason_of(campaign, 1, MailKind.SERVICE) == ""
    assert ReturnedMail.objects.count() == 1


@pytest.mark.parametrize("other", [Purpose.RETURN_PATH, Purpose.MESSAGE_ID])
def test_no_other_token_unsubscribes(database, other):
    campaign = make_marketing(sent_to(1))

    assert not unsubscribe(TOKENS, token(campaign, 1, other), NOW)
    assert reason_of(campaign, 1, MailKind.MARKETING) == ""


def test_who_unsubscribes_after_the_list_is_gone_is_not_mailed_either(database):
    campaign = make_marketing(sent_to(1))
    set_state(campaign, CampaignState.DONE)
    lists.destroy(campaigns.get(campaign).list_id, by="test", now=NOW)

    assert unsubscribe(TOKENS, token(campaign, 1, Purpose.UNSUBSCRIBE), NOW)

    assert reason_of(campaign, 1, MailKind.MARKETING) == "unsubscribed"


def test_who_unsubscribes_from_a_list_that_is_gone_leaves_what_is_being_sent(database):
    gone = make_marketing(sent_to(1))
    made = token(gone, 1, Purpose.UNSUBSCRIBE)
    set_state(gone, CampaignState.DONE)
    found = campaigns.get(gone)
    facts = ListFacts("South", "bin days", Sensitivity.ORDINARY)
    by = found.created_by
    other = lists.create(facts, team=found.team, owner=by, by="test", now=NOW)
    lists.import_rows(
        other, COLUMNS, [row(1)], by="test", now=NOW, shared_domains=frozenset()
    )
    lists.destroy(found.list_id, by="test", now=NOW)
    running = campaigns.create(
        "Parks", team=found.team, kind=MailKind.MARKETING, by=by, now=NOW
    )
    campaigns.change(running, by=by, now=NOW, list_id=other)
    set_state(running, CampaignState.SENDING)
    with transaction() as connection:
        ledger.expand(connection, running, NOW)

    assert unsubscribe(TOKENS, made, NOW)

    assert ledger.counts(running) == {DeliveryState.SUPPRESSED: 1}
    taken = JournalEntry.objects.filter(event="suppressed").latest("pk")
    assert taken.facts["taken_out"] == 1
