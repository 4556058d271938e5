# SPDX-License-Identifier: Apache-2.0
"""The real incidents, replayed through the SMTP endpoint: nobody sees anybody."""

import json
from collections.abc import Iterator

import pytest

from tests.acceptance.incidents import (
    DISTRIBUTION_LIST,
    INCIDENTS,
    SENDER,
    Batch,
    Incident,
    load,
)
from tests.acceptance.running_guard import NOON, OWN_DOMAIN, RunningGuard
from undisclosed.core.address import Address
from undisclosed.core.policy import DistributionList, Policy
from undisclosed.store.models import HeldMail, Mailing

pytestmark = pytest.mark.skipif(
    not INCIDENTS.exists(), reason="../shared/cases is not beside this checkout"
)


@pytest.fixture
def guard_for(database: object) -> Iterator[object]:
    """Makes a guard with the policy that an incident needs."""
    running: list[RunningGuard] = []

    def make(incident: Incident, **limits: int) -> RunningGuard:
        lists = {}
        if incident.members:
            members = tuple(_address(person) for person in incident.members)
            lists[_address(DISTRIBUTION_LIST)] = DistributionList(members)
        policy = Policy(own_domains=frozenset({OWN_DOMAIN}), lists=lists, **limits)
        guard = RunningGuard(policy)
        running.append(guard)
        return guard.__enter__()

    yield make
    for guard in running:
        guard.__exit__()


def _address(text: str) -> Address:
    return Address(*text.split("@"))


def _replay(guard: RunningGuard, incident: Incident) -> list[tuple[int, str]]:
    replies = []
    for batch in incident.batches:
        guard.clock.now = NOON + batch.after
        replies.append(guard.send(SENDER, batch.rcpt_tos, batch.content))
    return replies


def _pairs(batch: Batch) -> int:
    return len(batch.recipients) * (len(batch.recipients) - 1)


@pytest.mark.parametrize("incident", load(), ids=lambda incident: incident.id)
def test_an_incident_is_held_and_nobody_has_seen_anybody(
    guard_for: object, incident: Incident
) -> None:
    guard = guard_for(incident)

    replies = _replay(guard, incident)

    for batch, (code, text) in zip(incident.batches, replies, strict=True):
        if batch.is_hidden:
            assert (code, "Held" in text) == (250, False), text
        elif batch.is_recall:
            assert code == 550, text
        else:
            assert (code, "Held" in text) == (250, True), text
    visible = [b for b in incident.batches if not b.is_hidden and not b.is_recall]
    held = list(HeldMail.objects.order_by("received_at", "disclosures"))
    assert sorted(h.people for h in held) == sorted(len(b.recipients) for b in visible)
    assert sorted(h.disclosures for h in held) == sorted(map(_pairs, visible))
    shown_if_delivered = [b for b in incident.batches if not b.is_hidden]
    assert sum(map(_pairs, shown_if_delivered)) == incident.disclosures
    _nothing_was_shown(guard, incident)


@pytest.mark.parametrize("incident", load(), ids=lambda incident: incident.id)
def test_the_mailings_of_an_incident_count_people_once(
    guard_for: object, incident: Incident
) -> None:
    guard = guard_for(incident)

    _replay(guard, incident)

    held = HeldMail.objects.values_list("mailing_id", flat=True)
    mailings = list(Mailing.objects.filter(id__in=set(held)))
    assert len(mailings) == incident.mailings
    recalled = sum(_pairs(batch) for batch in incident.batches if batch.is_recall)
    found = sum(mailing.disclosures for mailing in mailings)
    assert found == incident.disclosures - recalled
    if incident.people is not None and incident.mailings == 1:
        assert mailings[0].people == incident.people


def _nothing_was_shown(guard: RunningGuard, incident: Incident) -> None:
    """What the hop took shows no member of the audience, whoever received it."""
    for taken in guard.hop.taken:
        for batch in incident.batches:
            for person in batch.recipients:
                assert person.encode() not in taken.content


def test_windrush_with_a_limit_of_200_passes_two_batches_and_holds_three(
    guard_for: object,
) -> None:
    (windrush,) = [i for i in load() if i.id == "UK-WINDRUSH"]
    guard = guard_for(windrush, max_shown_outsiders=200)

    replies = _replay(guard, windrush)

    assert ["Held" in text for _, text in replies] == [False, False, True, True, True]
    assert len(guard.hop.taken) == 2
    (mailing,) = Mailing.objects.filter(
        id__in=set(HeldMail.objects.values_list("mailing_id", flat=True))
    )
    assert (mailing.people, mailing.disclosures, mailing.waves) == (500, 49_500, 5)


def test_every_case_with_a_replay_is_replayed() -> None:
    cases = {case["id"]: case for case in json.loads(INCIDENTS.read_text())["cases"]}

    replayed = {incident.id for incident in load()}

    assert replayed == {name for name, case in cases.items() if case["replay"]}
