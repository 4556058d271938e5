# SPDX-License-Identifier: Apache-2.0
"""Lists: who sees how much of them, what an upload finds, what is taken out."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.console.world import World, address, now
from undisclosed.console.lists import uploading
from undisclosed.console.lists.hiding import hide
from undisclosed.console.lists.receiving import MemoryUpload
from undisclosed.core.campaign import Row, Way
from undisclosed.core.list_upload import UploadState
from undisclosed.send import importing
from undisclosed.store import lists, suppressions, uploads
from undisclosed.store.models import (
    Audience,
    JournalEntry,
    Membership,
    RecipientList,
    Role,
    Team,
)
from undisclosed.store.suppressions import Reason

WANTS = {"because": "asked"}
CSV = "Email,Name,Way\nann@a.example,Ann Archer,\nbob@b.example,Bob,mail\n,Pat,phone\n"


class Team1:
    """A team with its people; one of them logged in."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.team = Team.objects.create(name="Bins", created_at=now())
        self.sam = self.member("sam", Role.SENDER)
        self.client = world.client_of(self.sam)

    def member(self, name, *roles, rows=False, team=None):
        made = self.world.account(login=f"{name}@council.example", name=name)
        Membership.objects.create(
            team=team or self.team, account=made, roles=list(roles), may_see_rows=rows
        )
        return made

    def client_of(self, name, *roles, **more):
        return self.world.client_of(self.member(name, *roles, **more))

    def make(self, client=None, **changed):
        form = {
            "team": str(self.team.pk),
            "name": "North",
            "purpose": "The bin days change.",
            "sensitivity": "ordinary",
            "legal_basis": "Contract (GDPR Art. 6(1)(b))",
            "owner": str(self.sam.pk),
            "keep_until": (now() + timedelta(days=60)).date().isoformat(),
        }
        return (client or self.client).post("/lists/new/", form | changed)

    def made(self):
        assert self.make().status_code == 302
        return RecipientList.objects.get().pk

    def upload(self, list_id, text, client=None, **more):
        file = SimpleUploadedFile("people.csv", text.encode())
        path = f"/lists/{list_id}/upload/"
        return (client or self.client).post(path, {"file": file, **more}, follow=True)

    def filled(self):
        list_id = self.made()
        self.upload(list_id, CSV)
        upload = uploads.latest(list_id)
        page = self.client.post(f"/lists/files/{upload.id}/import/", follow=True)
        assert "Imported" in page.content.decode()
        return list_id


@pytest.fixture
def bins(world):
    return Team1(world)


def text_of(response):
    chunks = response.streaming_content if response.streaming else [response.content]
    return b"".join(chunks).decode()


def test_a_list_is_made_with_what_it_is_for(bins):
    list_id = bins.made()

    page = bins.client.get(f"/lists/{list_id}/").content.decode()

    assert "The bin days change." in page and "Contract" in page
    assert "list made" in bins.world.events()


@pytest.mark.parametrize(
    "changed",
    [{"purpose": ""}, {"keep_until": ""}, {"keep_until": "2020-01-01"}, {"team": "x"}],
    ids=["no purpose", "no end", "an end that is over", "no team"],
)
def test_a_list_without_its_facts_is_not_made(bins, changed):
    assert bins.make(**changed).status_code == 400
    assert not RecipientList.objects.exists()


def test_a_file_is_checked_shown_and_imported_only_then(bins):
    list_id = bins.made()

    page = bins.upload(list_id, CSV).content.decode()

    assert "Nothing stands against it" in page and "Import 3 people" in page
    assert lists.ways(list_id) == {}
    upload = uploads.latest(list_id).id
    bins.client.post(f"/lists/files/{upload}/import/")
    assert lists.ways(list_id) == {Way.MAIL: 2, Way.PHONE: 1}
    assert bins.client.get(f"/lists/files/{upload}/").status_code == 200


def test_the_first_twenty_problems_are_shown_and_all_are_in_the_file(bins):
    bad = "Email\n" + "".join(f"nobody{at}\n" for at in range(30))
    list_id = bins.made()

    page = bins.upload(list_id, bad).content.decode()
    upload = uploads.latest(list_id).id
    file = text_of(bins.client.get(f"/lists/files/{upload}/problems.csv"))

    assert page.count("is no address") == uploading.SHOWN
    assert "Import 30 people" not in page
    assert file.count("is no address") == 30
    assert "nobody" not in page and "nobody" not in file
    assert bins.client.post(f"/lists/files/{upload}/import/").status_code == 409


