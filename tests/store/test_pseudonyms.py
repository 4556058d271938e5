# SPDX-License-Identifier: Apache-2.0
"""People in the journal: pseudonyms per epoch, and forgetting them."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.postgres import TestDatabase
from undisclosed.store import forgetting, journal, pseudonyms, sealing, verifier
from undisclosed.store.database import database as stored
from undisclosed.store.database import transaction
from undisclosed.store.models import JournalEntry, PeopleEpoch

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
LATER = NOW + pseudonyms.EPOCH
ANN, BOB = str(uuid.uuid4()), str(uuid.uuid4())


def written(actor: str, at: datetime = NOW, **facts: object) -> JournalEntry:
    """One entry of the journal."""
    with stored() as connection:
        journal.write_with(connection, "looked", facts, actor=actor, at=at)
    entry = JournalEntry.objects.order_by("id").last()
    assert entry is not None
    return entry


def test_no_id_of_an_account_enters_the_journal(database: TestDatabase) -> None:
    entry = written(ANN, account=BOB, all=[ANN, {"by": BOB, ANN: 1}])

    said = f"{entry.actor} {entry.facts}"
    assert ANN not in said and BOB not in said
    assert entry.actor.startswith("person:")
    assert pseudonyms.account_of(entry.actor) == ANN
    assert pseudonyms.account_of(entry.facts["account"]) == BOB


def test_one_person_has_one_pseudonym_in_an_epoch(database: TestDatabase) -> None:
    first, again = written(ANN), written(ANN)
    other, later = written(BOB), written(ANN, LATER)

    assert first.actor == again.actor
    assert len({first.actor, other.actor, later.actor}) == 3
    assert pseudonyms.account_of(later.actor) == ANN


def test_a_team_keeps_its_id(database: TestDatabase) -> None:
    team = str(uuid.uuid4())

    with stored() as connection:
        journal.write_with(connection, "team made", {"team": team}, actor=ANN)
    assert JournalEntry.objects.get(event="team made").facts == {"team": team}


@pytest.mark.parametrize(
    "text", ["guard", "", "person:1:zz", "person:1:" + "0" * 32, "person:x:" + "0" * 32]
)
def test_what_is_no_pseudonym_is_nobody(database: TestDatabase, text: str) -> None:
    assert pseudonyms.account_of(text) == ""


def test_a_destroyed_key_makes_people_unlinkable_and_the_chain_still_verifies(
    database: TestDatabase,
) -> None:
    entry = written(ANN)
    sealing.seal(NOW + timedelta(minutes=5))
    number = PeopleEpoch.objects.get().number

    forgetting.forget(number, by="test", now=LATER)

    assert pseudonyms.account_of(entry.actor) == ""
    assert PeopleEpoch.objects.get().wrapped is None
    sealing.seal(LATER + timedelta(minutes=5))
    records = sealing.records(LATER + timedelta(minutes=6))
    next(records)
    assert not verifier.verify(records, []).faults


def test_the_key_of_the_epoch_that_runs_is_not_destroyed(
    database: TestDatabase,
) -> None:
    written(ANN)
    number = PeopleEpoch.objects.get().number

    with pytest.raises(pseudonyms.EpochNotOver):
        forgetting.forget(number, by="test", now=NOW)


def test_what_is_over_for_long_is_forgotten_by_itself(database: TestDatabase) -> None:
    old, new = written(ANN), written(ANN, LATER)

    with transaction() as connection:
        gone = forgetting.forget_over(connection, LATER, LATER)

    assert gone == 1
    assert pseudonyms.account_of(old.actor) == ""
    assert pseudonyms.account_of(new.actor) == ANN
    assert [one.destroyed_at for one in pseudonyms.every()] == [LATER, None]


def test_a_key_that_was_rolled_back_is_used_by_nobody(database: TestDatabase) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as connection:
        pseudonyms.of(connection, ANN, NOW)
        _ = 1 / 0

    assert pseudonyms.account_of(written(ANN).actor) == ANN


def test_a_key_moved_to_another_epoch_does_not_open(database: TestDatabase) -> None:
    from undisclosed.store.crypto import SealBroken

    written(ANN)
    PeopleEpoch.objects.update(number=1)

    with pytest.raises(SealBroken):
        pseudonyms.account_of("person:1:" + "0" * 32)
