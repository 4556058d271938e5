# SPDX-License-Identifier: Apache-2.0
"""Whom a file says not to mail: each once, and every row that holds nobody."""

import pytest

from undisclosed.core.address import Address
from undisclosed.send.recipients import NoRecipients
from undisclosed.send.suppressing import listed
from undisclosed.send.tables import open_table

ANN, BOB = Address("ann", "a.example"), Address("bob", "b.example")


@pytest.fixture
def table(tmp_path):
    def opened(text):
        path = tmp_path / "people.csv"
        path.write_text(text, encoding="utf-8")
        return open_table(path, "")

    return opened


@pytest.mark.parametrize(
    "text",
    [
        "ann@a.example\nbob@b.example\n",
        "Email\nann@a.example\nbob@b.example\n",
        "Name,E-mail,Reason\nAnn,ann@a.example,left\n\nBob, bob@b.example ,\n",
        "Email\nann@a.example\nANN@a.example\nbob@b.example\nann@a.example\n",
    ],
    ids=["addresses alone", "one column", "a table", "one twice"],
)
def test_everybody_of_a_file_is_there_once(table, text):
    assert listed(table(text)).addresses == (ANN, BOB)


def test_rows_without_an_address_are_named_by_their_number(table):
    found = listed(table("Email\nann@a.example\nnobody\nbob@b.example\n@\n"))

    assert found.wrong == (3, 5)
    assert "a.example" not in repr(found)


def test_a_file_without_a_column_of_addresses_is_refused(table):
    with pytest.raises(NoRecipients):
        listed(table("Name\nAnn\n"))


def test_the_column_may_be_named(table):
    text = "Home,Work\nann@a.example,bob@b.example\n"

    assert listed(table(text), "Work").addresses == (BOB,)
