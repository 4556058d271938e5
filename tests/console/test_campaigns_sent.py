# SPDX-License-Identifier: Apache-2.0
"""The pages of a campaign from its start on: steering, what is seen, what is left."""

import zipfile
from datetime import timedelta

import psycopg
import pytest

from tests.console.campaigns import Office, act, page, state
from tests.console.world import now
from tests.store.refusing import refusing
from undisclosed.console.campaigns import wiring
from undisclosed.core.campaign import CampaignState, DeliveryState
from undisclosed.send import proof_verifier
from undisclosed.store import campaigns, ledger, lists, retention, seeds
from undisclosed.store.ledger import Marked
from undisclosed.store.models import JournalEntry

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def office(world):
    return Office(world)


def test_a_list_that_was_imported_anew_is_checked_anew_and_can_be_sent(office):
    made, sam = office.checked(), office.client("sam")
    found = campaigns.get(made)
    rows = list(lists.rows(found.list_id))[:2]
    lists.import_rows(found.list_id, ("Email", "Name"), rows, by="t", now=now())

    stale = act(sam, made, "submit")
    act(sam, made, "check")
    for one in {one.check for one in campaigns.get(made).findings}:
        act(sam, made, f"override/{one}", reason="It is right.")
    act(sam, made, "submit")
    office.approve(made)
    act(sam, made, "start")

    assert stale.status_code == 409
    assert state(made) is CampaignState.SENDING
    assert ledger.counts(made) == {DeliveryState.QUEUED: 2}


def test_it_is_sent_paused_and_cancelled_by_hand(office):
    made, sam = office.submitted(), office.client("sam")
    office.approve(made)

    act(sam, made, "start")
    act(sam, made, "pause")
    paused = campaigns.get(made)
    act(sam, made, "resume")
    act(sam, made, "cancel")

    assert (paused.state, paused.paused_because) == (
        CampaignState.PAUSED,
        "Paused by hand.",
    )
    assert state(made) is CampaignState.CANCELLED
    assert ledger.counts(made) == {DeliveryState.FAILED: 3}


def test_a_long_list_is_begun_by_a_worker(office, monkeypatch):
    monkeypatch.setattr(wiring, "AT_ONCE", 2)
    made = office.submitted()
    office.approve(made)

    act(office.client("sam"), made, "start")

    found = campaigns.get(made)
    assert found.state is CampaignState.SCHEDULED
    assert found.not_before <= now()
    assert campaigns.due(now()) == [made]


def test_it_is_scheduled_in_the_organisations_time(office):
    made, sam = office.submitted(), office.client("sam")
    office.approve(made)
    times = {"not_before": "2090-01-02T09:00", "not_after": "2090-01-01T09:00"}

    backwards = act(sam, made, "schedule", **times)
    act(sam, made, "schedule", not_before=times["not_before"])

    assert backwards.status_code == 400
    assert "It ends before it begins." in backwards.content.decode()
    found = campaigns.get(made)
    assert found.state is CampaignState.SCHEDULED
    assert f"{found.not_before:%F %H:%M}" == "2090-01-02 09:00"


def sent(made, *numbers, state=DeliveryState.SENT):
    claimed = ledger.claim(
        made, by="w", limit=3, lease=now() - now().replace(year=2000), now=now()
    )
    wanted = [one.number for one in claimed if one.number in numbers]
    ledger.begin(made, wanted, by="w", now=now())
    outcomes = [Marked(number, state, 250) for number in wanted]
    if state is not DeliveryState.IN_DOUBT:
        ledger.mark(made, outcomes, now())
    ledger.give_back(made, by="w")


def test_the_live_page_says_where_the_messages_are(office):
    made, sam = office.sending(), office.client("sam")
    sent(made, 1, 2)
    fragment = sam.get(f"/campaigns/{made}/progress/", headers={"HX-Request": "true"})

    shown = page(sam, made)

    assert "2 of 3 messages sent." in shown
    assert "<caption>Over time</caption>" in shown
    assert "all others" in shown
    assert "hx-get" in fragment.content.decode()
    assert sam.get(f"/campaigns/{made}/progress/").status_code == 302


