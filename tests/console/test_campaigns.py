# SPDX-License-Identifier: Apache-2.0
"""The pages of campaigns: written, checked, approved by others, sent, followed."""

import re

import pytest
from django.test import Client

from tests.console.campaigns import THREE, Office, act, page, state
from tests.console.world import message, now, outsiders
from undisclosed.console.campaigns import wiring
from undisclosed.core.campaign import (
    Attached,
    CampaignState,
    CheckFinding,
    Sensitivity,
    Weight,
)
from undisclosed.send import approval
from undisclosed.store import approvals, campaigns, lists
from undisclosed.store.models import Account, Campaign, OutgoingMail, Role

pytestmark = pytest.mark.usefixtures("database")

WRITTEN = {
    "kind": "service",
    "author_name": "Bins",
    "author": "bins@council.example",
    "reply_to": "",
    "subject": "Your bin day",
    "markdown": "Dear {{ name }},\n\nit is Monday.\n",
    "per_minute": "0",
    "in_doubt": "ask",
}


@pytest.fixture
def office(world):
    return Office(world)


def digest(made):
    return campaigns.get(made).digest.hex()


def approving(client, made, role, **changed):
    form = {"digest": digest(made), "role": role, "has_seen": "on", **changed}
    return act(client, made, "approve", **form)


def test_a_campaign_is_made_written_checked_and_submitted_by_its_pages(office):
    sam, chosen = office.client("sam"), office.list_of(*THREE)
    answer = sam.post(
        "/campaigns/new/", {"name": "Bins", "team": office.team.pk, "kind": "service"}
    )
    made = answer["Location"].split("/")[2]
    act(sam, made, "write", name="Bins", recipients=chosen.pk, **WRITTEN)

    preview = page(sam, made, "preview/?row=2")
    act(sam, made, "check")
    for found in campaigns.get(made).findings:
        if found.weight is Weight.OVERRIDE:
            act(sam, made, f"override/{found.check}", reason="It is right.")
    act(sam, made, "submit")

    assert "Your bin day" in preview
    assert "Row 2 of the list" in preview
    assert state(made) is CampaignState.SUBMITTED
    assert "campaign submit" in office.world.events()


def test_three_people_approve_and_nobody_approves_their_own(office):
    made = office.submitted()
    own = approving(office.client("sam"), made, "supervisor")
    before = state(made)

    for name, role in (("mary", "supervisor"), ("max", "manager")):
        assert approving(office.client(name), made, role).status_code == 302
    still = state(made)
    approving(office.client("cora"), made, "communications")

    assert own.status_code == 409
    assert "Nobody approves" in own.content.decode()
    assert (before, still) == (CampaignState.SUBMITTED, CampaignState.SUBMITTED)
    assert state(made) is CampaignState.APPROVED


def test_the_maker_cannot_approve_even_with_the_role(office):
    sam = office.people["sam"]
    sam.memberships.update(roles=[role.value for role in Role])
    made = office.submitted()

    answer = approving(office.client("sam"), made, "supervisor")

    assert answer.status_code == 409
    assert "Approve</button>" not in page(office.client("sam"), made)
    assert not campaigns.consents(made, campaigns.get(made).digest)


def test_nobody_approves_what_they_did_not_look_at(office):
    made = office.submitted()
    mary = office.client("mary")

    unread = act(
        mary, made, "approve", digest=digest(made), role="supervisor"
    ).status_code
    other = approving(mary, made, "supervisor", digest="00" * 32).status_code
    wrong = approving(mary, made, "manager").status_code

    assert (unread, other, wrong) == (400, 409, 403)
    assert state(made) is CampaignState.SUBMITTED


def test_one_person_decides_once_whatever_their_roles(office):
    mary = office.people["mary"]
    mary.memberships.update(roles=["supervisor", "manager"])
    made = office.submitted()

    approving(office.client("mary"), made, "supervisor")
    again = approving(office.client("mary"), made, "manager")

    assert again.status_code == 409
    assert state(made) is CampaignState.SUBMITTED


