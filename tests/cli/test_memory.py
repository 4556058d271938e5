# SPDX-License-Identifier: Apache-2.0
"""``undisclosed memory``: archives are remembered, and the key is exchanged."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.acceptance.installation import Installation
from tests.guard.journals import report
from tests.scan.archive import MONDAY, mbox, people, written
from undisclosed.cli import main
from undisclosed.core.mail import Envelope, Mail

SENDER = "team@authority.example"
AGO = (datetime.now(UTC) - MONDAY).days - 2
PASS = "mx.authority.example; dmarc=pass header.from=place90.example"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with tables; only its database runs."""
    made = Installation(
        tmp_path_factory.mktemp("installation"),
        **{"guard.feed": {"authserv_ids": ["mx.authority.example"]}},
    )
    made.database.start()
    try:
        assert made.command("migrate").returncode == 0
        yield made
    finally:
        made.database.stop()


def inbound(count: int, results: str = PASS) -> bytes:
    """Mail of an outsider to as many others, two days ago."""
    to = people(91, count)
    of = written(to, sender="person90@place90.example", days=AGO, subject=str(count))
    return f"Authentication-Results: {results}\n".encode() + of


def archive(installation: Installation, *contents: bytes) -> str:
    path = installation.folder / "sent.mbox"
    path.write_bytes(mbox(contents))
    return str(path)


def audiences(installation: Installation) -> list[tuple[str, int]]:
    rows = installation.rows("SELECT kind, people FROM store_audience ORDER BY 1, 2")
    return [(kind, count) for kind, count in rows]


def test_an_archive_is_remembered(installation: Installation) -> None:
    def sent(count: int, **more: object) -> bytes:
        first, subject = 1000 * count, f"Letter {chr(97 + count)}"
        return written(
            people(first, count), sender=SENDER, subject=subject, text=subject, **more
        )

    path = archive(
        installation,
        sent(4, days=AGO),
        sent(7, days=AGO),
        sent(9, days=AGO, field="Bcc"),
        sent(1, days=AGO),
        sent(3, days=0),
        inbound(8),
        inbound(5, results="mx.elsewhere.example; dmarc=pass"),
    )

    first = installation.command("memory", "import", path)
    again = installation.command("memory", "import", path)

    assert first.returncode == again.returncode == 0, first.stderr
    assert first.stdout == again.stdout
    assert first.stdout.splitlines() == [
        "7 messages:",
        "        2  threads",
        "        1  hidden audiences",
        "        1  without people to remember",
        "        1  would have been held: they make nobody known",
        "        1  inbound and not authenticated",
        "        1  too old or without a date",
    ]
    assert audiences(installation) == [("hidden", 9), ("thread", 4), ("thread", 9)]


def test_an_archive_can_be_trusted_whole(installation: Installation) -> None:
    path = archive(installation, inbound(6, results="mx.elsewhere.example; none"))

    done = installation.command("memory", "import", "--authenticated", path)

    assert done.stdout.splitlines()[1:] == ["        1  threads"]


def test_the_mailbox_of_a_journal_rule_is_opened(installation: Installation) -> None:
    def about(of: bytes) -> bytes:
        """A report, dated as the mail in it."""
        dated = next(line for line in of.split(b"\n") if line.startswith(b"Date:"))
        whole = report(Mail(Envelope(None, ()), of)).content.replace(b"\r\n", b"\n")
        return whole.replace(b"Date: Mon, 2 Mar 2026 09:00:05 +0000", dated, 1)

    path = archive(installation, about(inbound(14)), inbound(15))

    closed = installation.command("memory", "import", path)
    opened = installation.command("memory", "import", "--journal-reports", path)

    assert closed.stdout.splitlines()[1:] == [
        "        1  threads",
        "        1  inbound and not authenticated",
    ]
    assert opened.stdout.splitlines()[1:] == ["        2  threads"]


def test_what_cannot_be_read_is_told_and_the_rest_is_remembered(
    installation: Installation,
) -> None:
    path = archive(installation, inbound(7))

    done = installation.command("memory", "import", "missing.mbox", path)

    assert done.returncode == 65
    assert "missing.mbox" in done.stderr
    assert "1  threads" in done.stdout


def test_whose_the_archive_is_has_to_be_known(
    tmp_path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["memory", "import", "sent.mbox"]) == 78
    assert "policy.own_domains" in capsys.readouterr().err


def test_the_key_is_exchanged_and_earlier_people_are_still_known(
    installation: Installation,
) -> None:
    path = archive(installation, inbound(10))
    installation.command("memory", "import", path)

    rotated = installation.command("memory", "rotate-keys")
    installation.command("memory", "import", path)

    assert rotated.returncode == 0, rotated.stderr
    assert rotated.stdout.startswith("Memory hashes with the key ")
    rows = installation.rows("SELECT DISTINCT key_id FROM store_audience")
    assert len(rows) == 2


def test_nothing_says_who_was_remembered(installation: Installation) -> None:
    """Neither what is printed nor what the tables hold has an address in it."""
    path = archive(installation, inbound(12))

    done = installation.command("memory", "import", path)

    assert "@" not in done.stdout + done.stderr
    rows = installation.rows("SELECT a::text FROM store_audience a")
    rows += installation.rows("SELECT m::text FROM store_audiencemember m")
    assert not any("place9" in str(row) or "person9" in str(row) for row in rows)