def test_what_is_in_doubt_is_decided_by_a_person(office):
    made, sam = office.sending(), office.client("sam")
    sent(made, 1, state=DeliveryState.IN_DOUBT)
    ledger_before = ledger.counts(made)
    campaigns.pause(made, "1 are in doubt.", by="worker", now=now())
    with_lease = page(sam, made)
    free_leases()

    act(sam, made, "doubt/sent")

    assert ledger_before[DeliveryState.IN_DOUBT] == 1
    assert "it is unknown whether it left" in with_lease
    assert ledger.counts(made)[DeliveryState.SENT] == 1
    assert state(made) is CampaignState.SENDING
    assert act(sam, made, "doubt/nonsense").status_code == 404


def test_what_is_in_doubt_stays_so_where_the_campaign_cannot_go_on(office):
    made, sam = office.sending(), office.client("sam")
    sent(made, 1, state=DeliveryState.IN_DOUBT)
    campaigns.pause(made, "1 are in doubt.", by="worker", now=now())
    free_leases()
    page(sam, made)

    with refusing("store_campaign"), pytest.raises(psycopg.errors.RaiseException):
        act(sam, made, "doubt/sent")
    refused = ledger.counts(made)
    act(sam, made, "doubt/sent")

    assert refused[DeliveryState.IN_DOUBT] == 1
    assert ledger.counts(made)[DeliveryState.SENT] == 1
    assert JournalEntry.objects.filter(event="doubt decided").count() == 1


def free_leases():
    from undisclosed.store.database import database

    with database() as connection:
        connection.run("UPDATE store_delivery SET lease_until = NULL")


def test_the_proof_is_a_file_that_verifies_and_names_nobody(office, tmp_path):
    made, file = office.sending(), tmp_path / "proof.zip"
    sent(made, 1, 2)
    act(office.client("sam"), made, "cancel")

    answer = act(office.client("mary"), made, "proof")
    file.write_bytes(b"".join(answer.streaming_content))

    assert "proof-" in answer["Content-Disposition"]
    with zipfile.ZipFile(file) as archive:
        proof = archive.read("proof.jsonl")
    assert b"@" not in proof
    assert proof_verifier.main([str(file)]) == 0
    assert b'"sent":2' in proof
    assert act(office.client("sam"), office.drafted(), "proof").status_code == 404


def test_what_ended_long_ago_is_forgotten_and_its_page_still_opens(office):
    made, sam = office.sending(), office.client("sam")
    act(sam, made, "cancel")
    later = now() + wiring.wiring.settings().send.keep + timedelta(days=1)

    retention.purge(wiring.wiring.settings(), now())
    kept = campaigns.text_of(made)
    retention.purge(wiring.wiring.settings(), later)
    sam = office.client("sam")  # sessions are over, too

    assert kept is not None
    assert campaigns.text_of(made) is None
    assert "It is cancelled" in page(sam, made)
    assert "3 failed" in page(sam, made)
    assert act(sam, made, "proof").status_code == 404
    assert "campaign forgotten" in office.world.events()


def paused_for_its_seeds(office) -> str:
    """A campaign whose first seeds did not come back as they left."""
    made = office.submitted()
    office.approve(made)
    act(office.client("sam"), made, "start")
    seeds.begin(made, 1, messages=2, now=now())
    said = ["The text differs."]
    seeds.end(made, 1, messages=2, different=1, findings=said, now=now())
    return made


def test_whoever_answers_for_seeds_that_differ_lets_it_go_on(office):
    made, sam = paused_for_its_seeds(office), office.client("sam")
    shown = page(sam, made)

    without = act(sam, made, "seeds/accept", reason="")
    before = state(made)
    act(sam, made, "seeds/accept", reason="Our gateway adds a line below.")

    assert "1 of 2 seeds did not come back as they left. The text differs." in shown
    assert "Answer for it and go on" in shown
    assert (without.status_code, before) == (302, CampaignState.PAUSED)
    assert state(made) is CampaignState.SENDING
    assert seeds.of(made).state is seeds.SeedState.ACCEPTED


def test_seeds_that_are_right_need_no_answer(office):
    made, sam = office.submitted(), office.client("sam")
    office.approve(made)
    act(sam, made, "start")
    act(sam, made, "pause")

    refused = act(sam, made, "seeds/accept", reason="It is right.")

    assert refused.status_code == 409
    assert state(made) is CampaignState.PAUSED
    assert "Answer for it and go on" not in page(sam, made)


def test_who_does_not_steer_answers_for_nothing(office):
    made = paused_for_its_seeds(office)

    refused = act(office.client("cora"), made, "seeds/accept", reason="It is right.")

    assert refused.status_code == 403
    assert state(made) is CampaignState.PAUSED
