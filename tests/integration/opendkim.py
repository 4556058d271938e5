# SPDX-License-Identifier: Apache-2.0
"""A real OpenDKIM of the test's own, set up as the how-to says."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import dkim

from tests.acceptance.installation import free_port, until
from tests.integration.postfix import PROGRAMS

HOW_TO = Path(__file__).parents[2] / "docs" / "howto" / "postfix-content-filter.md"


def blocks() -> list[tuple[str, str]]:
    """The kind and the text of every block of the how-to, in their order."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", HOW_TO.read_text(), re.M | re.S)


def missing() -> str | None:
    """Why OpenDKIM cannot be started here; None where it can."""
    for command, package in (("opendkim", "opendkim"), ("openssl", "openssl")):
        if shutil.which(command, path=PROGRAMS) is None:
            return f"{command} is missing (Debian: apt-get install {package})"
    return None


class OpenDkim:
    """A signer for ``domain``; its files and its port are its own."""

    def __init__(self, domain: str) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="undisclosed-opendkim-"))
        self._domain = domain
        self.public = self._make_key()
        configuration = self._documented(blocks()[1][1])
        # The test's folder lies where everybody may write, a real one does not.
        configuration += "RequireSafeKeys no\nSyslog no\n"
        self._file = self.folder / "opendkim.conf"
        self._file.write_text(configuration)
        self._process: subprocess.Popen[bytes] | None = None

    def _documented(self, text: str) -> str:
        return (
            text.replace("/etc/dkimkeys", str(self.folder / "keys"))
            .replace("council.example", self._domain)
            .replace("inet:8891@", f"inet:{self.port}@")
        )

    def _make_key(self) -> str:
        """Run the how-to's commands; the public key that they print."""
        done = subprocess.run(
            ["sh", "-e", "-c", self._documented(blocks()[0][1])],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.strip()

    def __enter__(self) -> Self:
        program = shutil.which("opendkim", path=PROGRAMS)
        assert program is not None
        self._process = subprocess.Popen([program, "-f", "-x", str(self._file)])
        until(self._listens, "OpenDKIM serves")
        return self

    def __exit__(self, *exc: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _listens(self) -> bool:
        state = f":{self.port:04X} 00000000:0000 0A"
        return state in Path("/proc/net/tcp").read_text()

    def verifies(self, content: bytes) -> bool:
        """Whether dkimpy finds every signature of this content good."""

        def in_dns(name: bytes, timeout: int = 5) -> bytes:
            assert name == f"mail2026._domainkey.{self._domain}.".encode()
            return f"v=DKIM1; k=rsa; p={self.public}".encode()

        number = content.count(b"DKIM-Signature:")
        signed = [dkim.DKIM(content).verify(n, dnsfunc=in_dns) for n in range(number)]
        return bool(signed) and all(signed)
