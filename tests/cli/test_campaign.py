# SPDX-License-Identifier: Apache-2.0
"""``undisclosed campaign``: the whole way from a file to the last message."""

from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from tests.console.campaigns import THREE, Office
from tests.console.world import World, now
from tests.store.refusing import refusing
from undisclosed.cli import main, wiring
from undisclosed.core.campaign import CampaignState, DeliveryState
from undisclosed.send import approval, proof_verifier
from undisclosed.store import campaigns, ledger
from undisclosed.store.models import (
    Campaign,
    JournalEntry,
    OutgoingMail,
    RecipientList,
    Team,
)

pytestmark = pytest.mark.usefixtures("database")

SAM = ("--as", "sam@council.example")


@pytest.fixture
def office(database, monkeypatch):
    monkeypatch.setattr(wiring, "configure", lambda settings: None)
    monkeypatch.setenv("UNDISCLOSED_SETTINGS", str(database.settings.file))
    monkeypatch.setenv("UNDISCLOSED_MASTER_KEY", database.settings.master_key.hex())
    return Office(World(database))


@pytest.fixture
def said(capsys):
    """Runs a command; its exit code, and what was printed to both streams."""

    def run(*command):
        code = main(("campaign", *command))
        out, err = capsys.readouterr()
        return code, out + err

    return run


def test_a_file_becomes_a_draft(office, said, tmp_path):
    text, file = tmp_path / "text.md", tmp_path / "dates.csv"
    text.write_text("Dear {{ name }},\n\nit is Monday.\n", encoding="utf-8")
    file.write_text("Monday", encoding="utf-8")
    chosen = office.list_of(*THREE).pk
    author = ("--from", "bins@council.example", "--from-name", "Bins")
    what = ("--name", "Bins", "--team", "Bins", "--list", chosen, "--subject", "Bins")

    code, made = said("new", str(text), *what, *author, "--attach", str(file), *SAM)

    assert code == 0
    found = campaigns.get(made.strip())
    assert (found.recipients, found.state) == (3, CampaignState.DRAFT)
    assert [one.name for one in campaigns.files_of(found.id)] == ["dates.csv"]
    assert made.strip() in said("list")[1]
    assert said("new", str(text), *what, "--from", "nobody", *SAM)[0] == 77


def test_another_team_s_list_is_none_for_a_campaign(office, said, tmp_path):
    text = tmp_path / "text.md"
    text.write_text("It is Monday.\n", encoding="utf-8")
    theirs = office.list_of(*THREE)
    other = Team.objects.create(name="Parks", created_at=now())
    RecipientList.objects.filter(pk=theirs.pk).update(team=other)
    what = ("--name", "Bins", "--team", "Bins", "--subject", "Bins", str(text))
    before = office.drafted()

    made = said("new", *what, "--list", theirs.pk, "--from", "a@council.example", *SAM)
    changed = said("change", before, "--list", theirs.pk, *SAM)

    assert made[0] != 0 and changed[0] != 0
    assert Campaign.objects.count() == 1
    assert campaigns.get(before).list_id != theirs.pk
    with pytest.raises(campaigns.NotComplete):
        campaigns.change(before, by="sam", now=now(), list_id=theirs.pk)


def test_it_goes_from_submission_to_sending(office, said):
    made = office.checked()
    digest = campaigns.get(made).checked_digest.hex()[:16]

    submitted = said("submit", made, *SAM)
    for name, role in (("mary", "supervisor"), ("max", "manager")):
        who = ("--as", f"{name}@council.example")
        said("approve", made, "--role", role, "--digest", digest, *who)
    who = ("--as", "cora@council.example")
    last = said("approve", made, "--role", "communications", "--digest", digest, *who)
    dry = said("start", made, *SAM)
    still = campaigns.get(made).state
    begun = said("start", made, "--no-dry-run", *SAM)

    assert f"Digest {digest}" in submitted[1]
    assert ": approved, " in last[1]
    assert "A dry run: nothing was sent." in dry[1]
    assert "Subject: Your bin day, ▇▇▇" in dry[1]
    assert dry[1].count("Subject:") == 1
    assert still is CampaignState.APPROVED
    assert ": sending, " in begun[1]
    assert "queued: 3" in begun[1]
    assert all("@" not in text for _, text in (submitted, last, dry, begun))