def test_a_change_voids_every_approval(office):
    made = office.submitted()
    office.approve(made)

    changed = {**WRITTEN, "markdown": "Dear {{ name }},\n\nit is Tuesday.\n"}
    chosen = campaigns.get(made).list_id
    act(office.client("sam"), made, "write", name="B", recipients=chosen, **changed)

    found = campaigns.get(made)
    shown = page(office.client("sam"), made)
    assert (found.state, found.digest, found.needs) == (CampaignState.DRAFT, None, ())
    assert "What changed since it was last approved" in shown
    assert "<ins>it is Tuesday.</ins>" in shown
    assert "<del>your bin day is **Monday**.</del>" in shown


def test_a_list_that_was_imported_anew_is_not_what_was_submitted(office):
    made = office.submitted()
    found = campaigns.get(made)
    rows = list(lists.rows(found.list_id))[:2]
    lists.import_rows(found.list_id, ("Email", "Name"), rows, by="t", now=now())

    answer = approving(office.client("mary"), made, "supervisor")

    assert answer.status_code == 409
    assert "was changed meanwhile" in answer.content.decode()
    assert not campaigns.consents(made, found.digest)


def test_a_refusal_needs_a_reason_and_makes_a_draft(office):
    made = office.submitted()
    form = {"digest": digest(made), "role": "manager"}
    max_ = office.client("max")

    without = act(max_, made, "refuse", **form)
    act(max_, made, "refuse", reason="The date is wrong.", **form)

    assert without.status_code == 400
    assert state(made) is CampaignState.DRAFT
    assert "The date is wrong." in page(office.client("sam"), made)


def test_an_approver_hands_the_decision_on(office):
    pat = office.member("pat", Role.SENDER)
    made = office.submitted()
    form = {"digest": digest(made), "role": "supervisor"}

    act(office.client("mary"), made, "delegate", to=str(pat.pk), **form)
    to_own = act(
        office.client("mary"),
        made,
        "delegate",
        to=str(office.people["sam"].pk),
        **form,
    )
    answer = approving(office.world.client_of(pat), made, "supervisor")

    assert to_own.status_code == 409
    assert answer.status_code == 302
    given = campaigns.consents(made, campaigns.get(made).digest)
    assert [(role, by) for role, by, _ in given] == [("supervisor", pat.pk)]
    assert "approval delegated" in office.world.events()


def test_the_approvers_are_written_to_and_no_mail_names_the_campaign(office):
    office.submitted()
    office.world.deliver()

    client = office.world.client(Role.SUPERVISOR)
    caught = client.get("/post-office/").content.decode()

    assert OutgoingMail.objects.count() == 3
    assert "waits for your approval" in caught
    assert "Bin days" not in caught


def test_reminders_are_written_a_few_times_and_then_no_more(office):
    made = office.submitted()
    policy = approval.ApprovalPolicy(remind_after=now() - now(), reminders=2)

    times = [approval.remind(wiring.asking(), policy, now()) for _ in range(4)]

    assert times == [1, 1, 0, 0]
    assert campaigns.get(made).reminders == 2
    assert OutgoingMail.objects.count() == 9


def test_whoever_is_away_is_asked_only_where_nobody_else_could_be(office):
    mia = office.member("mia", Role.SUPERVISOR)
    Account.objects.filter(pk=mia.pk).update(absent_until=now().replace(year=2090))

    made = office.submitted()

    found = approvals.approvers(campaigns.get(made), now())
    assert {one.name for one in found if one.is_away} == {"Mia"}
    assert OutgoingMail.objects.count() == 3


def test_the_data_protection_officer_approves_a_special_list_of_any_team(office):
    chosen = office.list_of(*THREE, sensitivity=Sensitivity.SPECIAL)
    made = office.submitted(chosen)
    dpo = office.world.client(Role.DPO, login="dora@council.example", name="Dora")

    office.approve(made)
    before = state(made)
    approving(dpo, made, "dpo")

    assert before is CampaignState.SUBMITTED
    assert state(made) is CampaignState.APPROVED


def test_a_team_on_trial_mails_itself_without_approval_and_nobody_else(world):
    office = Office(world, is_trial=True)
    own = office.list_of(("sam@council.example", "Sam"))
    other = office.checked(office.list_of(*THREE))

    mine = office.checked(own)
    act(office.client("sam"), mine, "submit")
    answer = act(office.client("sam"), other, "submit")

    assert state(mine) is CampaignState.APPROVED
    assert answer.status_code == 409
    assert "its own members only" in answer.content.decode()
    assert state(other) is CampaignState.CHECKED


