# SPDX-License-Identifier: Apache-2.0
"""Circles and visible-mail control: who may, what is asked, what is journalled."""

from datetime import timedelta

import pytest

from tests.console.world import SAM, World, address, message, now, outsiders
from undisclosed.console import wiring
from undisclosed.store import circles, control, crypto, desk
from undisclosed.store.models import AccountAddress, Role

pytestmark = pytest.mark.usefixtures("database")

PEOPLE = "ann@a.example\nbob@b.example, carol@c.example"
READERS = (Role.DPO, Role.AUDITOR)


@pytest.fixture
def world(database):
    return World(database)


def declared(client, **changed):
    form = {"people": PEOPLE, "reason": "The allotment committee.", "months": "3"}
    return client.post("/circles/", {**form, **changed}, follow=True)


def test_an_approver_declares_a_circle_and_ends_it(world):
    client = world.client(Role.SUPERVISOR)

    page = declared(client).content.decode()
    (circle,) = circles.all()
    ended = client.post(f"/circles/{circle.id}/end/", follow=True).content.decode()

    assert "The allotment committee." in page
    assert "3 people" in page
    assert "ann@a.example" not in page
    assert circle.is_active(now())
    assert timedelta(days=89) < circle.until - now() < timedelta(days=91)
    assert "over" in ended
    assert {"circle declared", "circle ended"} <= set(world.events())
    assert client.post(f"/circles/{circle.id}/end/").status_code == 409


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({"people": "ann@a.example"}, "two people outside", id="one alone"),
        pytest.param({"people": "ann@a.example\nnobody"}, "Number 2", id="no address"),
        pytest.param({"reason": ""}, "required", id="no reason"),
        pytest.param({"months": "99"}, "valid choice", id="for ever"),
    ],
)
def test_what_is_no_circle_is_refused_in_words(world, changed, said):
    answer = declared(world.client(Role.MANAGER), **changed)

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not circles.all()


@pytest.mark.parametrize("role", READERS)
def test_readers_see_circles_and_control_and_change_neither(world, role):
    client = world.client(role)

    for page in ("/circles/", "/control/"):
        assert client.get(page).status_code == 200
        assert "Declare" not in client.get(page).content.decode()
        assert client.post(page, {}).status_code == 403


@pytest.mark.parametrize("role", [Role.SENDER, Role.COMMUNICATIONS])
def test_others_see_neither(world, role):
    client = world.client(role)

    assert client.get("/circles/").status_code == 403
    assert client.get("/control/").status_code == 403


def test_a_release_may_declare_the_circle_of_its_people(world):
    mailing = world.hold(message(outsiders(9)))
    client = world.client(Role.SUPERVISOR)
    world.account(Role.MANAGER, login="max@council.example", name="Max")

    client.post(
        f"/mailings/{mailing}/release/",
        {"reason": "They are the committee.", "months": "6"},
    )

    (circle,) = circles.all()
    assert (circle.people, circle.reason) == (9, "They are the committee.")
    assert len(desk.everyone(mailing)) == 9


def test_a_release_alone_declares_no_circle(world):
    mailing = world.hold(message(outsiders(9)))
    client = world.client(Role.SUPERVISOR)
    world.account(Role.MANAGER, login="max@council.example", name="Max")

    client.post(f"/mailings/{mailing}/release/", {"reason": "Once."})

    assert not circles.all()


def imposed(client, **changed):
    form = {"addresses": "eve@council.example", "reason": "After Monday.", "days": "14"}
    return client.post("/control/", {**form, **changed}, follow=True)


def test_a_person_is_put_under_control_by_every_address_of_their_account(world):
    eve = world.account(Role.SENDER, login="eve@council.example", name="Eve")
    other = address("eve.green@council.example")
    AccountAddress.objects.create(
        account=eve,
        address_hash=crypto.address_hash(other),
        address_sealed=crypto.seal_address(other),
    )
    client = world.client(Role.SUPERVISOR)

    page = imposed(client).content.decode()

    (found,) = control.active(now())
    assert set(found.addresses) == {address("eve@council.example"), other}
    assert "eve@council.example" not in page
    assert "After Monday." in page
    assert "control imposed" in world.events()


def test_a_shared_mailbox_does_not_draw_in_the_people_behind_it(world):
    shared = address("desk@council.example")
    for login in ("ann@council.example", "ben@council.example"):
        account = world.account(Role.SENDER, login=login, name=login[:3])
        AccountAddress.objects.create(
            account=account,
            address_hash=crypto.address_hash(shared),
            address_sealed=crypto.seal_address(shared),
        )

    imposed(world.client(Role.SUPERVISOR), addresses="desk@council.example")

    (found,) = control.active(now())
    assert found.addresses == (shared,)


def test_the_sender_of_a_mailing_is_put_under_control_from_its_page(world):
    mailing = world.hold(message(outsiders(9)))
    client = world.client(Role.SUPERVISOR)

    page = client.get(f"/mailings/{mailing}/").content.decode()
    form = client.get(f"/control/?mailing={mailing}").content.decode()
    imposed(client, addresses="", mailing=mailing)

    assert f"/control/?mailing={mailing}" in page
    assert "s…@council.example" in form
    assert [one.addresses for one in control.active(now())] == [(SAM,)]


def test_a_control_is_lifted_and_only_once(world):
    client = world.client(Role.SUPERVISOR)
    imposed(client)
    (found,) = control.active(now())

    client.post(f"/control/{found.id}/lift/")

    assert not control.active(now())
    assert client.post(f"/control/{found.id}/lift/").status_code == 409
    assert "control lifted" in world.events()


def test_nobody_imposes_or_lifts_their_own(world):
    account = world.account(Role.SUPERVISOR, login="eve@council.example", name="Eve")
    own = world.client_of(account)
    answer = imposed(own)
    imposed(world.client(Role.SUPERVISOR))
    (found,) = control.active(now())

    assert answer.status_code == 400
    assert own.post(f"/control/{found.id}/lift/").status_code == 403
    assert len(control.active(now())) == 1


@pytest.mark.parametrize(
    "changed",
    [{"days": "31"}, {"days": "0"}, {"reason": ""}, {"addresses": ""}],
    ids=["too long", "no time", "no reason", "nobody"],
)
def test_what_is_no_control_is_refused(world, changed):
    answer = imposed(world.client(Role.SUPERVISOR), **changed)

    assert answer.status_code == 400
    assert not control.active(now())


def test_a_controlled_persons_visible_mail_is_held(world):
    client = world.client(Role.SUPERVISOR)
    imposed(client, addresses=SAM.spelled_out())

    decision = world.checkpoint().decide(message(outsiders(3)))

    assert decision.action.value == "hold"
    assert wiring.settings().policy.max_shown_outsiders > 3
