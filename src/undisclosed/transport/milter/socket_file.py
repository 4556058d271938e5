# SPDX-License-Identifier: Apache-2.0
"""A UNIX socket whose owner and permissions are right from its first moment on.

It is made in a folder that only we may enter, gets its owner and permissions there,
and is then renamed to where the MTA looks for it: nobody can connect in between, and
there is no time without it where an old one is replaced. What a process that died
has left is replaced; what somebody still listens on, or what is no socket, is not.
"""

import contextlib
import grp
import os
import pwd
import socket
import stat
import tempfile
from pathlib import Path

from undisclosed.transport.milter.errors import SocketInUse, SocketRefused
from undisclosed.transport.milter.settings import UnixSocket

BACKLOG = 1024
"""Connections that may wait to be accepted."""

LONGEST_PATH = 107
"""Bytes of a path that anybody can connect to (unix(7): ``sun_path`` less its NUL)."""


def listen(where: UnixSocket) -> socket.socket:
    """A socket that listens at this path. Raises SocketInUse or SocketRefused."""
    refuse_unusable(where)
    owner, group = _owner_of(where), _group_of(where)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with tempfile.TemporaryDirectory(prefix=".", dir=where.path.parent) as folder:
            hidden = Path(folder) / "s"
            listening.bind(str(hidden))
            hidden.chmod(where.mode)
            os.chown(hidden, owner, group)
            listening.listen(BACKLOG)
            hidden.rename(where.path)
    except OSError as error:
        listening.close()
        why = error.strerror or str(error)
        raise SocketRefused(path=where.path, why=why) from None
    return listening


def refuse_unusable(where: UnixSocket) -> None:
    """Raise SocketInUse or SocketRefused where ``listen`` would, and make nothing."""
    if len(os.fsencode(where.path)) > LONGEST_PATH:
        raise SocketRefused("This path is too long.", path=where.path)
    if not where.path.parent.is_dir():
        raise SocketRefused("There is no such folder.", path=where.path.parent)
    _owner_of(where)
    _group_of(where)
    _refuse_taken(where.path)


def _refuse_taken(path: Path) -> None:
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise SocketRefused("There is a file at this path.", path=path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return  # nobody listens: a process that died has left it
        except OSError:
            pass  # somebody is there: too busy to answer, or not for us
    raise SocketInUse(path=path)


def remove(path: Path, inode: int) -> None:
    """Remove the socket at this path if it is still ours (the same inode)."""
    with contextlib.suppress(OSError):
        if path.lstat().st_ino == inode:
            path.unlink()


def _owner_of(where: UnixSocket) -> int:
    if not where.owner:
        return -1
    try:
        return pwd.getpwnam(where.owner).pw_uid
    except KeyError:
        raise SocketRefused("There is no such user.", user=where.owner) from None


def _group_of(where: UnixSocket) -> int:
    if not where.group:
        return -1
    try:
        return grp.getgrnam(where.group).gr_gid
    except KeyError:
        raise SocketRefused("There is no such group.", group=where.group) from None
