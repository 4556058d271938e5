# SPDX-License-Identifier: Apache-2.0
"""Where the milter listens is a path or a port; what is neither has its line."""

import pytest

from undisclosed.formats.configuration import ConfigurationError
from undisclosed.store.settings import HostPort, load
from undisclosed.store.settings_values import MilterSettings


def loaded(tmp_path, *lines):
    file = tmp_path / "undisclosed.toml"
    file.write_text("\n".join(("[guard.milter]", *lines)), encoding="utf-8")
    return load(file, {}).guard.milter


def test_without_settings_there_is_no_milter(tmp_path):
    assert loaded(tmp_path) == MilterSettings()


def test_a_path_is_a_unix_socket(tmp_path):
    milter = loaded(
        tmp_path,
        'listen = "/run/undisclosed/milter.sock"',
        'inbound_listen = "./inbound.sock"',
        'mode = "0620"',
        'owner = "undisclosed"',
        'group = "postfix"',
    )

    assert str(milter.listen) == "/run/undisclosed/milter.sock"
    assert milter.inbound_listen == tmp_path / "inbound.sock"
    assert milter.mode == 0o620
    assert (milter.owner, milter.group) == ("undisclosed", "postfix")


def test_host_and_port_are_a_tcp_socket(tmp_path):
    milter = loaded(tmp_path, 'listen = "[::1]:10028"')

    assert milter.listen == HostPort("::1", 10028)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('listen = "milter"', "host:port"),
        ('mode = "rw-rw----"', "octal"),
        ('mode = "660x"', "octal"),
        ('group = "a b"', "name of this system"),
        ('owner = "-1"', "name of this system"),
        ('inbound = "x"', "inbound"),
    ],
)
def test_what_cannot_be_used_has_its_line(tmp_path, line, words):
    with pytest.raises(ConfigurationError, match=words) as caught:
        loaded(tmp_path, line)

    assert ":2:" in str(caught.value)


def test_the_two_milters_cannot_share_a_socket(tmp_path):
    both = ('listen = "127.0.0.1:10028"', 'inbound_listen = "127.0.0.1:10028"')

    with pytest.raises(ConfigurationError, match="inbound_listen"):
        loaded(tmp_path, *both)
