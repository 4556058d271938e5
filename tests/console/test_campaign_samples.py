# SPDX-License-Identifier: Apache-2.0
"""Who sees whose values: by role, with and without the right to read rows."""

import pytest

from tests.console.campaigns import Office, act, page
from undisclosed.core.campaign import Attached
from undisclosed.store import campaigns
from undisclosed.store.models import JournalEntry, OutgoingMail
from undisclosed.store.roles import Role

pytestmark = pytest.mark.usefixtures("database")

TEXT = (
    "Dear {{ name }},\n\n"
    '{% if name == "Bob" %}your day is Monday.'
    "{% else %}your day is Friday.{% endif %}\n"
)
SEES = sorted(set(Role) - {Role.ADMINISTRATOR})
WRITES = (Role.SENDER,)


@pytest.fixture
def office(world):
    return Office(world)


def somebody(office, role, *, may_see_rows=False):
    member = office.member("rita", role, may_see_rows=may_see_rows)
    return office.world.client_of(member)


@pytest.mark.parametrize("role", SEES)
def test_no_role_shows_a_value_and_every_role_shows_the_wording(office, role):
    made = office.drafted(text=TEXT)
    client = somebody(office, role)

    shown = page(client, made) + page(client, made, "preview/?row=2")
    asked = client.post(f"/campaigns/{made}/preview/", {"row": "2"})

    assert "Dear ▇▇▇," in shown
    assert "your day is Monday." in shown
    assert "{% if name ==" in shown.replace("&quot;", '"')
    assert not any(
        value in shown for value in ("Bob</", "Dear Bob", "bob@", "b.example")
    )
    assert asked.status_code == 403
    assert "row shown" not in office.world.events()


@pytest.mark.parametrize("role", SEES)
def test_the_right_to_see_rows_shows_one_at_a_time_and_is_journalled(office, role):
    made = office.drafted(text=TEXT)
    client = somebody(office, role, may_see_rows=True)

    masked = page(client, made, "preview/?row=2")
    spelled = client.post(f"/campaigns/{made}/preview/", {"row": "2"})

    assert "Dear Bob" not in masked
    assert "Dear Bob," in spelled.content.decode()
    assert "This was journalled." in spelled.content.decode()
    (entry,) = JournalEntry.objects.filter(event="row shown")
    assert entry.facts["row"] == 2
    assert entry.facts["campaign"] == made


def test_an_administrator_of_the_installation_sees_no_message_at_all(office):
    made = office.drafted(text=TEXT)
    client = office.world.client(Role.ADMINISTRATOR)

    assert client.get(f"/campaigns/{made}/preview/").status_code == 404


@pytest.mark.parametrize("role", [one for one in SEES if one not in WRITES])
def test_only_who_writes_sends_tests_whatever_they_may_see(office, role):
    made = office.drafted(text=TEXT)

    answer = act(somebody(office, role, may_see_rows=True), made, "test", row="2")

    assert answer.status_code == 403
    assert not OutgoingMail.objects.count()


@pytest.mark.parametrize(
    ("may_see_rows", "subject", "values"),
    [(False, "Your bin day, ▇▇▇", "masked"), (True, "Your bin day, Bob", "shown")],
    ids=["without the right", "with the right"],
)
def test_a_test_has_the_values_that_its_sender_may_see(
    office, may_see_rows, subject, values
):
    made = office.drafted(text=TEXT)
    writer = somebody(office, Role.SENDER, may_see_rows=may_see_rows)

    act(writer, made, "test", row="2")
    office.world.deliver()

    client = office.world.client(Role.SUPERVISOR)
    assert subject in client.get("/post-office/").content.decode()
    (entry,) = JournalEntry.objects.filter(event="test sent")
    assert entry.facts["values"] == values


def test_a_masked_sample_has_no_file_of_anybodys_own(office):
    made, by = office.drafted(text=TEXT), office.people["sam"].pk
    names = ("Ann", "Bob", "Eve")
    files = tuple(
        Attached(name, "text/plain", b"only for " + name.encode(), "Name")
        for name in names
    )
    campaigns.change(made, by=by, now=campaigns.get(made).updated_at, files=files)

    shown = page(office.client("mary"), made, "preview/?row=2")

    assert "filename" in shown
    assert "Bob" not in shown
    assert "b25seSBmb3I" not in shown
