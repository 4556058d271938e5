# SPDX-License-Identifier: Apache-2.0
"""The settings of returned mail: what cannot work has its line, a secret no repr."""

import pytest

from undisclosed.core.address import Address
from undisclosed.formats.configuration import ConfigurationError
from undisclosed.store.settings import HostPort, load
from undisclosed.store.settings_returns import PASSWORD

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
