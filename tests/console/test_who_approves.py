# SPDX-License-Identifier: Apache-2.0
"""Four eyes: what was tried to have one's own campaign approved after all."""

import pytest

from tests.console.campaigns import Office, act, page, state
from tests.console.world import now
from undisclosed.console.campaigns import views, wiring
from undisclosed.core.campaign import CampaignState, CheckFinding, Weight
from undisclosed.send import approval
from undisclosed.store import approvals, campaigns
from undisclosed.store.roles import Role

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def office(world):
    return Office(world)


def digest(made: str) -> str:
    return campaigns.get(made).digest.hex()


def consent(office, made: str, who: str, role: str) -> int:
    form = {"digest": digest(made), "role": role, "has_seen": "on"}
    return act(office.client(who), made, "approve", **form).status_code


def submit(office, made: str, who: str = "sam", findings=()) -> CampaignState:
    by = office.people[who].pk
    content = approval.content_of(campaigns.get(made))
    approval.record_checks(made, content, findings, by=by, now=now())
    for one in findings:
        campaigns.override(made, one.check, "It is right.", by=by, now=now())
    return approval.submit(
        made,
        wiring.approval_policy(),
        wiring.sides(),
        wiring.asking(),
        by=by,
        now=now(),
    )


def test_an_author_does_not_choose_who_approves(office):
    made = office.submitted()
    office.people["pat"] = office.member("pat", Role.SENDER)
    form = {"digest": digest(made), "role": "supervisor"}

    asked = act(
        office.client("sam"), made, "delegate", to=str(office.people["pat"].pk), **form
    )

    assert asked.status_code == 403
    assert consent(office, made, "pat", "supervisor") == 403
    with pytest.raises(approvals.NotTheirs):
        approvals.delegate(
            made,
            bytes.fromhex(form["digest"]),
            "supervisor",
            to=office.people["pat"].pk,
            by=office.people["sam"].pk,
            now=now(),
        )


def test_who_decided_in_one_role_hands_no_other_on(office):
    made = office.submitted()
    office.people["pat"] = office.member("pat", Role.SENDER)
    consent(office, made, "mary", "supervisor")

    asked = act(
        office.client("mary"),
        made,
        "delegate",
        to=str(office.people["pat"].pk),
        digest=digest(made),
        role="manager",
    )

    assert asked.status_code == 403
    assert consent(office, made, "pat", "manager") == 403


def test_nothing_is_handed_to_who_had_a_part_in_it(office):
    made = office.submitted()
    to = str(office.people["sam"].pk)
    form = {"digest": digest(made), "role": "supervisor"}

    asked = act(office.client("mary"), made, "delegate", to=to, **form)

    assert asked.status_code == 409


def test_who_answered_for_a_finding_does_not_approve(office):
    office.people["pat"] = office.member("pat", Role.SENDER, Role.SUPERVISOR)
    made, sam = office.drafted(), office.people["sam"].pk
    found = (CheckFinding("links", Weight.OVERRIDE, "x"),)
    content = approval.content_of(campaigns.get(made))
    approval.record_checks(made, content, found, by=sam, now=now())
    act(office.client("pat"), made, "override/links", reason="I answer for it.")
    approval.submit(
        made,
        wiring.approval_policy(),
        wiring.sides(),
        wiring.asking(),
        by=sam,
        now=now(),
    )

    assert consent(office, made, "pat", "supervisor") == 403
    with pytest.raises(campaigns.OwnCampaign):
        campaigns.approve(
            made,
            campaigns.get(made).digest,
            "supervisor",
            by=office.people["pat"].pk,
            now=now(),
        )


def test_who_submitted_an_earlier_version_does_not_approve(office):
    office.people["pat"] = office.member("pat", Role.SENDER, Role.SUPERVISOR)
    made = office.drafted()
    submit(office, made, "pat")
    form = {"digest": digest(made), "role": "manager", "reason": "No."}
    act(office.client("max"), made, "refuse", **form)
    campaigns.change(
        made, by=office.people["sam"].pk, now=now(), settings={"per_minute": 5}
    )
    other = (CheckFinding("links", Weight.NOTE, "Another version."),)
    content = approval.content_of(campaigns.get(made))
    sam = office.people["sam"].pk
    approval.record_checks(made, content, other, by=sam, now=now())
    approval.submit(
        made,
        wiring.approval_policy(),
        wiring.sides(),
        wiring.asking(),
        by=sam,
        now=now(),
    )

    assert consent(office, made, "pat", "supervisor") == 403
    with pytest.raises(campaigns.OwnCampaign):
        campaigns.approve(
            made,
            campaigns.get(made).digest,
            "supervisor",
            by=office.people["pat"].pk,
            now=now(),
        )


def test_what_was_refused_is_not_submitted_again_as_it_is(office):
    made = office.submitted()
    consent(office, made, "mary", "supervisor")
    form = {"digest": digest(made), "role": "communications", "reason": "Wrong."}
    act(office.client("cora"), made, "refuse", **form)

    with pytest.raises(campaigns.RefusedAsItIs):
        submit(office, made)

    assert state(made) is CampaignState.CHECKED


def test_a_reason_is_not_exchanged_after_somebody_consented(office):
    made = office.drafted()
    submit(office, made, findings=(CheckFinding("links", Weight.OVERRIDE, "x"),))
    consent(office, made, "mary", "supervisor")

    again = act(office.client("sam"), made, "override/links", reason="Mary wants it.")

    assert again.status_code == 409
    given = approvals.overrides(made, campaigns.get(made).digest)
    assert [one.reason for one in given] == ["It is right."]


def test_a_page_shows_the_text_of_its_digest(office, monkeypatch):
    made = office.submitted()
    sam, seen = office.people["sam"].pk, []
    read = views.sight_of

    def changed_meanwhile(found, account, when):
        sight = read(found, account, when)
        if not seen:
            campaigns.change(made, by=sam, now=now(), settings={"per_minute": 9})
        seen.append(found.digest)
        return sight

    monkeypatch.setattr(views, "sight_of", changed_meanwhile)
    shown = page(office.client("mary"), made)

    assert len(seen) == 2
    assert seen[0].hex() not in shown
    assert "You decide as" not in shown


def test_who_writes_conditions_reads_no_value_by_them(office):
    chosen = office.list_of(("ann@a.example", "Ann"), ("bob@b.example", "Bob"))
    made = office.drafted(chosen)
    asks = "{% if name == 'Bob' %}It is Bob{% else %}somebody{% endif %}\n"
    form = {
        "name": "x",
        "recipients": chosen.pk,
        "kind": "service",
        "author_name": "",
        "author": "bins@council.example",
        "reply_to": "",
        "subject": "Bins",
        "markdown": asks,
        "per_minute": "0",
        "in_doubt": "ask",
        "row": "2",
    }
    sam = office.client("sam")

    live = sam.post(f"/campaigns/{made}/write/preview/", form).content.decode()
    act(sam, made, "write", **form)
    kept = page(sam, made, "preview/?row=2")

    assert "somebody" in live and "It is Bob" not in live
    assert "conditions are asked of the masked values" in live
    assert "somebody" in kept and "It is Bob" not in kept
