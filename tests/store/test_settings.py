# SPDX-License-Identifier: Apache-2.0
"""Settings come whole or not at all: every fault has its line."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from undisclosed.core.address import Address
from undisclosed.errors import UndisclosedError
from undisclosed.formats.configuration import ConfigurationError
from undisclosed.store import framework, master_key
from undisclosed.store.crypto import Keys
from undisclosed.store.settings import SETTINGS, HostPort, load
from undisclosed.store.settings_table import Kind

KEY = "ab" * 32


def loaded(tmp_path, text="", **environment):
    file = tmp_path / "undisclosed.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, environment)


def test_without_a_file_everything_has_its_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    settings = load(None, {})

    assert settings.file is None
    assert settings.guard.listen == HostPort("127.0.0.1", 10025)
    assert settings.guard.next_hop is None
    assert settings.guard.limits.max_size == 50 * 1024 * 1024
    assert settings.console.url == "http://127.0.0.1:8025"
    assert settings.store.data == tmp_path / "data"
    assert settings.holds.expiry == timedelta(days=3)
    assert settings.delivery.retry[0] == timedelta(minutes=1)
    assert settings.policy.max_shown_outsiders == 5
    assert not settings.guard.is_observing


def test_everything_can_be_set(tmp_path):
    settings = loaded(
        tmp_path,
        """