def test_a_team_on_trial_sends_fifty_in_a_day(world):
    office = Office(world, is_trial=True)
    made = office.checked(office.list_of(("sam@council.example", "Sam")))
    Campaign.objects.filter(pk=made).update(started_at=None)
    busy = office.checked(office.list_of(("mary@council.example", "Mary")))
    Campaign.objects.filter(pk=busy).update(started_at=now(), recipients=50)

    answer = act(office.client("sam"), made, "submit")

    assert answer.status_code == 409
    assert "fifty messages" in answer.content.decode()


def test_what_stops_cannot_be_answered_for_and_the_rest_needs_a_reason(office):
    made, sam = office.drafted(), office.client("sam")
    found = (
        CheckFinding("dates", Weight.OVERRIDE, "A date is over.", "text"),
        CheckFinding("fields", Weight.STOP, "Row 2 has no name.", "text", (2,), 1),
    )
    content = approval.content_of(campaigns.get(made))
    by = office.people["sam"].pk
    approval.record_checks(made, content, found, by=by, now=now())

    stopped = act(sam, made, "override/fields", reason="I want it.")
    act(sam, made, "override/dates", reason="")
    silent = approvals.overrides(made, campaigns.get(made).checked_digest)
    act(sam, made, "override/dates", reason="It is history.")
    submitted = act(sam, made, "submit")

    assert stopped.status_code == 409
    assert not silent
    assert "Sam answers for it: It is history." in page(sam, made)
    assert submitted.status_code == 409
    assert state(made) is CampaignState.CHECKED


def test_values_are_masked_until_somebody_with_the_right_asks(office):
    made = office.drafted()
    reader = office.world.client_of(
        office.member("rita", Role.SENDER, may_see_rows=True)
    )

    masked = page(reader, made, "preview/?row=2")
    spelled = reader.post(f"/campaigns/{made}/preview/", {"row": "2"})
    refused = office.client("sam").post(f"/campaigns/{made}/preview/", {"row": "2"})

    assert "Dear ▇▇▇" in masked
    assert "Bob" not in masked
    assert "Dear Bob" in spelled.content.decode()
    assert refused.status_code == 403
    assert office.world.events().count("row shown") == 1


def test_what_is_being_written_is_shown_before_it_is_kept(office):
    made, sam = office.drafted(), office.client("sam")
    form = {"name": "B", "recipients": campaigns.get(made).list_id, "row": "1"}

    shown = act(sam, made, "write/preview", **form, **WRITTEN).content.decode()
    broken = {**WRITTEN, "markdown": "{{ town }}"}
    trouble = act(sam, made, "write/preview", **form, **broken).content.decode()

    assert "it is Monday." in shown
    assert "town" in trouble
    assert "Monday**" in page(sam, made, "write/")


def test_a_text_that_is_no_template_is_refused_with_its_line(office):
    made, sam = office.drafted(), office.client("sam")
    form = {**WRITTEN, "markdown": "Dear\n\n{{ town }}\n"}
    chosen = campaigns.get(made).list_id

    answer = act(sam, made, "write", name="B", recipients=chosen, **form)

    assert answer.status_code == 400
    assert "town" in answer.content.decode()
    assert b"Monday" in campaigns.text_of(made)


def test_a_test_goes_to_oneself_alone(office):
    made = office.drafted()

    act(office.client("sam"), made, "test", row="2")
    office.world.deliver()

    caught = office.world.client(Role.SUPERVISOR).get("/post-office/")
    assert OutgoingMail.objects.count() == 1
    assert "Your bin day, ▇▇▇" in caught.content.decode()
    assert "s…@council.example" in caught.content.decode()
    assert "test sent" in office.world.events()


def test_approvers_open_the_files_but_nobody_elses_own(office):
    made = office.drafted()
    by = office.people["sam"].pk
    files = (
        Attached("dates.csv", "text/csv", b"Monday"),
        Attached("ann.pdf", "application/pdf", b"private", "Name"),
    )
    campaigns.change(made, by=by, now=now(), files=files)
    mary = office.client("mary")

    shown = page(mary, made)
    opened = act(mary, made, "files/1")

    assert opened.content == b"Monday"
    assert 'attachment; filename="dates.csv"' in opened["Content-Disposition"]
    assert "dates.csv" in shown
    assert "ann.pdf" not in shown
    assert act(mary, made, "files/2").status_code == 403
    assert act(mary, made, "files/3").status_code == 404