@pytest.mark.parametrize(
    ("who", "digest", "code"),
    [
        pytest.param("sam", None, 77, id="their own"),
        pytest.param("mary", "0" * 16, 77, id="another version"),
        pytest.param("mary", "", 77, id="too little of the digest"),
        pytest.param("max", None, 77, id="without the role"),
        pytest.param("mary", None, 0, id="the supervisor"),
    ],
)
def test_who_may_approve_by_terminal(office, said, who, digest, code):
    made = office.submitted()
    shown = campaigns.get(made).digest.hex()[:16] if digest is None else digest
    account = ("--as", f"{who}@council.example")

    answer = said("approve", made, "--role", "supervisor", "--digest", shown, *account)

    assert answer[0] == code


def test_a_refusal_has_its_reason(office, said):
    made = office.submitted()
    digest = campaigns.get(made).digest.hex()
    who = ("--as", "max@council.example", "--role", "manager", "--digest", digest)

    code, text = said("reject", made, "--reason", "Wrong week.", *who)

    assert code == 0
    assert ": draft, " in text


def test_the_checks_run_and_what_they_found_is_shown(office, said):
    made = office.drafted()

    code, text = said("check", made, *SAM)

    assert code == 0
    assert campaigns.get(made).state is CampaignState.CHECKED
    assert f"Campaign {made}: checked" in text


def test_a_test_is_a_dry_run_until_told_otherwise(office, said):
    made = office.drafted()

    dry = said("test", made, *SAM)
    none = OutgoingMail.objects.count()
    sent = said("test", made, "--no-dry-run", "--limit", "2", *SAM)

    assert "A dry run" in dry[1]
    assert none == 0
    assert "On its way" in sent[1]
    assert OutgoingMail.objects.count() == 2


def test_a_test_that_cannot_be_queued_is_not_in_the_journal(office, said):
    made = office.drafted()

    with (
        refusing("store_outgoingmail"),
        pytest.raises(psycopg.errors.RaiseException),
    ):
        said("test", made, "--no-dry-run", *SAM)

    assert not JournalEntry.objects.filter(event="test sent").exists()


@pytest.mark.parametrize("until", ["2090-01-31T09:00", "2090-01-31T08:59"])
def test_what_would_end_before_it_begins_is_not_scheduled(office, said, until):
    made = office.submitted()
    office.approve(made)
    times = ("2090-01-31T09:00", "--not-after", until)

    code, text = said("schedule", made, *times, "--no-dry-run", *SAM)

    assert code == 77
    assert "It ends before it begins" in text
    assert campaigns.get(made).state is CampaignState.APPROVED


def test_it_is_scheduled_paused_resumed_and_cancelled(office, said):
    made = office.submitted()
    office.approve(made)

    times = ("2090-01-31T09:00", "--not-after", "2090-01-31T17:00")
    dry = said("schedule", made, *times, *SAM)
    scheduled = said("schedule", made, *times, "--no-dry-run", *SAM)
    refused = said("pause", made, *SAM)

    assert "nothing was scheduled" in dry[1]
    assert "Not before 2090-01-31 09:00:00 UTC" in scheduled[1]
    assert refused[0] == 77
    sending = office.sending(office.list_of(*THREE))
    assert ": paused, " in said("pause", sending, *SAM)[1]
    assert ": sending, " in said("resume", sending, *SAM)[1]
    assert ": cancelled, " in said("cancel", sending, *SAM)[1]
    assert ledger.counts(sending) == {DeliveryState.FAILED: 3}


def test_the_proof_is_written_into_a_file(office, said, tmp_path):
    made, file = office.sending(), tmp_path / "proof.zip"
    said("cancel", made, *SAM)

    assert said("proof", made, "-o", str(file), *SAM)[0] == 0
    assert said("proof", made, "-o", str(file), *SAM)[0] != 0
    assert said("verify-proof", str(file)) == (
        0,
        f"Campaign {made}: 3 failed.\nEverything holds.\n",
    )
    file.write_bytes(file.read_bytes()[:-40])
    assert said("verify-proof", str(file))[0] == 65


def test_a_proof_is_for_its_owner_alone_and_whole_or_not_there(office, said, tmp_path):
    made, file = office.sending(), tmp_path / "proof.zip"
    said("cancel", made, *SAM)

    with refusing("store_journalentry"), pytest.raises(psycopg.errors.RaiseException):
        said("proof", made, "-o", str(file), *SAM)
    was_there = file.exists()
    code, _ = said("proof", made, "-o", str(file), *SAM)

    assert (code, was_there) == (0, False)
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_verifier_is_printed_as_the_file_that_it_is(said):
    assert said("proof-verifier") == (0, Path(proof_verifier.__file__).read_text())


