# SPDX-License-Identifier: Apache-2.0
"""The settings of the record-only feed."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from undisclosed.cli.feeds import server, smtp_feed
from undisclosed.errors import UndisclosedError
from undisclosed.store.settings import Settings, load

FEED = """
[guard.feed]
listen = "127.0.0.1:10027"
authserv_ids = ["MX.council.example", ""]
journal_clients = ["192.0.2.7", "198.51.100.0/24"]
"""
NAME = "UNDISCLOSED_JOURNAL_ADDRESS"
ADDRESS = "journal-7f3kq9w2m5x8c1vb@feed.council.example"


def loaded(folder: Path, text: str, **environment: str) -> Settings:
    file = folder / "undisclosed.toml"
    file.write_text(text)
    return load(file, environment)


def test_by_default_there_is_no_feed_and_no_journal_rule(tmp_path: Path) -> None:
    feed = loaded(tmp_path, "").guard.feed

    assert (feed.listen, feed.authserv_ids) == (None, frozenset())
    assert (feed.journal_clients, feed.journal_addresses) == ((), ())
    assert smtp_feed(loaded(tmp_path, "")) is None


def test_who_sends_journal_reports_is_read(tmp_path: Path) -> None:
    feed = loaded(tmp_path, FEED, **{NAME: ADDRESS}).guard.feed

    assert feed.authserv_ids == {"mx.council.example", ""}
    assert feed.journal_clients == (
        ip_network("192.0.2.7/32"),
        ip_network("198.51.100.0/24"),
    )
    assert feed.journal_addresses == (ADDRESS,)
    assert ADDRESS not in repr(feed)


def test_several_addresses_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{ADDRESS}\nnext-{ADDRESS}\n")
    environment = {f"{NAME}_FILE": str(tmp_path / "secret")}

    feed = loaded(tmp_path, FEED, **environment).guard.feed

    assert feed.journal_addresses == (ADDRESS, f"next-{ADDRESS}")


@pytest.mark.parametrize(
    "address",
    ["journal@feed.council.example", ADDRESS.partition("@")[0], f"a@{ADDRESS}"],
    ids=["short", "no domain", "two at signs"],
)
def test_an_address_that_could_be_guessed_is_refused(
    tmp_path: Path, address: str
) -> None:
    with pytest.raises(UndisclosedError) as refused:
        loaded(tmp_path, FEED, **{NAME: address})

    assert "20 characters" in str(refused.value)
    assert address not in str(refused.value)


def test_servers_of_the_journal_rule_may_connect_to_the_feed(tmp_path: Path) -> None:
    served = server(loaded(tmp_path, FEED, **{NAME: ADDRESS})).clients

    assert ip_network("198.51.100.0/24") in served
    assert ip_network("127.0.0.0/8") in served
