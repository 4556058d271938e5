# SPDX-License-Identifier: Apache-2.0
"""Access tokens: made once, kept as a hash, good for one purpose, ended at once."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from undisclosed.core.address import Address
from undisclosed.store import tokens
from undisclosed.store.models import Account, JournalEntry, Role
from undisclosed.store.tokens import Purpose, TokenAuthenticator

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OLIVE = Address("olive", "council.example")


def an_account() -> Account:
    return Account.objects.create_account(OLIVE, name="Olive", roles=(Role.SUPERVISOR,))


def test_a_token_is_found_by_what_was_printed_once(database) -> None:
    token = tokens.make("outlook", Purpose.CHECK, now=NOW)

    found = tokens.find(token, Purpose.CHECK, NOW)

    assert found is not None
    assert (found.name, found.account) == ("outlook", "")
    assert found.is_good(NOW)


def test_the_token_itself_is_nowhere_in_the_tables(database) -> None:
    token = tokens.make("outlook", Purpose.CHECK, now=NOW)

    with psycopg.connect(database.url) as connection:
        rows = connection.execute("SELECT * FROM store_accesstoken").fetchall()
        entries = connection.execute("SELECT * FROM store_journalentry").fetchall()
    assert len(rows) == 1
    assert token not in str(rows) + str(entries)
    assert token.encode() not in b"".join(v for v in rows[0] if isinstance(v, bytes))


@pytest.mark.parametrize("asked", [Purpose.SUBMISSION, Purpose.CHECK])
def test_a_token_opens_one_thing(database, asked) -> None:
    token = tokens.make("outlook", Purpose.CHECK, now=NOW)

    assert (tokens.find(token, asked, NOW) is None) == (asked is Purpose.SUBMISSION)


@pytest.mark.parametrize(
    "guess",
    ["", "undisclosed_", "\udce4", "x" * 100_000, "undisclosed_" + "A" * 43],
    ids=["empty", "prefix", "no-character", "long", "of-the-right-form"],
)
def test_a_guess_opens_nothing(database, guess) -> None:
    tokens.make("outlook", Purpose.CHECK, now=NOW)

    assert tokens.find(guess, Purpose.CHECK, NOW) is None


def test_a_revoked_token_opens_nothing(database) -> None:
    token = tokens.make("outlook", Purpose.CHECK, now=NOW)

    tokens.revoke("outlook", NOW)

    assert tokens.find(token, Purpose.CHECK, NOW) is None
    with pytest.raises(tokens.NoSuchToken):
        tokens.revoke("outlook", NOW)


def test_a_token_ends_when_it_was_said_to_end(database) -> None:
    end = NOW + timedelta(days=1)
    token = tokens.make("outlook", Purpose.CHECK, expires_at=end, now=NOW)

    assert tokens.find(token, Purpose.CHECK, end - timedelta(seconds=1)) is not None
    assert tokens.find(token, Purpose.CHECK, end) is None


def test_a_token_of_an_account_that_may_no_longer_log_in_opens_nothing(
    database,
) -> None:
    account = an_account()
    token = tokens.make("olive", Purpose.CHECK, owner=OLIVE, now=NOW)
    found = tokens.find(token, Purpose.CHECK, NOW)
    assert found is not None
    assert found.account == str(account.pk)

    account.is_active = False
    account.save()

    assert tokens.find(token, Purpose.CHECK, NOW) is None


def test_a_token_for_nobodys_account_is_not_made(database) -> None:
    with pytest.raises(tokens.NoSuchOwner):
        tokens.make("olive", Purpose.CHECK, owner=OLIVE, now=NOW)

    assert tokens.every() == []


def test_a_name_is_never_given_twice(database) -> None:
    tokens.make("outlook", Purpose.CHECK, now=NOW)
    tokens.revoke("outlook", NOW)

    with pytest.raises(tokens.TokenNameTaken):
        tokens.make("outlook", Purpose.SUBMISSION, now=NOW)


@pytest.mark.parametrize("name", ["", "olive@council.example", "two words", "x" * 65])
def test_a_name_that_could_hold_more_than_a_name_is_refused(database, name) -> None:
    with pytest.raises(tokens.TokenNameWrong):
        tokens.make(name, Purpose.CHECK, now=NOW)


def test_making_and_revoking_stand_in_the_journal(database) -> None:
    tokens.make("scanner", Purpose.SUBMISSION, now=NOW)
    tokens.revoke("scanner", NOW)

    entries = list(JournalEntry.objects.order_by("id").values_list("event", "facts"))
    assert [event for event, _ in entries] == [
        "access token made",
        "access token revoked",
    ]
    assert all(facts["token"] == "scanner" for _, facts in entries)
    assert entries[0][1]["purpose"] == "submission"


def test_what_a_token_was_asked_is_counted_by_the_hour(database) -> None:
    tokens.make("outlook", Purpose.CHECK, now=NOW)
    tokens.make("another", Purpose.CHECK, now=NOW)

    first = tokens.count("outlook", NOW)
    second = tokens.count("outlook", NOW + timedelta(minutes=59))
    other = tokens.count("another", NOW + timedelta(minutes=59))
    later = tokens.count("outlook", NOW + timedelta(minutes=60))

    assert [first.times, second.times, other.times, later.times] == [1, 2, 1, 1]
    assert first.again_at == second.again_at == NOW + timedelta(hours=1)


class TestSubmission:
    """What the guard asks about a client that logs in."""

    def test_name_and_token_belong_together(self, database) -> None:
        token = tokens.make("scanner", Purpose.SUBMISSION, now=NOW)
        other = tokens.make("printer", Purpose.SUBMISSION, now=NOW)
        check = TokenAuthenticator().check

        assert check("scanner", token) == "scanner"
        assert check("scanner", other) is None
        assert check("", token) is None

    def test_a_token_of_the_check_api_submits_nothing(self, database) -> None:
        token = tokens.make("outlook", Purpose.CHECK, now=NOW)

        assert TokenAuthenticator().check("outlook", token) is None
