# SPDX-License-Identifier: Apache-2.0
"""``undisclosed suppressions``: seen shortened, changed by right, journalled."""

import csv
import io
import shlex
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from undisclosed.cli import build_parser, main
from undisclosed.cli.suppressions import LIFTED, REASONS
from undisclosed.core.address import Address
from undisclosed.core.campaign import MailKind
from undisclosed.store import suppressions
from undisclosed.store.models import Account, JournalEntry, Membership, Role, Team
from undisclosed.store.suppressions import Lifted, Reason

pytestmark = pytest.mark.usefixtures("database")

HOW_TO = Path(__file__).parents[2] / "docs" / "howto" / "bounces.md"
ANN, BOB = Address("ann", "a.example"), Address("bob", "b.example")
WHY = ("--why", "request")


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Runs ``undisclosed suppressions`` with these words, as Sam."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNDISCLOSED_MASTER_KEY", "00" * 32)

    def run(*words, name="sam"):
        who = ("--as", f"{name}@council.example")
        try:
            code = main(["suppressions", *map(str, words), *who])
        except SystemExit as ending:
            code = int(str(ending.code))
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


def member(name, *roles, rows=False, team="Bins"):
    login = Address(name, "council.example")
    found = Account.objects.filter(name=name).first()
    made = found or Account.objects.create_account(
        login, name=name, roles=(Role.SENDER,)
    )
    now = datetime.now(UTC)
    of, _ = Team.objects.get_or_create(name=team, defaults={"created_at": now})
    Membership.objects.create(
        team=of, account=made, roles=list(roles), may_see_rows=rows
    )
    return made


@pytest.fixture
def sam():
    """A sender of the team Bins, who may not see rows."""
    return member("sam", Role.SENDER)


@pytest.fixture
def rita():
    """A sender of the same team, who may."""
    return member("rita", Role.SENDER, rows=True)


def suppressed(*people, team=None, reason=Reason.ASKED):
    now = datetime.now(UTC)
    suppressions.suppress(people, reason, team=team, by="test", now=now)


def all_of_them():
    return {
        (one.address.spelled_out(), one.reason, one.is_marketing_only)
        for one in suppressions.page(None).items
    }


def facts_of(event):
    return JournalEntry.objects.get(event=event).facts


def test_the_reasons_are_those_of_the_store():
    assert set(REASONS) == {one.value for one in Reason}
    assert set(LIFTED) == {one.value for one in Lifted}


def test_people_are_added_at_once_for_a_team_or_for_all(run, sam):
    said = run("add", "ann@a.example", "--reason", "asked", "--team", "Bins")
    more = run(
        *("add", "bob@b.example", "--reason", "unsubscribed"),
        *("--all-teams", "--marketing"),
    )

    assert (said.code, more.code) == (0, 0), said.err + more.err
    assert "1 person more not mailed" in said.out
    assert all_of_them() == {
        ("ann@a.example", "asked", False),
        ("bob@b.example", "unsubscribed", True),
    }
    team = Team.objects.get().pk
    assert suppressions.why(ANN, team=team, kind=MailKind.SERVICE) == "asked"
    assert suppressions.why(BOB, team=team, kind=MailKind.SERVICE) == ""


def test_addresses_may_be_read_from_standard_input(run, sam, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("ann@a.example\n\nbob@b.example\n"))

    said = run("add", "-", "--reason", "safety", "--all-teams")

    assert said.code == 0
    assert len(all_of_them()) == 2


def test_what_is_no_address_adds_nobody(run, sam):
    said = run("add", "ann@a.example", "nobody", "--reason", "asked", "--all-teams")

    assert said.code == 78
    assert "no whole address" in said.err and "nobody" not in said.err
    assert not all_of_them()


def test_they_are_listed_shortened(run, sam):
    suppressed(ANN)

    said = run("list")

    assert said.code == 0
    assert "a…@a.example" in said.out and "ann@" not in said.out
    assert "asked, every mail, all teams" in said.out
    assert not JournalEntry.objects.filter(event="suppressions shown").exists()


def test_one_person_is_found_by_the_whole_address(run, sam):
    suppressed(ANN, BOB)

    said = run("list", "--address", "BOB@b.example")

    assert "b…@b.example" in said.out and "a.example" not in said.out


def test_whole_addresses_need_the_right_and_are_journalled(run, sam, rita):
    team = Team.objects.get().pk
    suppressed(ANN, team=team)

    masked = run("list", "--show-addresses")
    whole = run("list", "--show-addresses", name="rita")

    assert "ann@a.example" not in masked.out
    assert "ann@a.example" in whole.out
    assert facts_of("suppressions shown") == {"people": 1}


def test_one_of_another_team_is_not_listed(run, sam):
    other = Team.objects.create(name="Clinic", created_at=datetime.now(UTC))
    suppressed(ANN, team=other.pk)

    assert run("list").out == ""


