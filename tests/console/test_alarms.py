# SPDX-License-Identifier: Apache-2.0
"""What every page says when something is wrong: a bypass, mail that waits too long.

And being away: until a day the next in line is asked.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from tests.console.world import World, message, now, outsiders
from undisclosed.console import wiring
from undisclosed.store import absence, bypass
from undisclosed.store.models import HeldMail, Role

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def world(database):
    return World(database)


def test_a_bypass_is_said_on_every_page_to_who_reads_all_mail(world):
    bypass.start(
        by="command line", reason="Outage.", lasts=timedelta(hours=2), now=now()
    )
    approver, sender = (
        world.client(Role.SUPERVISOR),
        world.client(Role.SENDER, login="sue@council.example", name="Sue"),
    )

    assert "A bypass is on until" in approver.get("/mailings/").content.decode()
    assert "A bypass is on" not in sender.get("/mailings/").content.decode()
    bypass.end(by="command line", now=now())
    assert "A bypass is on" not in approver.get("/mailings/").content.decode()


def test_a_bypass_that_nobody_ended_is_said_louder(world):
    bypass.start(
        by="command line",
        reason="Outage.",
        lasts=timedelta(hours=2),
        now=now() - timedelta(hours=3),
    )

    page = world.client(Role.AUDITOR).get("/mailings/").content.decode()

    assert "The time of the bypass is over" in page


def test_mail_that_waits_too_long_is_an_alarm(world):
    world.hold(message(outsiders(9)))
    client = world.client(Role.SUPERVISOR)
    early = client.get("/observed/").content.decode()
    HeldMail.objects.update(received_at=now() - timedelta(hours=30))

    late = client.get("/observed/").content.decode()

    assert "has waited" not in early
    assert "Held mail has waited 30 hours for a decision." in late


def test_the_age_of_the_alarm_is_a_setting(world):
    world.hold(message(outsiders(9)))
    HeldMail.objects.update(received_at=now() - timedelta(hours=30))
    given = wiring.settings()
    patient = replace(given.holds, alarm_after=timedelta(hours=48))

    with override_settings(UNDISCLOSED=replace(given, holds=patient)):
        page = world.client(Role.SUPERVISOR).get("/observed/").content.decode()

    assert "has waited" not in page


def test_somebody_is_away_and_comes_back(world):
    account = world.account(Role.SUPERVISOR, login="ann@council.example", name="Ann")
    client = world.client_of(account)
    day = timezone.localdate() + timedelta(days=3)

    away = client.post("/absence/", {"until": day.isoformat()}, follow=True)
    while_away = absence.away(now())
    back = client.post("/absence/", {"until": ""}, follow=True)

    assert "You are away until" in away.content.decode()
    assert {one.spelled_out() for one in while_away} == {"ann@council.example"}
    assert not absence.away(now() + timedelta(days=5))
    assert "You are here." in back.content.decode()
    assert not absence.away(now())
    assert {"absence declared", "absence ended"} <= set(world.events())


@pytest.mark.parametrize("days", [-1, 400])
def test_a_day_that_is_past_or_too_far_is_refused(world, days):
    day = timezone.localdate() + timedelta(days=days)

    answer = world.client(Role.SENDER).post("/absence/", {"until": day.isoformat()})

    assert answer.status_code == 400
    assert not absence.away(now())


def test_nobody_is_away_without_logging_in(world):
    answer = Client().post("/absence/", {"until": "2030-01-01"})

    assert answer.status_code == 302
    assert not absence.away(now())
