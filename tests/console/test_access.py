# SPDX-License-Identifier: Apache-2.0
"""Who may see and do what: every page and every act, for every role."""

import pytest

from tests.console.world import SAM, World, message, outsiders
from undisclosed.console.access import RIGHTS, Right
from undisclosed.console.accounts.forms import ROLES_EXPLAINED
from undisclosed.console.templatetags.console import ROLE_NAMES, STATE_NAMES
from undisclosed.core.campaign import CampaignState, DeliveryState
from undisclosed.core.held import CopyState, HoldState, OutgoingKind
from undisclosed.store import desk
from undisclosed.store.models import Account, Role

ROLES = list(Role)
SEES_ALL = {Role.SUPERVISOR, Role.MANAGER, Role.DPO, Role.AUDITOR}
APPROVES = {Role.SUPERVISOR, Role.MANAGER}
PAGES = {
    "/": set(Role),
    "/mailings/": SEES_ALL | {Role.SENDER},
    "/mailings/{mailing}/": SEES_ALL,
    "/mailings/{mailing}/people/": SEES_ALL,
    "/mailings/{mailing}/copies/": SEES_ALL,
    "/observed/": SEES_ALL,
    "/post-office/": SEES_ALL,
    "/post-office/{caught}/": SEES_ALL,
    "/post-office/{caught}/raw": SEES_ALL,
    "/accounts/": {Role.ADMINISTRATOR},
}
ACTS = {
    "/mailings/{mailing}/people/": SEES_ALL,
    "/mailings/{mailing}/send-singly/": APPROVES,
    "/mailings/{mailing}/withdraw/": set[Role](),
    "/mailings/{mailing}/release/": APPROVES,
    "/accounts/{account}/link/": {Role.ADMINISTRATOR},
}


def held_by_sam(world: World) -> dict[str, object]:
    """A held mailing of Sam's, a caught mail and an account, by the names above."""
    other = world.hold(message(outsiders(9), subject="Something else entirely"))
    world.client(Role.SUPERVISOR, login="first@council.example").post(
        f"/mailings/{other}/send-singly/"
    )
    world.deliver()
    return {
        "mailing": world.hold(message(outsiders(8))),
        "caught": desk.caught().items[0].caught_id,
        "account": Account.objects.get().pk,
    }


def test_every_role_has_its_rights() -> None:
    assert set(RIGHTS) == set(Role)


def test_every_role_is_named_and_explained_on_screen() -> None:
    assert set(ROLE_NAMES) == set(ROLES_EXPLAINED) == set(Role)


def test_every_state_has_a_name_on_screen() -> None:
    mail = {*HoldState, *CopyState, *OutgoingKind}
    assert set(STATE_NAMES) == mail | {*CampaignState, *DeliveryState}


def test_roles_with_the_same_rights_are_said_to_have_them() -> None:
    assert RIGHTS[Role.MANAGER] == RIGHTS[Role.SUPERVISOR]
    assert "same rights as a supervisor" in str(ROLES_EXPLAINED[Role.MANAGER])


@pytest.mark.parametrize("role", ROLES)
def test_a_role_without_any_right_is_said_to_have_none(role: Role) -> None:
    says_none = "no rights outside" in str(ROLES_EXPLAINED[role])

    assert says_none == (not RIGHTS[role])


def test_no_role_is_promised_settings_which_have_no_page() -> None:
    assert not [role for role in ROLES if "settings" in str(ROLES_EXPLAINED[role])]


def test_an_auditor_and_a_dpo_change_nothing() -> None:
    changes = {
        Right.DECIDE_OWN,
        Right.SEND_SINGLY,
        Right.RELEASE,
        Right.REPLAY,
        Right.INVITE,
    }

    assert RIGHTS[Role.AUDITOR].isdisjoint(changes)
    assert RIGHTS[Role.DPO].isdisjoint(changes)


def test_an_administrator_sees_no_content() -> None:
    assert RIGHTS[Role.ADMINISTRATOR] == {Right.INVITE, Right.READ_JOURNAL}


