# SPDX-License-Identifier: Apache-2.0
"""``undisclosed list``: checked without a store, imported when told, never by others.

The commands run in this process, over the database of the tests: Django is
configured already, so they find it.
"""

import shlex
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from undisclosed.cli import build_parser, main
from undisclosed.core.address import Address
from undisclosed.store import lists
from undisclosed.store.models import (
    Account,
    JournalEntry,
    Membership,
    RecipientList,
    Role,
    Team,
)

HOW_TO = Path(__file__).parents[2] / "docs" / "howto" / "lists.md"
GOOD = "Email,Name,Way\nann@a.example,Ann,\nbob@b.example,Bob,\n,Pat,phone\n"
BAD = "Email\n" + "".join(f"nobody{at}\n" for at in range(25))


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def run(capsys, tmp_path, monkeypatch) -> Command:
    """Runs ``undisclosed list`` with these words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNDISCLOSED_MASTER_KEY", "00" * 32)

    def run(*words: object) -> Said:
        try:
            code = main(["list", *map(str, words)])
        except SystemExit as ending:
            code = int(str(ending.code))
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


@pytest.fixture
def file(tmp_path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "people.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def sam(database) -> Account:
    """A sender of the team Bins, who may not see rows."""
    return member("sam", Role.SENDER)


def member(name, *roles, rows=False):
    login = Address(name, "council.example")
    made = Account.objects.create_account(login, name=name, roles=(Role.SENDER,))
    now = datetime.now(UTC)
    team, _ = Team.objects.get_or_create(name="Bins", defaults={"created_at": now})
    Membership.objects.create(
        team=team, account=made, roles=list(roles), may_see_rows=rows
    )
    return made


NEW = ("--team", "Bins", "--name", "North", "--purpose", "Bin days")


def by(name):
    return ("--as", f"{name}@council.example")


def imported(run, file):
    said = run("import", file(GOOD), *NEW, *by("sam"), "--no-dry-run")
    assert said.code == 0, said.err
    return RecipientList.objects.get().pk


def test_a_good_file_has_nothing_against_it(run, file):
    said = run("check", file(GOOD))

    assert said.code == 0
    assert said.out == '3 people, 2 of them by mail (column "Email").\n'


def test_problems_are_named_by_row_and_column_and_all_are_written(run, file, tmp_path):
    said = run("check", file(BAD), "--problems", tmp_path / "problems.csv")

    assert said.code == 3
    assert "row 2, Email: is no address" in said.out
    assert said.out.count("is no address") == 20
    assert "and 5 more" in said.out and "25 problems to be mended" in said.out
    written = (tmp_path / "problems.csv").read_text("utf-8")
    assert written.count("is no address") == 25
    assert "nobody" not in said.out + written


def test_a_file_that_is_no_table_is_unreadable_input(run, file):
    said = run("check", file("%PDF-1.7"))

    assert said.code == 65
    assert "picture or a document" in said.err


def test_a_file_that_is_not_there_is_said(run, tmp_path):
    assert run("check", tmp_path / "none.csv").code == 75


def test_an_import_is_a_dry_run_unless_told_otherwise(run, file, sam):
    said = run("import", file(GOOD), *NEW, *by("sam"))

    assert said.code == 0
    assert "A dry run" in said.out
    assert not RecipientList.objects.exists()


def test_an_import_makes_a_list(run, file, sam):
    list_id = imported(run, file)

    assert [row.values["Name"] for row in lists.rows(list_id)] == ["Ann", "Bob", "Pat"]
    assert RecipientList.objects.get().owner == sam


def test_an_import_into_a_list_replaces_its_people(run, file, sam):
    list_id = imported(run, file)

    path = file("Email\neve@a.example\n")
    said = run("import", path, "--list", list_id, *by("sam"), "--no-dry-run")

    assert said.code == 0
    assert len(list(lists.rows(list_id))) == 1


def test_a_file_with_a_problem_is_not_imported(run, file, sam):
    said = run("import", file(BAD), *NEW, *by("sam"), "--no-dry-run")

    assert said.code == 3
    assert not RecipientList.objects.exists()


def test_a_new_list_needs_its_facts(run, file, sam):
    assert run("import", file(GOOD), "--team", "Bins", *by("sam")).code == 2


def test_only_who_may_change_lists_of_the_team_imports(run, file, sam):
    member("max", Role.MANAGER)
    list_id = imported(run, file)

    new = run("import", file(GOOD), *NEW, *by("max"), "--no-dry-run")
    old = run("import", file(GOOD), "--list", list_id, *by("max"), "--no-dry-run")

    assert new.code == old.code == 78
    assert RecipientList.objects.get().version == 1


def test_a_list_is_shown_without_a_row(run, file, sam):
    list_id = imported(run, file)

    shown, every = run("show", list_id, *by("sam")), run("all", *by("sam"))

    assert "purpose: Bin days" in shown.out and "columns: Email, Name, Way" in shown.out
    assert "mail: 2" in shown.out and "phone: 1" in shown.out
    assert "Ann" not in shown.out
    assert every.out == f"{list_id}  North: 3 people, Bins\n"


def test_rows_leave_only_with_the_right_for_it_and_a_reason(run, file, sam, tmp_path):
    member("eve", Role.SENDER, rows=True)
    list_id, path = imported(run, file), tmp_path / "rows.csv"
    export = ("export", list_id, "-o", path)

    refused = run(*export, *by("sam"), "--why", "move")
    without = run(*export, *by("eve"))
    done = run(*export, *by("eve"), "--why", "move")

    assert (refused.code, without.code, done.code) == (78, 2, 0)
    assert "ann@a.example,Ann" in path.read_text("utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert JournalEntry.objects.get(event="list exported").facts["why"] == "move"


def test_a_file_that_is_there_is_not_written_over(run, file, sam, tmp_path):
    member("eve", Role.SENDER, rows=True)
    list_id = imported(run, file)
    path = file("mine")

    said = run("export", list_id, "-o", path, *by("eve"), "--why", "move")

    assert said.code == 75
    assert path.read_text() == "mine"


def test_a_call_sheet_is_written(run, file, sam, tmp_path):
    member("eve", Role.SENDER, rows=True)
    list_id, path = imported(run, file), tmp_path / "calls.pdf"

    done = run("call-sheet", list_id, "-o", path, *by("eve"), "--why", "reach")

    assert done.code == 0
    assert path.read_bytes().startswith(b"%PDF-")


def test_a_list_is_destroyed_when_told_by_who_may(run, file, sam):
    member("max", Role.MANAGER)
    list_id = imported(run, file)

    dry = run("destroy", list_id, *by("max"))
    refused = run("destroy", list_id, *by("sam"), "--no-dry-run")
    assert (dry.code, refused.code) == (0, 78)
    assert len(list(lists.rows(list_id))) == 3
    assert run("destroy", list_id, *by("max"), "--no-dry-run").code == 0

    assert RecipientList.objects.get().data_key is None


def test_every_command_of_the_how_to_is_one():
    commands = [
        shlex.split(line.removeprefix("$ undisclosed "))
        for line in HOW_TO.read_text("utf-8").splitlines()
        if line.startswith("$ undisclosed list ")
    ]

    acts = {build_parser().parse_args(command).act for command in commands}

    assert acts >= {"check", "import", "show", "export", "destroy"}
