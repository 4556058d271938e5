# SPDX-License-Identifier: Apache-2.0
"""A Postfix of a measurement's own: its folder, its configuration, its running."""

import contextlib
import os
import pwd
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.installation import PROGRAMS, greets, program

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
myhostname = mta.council.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
"""
"""What every measurement's main.cf begins with."""

SERVICES = """
pickup    unix  n  -  n  60   1  pickup
cleanup   unix  n  -  n  -    0  cleanup
qmgr      unix  n  -  n  300  1  qmgr
rewrite   unix  -  -  n  -    -  trivial-rewrite
bounce    unix  -  -  n  -    0  bounce
defer     unix  -  -  n  -    0  bounce
trace     unix  -  -  n  -    0  bounce
smtp      unix  -  -  n  -    -  smtp
discard   unix  -  -  n  -    -  discard
error     unix  -  -  n  -    -  error
retry     unix  -  -  n  -    -  error
anvil     unix  -  -  n  -    1  anvil
scache    unix  -  -  n  -    1  scache
proxymap  unix  -  -  n  -    -  proxymap
postlog   unix-dgram n - n -  1  postlogd
"""
"""What every measurement's master.cf ends with."""


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder for Postfix, removed at the end. Raises RuntimeError but for root."""
    if os.geteuid():
        raise RuntimeError("only root can start Postfix")
    with tempfile.TemporaryDirectory(prefix="undisclosed-bench-") as name:
        made = Path(name)
        # Postfix has processes that are not root, and they enter this folder.
        made.chmod(0o755)
        for below in ("conf", "queue", "data"):
            (made / below).mkdir(mode=0o755)
        owner = pwd.getpwnam("postfix")
        os.chown(made / "data", owner.pw_uid, owner.pw_gid)
        yield made


@contextlib.contextmanager
def running(
    folder: Path, *, main: str, services: str, ports: Iterable[int]
) -> Iterator[None]:
    """Postfix over a folder, with more settings and services, once its ports greet.

    Raises RuntimeError where it cannot run.
    """
    (folder / "conf" / "main.cf").write_text(MAIN.format(folder=folder) + main)
    (folder / "conf" / "master.cf").write_text(services + SERVICES)
    command = [program("postfix"), "-c", str(folder / "conf")]
    environment = {**os.environ, "PATH": PROGRAMS}
    options = {"env": environment, "capture_output": True}
    subprocess.run([*command, "start"], check=True, **options)
    try:
        for port in ports:
            _wait_for(port)
        yield
    finally:
        subprocess.run([*command, "stop"], check=False, **options)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while not greets(port):
        if time.monotonic() > until:
            raise RuntimeError("Postfix does not greet")
        time.sleep(0.05)
