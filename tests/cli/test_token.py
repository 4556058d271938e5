# SPDX-License-Identifier: Apache-2.0
"""``undisclosed token``: made once, listed without the token, revoked.

The commands run in this process, over the database of the tests: Django is
configured already, so they find it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from undisclosed.cli import main
from undisclosed.core.address import Address
from undisclosed.store.models import Account, Role

HOW_TO = Path(__file__).parents[2] / "docs" / "howto" / "add-ins.md"


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def token(database, capsys, tmp_path, monkeypatch) -> Command:
    """Runs ``undisclosed token`` with these words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNDISCLOSED_MASTER_KEY", "00" * 32)

    def run(*words: str) -> Said:
        try:
            code = main(["token", *words])
        except SystemExit as ending:
            code = int(str(ending.code))
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


def test_a_token_is_printed_once(token) -> None:
    made = token("make", "outlook", "--purpose", "check")
    listed = token("list")

    assert made.code == listed.code == 0, made.err
    assert made.out.startswith("undisclosed_")
    assert made.out.strip() not in listed.out
    assert listed.out == "outlook: check, good until it is revoked\n"


def test_a_token_for_some_days_says_so(token) -> None:
    made = token("make", "trial", "--purpose", "submission", "--days", "3")

    assert made.code == 0
    assert token("list").out.startswith("trial: submission, good until 2")


def test_a_revoked_token_is_listed_as_such(token) -> None:
    token("make", "old", "--purpose", "check")

    revoked, again = token("revoke", "old"), token("revoke", "old")

    assert (revoked.code, again.code) == (0, 78)
    assert token("list").out.startswith("old: check, revoked on 2")


def test_a_token_acts_for_an_account(token) -> None:
    login = Address("olive", "council.example")
    Account.objects.create_account(login, name="Olive", roles=(Role.SENDER,))

    made = token("make", "o", "--purpose", "check", "--account", login.spelled_out())

    assert made.code == 0, made.err
    assert token("list").out == "o: check, for Olive, good until it is revoked\n"


def test_the_commands_of_the_how_to_do_what_it_says(token) -> None:
    commands = re.findall(r"^undisclosed token (.*)$", HOW_TO.read_text(), re.MULTILINE)

    codes = [token(*command.split()).code for command in commands]

    assert [command.split()[0] for command in commands] == ["make", "list", "revoke"]
    assert codes == [0, 0, 0]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("make", "a@b", "--purpose", "check"), 78),
        (("make", "x"), 2),
        (("make", "x", "--purpose", "all"), 2),
        (("make", "x", "--purpose", "check", "--days", "0"), 2),
        (("make", "x", "--purpose", "check", "--account", "nobody"), 2),
        (("make", "x", "--purpose", "check", "--account", "no@council.example"), 78),
        (("revoke", "never-made"), 78),
        ((), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_what_cannot_be_done_is_said(token, words, code) -> None:
    said = token(*words)

    assert said.code == code
    assert said.out == ""
    assert said.err
