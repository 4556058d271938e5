# SPDX-License-Identifier: Apache-2.0
"""A real Postfix that asks the guard as a milter.

What concerns the guard is taken from docs/howto/postfix-milter.md as it stands there,
with ports that are free; the guard's socket lies in Postfix' queue folder.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.acceptance.installation import free_port
from tests.integration.postfix import MAIN, MASTER, PROGRAMS, Postfix

HOW_TO = Path(__file__).parents[2] / "docs" / "howto" / "postfix-milter.md"

MORE = """
smtpd_recipient_limit = 10000
milter_connect_timeout = 5s
milter_command_timeout = 10s
milter_content_timeout = 5s
setgid_group = postdrop
"""

SOCKETS = "queue/undisclosed"
"""The folder of the guard's sockets in Postfix' own folder."""


def documented(back: int) -> tuple[str, str]:
    """What the how-to adds to main.cf and master.cf, with this port."""
    section = HOW_TO.read_text().partition("## Postfix\n")[2]
    main, master = section.split("\n```\n")[1:4:2]
    return f"{main}\n", master.replace(":10026", f":{back}") + "\n"


def documented_inbound(front: int, milter: int) -> str:
    """The service that takes mail from outside and shows it to the second milter.

    The how-to has a UNIX socket; here it is a port.
    """
    section = HOW_TO.read_text().partition("## Incoming mail, recorded only\n")[2]
    option = section.split("\n```\n")[2]
    option = option.replace("unix:undisclosed/inbound.sock", f"inet:127.0.0.1:{milter}")
    return f"127.0.0.1:{front} inet n - n - - smtpd\n{option}\n"


def commands() -> list[str]:
    """What the how-to says to type, block by block."""
    blocks = HOW_TO.read_text().split("\n```sh\n")[1:]
    return [block.partition("\n```")[0] for block in blocks]


def make_folder() -> Path:
    """A folder for Postfix with one in it for the sockets, as the how-to has it."""
    # Postfix has processes that are not root, and they enter this folder.
    folder = Path(tempfile.mkdtemp(prefix="undisclosed-postfix-"))
    for name in ("", "conf", "queue", "data"):
        (folder / name).mkdir(mode=0o755, exist_ok=True)
        (folder / name).chmod(0o755)
    sockets = folder / SOCKETS
    sockets.mkdir(mode=0o750)
    group = pwd.getpwnam("postfix").pw_gid
    os.chown(sockets, -1, group)
    os.chown(folder / "data", pwd.getpwnam("postfix").pw_uid, group)
    return folder


class MilterPostfix(Postfix):
    """A running Postfix; leaving the context stops it and removes its files.

    ``front`` asks the guard about everything, ``back`` takes what the guard sends,
    ``outside`` takes incoming mail and shows it to the milter at port ``inbound``.
    """

    def __init__(self, folder: Path, sink_port: int, back: int, inbound: int) -> None:
        self.front, self.bypass, self.back = free_port(), free_port(), back
        self.outside = free_port()
        self.folder, self.configuration = folder, folder / "conf"
        main, master = documented(back)
        (self.configuration / "main.cf").write_text(
            MAIN.format(folder=folder, sink=sink_port) + MORE + main
        )
        # What pickup could not hand on it tries again when it wakes.
        services = MASTER.replace("60   1  pickup", "1    1  pickup")
        (self.configuration / "master.cf").write_text(
            services.format(front=self.front, bypass=self.bypass)
            + master
            + documented_inbound(self.outside, inbound)
        )

    def sendmail(
        self, *arguments: str, content: bytes
    ) -> "subprocess.CompletedProcess[bytes]":
        """Hand in a mail as a local program does, with sendmail(1)."""
        program = shutil.which("sendmail", path=PROGRAMS)
        assert program is not None
        return subprocess.run(
            [program, "-C", str(self.configuration), *arguments],
            input=content.replace(b"\r\n", b"\n"),
            capture_output=True,
            timeout=60,
            check=False,
        )