def test_pasted_rows_are_read_as_a_file(bins):
    list_id = bins.made()

    page = bins.upload(list_id, "", file="", pasted="Email\tName\r\na@a.example\tAnn")

    assert "1 person" in page.content.decode()


def test_neither_file_nor_rows_or_both_is_refused(bins):
    list_id = bins.made()

    assert bins.upload(list_id, "", file="").status_code == 400
    assert bins.upload(list_id, CSV, pasted=CSV).status_code == 400
    assert uploads.latest(list_id) is None


def test_a_file_that_is_too_large_is_cut_off(bins, monkeypatch):
    monkeypatch.setattr("undisclosed.console.lists.receiving.MOST_BYTES", 1000)
    list_id = bins.made()

    page = bins.upload(list_id, CSV * 100)

    assert page.status_code == 400
    assert "too large" in page.content.decode()


def test_an_upload_lies_in_memory():
    handler = MemoryUpload()
    handler.new_file("file", "people.csv", "text/csv", 3)
    handler.receive_data_chunk(b"abc", 0)

    file = handler.file_complete(3)

    assert not hasattr(file, "temporary_file_path")
    assert file.read() == b"abc"


def test_another_column_is_chosen_on_the_page(bins):
    list_id = bins.made()
    page = bins.upload(list_id, "Home,Work\na@a.example,b@b.example\n")
    assert "choose one of" in page.content.decode()
    upload = uploads.latest(list_id).id

    page = bins.client.post(
        f"/lists/files/{upload}/choose/", {"address_column": "Work"}, follow=True
    )

    assert "the column “Work”" in page.content.decode()


def test_a_large_file_waits_for_a_worker_and_says_how_far_it_is(bins, monkeypatch):
    monkeypatch.setattr(importing, "SMALL", 10)
    list_id = bins.made()

    page = bins.upload(list_id, CSV).content.decode()
    upload = uploads.latest(list_id).id
    fragment = bins.client.get(f"/lists/files/{upload}/progress/")
    importing.take_all(own_domains=(), now=now, hide=hide)
    after = bins.client.get(f"/lists/files/{upload}/progress/")

    assert "It is being checked" in page and "hx-get" in page
    assert fragment.status_code == 200
    assert after.headers["HX-Refresh"] == "true"
    assert uploads.get(upload).state is UploadState.CHECKED


def test_a_forgotten_file_leaves_nothing(bins):
    list_id = bins.made()
    bins.upload(list_id, CSV)

    bins.client.post(f"/lists/files/{uploads.latest(list_id).id}/discard/")

    assert uploads.latest(list_id) is None


def test_rows_are_masked_and_whoever_has_no_right_cannot_ask(bins):
    list_id = bins.filled()

    page = bins.client.get(f"/lists/{list_id}/rows/").content.decode()
    asked = bins.client.post(f"/lists/{list_id}/rows/", {"why": "check"})

    assert "▇▇▇" in page and "Archer" not in page and "ann@" not in page
    assert "A…" not in page
    assert asked.status_code == 403
    assert "list rows shown" not in bins.world.events()


def test_rows_are_shown_with_a_right_and_a_reason_and_that_is_journalled(bins):
    list_id = bins.filled()
    eve = bins.client_of("eve", Role.SENDER, rows=True)

    without = eve.post(f"/lists/{list_id}/rows/", {})
    shown = eve.post(f"/lists/{list_id}/rows/", {"why": "check", "after": "0"})

    assert without.status_code == 400 and "Archer" not in without.content.decode()
    assert "Ann Archer" in shown.content.decode()
    entry = JournalEntry.objects.get(event="list rows shown")
    facts = {"list": list_id, "first": 2, "last": 4, "why": "check"}
    assert entry.facts == facts


def test_rows_go_on_after_a_page(bins):
    people = "".join(f"p{at}@a.example,P{at}\n" for at in range(60))
    list_id = bins.made()
    bins.upload(list_id, "Email,Name\n" + people)
    bins.client.post(f"/lists/files/{uploads.latest(list_id).id}/import/")

    first = bins.client.get(f"/lists/{list_id}/rows/").content.decode()
    second = bins.client.get(f"/lists/{list_id}/rows/?after=51").content.decode()
    wrong = bins.client.get(f"/lists/{list_id}/rows/?after=-1%20x")

    assert "?after=51" in first and "Next page" not in second
    assert second.count("<tr>") == 11
    assert wrong.status_code == 200