def test_what_changed_since_it_was_approved_is_shown(office, said, tmp_path):
    made = office.submitted()
    office.approve(made)
    none = said("diff", made, *SAM)[1]
    text, file = tmp_path / "text.md", tmp_path / "dates.csv"
    text.write_text("Dear {{ name }},\n\nit is Tuesday.\n", encoding="utf-8")
    file.write_text("Tuesday", encoding="utf-8")

    what = ("--text", str(text), "--attach", str(file), "--kind", "marketing")
    changed = said("change", made, *what, "--reply-to", "all@council.example", *SAM)
    shown = said("diff", made, *SAM)[1]

    assert "Nothing changed" in none
    assert f"Campaign {made}: draft" in changed[1]
    assert "+ it is Tuesday." in shown
    assert "File dates.csv: new" in shown
    assert "Answers go to: (nothing) -> all@council.example" in shown
    assert "-> marketing: everybody can unsubscribe" in shown


def test_each_person_has_a_file_of_their_own_out_of_a_folder(office, said, tmp_path):
    made = office.drafted()
    for name in ("Ann", "Bob", "Eve"):
        (tmp_path / name).write_text(name)

    said("change", made, "--attach-by", "Name", str(tmp_path), *SAM)
    seen = said("preview", made, "--raw", *SAM)[1]

    assert {(one.name, one.column) for one in campaigns.files_of(made)} == {
        (name, "Name") for name in ("Ann", "Bob", "Eve")
    }
    assert "Ann" not in seen
    assert said("change", made, "--attach-by", "Name", "/nowhere", *SAM)[0] == 77


@pytest.mark.parametrize(
    ("policy", "how", "state"),
    [
        ("ask", (), DeliveryState.IN_DOUBT),
        ("sent", (), DeliveryState.SENT),
        ("ask", ("sent",), DeliveryState.SENT),
        ("sent", ("resend",), DeliveryState.QUEUED),
    ],
    ids=["nobody said", "by its policy", "by a person", "against its policy"],
)
def test_what_is_in_doubt_is_decided_as_the_campaign_says(
    office, said, policy, how, state
):
    made = office.sending()
    Campaign.objects.filter(pk=made).update(in_doubt=policy)
    lease, long_ago = timedelta(seconds=1), now() - timedelta(hours=1)
    rows = ledger.claim(made, by="w", limit=1, lease=lease, now=long_ago)
    ledger.begin(made, [one.number for one in rows], by="w", now=long_ago)
    ledger.give_back(made, by="w")
    said("pause", made, *SAM)

    code, _ = said("doubt", made, *how, *SAM)

    assert code == (77 if state is DeliveryState.IN_DOUBT else 0)
    assert ledger.counts(made)[state] >= 1


def test_it_is_followed_until_nothing_moves(office, said):
    made = office.sending()
    said("cancel", made, *SAM)

    code, text = said("show", made, "--follow")

    assert code == 0
    assert text.rstrip().endswith("0 of 3 messages sent, 3 failed.")


def test_somebody_of_another_team_sees_and_does_nothing(office, said):
    made = office.drafted()
    office.world.account(login="eve@council.example", name="Eve")

    for act in ("preview", "check", "cancel"):
        assert said(act, made, "--as", "eve@council.example")[0] == 77


def test_a_preview_shows_as_many_as_asked_for(office, said):
    made = office.drafted()

    two = said("preview", made, "--limit", "2", *SAM)[1]
    raw = said("preview", made, "--row", "3", "--raw", *SAM)[1]

    assert two.count("values masked") == 2
    assert "Row 3" in raw
    assert "Content-Type: text/html" in raw
    assert "Eve" not in raw


def test_what_was_found_can_be_answered_for(office, said):
    from undisclosed.core.campaign import CheckFinding, Weight

    made = office.drafted()
    content = approval.content_of(campaigns.get(made))
    found = (CheckFinding("dates", Weight.OVERRIDE, "A date is over."),)
    by = office.people["sam"].pk
    approval.record_checks(made, content, found, by=by, now=now())

    code, text = said("override", made, "dates", "--reason", "It is history.", *SAM)

    assert code == 0
    assert "answered for: It is history." in text
