# SPDX-License-Identifier: Apache-2.0
"""``undisclosed policy check``: right, wrong, unreadable."""

from pathlib import Path

import pytest

from undisclosed.cli import main
from undisclosed.cli.policy import policy_of
from undisclosed.core.policy import Policy
from undisclosed.errors import UndisclosedError

GOOD = """\
[guard]
mode = "observe"
[policy]
own_domains = ["council.example"]
outsiders = ["pupils.council.example", "kim@council.example"]
mailing_window_days = 7
[policy.teams]
housing = ["ann@council.example"]
[[policy.lists]]
address = "clinic@council.example"
members = ["bob@b.example", "cem@c.example"]
sensitive = true
[policy.keys]
"bob@b.example" = ["4F2A19C07D3E55B1", "0A"]
[policy.actions]
recall = "hold"
"""

EFFECTIVE = """\
[policy]
own_domains = ["council.example"]
outsiders = ["pupils.council.example"]
# and 1 address
max_shown_outsiders = 5
max_shown_outsiders_sensitive = 2
max_addresses_in_text = 25
max_shown = 100000
mailing_window_days = 7

[policy.teams]
# housing: 1 address

[[policy.lists]]
# c…@council.example: 2 members
sensitive = true

[policy.keys]
# 2 keys

[policy.actions]
shown-outsiders = "hold"
hidden-audience = "hold"
visible-mail-control = "hold"
addresses-in-body = "hold"
forwarded-addresses = "hold"
protected-headers = "hold"
encrypted-recipients = "hold"
recall = "hold"
unreadable = "hold"
"""


def check(file: Path) -> int:
    """Run the command."""
    return main(["policy", "check", str(file)])


def test_a_good_policy_is_printed_as_it_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "undisclosed.toml"
    file.write_text(GOOD, "utf-8")

    assert check(file) == 0

    assert capsys.readouterr().out == EFFECTIVE


def test_an_empty_policy_says_what_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "undisclosed.toml"
    file.write_text("", "utf-8")

    assert check(file) == 0

    assert "# the From domain of each mail counts" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"[policy]\n\nown_domain = []\n",
            ':3: There is no setting "policy.own_domain". Did you mean "own_domains"?',
        ),
        (
            b"[gard]\n",
            ':1: There is no setting "gard". Did you mean "guard"?',
        ),
        (b"[policy\n", ":1: This is not TOML: "),
        (b"\xff\xfe", ": is not text in UTF-8."),
        (None, ": cannot be read: No such file or directory."),
    ],
    ids=["policy", "another table", "no TOML", "no text", "missing"],
)
def test_a_wrong_policy_is_refused_with_file_and_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes | None,
    message: str,
) -> None:
    file = tmp_path / "undisclosed.toml"
    if content is not None:
        file.write_bytes(content)

    assert check(file) == 65

    assert capsys.readouterr().err.startswith(f"{file}{message}")


def test_a_folder_is_no_policy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path) == 65

    assert "cannot be read" in capsys.readouterr().err


def test_without_a_file_the_policy_is_the_default() -> None:
    assert policy_of(None) == Policy()


def test_a_wrong_policy_is_an_error_for_other_commands(tmp_path: Path) -> None:
    with pytest.raises(UndisclosedError):
        policy_of(str(tmp_path / "missing.toml"))


def test_without_a_file_the_settings_that_would_be_used_are_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "undisclosed.toml").write_text(GOOD, "utf-8")
    monkeypatch.chdir(tmp_path)

    assert main(["policy", "check"]) == 0

    said = capsys.readouterr().out
    assert said == f"# {tmp_path / 'undisclosed.toml'}\n{EFFECTIVE}"


def test_where_there_are_no_settings_the_defaults_are_printed_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["policy", "check"]) == 0

    said = capsys.readouterr().out
    assert said.startswith("# no undisclosed.toml here, so the defaults\n[policy]\n")


def test_every_fault_is_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "undisclosed.toml"
    file.write_text("[gard]\n[holds]\nexpiry = 'x'\n[policy]\nmax_shown = -1\n")

    assert check(file) == 65

    said = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1] for line in said[:-1]] == ["1", "3", "5"]
    assert said[-1] == "3 faults."
