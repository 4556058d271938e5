# SPDX-License-Identifier: Apache-2.0
"""Attached documents at the checkpoint, and at the desk when copies are made."""

import base64
from dataclasses import replace

import pytest

from tests.guard.worlds import OLIVE, POLICY, SENDER, World, mail, people
from tests.transport.reading.making import zipped
from undisclosed.core.held import HoldState
from undisclosed.core.mail import Mail
from undisclosed.core.verdict import Action
from undisclosed.guard import desk
from undisclosed.guard.copies import CannotSendSingly
from undisclosed.transport.reading.pool import PooledReader

MORE = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="x"\r\n'


def _with_list(viewers: int, listed: int) -> Mail:
    """A mail to so many people, with a list of others in an archive."""
    names = "\r\n".join(f"m{number}@member{number}.example" for number in range(listed))
    archive = base64.b64encode(zipped({"list.csv": names})).decode()
    text = (
        "--x\r\n\r\nThe list, as asked for.\r\n--x\r\n"
        'Content-Type: application/zip; name="list.zip"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{archive}\r\n--x--\r\n"
    )
    return mail(people(range(viewers)), more=MORE, text=text)


@pytest.fixture(scope="module")
def reader():
    with PooledReader() as reader:
        yield reader


def test_mail_with_a_document_is_not_decided_at_once(reader):
    world = World(reader=reader)

    assert world.checkpoint.at_once(_with_list(1, 30)) is None
    assert world.checkpoint.at_once(mail(people(range(1)))) is not None


def test_a_list_in_an_archive_is_held_even_to_one_viewer(reader):
    decision = World(reader=reader).decide(_with_list(1, 30))

    assert decision.action is Action.HOLD
    assert [one.rule for one in decision.verdict.findings] == ["addresses-in-body"]


def test_a_short_list_in_an_archive_passes(reader):
    assert World(reader=reader).decide(_with_list(1, 20)).action is Action.ACCEPT


def test_mail_that_shows_a_list_in_a_document_cannot_be_sent_singly(reader):
    world = World(reader=reader)
    hold_id = world.held(_with_list(40, 30))

    with pytest.raises(CannotSendSingly):
        world.desk(desk.send_singly, hold_id, SENDER, reader=reader)

    assert world.spool.get(hold_id).envelope.mail_from == OLIVE


def test_mail_with_a_harmless_document_can_be_sent_singly(reader):
    world = World(reader=reader)
    hold_id = world.held(_with_list(40, 3))

    assert world.desk(desk.send_singly, hold_id, SENDER, reader=reader).copies == 40


def test_a_split_reads_the_documents_again(reader):
    rules = ("shown-outsiders", "addresses-in-body")
    policy = replace(POLICY, actions=dict.fromkeys(rules, Action.SPLIT))

    for listed, state in ((3, HoldState.SPLIT), (30, HoldState.HELD)):
        world = World(policy, reader=reader)
        decision, hold_id = world.take(_with_list(40, listed))

        assert decision.action is Action.SPLIT
        assert world.spool.get(hold_id).state is state
