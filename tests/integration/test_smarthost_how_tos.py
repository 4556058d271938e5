# SPDX-License-Identifier: Apache-2.0
"""The how-tos of the smarthost and of submission: their settings, their commands.

Each page's settings run a whole guard, with files and ports of the test; each page's
shell commands are run against it by swaks, a foreign client.
"""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dkim
import pytest

from tests.acceptance.certificates import write_certificate
from tests.acceptance.installation import Installation, until
from tests.acceptance.letters import letter, people
from tests.transport.smtp.authorities import Authority
from undisclosed.formats.dkim import body_hash, read_key, signature
from undisclosed.store.settings import load

HOW_TOS = Path(__file__).parents[2] / "docs" / "howto"
SECRET = "0123456789abcdef0123456789abcdef0123456789abcdef"
PAGES = ("exchange-online.md", "google-workspace.md", "submission.md")


def missing() -> str | None:
    """Why the commands cannot be run here; None where they can."""
    for command in ("swaks", "openssl"):
        if shutil.which(command) is None:
            return f"{command} is missing (Debian: apt-get install {command})"
    supported = subprocess.run(["swaks", "--support"], capture_output=True, check=False)
    if b"TLS not available" in supported.stdout or b"TLS" not in supported.stdout:
        return "swaks lacks TLS (Debian: apt-get install libnet-ssleay-perl)"
    return None


pytestmark = [
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
    pytest.mark.timeout(240),
]


def blocks(page: str, kind: str) -> list[str]:
    """The blocks of this kind on a page, in their order."""
    text = (HOW_TOS / page).read_text()
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)


class Machine:
    """The guard of one page: its settings with the test's own files and ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        certificate, key = write_certificate(folder)
        self.authority = Authority(folder, "clients")
        self.files = {
            "/etc/undisclosed/guard.crt": certificate,
            "/etc/undisclosed/guard.key": key,
            "/etc/undisclosed/clients.pem": self.authority.file,
            "/etc/ssl/certs/ca-certificates.crt": self.authority.file,
            "/etc/undisclosed/dkim.pem": folder / "dkim.pem",
            "/etc/undisclosed/tenant.secret": folder / "tenant.secret",
            "/etc/undisclosed/relay.crt": folder / "relay.council.example.crt",
            "/etc/undisclosed/relay.key": folder / "relay.council.example.key",
        }
        self.authority.client("relay.council.example")

    def own(self, text: str) -> str:
        """What a page says, about this machine."""
        for documented, file in self.files.items():
            text = text.replace(documented, str(file))
        return text

    def shell(
        self, command: str, environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["sh", "-e", "-c", self.own(command)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def settings(self, page: str, number: int = 0) -> dict[str, dict[str, Any]]:
        """A page's settings by section, for ``Installation``; nobody is listed."""
        found = tomllib.loads(self.own(blocks(page, "toml")[number]))
        guard = found["guard"]
        sections = {
            f"guard.{name}": guard.pop(name)
            for name in ("tenant", "dkim")
            if name in guard
        }
        for instead in ("listen", "next_hop", "next_hop_tls", "hostname"):
            guard.pop(instead, None)
        guard["clients"] = []
        return {"guard": guard, **sections}


def swaks(
    machine: Machine, installation: Installation, command: str, *more: str
) -> "subprocess.CompletedProcess[str]":
    """A page's command with the test's port instead of the page's host."""
    there = re.sub(
        r"guard\.council\.example:\d+", f"127.0.0.1:{installation.guard_port}", command
    )
    words = " ".join(f"'{word}'" for word in more)
    return machine.shell(f"{there.strip()} {words}", installation.environment)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    machine = Machine(tmp_path_factory.mktemp("machine"))
    for command in blocks("exchange-online.md", "sh")[:2]:
        done = machine.shell(command)
        assert done.returncode == 0, done.stderr
    return machine


@pytest.mark.parametrize(
    ("page", "number"),
    [(page, n) for page in PAGES for n in range(len(blocks(page, "toml")))],
)
def test_the_settings_of_every_page_are_settings(
    page: str, number: int, tmp_path: Path
) -> None:
    file = tmp_path / "undisclosed.toml"
    file.write_text(blocks(page, "toml")[number])

    settings = load(file, {"UNDISCLOSED_TENANT_SECRET": SECRET})

    assert settings.guard.tls_certificate == Path("/etc/undisclosed/guard.crt")


# Exchange Online.

CLOUD = "mail.protection.outlook.com"


