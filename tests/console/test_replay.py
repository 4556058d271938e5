# SPDX-License-Identifier: Apache-2.0
"""The replay of the Metropolitan Police case: the sizes of 2012, invented people."""

from datetime import UTC, datetime

from undisclosed.console.start import replay

NOW = datetime(2026, 1, 30, 10, 0, tzinfo=UTC)


def test_it_is_seven_mails_to_1136_people() -> None:
    batches = list(replay.metropolitan_police(NOW))

    assert [len(batch.rcpt_tos) for batch in batches] == list(replay.BATCHES)
    assert sum(replay.BATCHES) == 1136
    assert len({person for batch in batches for person in batch.rcpt_tos}) == 1136


def test_no_two_people_share_an_organisation() -> None:
    domains = [person.rpartition("@")[2] for person in replay.people()]

    assert len(set(domains)) == len(domains)
    assert {domain.rpartition(".")[2] for domain in domains} == {"example", "test"}


def test_everybody_of_a_batch_stands_in_cc() -> None:
    for batch in replay.metropolitan_police(NOW):
        header, _, _ = batch.content.partition(b"\r\n\r\n")
        cc = header.split(b"Cc: ")[1].split(b"\r\nSubject")[0]

        assert tuple(cc.decode().split(",\r\n ")) == batch.rcpt_tos


def test_the_mails_are_well_formed_and_dated_a_minute_apart() -> None:
    batches = list(replay.metropolitan_police(NOW))

    for batch in batches:
        lines = batch.content.split(b"\r\n")
        assert all(len(line) <= 78 and b"\n" not in line for line in lines)
    assert batches[-1].content.startswith(b"Date: Fri, 30 Jan 2026 10:00:00 +0000\r\n")
    assert batches[0].content.startswith(b"Date: Fri, 30 Jan 2026 09:54:00 +0000\r\n")


def test_all_seven_say_the_same() -> None:
    bodies = {
        batch.content.partition(b"\r\n\r\n")[2]
        for batch in replay.metropolitan_police(NOW)
    }

    assert len(bodies) == 1
