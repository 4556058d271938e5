# SPDX-License-Identifier: Apache-2.0
"""A wrong command line is answered with what was meant, and with where to begin."""

import pytest

from undisclosed.cli import main


def refused(
    capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[object, str, str]:
    """What a wrong command line exits with, and what it says on either stream."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_no_command_at_all_is_told_where_to_begin(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = refused(capsys)

    assert (code, out) == (2, "")
    assert err.startswith("undisclosed: COMMAND is missing.\nWhere to begin:\n")
    assert "undisclosed run " in err
    assert "`undisclosed --help` lists every command." in err


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("chek", "a.eml"), "check"),
        (("polcy",), "policy"),
        (("campain", "list"), "campaign"),
        (("policy", "chek"), "check"),
        (("held", "lst"), "list"),
        (("token", "make", "a", "--purpose", "chekc"), "check"),
    ],
    ids=" ".join,
)
def test_a_misspelt_command_is_offered_the_nearest_one(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], meant: str
) -> None:
    code, _, err = refused(capsys, *arguments)

    assert code == 2
    assert f"Did you mean “{meant}”?" in err


def test_a_word_that_is_like_none_is_offered_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = refused(capsys, "xyzzy")

    assert code == 2
    assert "there is no COMMAND “xyzzy”." in err
    assert "Did you mean" not in err
    assert "invalid choice" not in err


def test_what_was_typed_cannot_steer_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, _, err = refused(capsys, "\x1b[2Jchekc")

    assert "\x1b" not in err


def test_a_command_without_what_it_needs_says_how_it_is_called(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = refused(capsys, "check")

    assert code == 2
    assert err.startswith("undisclosed check: MESSAGE is missing.\nusage: undisclosed ")
    assert "`undisclosed check --help` says more." in err