def test_somebody_is_mailed_again_for_a_reason(run, sam):
    suppressed(ANN, team=Team.objects.get().pk)
    (one,) = suppressions.page(None).items

    without = run("remove", one.id)
    said = run("remove", one.id, "--reason", "mistake")

    assert (without.code, said.code) == (2, 0)
    assert not all_of_them()
    facts = facts_of("suppression lifted")
    assert (facts["reason"], facts["because"]) == ("asked", "mistake")


def test_nobody_removes_what_is_another_teams(run, sam):
    other = Team.objects.create(name="Clinic", created_at=datetime.now(UTC))
    suppressed(ANN, team=other.pk)
    suppressed(BOB)
    found = {one.team: one.id for one in suppressions.page(None).items}

    hidden = run("remove", found[other.pk], "--reason", "mistake")
    of_all = run("remove", found[None], "--reason", "mistake")

    assert hidden.code == of_all.code == 78
    assert len(all_of_them()) == 2


def test_who_only_reads_adds_nobody(run):
    member("sam", Role.AUDITOR)

    said = run("add", "ann@a.example", "--reason", "asked", "--team", "Bins")

    assert said.code == 78
    assert not all_of_them()


def test_who_is_in_no_team_sees_nothing(run):
    Account.objects.create_account(
        Address("sam", "council.example"), name="sam", roles=(Role.SENDER,)
    )

    assert run("list").code == 78


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("Name,Email\nAnn,ann@a.example\nBob,bob@b.example\n", "utf-8")
    return path


def test_a_file_is_a_dry_run_unless_told_otherwise(run, sam, file):
    what = ("--reason", "asked", "--team", "Bins")

    dry = run("import", file, *what)
    before = all_of_them()
    said = run("import", file, *what, "--no-dry-run")

    assert (dry.code, said.code) == (0, 0)
    assert "A dry run: 2 people" in dry.out
    assert not before
    assert len(all_of_them()) == 2
    assert facts_of("suppressed")["people"] == 2


def test_a_file_with_rows_that_hold_nobody_is_imported_not_at_all(run, sam, file):
    file.write_text("Email\nann@a.example\n" + 25 * "nobody\n", "utf-8")

    said = run(*("import", file, "--reason", "asked", "--team", "Bins", "--no-dry-run"))

    assert said.code == 3
    assert "row 3: no whole address" in said.out
    assert "and 5 more" in said.out
    assert not all_of_them()


def test_a_file_that_is_no_table_is_unreadable_input(run, sam, file):
    file.write_text("%PDF-1.7", "utf-8")

    assert run("import", file, "--reason", "asked", "--team", "Bins").code == 65


def test_they_are_exported_by_who_may_see_rows(run, sam, rita, tmp_path):
    team = Team.objects.get().pk
    suppressed(ANN, team=team)
    suppressed(BOB, reason=Reason.FAILED)
    out = tmp_path / "out.csv"

    refused = run("export", "-o", out, *WHY)
    said = run("export", "-o", out, *WHY, name="rita")

    assert (refused.code, said.code) == (78, 0)
    rows = list(csv.reader(io.StringIO(out.read_text("utf-8-sig"))))
    assert [row[:4] for row in rows] == [
        ["Email", "Reason", "Mail", "Team"],
        ["ann@a.example", "asked", "every mail", "Bins"],
        ["bob@b.example", "failed", "every mail", "all teams"],
    ]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert facts_of("suppressions exported") == {"people": 2, "why": "request"}


def test_of_a_part_of_the_teams_only_their_own_are_exported(run, rita, tmp_path):
    Team.objects.create(name="Clinic", created_at=datetime.now(UTC))
    suppressed(ANN, team=Team.objects.get(name="Bins").pk)
    suppressed(BOB)
    out = tmp_path / "out.csv"

    said = run("export", "-o", out, *WHY, name="rita")

    assert "left out" in said.out
    assert "ann@a.example" in out.read_text("utf-8")
    assert "bob@b.example" not in out.read_text("utf-8")


def test_what_was_exported_can_be_imported(run, sam, rita, tmp_path):
    suppressed(ANN, BOB, team=Team.objects.get().pk)
    out = tmp_path / "out.csv"
    run("export", "-o", out, *WHY, name="rita")
    for one in suppressions.page(None).items:
        run("remove", one.id, "--reason", "mistake")

    said = run("import", out, "--reason", "asked", "--team", "Bins", "--no-dry-run")

    assert said.code == 0, said.err
    assert len(all_of_them()) == 2


def test_every_command_of_the_how_to_can_be_given():
    lines = HOW_TO.read_text("utf-8").splitlines()
    commands = [
        line.removeprefix("$ ") for line in lines if "undisclosed suppressions" in line
    ]

    for command in commands:
        words = shlex.split(command.partition(" < ")[0])
        build_parser().parse_args(words[1:])
    assert len(commands) >= 4
