# SPDX-License-Identifier: Apache-2.0
"""What approvers and authors are written, as it arrives in their mailboxes."""

import re
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from tests.console.campaigns import THREE, Office, act, page, state
from tests.console.test_campaigns import approving, digest
from tests.console.world import now
from undisclosed.console.campaigns import wiring
from undisclosed.core.campaign import CampaignState
from undisclosed.send import approval
from undisclosed.store import absence, approvals, campaigns, desk
from undisclosed.store.models import Campaign
from undisclosed.store.roles import Role

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def office(world):
    return Office(world)


def mails(office):
    """Everything that the post office caught by now: who it went to, and the mail."""
    office.world.deliver()
    found = []
    for item in desk.caught().items:
        caught = desk.caught_mail(item.caught_id)
        found.append(message_from_bytes(caught.content, policy=policy.default))
    return found


def to(mail):
    return str(mail["To"]).partition("@")[0]


def body(mail):
    return mail.get_body(("plain",)).get_content()


def link(mail):
    """The path that a mail leads to."""
    (found,) = re.findall(r"https?://[^/\s]+(/\S+)", body(mail))
    return found


def test_each_approver_gets_one_mail_that_names_nobody_and_nothing(office):
    made = office.submitted()

    found = mails(office)

    assert sorted(map(to, found)) == ["cora", "mary", "max"]
    for mail in found:
        assert "A campaign to 3 people" in body(mail)
        assert made[:8] not in str(mail["Subject"])
        assert "waits for your approval" in body(mail)
        for word in ("Bin days", "Sam", "sam@", "North", *sum(THREE, ())):
            assert word not in body(mail) + str(mail["Subject"])
        assert link(mail) == f"/campaigns/{made}/"
        # Nobody is shown to anybody: one mail, one recipient.
        assert str(mail["To"]).count("@") == 1
        assert "Cc" not in mail


def test_looking_at_the_link_decides_nothing_however_often(office):
    made = office.submitted()
    mary, before = office.client("mary"), campaigns.get(made)
    (mail,) = (one for one in mails(office) if to(one) == "mary")

    for method in (mary.get, mary.head, mary.options):
        method(link(mail))
    shown = page(mary, made)

    assert campaigns.get(made) == before
    assert 'action="/campaigns/' in shown
    assert "Approve</button>" in shown
    for step in ("approve", "refuse", "delegate", "submit", "start", "cancel"):
        assert mary.get(f"/campaigns/{made}/{step}/").status_code == 405


def test_the_reminder_goes_to_those_alone_who_have_not_decided(office):
    made = office.submitted()
    approving(office.client("mary"), made, "supervisor")
    before = len(mails(office))

    early = approval.remind(wiring.asking(), wiring.approval_policy(), now())
    Campaign.objects.filter(pk=made).update(asked_at=now() - timedelta(hours=25))
    times = approval.remind(wiring.asking(), wiring.approval_policy(), now())

    new = mails(office)[:-before]
    assert (early, times) == (0, 1)
    assert sorted(map(to, new)) == ["cora", "max"]


def test_two_workers_remind_once(office):
    made = office.submitted()
    later = now() + timedelta(hours=25)
    waiting = approvals.waiting(later, after=timedelta(hours=24), most=3)

    with_both = [
        approval.remind(wiring.asking(), wiring.approval_policy(), later)
        for _ in range(2)
    ]

    assert waiting == [made]
    assert with_both == [1, 0]


def test_the_author_is_told_that_it_was_refused_and_reads_why_on_the_page(office):
    made = office.submitted()
    form = {"digest": digest(made), "role": "manager", "reason": "The week is wrong."}
    before = len(mails(office))

    act(office.client("max"), made, "refuse", **form)
    (told,) = mails(office)[:-before]

    assert to(told) == "sam"
    assert "was not approved" in body(told)
    assert "week is wrong" not in told.as_string()
    assert "The week is wrong." in office.client("sam").get(link(told)).content.decode()
    assert state(made) is CampaignState.DRAFT


def test_whoever_wrote_it_is_told_as_well_as_whoever_submitted_it(office):
    pat = office.member("pat", Role.SENDER)
    made = office.checked()
    approval.submit(
        made,
        wiring.approval_policy(),
        wiring.sides(),
        wiring.asking(),
        by=pat.pk,
        now=now(),
    )
    before = len(mails(office))
    form = {"digest": digest(made), "role": "manager", "reason": "No."}

    act(office.client("max"), made, "refuse", **form)

    assert sorted(map(to, mails(office)[:-before])) == ["pat", "sam"]


def test_who_is_away_hands_it_on_and_the_colleague_decides(office):
    pat = office.member("pat", Role.SENDER)
    mia = office.member("mia", Role.SUPERVISOR)
    mary = office.people["mary"]
    absence.declare(str(mary.pk), now() + timedelta(days=9), by="test", now=now())

    made = office.submitted()
    first = sorted(map(to, mails(office)))
    mia_s = office.world.client_of(mia)
    form = {"digest": digest(made), "role": "supervisor", "to": str(pat.pk)}
    act(mia_s, made, "delegate", **form)
    (asked,) = mails(office)[: -len(first)]
    answer = approving(office.world.client_of(pat), made, "supervisor")

    assert first == ["cora", "max", "mia"]
    assert to(asked) == "pat"
    assert answer.status_code == 302
    assert "away" in page(mia_s, made) or "Pat" in page(mia_s, made)


def test_where_all_of_a_role_are_away_all_of_them_are_asked(office):
    mary = office.people["mary"]
    absence.declare(str(mary.pk), now() + timedelta(days=9), by="test", now=now())

    office.submitted()

    assert "mary" in map(to, mails(office))


def test_the_last_consent_tells_the_author(office):
    made = office.submitted()
    before = len(mails(office))

    for name, role in (
        ("mary", "supervisor"),
        ("max", "manager"),
        ("cora", "communications"),
    ):
        approving(office.client(name), made, role)
    (told,) = mails(office)[:-before]

    assert to(told) == "sam"
    assert "is approved" in body(told)