def test_files_are_added_replaced_and_removed(office, tmp_path):
    made, sam = office.drafted(), office.client("sam")
    file = tmp_path / "dates.csv"
    for text in ("Monday", "Tuesday"):
        file.write_text(text)
        with file.open("rb") as opened:
            act(sam, made, "files", file=opened, column="")

    (kept,) = campaigns.files_of(made)
    shown = page(sam, made, "write/")
    act(sam, made, "files/1/remove")

    assert (kept.name, kept.content) == ("dates.csv", b"Tuesday")
    assert "dates.csv" in shown
    assert not campaigns.files_of(made)


@pytest.mark.parametrize(
    "path", ["", "write/", "preview/", "progress/"], ids=lambda path: path or "page"
)
def test_who_is_not_in_the_team_is_told_that_there_is_no_such_page(office, path):
    made = office.drafted()
    other = office.world.client(*set(Role) - {Role.DPO, Role.AUDITOR})

    assert other.get(f"/campaigns/{made}/{path}").status_code == 404
    assert made not in other.get("/campaigns/").content.decode()


STEPS = (
    "write",
    "files",
    "files/1/remove",
    "test",
    "check",
    "override/links",
    "submit",
    "start",
    "schedule",
    "pause",
    "resume",
    "cancel",
    "doubt/sent",
)


@pytest.mark.parametrize("step", STEPS)
def test_an_auditor_reads_and_changes_nothing(office, step):
    made = office.submitted()
    auditor = office.world.client(Role.AUDITOR, login="ada@council.example")

    answer = act(auditor, made, step)

    assert answer.status_code == 403
    assert "Bin days" in page(auditor, made)
    assert state(made) is CampaignState.SUBMITTED


@pytest.mark.parametrize("step", ["approve", "refuse", "delegate"])
def test_a_colleague_without_the_role_decides_nothing(office, step):
    made = office.submitted()
    pat = office.member("pat", Role.SENDER)
    form = {"has_seen": "on", "reason": "No.", "to": str(office.people["max"].pk)}

    answer = act(
        office.world.client_of(pat),
        made,
        step,
        digest=digest(made),
        role="supervisor",
        **form,
    )

    assert answer.status_code == 403
    assert state(made) is CampaignState.SUBMITTED


def test_a_held_mail_becomes_a_campaign_with_one_click(office):
    people = outsiders(9)
    mailing = office.world.hold(message(people, subject="New rates"))
    approver = office.member("rob", Role.SENDER)
    approver.roles = [Role.SUPERVISOR.value]
    approver.save()
    client = office.world.client_of(approver)

    shown = client.get(f"/mailings/{mailing}/").content.decode()
    answer = client.post(f"/campaigns/from/{mailing}/")
    made = answer["Location"].split("/")[2]
    found = campaigns.get(made)

    assert f"/campaigns/from/{mailing}/" in shown
    assert found.recipients == 9
    assert re.search(r"please find the new rates", page(client, made, "write/"))
    assert {row.address.spelled_out() for row in lists.rows(found.list_id)} == set(
        people
    )
    assert client.get(f"/mailings/{mailing}/").status_code == 200
    assert "is held" not in answer.content.decode()


def test_whoever_sends_in_no_team_cannot_make_a_campaign(office):
    mailing = office.world.hold(message(outsiders(9)))

    answer = office.world.client(Role.SUPERVISOR).post(f"/campaigns/from/{mailing}/")

    assert answer.status_code == 409
    assert "You send in no team" in answer.content.decode()


def test_a_long_list_is_checked_by_a_worker(office, monkeypatch):
    monkeypatch.setattr(wiring, "AT_ONCE", 2)
    made, sam = office.drafted(), office.client("sam")

    act(sam, made, "check")
    waits = page(sam, made)
    wiring.check_wanted(now())

    assert "The checks are running" in waits
    assert state(made) is CampaignState.CHECKED
    assert wiring.check_wanted(now()) == 0


def test_an_unknown_campaign_is_not_found(office):
    assert office.client("sam").get("/campaigns/nothing/").status_code == 404


def test_nobody_who_is_not_logged_in_sees_a_campaign(office):
    assert Client().get(f"/campaigns/{office.drafted()}/").status_code == 302
