# SPDX-License-Identifier: Apache-2.0
"""A real IMAP server (Dovecot) for the tests: one mailbox, TLS or none."""

import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from undisclosed.transport.imap import ImapSettings

DOVECOT = shutil.which("dovecot")
LOGIN, PASSWORD = "returns", 'p"w\\d'

needs_dovecot = pytest.mark.skipif(
    DOVECOT is None or os.geteuid() != 0, reason="Dovecot is not there, or not for us"
)

_CONFIGURATION = """
protocols = imap
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
listen = 127.0.0.1
ssl = {ssl}
{certificate}
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A server that runs: its ports, and the file of who signed its certificate."""

    port: int
    tls_port: int
    authority: Path | None

    def settings(self, tls: str = "none", **more: Any) -> ImapSettings:
        """How it is reached."""
        port = self.tls_port if tls == "tls" else self.port
        known = {"tls": tls, "ca": self.authority, **more}
        return ImapSettings("localhost", port, LOGIN, PASSWORD, **known)

    def deliver(self, *contents: bytes) -> None:
        """Put messages into the inbox."""
        with self._client() as client:
            for content in contents:
                client.append("INBOX", "", "", content)

    def flags(self, folder: str = "INBOX") -> list[str]:
        """The flags of every message in a folder, in order."""
        with self._client() as client:
            kind, number = client.select(folder, readonly=True)
            if kind != "OK" or number == [b"0"]:
                return []
            _, answer = client.fetch("1:*", "(FLAGS)")
        found = [one.decode() for one in answer if one]
        return [one.partition("FLAGS (")[2].partition(")")[0] for one in found]

    def _client(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=30)
        client.login(LOGIN, PASSWORD)
        return client


@contextmanager
def dovecot(
    certificate: tuple[Path, Path, Path] | None = None,
) -> Iterator[Dovecot]:
    """Run a server, in a folder of its own that other users may enter.

    Those of pytest they may not: each run of it shuts them. ``certificate``: its file,
    its key, and the file of who signed it.
    """
    with tempfile.TemporaryDirectory(prefix="undisclosed-dovecot-") as name:
        yield from _served(Path(name), certificate)


def _served(
    folder: Path, certificate: tuple[Path, Path, Path] | None
) -> Iterator[Dovecot]:
    owner = pwd.getpwnam("nobody")
    (folder / "mail").mkdir()
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    folder.chmod(0o711)
    (folder / "users").write_text(f"{LOGIN}:{{PLAIN}}{PASSWORD}\n", encoding="utf-8")
    port, tls_port = _free(), _free()
    lines = ""
    if certificate:
        lines = f"ssl_cert = <{certificate[0]}\nssl_key = <{certificate[1]}"
    file = folder / "dovecot.conf"
    file.write_text(
        _CONFIGURATION.format(
            folder=folder,
            ssl="yes" if certificate else "no",
            certificate=lines,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
            port=port,
            tls_port=tls_port,
        ),
        encoding="utf-8",
    )
    process = subprocess.Popen([DOVECOT or "", "-F", "-c", str(file)])
    try:
        _wait_for(process, port)
        yield Dovecot(port, tls_port, certificate[2] if certificate else None)
    finally:
        process.terminate()
        process.wait(30)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                if client.recv(4).startswith(b"* OK"):
                    return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("Dovecot does not answer.")