def test_an_export_has_every_row_and_is_journalled(bins):
    list_id = bins.filled()
    eve = bins.client_of("eve", Role.SENDER, rows=True)
    path = f"/lists/{list_id}/export/"

    exported = eve.post(path, {"why": "move"})

    assert "ann@a.example,Ann Archer" in text_of(exported)
    assert exported.headers["Cache-Control"] == "no-store"
    facts = {"list": list_id, "rows": 3, "why": "move"}
    assert JournalEntry.objects.get(event="list exported").facts == facts
    assert bins.client.post(path, {"why": "move"}).status_code == 403
    assert eve.post(path, {}).status_code == 403


def test_a_call_sheet_is_a_pdf_of_those_who_are_phoned(bins):
    list_id = bins.filled()
    eve = bins.client_of("eve", Role.SENDER, rows=True)
    path = f"/lists/{list_id}/call-sheet/"

    sheet = eve.post(path, {"why": "reach"})

    assert sheet.content.startswith(b"%PDF-")
    assert JournalEntry.objects.get(event="list printed").facts["people"] == 1
    assert bins.client.post(path, {"why": "reach"}).status_code == 403


def test_who_cannot_be_printed_is_named_before_the_others_are(bins):
    list_id = bins.filled()
    names = lists.columns(list_id)
    phoned = [dict.fromkeys(names, "x"), dict.fromkeys(names, "x\U0001fae0")]
    people = [Row(n, None, one, Way.PHONE) for n, one in enumerate(phoned, 2)]
    lists.import_rows(list_id, names, people, by="t", now=now())
    eve = bins.client_of("eve", Role.SENDER, rows=True)
    path = f"/lists/{list_id}/call-sheet/"

    asked = eve.post(path, {"why": "reach"})
    none = JournalEntry.objects.filter(event="list printed").count()
    sheet = eve.post(path, {"why": "reach", "without": "on"})

    assert asked.status_code == 409
    assert "Row 3 holds a sign that cannot be printed here" in asked.content.decode()
    assert "Print the other person" in asked.content.decode()
    assert none == 0
    assert sheet.content.startswith(b"%PDF-")
    facts = JournalEntry.objects.get(event="list printed").facts
    assert (facts["people"], facts["left out"]) == (1, 1)


def test_letters_need_an_approved_text(bins):
    list_id = bins.filled()
    eve = bins.client_of("eve", Role.SENDER, rows=True)

    answer = eve.post(f"/lists/{list_id}/letters/", {"campaign": "nowhere"})

    assert answer.status_code == 400


def test_a_list_is_destroyed_by_who_may_after_being_asked(bins):
    list_id = bins.filled()
    max_ = bins.client_of("max", Role.MANAGER)
    path = f"/lists/{list_id}/destroy/"

    asked, by_sender = max_.get(path), bins.client.post(path)
    max_.post(path)

    assert "3 rows cannot be read again" in asked.content.decode()
    assert by_sender.status_code == 403
    assert RecipientList.objects.get().data_key is None
    assert bins.client.get(f"/lists/{list_id}/").status_code == 404


@pytest.mark.parametrize(
    "path", ["", "rows/", "upload/", "export/", "destroy/", "call-sheet/", "letters/"]
)
def test_another_team_does_not_learn_that_a_list_is_there(bins, path):
    list_id = bins.filled()
    roads = Team.objects.create(name="Roads", created_at=now())
    client = bins.client_of("rob", Role.SENDER, Role.MANAGER, rows=True, team=roads)

    for answer in (
        client.get(f"/lists/{list_id}/{path}"),
        client.post(f"/lists/{list_id}/{path}", {"why": "check"}),
    ):
        assert answer.status_code in (404, 405)
    assert "North" not in client.get("/lists/").content.decode()


def test_another_team_does_not_see_an_upload(bins):
    list_id = bins.made()
    bins.upload(list_id, CSV)
    upload = uploads.latest(list_id).id
    roads = Team.objects.create(name="Roads", created_at=now())
    client = bins.client_of("rob", Role.SENDER, team=roads)

    assert client.get(f"/lists/files/{upload}/").status_code == 404
    assert client.get(f"/lists/files/{upload}/problems.csv").status_code == 404
    assert client.post(f"/lists/files/{upload}/import/").status_code == 404


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR])
def test_who_only_reads_cannot_change_a_list(bins, role):
    list_id = bins.filled()
    client = bins.client_of("max", role)

    assert client.get(f"/lists/{list_id}/").status_code == 200
    assert bins.upload(list_id, CSV, client).status_code == 403
    assert bins.make(client).status_code == 403


