# SPDX-License-Identifier: Apache-2.0
"""A mailbox of a real IMAP server: what waits in it, by TLS and without."""

from dataclasses import replace

import pytest

from tests.transport.dovecot import dovecot, needs_dovecot
from tests.transport.smtp.authorities import Authority
from undisclosed.transport.imap import ImapBox, MailboxAway, MailboxRefused

pytestmark = needs_dovecot

FIRST = b"Message-ID: <one@a.example>\r\nSubject: One\r\n\r\n" + 3000 * b"x\r\n"
SECOND = b"Message-ID: <two@a.example>\r\nSubject: Two\r\n\r\nText\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dovecot")
    authority = Authority(folder)
    certificate, key, _ = authority.server("localhost")
    with dovecot((certificate, key, authority.file)) as running:
        running.deliver(FIRST, SECOND)
        yield running


@pytest.mark.parametrize("tls", ["tls", "starttls", "none"])
def test_messages_are_fetched_as_they_lie_there_and_stay_unread(server, tls):
    with ImapBox(server.settings(tls)) as box:
        first, second = box.waiting(10)

        assert box.fetch(second, 1_000) == SECOND
        assert box.fetch(first, 1_000) == FIRST[:1_000]
        assert box.fetch(first, len(FIRST) + 1) == FIRST
        assert box.waiting(1) == [first]

    with ImapBox(server.settings(tls)) as box:
        assert box.waiting(10) == [first, second]


def test_a_message_is_found_by_its_id(server):
    with ImapBox(server.settings()) as box:
        (found,) = box.with_message_id("two@a.example")

        assert box.fetch(found, 1_000) == SECOND
        assert box.with_message_id("three@a.example") == []
        assert box.with_message_id('three" ALL "@a.example') == []


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_server_that_nobody_knows_is_not_talked_to(server, tls, tmp_path):
    stranger = Authority(tmp_path, "stranger").file
    settings = replace(server.settings(tls), ca=stranger)

    with pytest.raises(MailboxAway), ImapBox(settings):
        pass


def test_a_wrong_password_is_refused_and_told_to_nobody(server):
    settings = replace(server.settings(), password="hunter2")

    with pytest.raises(MailboxRefused) as refused, ImapBox(settings):
        pass

    assert "hunter2" not in str(refused.value) + repr(settings)


def test_where_there_is_no_folder_it_is_refused(server):
    settings = server.settings(folder='No "such" folder')

    with pytest.raises(MailboxRefused), ImapBox(settings):
        pass


def test_a_closed_mailbox_is_away(server):
    box = ImapBox(server.settings())

    with pytest.raises(MailboxAway):
        box.waiting(1)