[guard]
listen = "[::1]:2525"
next_hop = "mx.council.example:25"
clients = ["10.0.0.0/8"]
mode = "observe"
[guard.limits]
max_recipients = 500
[console]
url = "https://guard.council.example/"
[holds]
expiry = 0.5
desk = "desk@council.example"
approvers = ["olive@council.example"]
[delivery]
retry = [2, 4]
[store]
data = "elsewhere"
[policy]
max_shown_outsiders = 9
""",
    )

    assert str(settings.guard.listen) == "[::1]:2525"
    assert settings.guard.next_hop == HostPort("mx.council.example", 25)
    assert settings.guard.is_observing
    assert str(settings.guard.clients[0]) == "10.0.0.0/8"
    assert settings.guard.limits.max_recipients == 500
    assert settings.console.url == "https://guard.council.example"
    assert settings.holds.expiry == timedelta(hours=12)
    assert settings.holds.desk == Address("desk", "council.example")
    assert settings.holds.approvers == (Address("olive", "council.example"),)
    assert settings.delivery.retry == (timedelta(minutes=2), timedelta(minutes=4))
    assert settings.store.data == tmp_path / "elsewhere"
    assert settings.policy.max_shown_outsiders == 9


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[gaurd]\nlisten = 'x'", 1, "guard"),
        ("[guard]\n\nlisen = 'x'", 3, "listen"),
        ("[guard.limits]\nmax_sise = 1", 2, "max_size"),
        ("[guard]\nlisten = 'nowhere'", 2, "host:port"),
        ("[guard]\nlisten = '127.0.0.1:99999'", 2, "up to 65535"),
        ("[guard]\nlisten = ''", 2, "host:port"),
        ("[guard]\n\nmode = 'watch'", 3, "observe"),
        ("[guard]\nclients = ['ten']", 2, "networks"),
        ("[guard]\nclients = 'ten'", 2, "list"),
        ("[guard]\nprocesses = 'two'", 2, "whole number"),
        ("[guard.limits]\nmax_recipients = 3", 2, "100"),
        ("[guard]\ntls_key = 'key.pem'", 2, "need each other"),
        ("[console]\nurl = 'guard.council.example'", 2, "https://"),
        ("[holds]\nexpiry = -1", 2, "0 or more"),
        ("[holds]\ndesk = 'desk'", 2, "address"),
        ("[holds]\napprovers = ['Ann <ann@a.example>']", 2, "address"),
        ("[delivery]\nretry = []", 2, "list of numbers"),
        ("[delivery]\nretry = [1, 'x']", 2, "above 0"),
        ("[policy]\nmax_shown = 'x'", 2, "max_shown"),
        ("[policy]\nno_such_thing = 1", 2, "no_such_thing"),
        ("[guard]\nlisten = ", 2, "TOML"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(tmp_path, text, line, says):
    with pytest.raises(UndisclosedError) as caught:
        loaded(tmp_path, text)

    assert caught.value.line == line
    assert says in str(caught.value)
    assert "ann@" not in str(caught.value)


def test_secrets_come_from_the_environment_or_from_files(tmp_path):
    url = tmp_path / "url"
    url.write_text("postgresql://x@db.example/x\n")

    settings = loaded(
        tmp_path,
        DATABASE_URL_FILE=str(url),
        UNDISCLOSED_MASTER_KEY=KEY,
        UNDISCLOSED_DATA=str(tmp_path / "d"),
    )

    assert settings.store.database_url == "postgresql://x@db.example/x"
    assert settings.master_key == bytes.fromhex(KEY)
    assert settings.store.data == tmp_path / "d"
    assert "db.example" not in repr(settings)
    assert KEY not in repr(settings)


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"UNDISCLOSED_MASTER_KEY": "short"}, "64 hexadecimal"),
        ({"DATABASE_URL_FILE": "/nowhere/at/all"}, "cannot be read"),
        ({"DATABASE_URL": "a", "DATABASE_URL_FILE": "b"}, "unset one"),
        ({"UNDISCLOSED_MASTER_KEY": "zz" * 32}, "64 hexadecimal"),
    ],
)
def test_a_secret_that_cannot_be_used_is_named(tmp_path, environment, says):
    with pytest.raises(UndisclosedError, match=says) as caught:
        loaded(tmp_path, **environment)

    assert "zz" * 32 not in str(caught.value)


def test_the_environment_may_name_the_file(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[guard]\nmode = 'observe'\n")

    assert load(None, {"UNDISCLOSED_SETTINGS": str(file)}).guard.is_observing
    with pytest.raises(UndisclosedError, match="cannot be read"):
        load(None, {"UNDISCLOSED_SETTINGS": str(tmp_path / "other.toml")})


@pytest.mark.parametrize("content", [b"\xff\xfe", None], ids=["no text", "a folder"])
def test_a_file_that_is_no_text_is_named(tmp_path, content):
    file = tmp_path / "undisclosed.toml"
    file.mkdir() if content is None else file.write_bytes(content)

    with pytest.raises(UndisclosedError, match=re.escape(str(file))):
        load(file, {})


def test_a_syntax_error_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigurationError):
        loaded(tmp_path, "[guard")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_described_and_refuses_another_kind(tmp_path, setting):
    wrong = "[true]" if setting.kind in (Kind.TEXT, Kind.WHOLE, Kind.NUMBER) else "true"
    text = f"[{setting.section}]\n{setting.key} = {wrong}\n"

    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, text)

    assert setting.description.endswith(".")
    assert caught.value.line == 2


def test_no_setting_is_named_twice():
    names = [setting.name for setting in SETTINGS]

    assert len(names) == len(set(names))


def test_the_master_key_is_made_once_and_for_its_owner(tmp_path):
    settings = loaded(tmp_path)

    key = master_key.of(settings, may_make=True)

    file = master_key.file_of(settings.store.data)
    assert key == master_key.of(settings)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in file.parent.iterdir()] == [file.name]


def test_a_part_never_makes_a_master_key(tmp_path):
    settings = loaded(tmp_path)

    with pytest.raises(UndisclosedError, match="master key is missing"):
        master_key.of(settings)

    assert not master_key.file_of(settings.store.data).exists()


def test_a_master_key_that_others_may_read_is_refused(tmp_path):
    settings = loaded(tmp_path)
    master_key.of(settings, may_make=True)
    master_key.file_of(settings.store.data).chmod(0o644)

    with pytest.raises(UndisclosedError, match="chmod 600"):
        master_key.of(settings)


def test_a_master_key_of_the_environment_writes_no_file(tmp_path):
    settings = loaded(tmp_path, UNDISCLOSED_MASTER_KEY=KEY)

    assert master_key.of(settings) == bytes.fromhex(KEY)
    assert not settings.store.data.exists()


def test_a_database_url_becomes_the_settings_of_django():
    found = framework.database(
        "postgresql://olive:s%20e@db.council.example:6432/held?sslmode=verify-full"
    )

    assert (found["HOST"], found["PORT"]) == ("db.council.example", "6432")
    assert (found["USER"], found["PASSWORD"], found["NAME"]) == (
        "olive",
        "s e",
        "held",
    )
    assert found["OPTIONS"]["sslmode"] == "verify-full"


def test_the_session_key_follows_from_the_master_key(tmp_path):
    settings = loaded(tmp_path)

    def secret(master):
        made = framework.django_settings(
            settings, {"USE_TZ": True}, url="host=/x", keys=Keys(master)
        )
        return made["SECRET_KEY"]

    assert secret(b"1" * 32) == secret(b"1" * 32) != secret(b"2" * 32)
    assert not Path("host=/x").exists()


OPENID = '[console.openid]\nissuer = "{}"\nclient = "{}"\n'


def test_the_organisation_s_server_is_read_with_its_secret(tmp_path):
    file = tmp_path / "undisclosed.toml"
    file.write_text(OPENID.format("https://login.council.example/", "undisclosed"))

    settings = load(file, {"UNDISCLOSED_OPENID_SECRET": "kept"})

    openid = settings.console.openid
    assert openid is not None
    assert (openid.issuer, openid.client) == (
        "https://login.council.example",
        "undisclosed",
    )
    assert "kept" not in repr(settings)


@pytest.mark.parametrize(
    ("issuer", "client", "secret"),
    [
        ("http://login.council.example", "undisclosed", "kept"),
        ("https://login.council.example", "", "kept"),
        ("https://login.council.example", "undisclosed", ""),
    ],
    ids=["not https", "no client", "no secret"],
)
def test_a_server_that_is_named_by_halves_is_refused(tmp_path, issuer, client, secret):
    file = tmp_path / "undisclosed.toml"
    file.write_text(OPENID.format(issuer, client))

    with pytest.raises(UndisclosedError, match="openid"):
        load(file, {"UNDISCLOSED_OPENID_SECRET": secret})
