# SPDX-License-Identifier: Apache-2.0
"""The options of sendmail(8), in every way in which programs write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.cli.sendmail_options import LETTERS, WrongOptions, read_options
from undisclosed.core.address import Address
from undisclosed.core.recipient_list import NoRecipientList

USER = Address("sam", "council.example")


def handing(*arguments: str):
    return read_options(arguments).handing(USER, "Sam Lee")


@given(st.lists(st.text("-abifotrNRVB= @.<>x", max_size=6), max_size=6))
def test_whatever_the_command_line_is_it_is_read_or_refused(arguments):
    try:
        handing(*arguments)
    except (WrongOptions, NoRecipientList) as error:
        assert "@" not in str(error)


@pytest.mark.parametrize(
    "arguments",
    [
        ("-t", "-i", "-f", "ann@a.example"),
        ("-ti", "-fann@a.example"),
        ("-oi", "-t", "-r", "ann@a.example"),
        ("-i", "-t", "-f", "<ann@a.example>", "--"),
        ("-oem", "-oi", "-f", "Ann <ann@a.example>", "-t"),
        (
            "-t",
            "-bm",
            "-i",
            "-em",
            "-n",
            "-U",
            "-O",
            "DeliveryMode=b",
            "-fann@a.example",
        ),
    ],
    ids=" ".join,
)
def test_the_same_is_said_in_many_ways(arguments):
    found = handing(*arguments)

    assert found.is_read_from_header
    assert found.has_plain_dots
    assert found.sender == Address("ann", "a.example")
    assert found.recipients == ()


@pytest.mark.parametrize("null", ["", "<>", " "])
def test_the_null_sender_has_several_spellings(null):
    assert handing("-f", null, "ann@a.example").sender is None


def test_without_f_the_user_is_the_sender():
    assert handing("ann@a.example").sender == USER


def test_recipients_may_stand_anywhere_and_be_lists():
    found = handing("bob@b.example,root", "-i", "ann@a.example", "--", "-odd@a.example")

    assert [one.spelled_out() for one in found.recipients] == [
        "bob@b.example",
        "root@council.example",
        "ann@a.example",
        "-odd@a.example",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [((), "Sam Lee"), (("-F", "Cron"), "Cron"), (("-F", ""), "")],
)
def test_the_authors_name(arguments, expected):
    assert handing(*arguments, "ann@a.example").author_name == expected


def test_delivery_reports_are_asked_for_as_rfc_3461_has_it():
    found = read_options(
        ("-N", "failure,delay", "-R", "hdrs", "-V", "a+b=c d", "-B", "8bitmime", "ann")
    )

    assert found.parameters == ("BODY=8BITMIME", "RET=HDRS", "ENVID=a+2Bb+3Dc+20d")
    assert found.recipient_parameters == ("NOTIFY=FAILURE,DELAY",)


@pytest.mark.parametrize(
    "arguments",
    [
        ("-bs",),
        ("-bp",),
        ("-bd",),
        ("-q",),
        ("-q30m",),
        ("-z",),
        ("-f",),
        ("--queue",),
        ("-N", "often"),
        ("-N", "never,failure"),
        ("-R", "all"),
        ("-B", "9BIT"),
        ("-V", "ü"),
        ("-V", "x" * 101),
        ("-f", "ann@a.example, bob@b.example", "ann@a.example"),
    ],
    ids=" ".join,
)
def test_what_is_not_offered_is_refused(arguments):
    with pytest.raises(WrongOptions):
        handing(*arguments)


def test_every_letter_is_taken_once():
    letters = LETTERS.replace(":", "")

    assert len(set(letters)) == len(letters)