@pytest.fixture(scope="module")
def exchange(
    machine: Machine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """The guard as the page for Exchange Online has it."""
    page = "exchange-online.md"
    settings = machine.settings(page)
    settings["guard.dkim"]["domains"] = ["authority.example"]
    installation = Installation(tmp_path_factory.mktemp("exchange"), **settings)
    installation.environment["UNDISCLOSED_TENANT_SECRET_FILE"] = str(
        machine.files["/etc/undisclosed/tenant.secret"]
    )
    machine.authority.client(CLOUD)
    installation.prepare()
    with installation:
        yield installation


def secret_of(machine: Machine) -> str:
    return machine.files["/etc/undisclosed/tenant.secret"].read_text().strip()


def as_cloud(machine: Machine) -> tuple[str, ...]:
    """What the provider shows."""
    return (
        *("--tls-cert", str(machine.folder / f"{CLOUD}.crt")),
        *("--tls-key", str(machine.folder / f"{CLOUD}.key")),
    )


def handed_in(
    machine: Machine, installation: Installation, content: bytes, to: tuple[str, ...]
) -> "subprocess.CompletedProcess[str]":
    """Hand a mail in as the provider does."""
    file = machine.folder / "mail.eml"
    file.write_bytes(content)
    command = (
        "swaks --server guard.council.example:25 --tls --from survey@authority.example"
    )
    more = ("--to", ",".join(to), "--data", f"@{file}")
    return swaks(machine, installation, command, *as_cloud(machine), *more)


def test_the_pages_make_a_secret_and_a_key_that_only_their_owner_reads(
    machine: Machine,
) -> None:
    for name in ("/etc/undisclosed/tenant.secret", "/etc/undisclosed/dkim.pem"):
        assert machine.files[name].stat().st_mode & 0o077 == 0
    assert re.fullmatch(r"[0-9a-f]{48}", secret_of(machine))


def test_a_stranger_is_refused_as_the_page_says(
    machine: Machine, exchange: Installation
) -> None:
    for page in ("exchange-online.md", "google-workspace.md"):
        done = swaks(machine, exchange, blocks(page, "sh")[-1])

        assert done.returncode != 0
        assert "554 5.7.1" in done.stdout
    assert exchange.taken() == []


def test_another_customer_of_the_provider_is_refused(
    machine: Machine, exchange: Installation
) -> None:
    content = b"X-Council-Proof: a-guess-of-theirs-that-is-long\r\n" + letter(
        people(1), "theirs"
    )

    done = handed_in(machine, exchange, content, people(1))

    assert "550 5.7.1 This mail does not come from our tenant" in done.stdout
    assert exchange.taken() == []


def proved(machine: Machine, content: bytes) -> bytes:
    return f"X-Council-Proof: {secret_of(machine)}\r\n".encode() + content


def test_mail_of_the_tenant_arrives_without_the_secret(
    machine: Machine, exchange: Installation
) -> None:
    content = proved(machine, letter(people(1), "ours"))

    done = handed_in(machine, exchange, content, people(1))

    assert done.returncode == 0, done.stdout + done.stderr
    (taken,) = [one for one in exchange.taken() if "ours" in one["content"]]
    assert secret_of(machine) not in taken["content"]
    assert "X-Council-Proof" not in taken["content"]


def test_a_signed_mail_is_held_and_its_copies_are_signed_with_the_pages_key(
    machine: Machine, exchange: Installation
) -> None:
    theirs = read_key(
        machine.files["/etc/undisclosed/dkim.pem"].read_bytes(), "cloud.example", "s1"
    )
    plain = letter(people(9), "signed", text="The rates change in May.")
    header, _, body = plain.partition(b"\r\n\r\n")
    fields = [
        (name, text)
        for name, _, text in (line.partition(b":") for line in header.split(b"\r\n"))
        if name.lower() in (b"from", b"to", b"subject")
    ]
    field = signature(fields, body_hash(body), theirs, datetime.now(UTC))

    done = handed_in(machine, exchange, proved(machine, field + plain), people(9))

    assert "250 2.0.0 Held" in done.stdout
    exchange.clerk("singly", "signed")
    mark = "X-Test-Id: signed"
    until(
        lambda: sum(mark in one["content"] for one in exchange.taken()) >= 9,
        "every copy arrives",
    )
    for copy in exchange.taken():
        if mark in copy["content"]:
            assert is_verified(machine, copy["content"].encode())


def is_verified(machine: Machine, content: bytes) -> bool:
    """Whether the record that the page publishes verifies the one signature."""
    printed = machine.shell(blocks("exchange-online.md", "sh")[1].splitlines()[-1])

    def in_dns(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"guard2026._domainkey.authority.example."
        return f"v=DKIM1; k=rsa; p={printed.stdout.strip()}".encode()

    assert content.count(b"DKIM-Signature:") == 1
    return bool(dkim.DKIM(content).verify(dnsfunc=in_dns))


# Submission.


@pytest.fixture(scope="module")
def submission(
    machine: Machine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """The guard as the page for submission has it, by login and by certificate."""
    by_login, by_certificate = (machine.settings("submission.md", n) for n in (0, 1))
    settings = {"guard": {**by_login["guard"], **by_certificate["guard"]}}
    installation = Installation(tmp_path_factory.mktemp("submission"), **settings)
    installation.prepare()
    with installation:
        yield installation


def test_a_token_logs_in_until_it_is_revoked(
    machine: Machine, submission: Installation
) -> None:
    make, try_it, revoke, _ = blocks("submission.md", "sh")
    made = submission.command(*make.split()[1:])
    assert made.returncode == 0, made.stderr
    submission.environment["TOKEN"] = made.stdout.split()[0]

    done = swaks(machine, submission, try_it)

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(submission.taken()) == 1
    assert submission.command(*revoke.split()[1:]).returncode == 0
    refused = swaks(machine, submission, try_it)
    assert "535 5.7.8" in refused.stdout
    assert len(submission.taken()) == 1


def test_a_certificate_hands_in_mail_and_nothing_else_does(
    machine: Machine, submission: Installation
) -> None:
    by_certificate = blocks("submission.md", "sh")[3]
    before = len(submission.taken())

    done = swaks(machine, submission, by_certificate)
    without = re.sub(r"--tls-(cert|key) \S+", "", by_certificate)
    refused = swaks(machine, submission, without)

    assert done.returncode == 0, done.stdout + done.stderr
    assert refused.returncode != 0
    assert len(submission.taken()) == before + 1
