# SPDX-License-Identifier: Apache-2.0
"""One mail that a mail server hands in as several transactions is one held mailing.

Exchange does so with many recipients: each transaction has some of the recipients
and the whole header, and so shows each of its recipients everybody.
"""

import re
from collections.abc import Iterator

import pytest

from tests.acceptance.installation import Installation, until
from tests.acceptance.letters import SENDER, hand_in, letter, people

pytestmark = pytest.mark.timeout(240)

EVERYBODY = people(9, "part")
PARTS = (EVERYBODY[:4], EVERYBODY[4:7], EVERYBODY[7:])
CONTENT = b"Message-ID: <one-mail@mail.authority.example>\r\n" + letter(
    EVERYBODY, "in-parts"
)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("transactions"))
    installation.prepare()
    with installation:
        for part in PARTS:
            trace = f"Received: from one by two id {len(part)}\r\n".encode()
            assert hand_in(installation.guard_port, part, trace + CONTENT).code == 250
        yield installation


def test_every_transaction_is_held_and_all_are_one_mailing(
    installation: Installation,
) -> None:
    rows = installation.rows(
        "SELECT mailing_id, people, viewers, disclosures FROM store_heldmail"
        " ORDER BY received_at"
    )

    assert len({mailing_id for mailing_id, *_ in rows}) == 1
    assert [row[1:] for row in rows] == [(9, 4, 32), (9, 3, 24), (9, 2, 16)]
    assert not [taken for taken in installation.taken() if _is_of_mail(taken)]


def test_a_transaction_that_is_tried_again_is_not_held_twice(
    installation: Installation,
) -> None:
    trace = f"Received: from one by two id {len(PARTS[1])}\r\n".encode()

    assert hand_in(installation.guard_port, PARTS[1], trace + CONTENT).code == 250

    assert installation.rows("SELECT count(*) FROM store_heldmail") == [(3,)]


def test_the_sender_is_told_once(installation: Installation) -> None:
    def notices() -> list[object]:
        return [
            taken
            for taken in installation.taken()
            if taken["rcpts"] == [SENDER]
            and "Subject: Held: in-parts" in taken["content"]
        ]

    until(notices, "the notice arrives")
    installation.until_nothing_waits()
    assert len(notices()) == 1


def test_sent_singly_everybody_gets_one_copy_that_names_nobody_else(
    installation: Installation,
) -> None:
    installation.clerk("singly", "in-parts")

    until(
        lambda: len(list(filter(_is_of_mail, installation.taken()))) >= len(EVERYBODY),
        "every copy arrives",
    )
    installation.until_nothing_waits()
    copies = list(filter(_is_of_mail, installation.taken()))
    assert sorted(copy["rcpts"] for copy in copies) == sorted([p] for p in EVERYBODY)
    for copy in copies:
        shown = set(re.findall(r"part\d+@part-home\d+\.example", copy["content"]))
        assert shown == set(copy["rcpts"])


def _is_of_mail(taken: dict[str, str]) -> bool:
    return "X-Test-Id: in-parts\r\n" in taken["content"]
