# SPDX-License-Identifier: Apache-2.0
"""A real Postfix of the test's own: its configuration, queue and ports are its own.

What concerns the guard is taken from docs/howto/postfix.md as it stands there, with
ports that are free.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from tests.acceptance.installation import free_port, greets, until

PROGRAMS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))

HOW_TO = Path(__file__).parents[2] / "docs" / "howto" / "postfix.md"

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
myhostname = mta.authority.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
relayhost = [127.0.0.1]:{sink}
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_sender_restrictions =
    check_recipient_access inline:{{ {{gone@refused.example = 550 5.1.1 Nobody}} }}
smtp_tls_security_level = none
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
notify_classes =
"""

MASTER = """
127.0.0.1:{front}   inet  n  -  n  -  -  smtpd
127.0.0.1:{bypass}  inet  n  -  n  -  -  smtpd
    -o content_filter=
pickup    unix  n  -  n  60   1  pickup
cleanup   unix  n  -  n  -    0  cleanup
qmgr      unix  n  -  n  300  1  qmgr
rewrite   unix  -  -  n  -    -  trivial-rewrite
bounce    unix  -  -  n  -    0  bounce
defer     unix  -  -  n  -    0  bounce
trace     unix  -  -  n  -    0  bounce
verify    unix  -  -  n  -    1  verify
flush     unix  n  -  n  1000? 0  flush
proxymap  unix  -  -  n  -    -  proxymap
smtp      unix  -  -  n  -    -  smtp
relay     unix  -  -  n  -    -  smtp
error     unix  -  -  n  -    -  error
retry     unix  -  -  n  -    -  error
discard   unix  -  -  n  -    -  discard
anvil     unix  -  -  n  -    1  anvil
scache    unix  -  -  n  -    1  scache
postlog   unix-dgram n - n -  1  postlogd
"""


def documented(guard: int, back: int) -> tuple[str, str]:
    """What the how-to adds to main.cf and master.cf, with these ports."""
    section = HOW_TO.read_text().partition("## As a content filter")[2]
    blocks = section.partition("\n## ")[0].split("\n```\n")[1:4:2]
    main, master = (
        block.replace(":10025", f":{guard}").replace(":10026", f":{back}")
        for block in blocks
    )
    return f"{main}\n", f"{master}\n"


def missing() -> str | None:
    """Why a Postfix cannot be started here; None where it can."""
    if shutil.which("postfix", path=PROGRAMS) is None:
        return "postfix is missing (Debian: apt-get install postfix)"
    return "only root can start Postfix" if os.geteuid() else None


class Postfix:
    """A running Postfix; leaving the context stops it and removes its files.

    ``front`` passes everything to the guard, ``back`` takes it from the guard,
    ``bypass`` is a door that somebody forgot.
    """

    def __init__(self, guard_port: int, sink_port: int, back: int) -> None:
        self.front, self.bypass, self.back = free_port(), free_port(), back
        # Postfix has processes that are not root, and they enter this folder.
        self.folder = Path(tempfile.mkdtemp(prefix="undisclosed-postfix-"))
        self.folder.chmod(0o755)
        self.configuration = self.folder / "conf"
        for name in ("conf", "queue", "data"):
            (self.folder / name).mkdir(mode=0o755)
        owner = pwd.getpwnam("postfix")
        os.chown(self.folder / "data", owner.pw_uid, owner.pw_gid)
        main, master = self.documented(guard_port, back)
        (self.configuration / "main.cf").write_text(
            MAIN.format(folder=self.folder, sink=sink_port) + main
        )
        (self.configuration / "master.cf").write_text(
            MASTER.format(front=self.front, bypass=self.bypass) + master
        )

    def documented(self, guard: int, back: int) -> tuple[str, str]:
        """What the how-to adds to main.cf and master.cf, with these ports."""
        return documented(guard, back)

    def __enter__(self) -> Self:
        done = self.command("postfix", "start")
        try:
            assert done.returncode == 0, done.stderr + self.log()
            until(lambda: greets(self.front), "Postfix serves")
        except AssertionError as error:
            self.__exit__()
            raise AssertionError(f"{error} {done.stderr}") from None
        return self

    def __exit__(self, *exc: object) -> None:
        self.command("postfix", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, name: str, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run one of Postfix's programs over this configuration."""
        program = shutil.which(name, path=PROGRAMS)
        assert program is not None
        return subprocess.run(
            [program, "-c", str(self.configuration), *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def log(self) -> str:
        """What Postfix logged."""
        file = self.folder / "mail.log"
        return file.read_text() if file.exists() else ""

    def is_empty(self) -> bool:
        """Whether no mail waits in the queue."""
        return "Mail queue is empty" in self.command("postqueue", "-p").stdout