@pytest.mark.parametrize("role", ROLES)
def test_a_page_is_for_its_roles_only(world: World, role: Role) -> None:
    ids = held_by_sam(world)
    client = world.client(role)

    for page, roles in PAGES.items():
        status = client.get(page.format(**ids)).status_code

        refused = {403, 404} if role is Role.SENDER else {403}
        assert status == 200 if role in roles else status in refused, page


@pytest.mark.parametrize("role", ROLES)
def test_an_act_is_for_its_roles_only(world: World, role: Role) -> None:
    ids = held_by_sam(world)
    client = world.client(role)

    for act, roles in ACTS.items():
        status = client.post(act.format(**ids), {"reason": "They are one class."})

        refused = {403, 404} if role is Role.SENDER else {403}
        expected = {200, 302, 409} if role in roles else refused
        # What an approver did first makes the second act a conflict.
        if role in APPROVES and "withdraw" in act:
            expected = {403, 409}
        assert status.status_code in expected, (act, status.status_code)


@pytest.mark.parametrize("page", PAGES)
def test_nobody_sees_a_page_without_logging_in(world: World, page: str) -> None:
    from django.test import Client

    ids = {"mailing": "x", "caught": "x", "account": "x"}

    answer = Client().get(page.format(**ids))

    assert answer.status_code == 302
    assert answer["Location"].startswith("/log-in/?next=")


def test_a_fragment_sends_the_whole_page_to_the_log_in(world: World) -> None:
    from django.test import Client

    answer = Client().get("/mailings/", headers={"HX-Request": "true"})

    assert answer.status_code == 204
    assert answer["HX-Redirect"].startswith("/log-in/")


def test_a_sender_sees_and_decides_their_own_mail_and_no_other(world: World) -> None:
    own = world.hold(message(outsiders(8)))
    other_sender = "sue@council.example"
    sue = world.account(Role.SENDER, login=other_sender, name="Sue")
    sam = world.account(Role.SENDER, login=SAM.spelled_out(), name="Sam")
    of_sue, of_sam = world.client_of(sue), world.client_of(sam)

    assert of_sam.get(f"/mailings/{own}/").status_code == 200
    assert of_sue.get(f"/mailings/{own}/").status_code == 404
    assert own not in of_sue.get("/mailings/").content.decode()
    assert of_sue.post(f"/mailings/{own}/withdraw/").status_code == 404
    assert of_sam.post(f"/mailings/{own}/withdraw/").status_code == 302


def test_a_sender_never_releases_and_is_told_why(world: World) -> None:
    mailing = world.hold(message(outsiders(8)))
    sam = world.client(Role.SENDER, login=SAM.spelled_out())

    page = sam.get(f"/mailings/{mailing}/").content.decode()
    answer = sam.post(f"/mailings/{mailing}/release/", {"reason": "I may."})

    assert "Only an approver can release it unchanged." in page
    assert "Release it unchanged" not in page
    assert answer.status_code == 403


def test_an_approver_does_not_release_their_own_mail(world: World) -> None:
    mailing = world.hold(message(outsiders(8)))
    world.account(Role.MANAGER, login="mary@council.example", name="Mary")
    sam = world.client(Role.SENDER, Role.SUPERVISOR, login=SAM.spelled_out())

    page = sam.get(f"/mailings/{mailing}/").content.decode()
    answer = sam.post(f"/mailings/{mailing}/release/", {"reason": "I may."})

    assert "another approver" in page
    assert answer.status_code == 403
    view = desk.mailing(mailing)
    assert view is not None and view.state.value == "held"


def test_the_only_approver_releases_by_waiting_an_hour(world: World) -> None:
    mailing = world.hold(message(outsiders(8)))
    sam = world.client(*Role, login=SAM.spelled_out())

    page = sam.get(f"/mailings/{mailing}/").content.decode()
    sam.post(f"/mailings/{mailing}/release/", {"reason": "They are one class."})
    world.deliver()

    assert "waits for an hour" in page
    view = desk.mailing(mailing)
    assert view is not None and view.state.value == "released"
    # The notice to the sender was delivered; the release was not yet.
    assert [row.mail_from for row in desk.caught().items] == [None]
