# SPDX-License-Identifier: Apache-2.0
"""The settings of returned mail: what cannot work has its line, a secret no repr."""

from datetime import timedelta

import pytest

from undisclosed.core.address import Address
from undisclosed.formats.configuration import ConfigurationError
from undisclosed.store.settings import HostPort, load
from undisclosed.store.settings_returns import PASSWORD, SEEDS_PASSWORD
from undisclosed.store.settings_unsubscribe import WORDS

SECRET = "hunter2"


def loaded(tmp_path, *lines, password=SECRET, domain="bounces.c.test"):
    file = tmp_path / "undisclosed.toml"
    head = ("[send]", f'return_domain = "{domain}"', "[send.returns]")
    file.write_text("\n".join((*head, *lines)), encoding="utf-8")
    environment = {PASSWORD: password} if password else {}
    return load(file, environment).send.returns


def test_without_settings_nothing_is_listened_on_or_fetched(tmp_path):
    returns = loaded(tmp_path)

    assert (returns.listen, returns.box) == (None, None)
    assert (returns.complaint_share, returns.fewest_complaints) == (0.003, 3)
    assert (returns.failed_share, returns.fewest_failures) == (0.05, 10)


def test_a_listener_and_a_mailbox(tmp_path):
    returns = loaded(
        tmp_path,
        'listen = "127.0.0.1:10030"',
        'complaints = ["complaints@bounces.c.test"]',
        'imap = "imap.c.test:993"',
        'imap_login = "returns"',
        'imap_done = "Done"',
        "complaint_percent = 0.1",
    )

    assert returns.listen == HostPort("127.0.0.1", 10030)
    assert returns.complaints == (Address("complaints", "bounces.c.test"),)
    assert returns.box is not None
    assert (returns.box.tls, returns.box.folder, returns.box.done) == (
        "tls",
        "INBOX",
        "Done",
    )
    assert returns.complaint_share == pytest.approx(0.001)
    assert SECRET not in repr(returns)


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        (['imap = "imap.c.test:993"'], 3),
        (['imap = "imap.c.test:143"', 'imap_tls = "none"', 'imap_login = "x"'], 5),
        (['imap = "localhost:143"', 'imap_tls = "maybe"', 'imap_login = "x"'], 5),
        (['imap = "localhost:143"', 'imap_login = "x"', 'imap_done = "Bürö"'], 6),
        (['complaints = ["nobody"]'], 4),
        (["imap_minutes = 0"], 4),
        (['tls_certificate = "a.pem"'], 3),
        (['tls_certificate = ""', 'tls_key = "a.key"'], 5),
        (['feedback_id = "four"'], 4),
        (['feedback_id = "sixteen letters1"'], 4),
        (['report_delivered = "yes"'], 4),
    ],
)
def test_what_cannot_work_is_refused_with_its_line(tmp_path, lines, line):
    with pytest.raises(ConfigurationError) as error:
        loaded(tmp_path, *lines)

    assert error.value.line == line


def test_a_mailbox_needs_its_password(tmp_path):
    with pytest.raises(ConfigurationError):
        loaded(tmp_path, 'imap = "localhost:143"', 'imap_login = "x"', password=None)


def test_a_listener_needs_the_domain_that_it_is_for(tmp_path):
    with pytest.raises(ConfigurationError):
        loaded(tmp_path, 'listen = "127.0.0.1:10030"', domain="")


SEEDS = (
    "[send.seeds]",
    'addresses = ["seed@elsewhere.test"]',
    'imap = "imap.elsewhere.test:993"',
    'imap_login = "seed"',
)


def seeds_of(tmp_path, *lines):
    file = tmp_path / "undisclosed.toml"
    file.write_text("\n".join((*SEEDS, *lines)), encoding="utf-8")
    return load(file, {SEEDS_PASSWORD: SECRET}).send.seeds


def test_seed_boxes_are_used_by_themselves_unless_that_is_off(tmp_path):
    usual = seeds_of(tmp_path)
    off = seeds_of(tmp_path, 'automatic = "off"', "wait_minutes = 3")

    assert (usual.is_automatic, usual.wait) == (True, timedelta(minutes=15))
    assert (off.is_automatic, off.wait) == (False, timedelta(minutes=3))


@pytest.mark.parametrize("line", ['automatic = "maybe"', "wait_minutes = 0"])
def test_seeds_that_cannot_work_are_refused_with_their_line(tmp_path, line):
    with pytest.raises(ConfigurationError) as error:
        seeds_of(tmp_path, line)

    assert error.value.line == 5


def test_how_messages_are_marked_for_what_comes_back(tmp_path):
    file = tmp_path / "undisclosed.toml"
    file.write_text(
        '[send.returns]\nfeedback_id = "council1"\nreport_delivered = "on"\n', "utf-8"
    )

    send = load(file, {}).send

    assert (send.feedback_id, send.asks_delivered) == ("council1", True)


def words(tmp_path, *lines):
    file = tmp_path / "undisclosed.toml"
    file.write_text("\n".join(("[send.unsubscribe]", *lines)), encoding="utf-8")
    return load(file, {}).send.unsubscribe


def test_the_page_to_unsubscribe_speaks_english_by_default(tmp_path):
    found = words(tmp_path, 'organisation = "Nordby Council"')

    assert (found.organisation, found.language) == ("Nordby Council", "en")
    assert found.button == ""


def test_another_language_needs_all_words(tmp_path):
    every = [f'{name} = "x"' for name in WORDS]

    assert words(tmp_path, 'language = "nl"', *every).button == "x"
    with pytest.raises(ConfigurationError) as error:
        words(tmp_path, 'language = "nl"', *every[1:])
    assert error.value.line == 2
    assert "ask_heading" in str(error.value)


@pytest.mark.parametrize("tag", ["", "n", "nl_NL", 'en\\" onload'])
def test_a_language_is_a_tag(tmp_path, tag):
    with pytest.raises(ConfigurationError):
        words(tmp_path, f'language = "{tag}"')