def test_nobody_without_a_team_enters_and_nobody_without_a_login(bins):
    client = bins.world.client(Role.SENDER)
    outside = type(client)()

    assert client.get("/lists/").status_code == 403
    assert client.get("/lists/suppressions/").status_code == 403
    assert outside.get("/lists/").status_code == 302


def test_an_upload_without_the_token_of_its_form_is_refused(bins):
    list_id = bins.made()
    strict = type(bins.client)(enforce_csrf_checks=True)
    strict.cookies = bins.client.cookies

    assert bins.upload(list_id, CSV, strict).status_code == 403
    assert uploads.latest(list_id) is None


def suppress(bins, client=None, **changed):
    form = {
        "addresses": "ann@a.example\nbob@b.example",
        "reason": "asked",
        "team": str(bins.team.pk),
        "only": "",
    }
    client = client or bins.client
    return client.post("/lists/suppressions/", form | changed, follow=True)


def test_people_are_not_mailed_any_more_and_shown_shortened(bins):
    page = suppress(bins).content.decode()

    assert "a…@a.example" in page and "ann@a.example" not in page
    assert JournalEntry.objects.get(event="suppressed").facts["people"] == 2


def test_somebody_is_found_by_the_whole_address_only(bins):
    suppress(bins)

    def found(query):
        path = f"/lists/suppressions/?address={query}"
        return bins.client.get(path).content.decode()

    assert "a…@a.example" in found("ANN@a.example")
    assert "b…@b.example" not in found("ann@a.example")
    assert "This person is not among them" in found("eve@a.example")


def test_one_of_all_teams_is_lifted_by_who_may_in_all_of_them(bins):
    Team.objects.create(name="Roads", created_at=now())
    suppressions.suppress([address("ann@a.example")], Reason.ASKED, by="x", now=now())
    suppress(bins, addresses="bob@b.example")
    rows = {one.team: one.id for one in suppressions.page(None).items}

    of_all = bins.client.post(f"/lists/suppressions/{rows[None]}/lift/", WANTS)
    own = bins.client.post(f"/lists/suppressions/{rows[bins.team.pk]}/lift/", WANTS)

    assert (of_all.status_code, own.status_code) == (403, 302)
    lifted = JournalEntry.objects.get(event="suppression lifted")
    assert lifted.facts["because"] == "asked"
    assert [one.team for one in suppressions.page(None).items] == [None]


def test_nobody_is_mailed_again_without_a_reason(bins):
    suppress(bins, addresses="bob@b.example")
    (one,) = suppressions.page(None).items

    answer = bins.client.post(f"/lists/suppressions/{one.id}/lift/")

    assert answer.status_code == 400
    assert suppressions.get(one.id) is not None


def test_who_only_reads_adds_no_suppression(bins):
    client = bins.client_of("max", Role.AUDITOR)

    assert suppress(bins, client).status_code == 403
    assert client.get("/lists/suppressions/").status_code == 200


@pytest.mark.parametrize("sensitivity", ["ordinary", "confidential", "special"])
def test_the_people_of_a_confidential_list_are_a_hidden_audience(bins, sensitivity):
    bins.make(sensitivity=sensitivity)
    list_id = RecipientList.objects.get().pk
    bins.upload(list_id, CSV)

    bins.client.post(f"/lists/files/{uploads.latest(list_id).id}/import/")

    hidden = Audience.objects.values_list("kind", "people", "is_sensitive")
    expected = [] if sensitivity == "ordinary" else [("hidden", 2, True)]
    assert list(hidden) == expected


SEE = {Role.SENDER, Role.SUPERVISOR, Role.MANAGER, Role.DPO, Role.AUDITOR}
DESTROY = {Role.SUPERVISOR, Role.MANAGER, Role.DPO}


@pytest.mark.parametrize("role", list(Role))
def test_each_role_of_a_team_sees_and_does_what_it_may(bins, role):
    list_id = bins.filled()
    client = bins.client_of("rob", role)

    def code(path):
        return client.get(f"/lists/{list_id}/{path}").status_code

    sees = 200 if role in SEE else 404
    refused = 403 if role in SEE else 404
    destroys = 200 if role in DESTROY else refused
    assert (code(""), code("rows/"), code("destroy/")) == (sees, sees, destroys)
    assert client.get("/lists/").status_code == (200 if role in SEE else 403)
    asked = client.post(f"/lists/{list_id}/rows/", {"why": "check"}).status_code
    assert asked == (403 if role in SEE else 404)
