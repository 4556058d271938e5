# SPDX-License-Identifier: Apache-2.0
"""Makes ``.venv`` and installs exactly what a lock names. Standard library only.

``environment.py run`` installs what the program needs, ``environment.py test``
what its tests and checks need besides. A stamp makes the second time quick. uv is
used where it is on the PATH, pip otherwise: both check every hash of the lock.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "undisclosed-installed.json"
LOCKS = {"run": "requirements.lock", "test": "requirements-dev.lock"}
STARTED_AT = time.monotonic()


class EnvironmentProblem(Exception):
    """A sentence for the person who called; no traceback is wanted."""


def say(text: str) -> None:
    """Print one line with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED_AT:6.1f} s] {text}", flush=True)


def fingerprint(kind: str) -> str:
    """What an installation was made of: lock, project, interpreter, place."""
    digest = hashlib.sha256()
    for name in (LOCKS[kind], "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    digest.update(f"{VENV} {sys.version_info[:2]}".encode())
    return digest.hexdigest()


def is_installed(kind: str) -> bool:
    """Whether the stamp says that this very lock was installed, and it works."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return stamp.get(kind) == fingerprint(kind) and is_usable()


def is_usable() -> bool:
    """Whether ``.venv`` has an interpreter that starts and is new enough."""
    try:
        probe = subprocess.run(
            [VENV / "bin" / "python", "-c", "import sys; print(sys.version_info[:2])"],
            capture_output=True,
            check=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return probe.stdout.strip() == str(sys.version_info[:2])


@contextmanager
def ticking(label: str) -> Iterator[None]:
    """Show on a terminal that a silent step still goes on."""
    if not sys.stdout.isatty():
        yield
        return
    done = threading.Event()
    since = time.monotonic()

    def tick() -> None:
        while not done.wait(0.5):
            print(f"\r           {label} {time.monotonic() - since:4.0f} s", end="")
            sys.stdout.flush()

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        print("\r\033[K", end="", flush=True)


def make_venv() -> None:
    """Make ``.venv`` anew. Raises EnvironmentProblem where Python has no venv."""
    say(f"making .venv with Python {sys.version.split()[0]} ({sys.executable})")
    if VENV.exists():
        shutil.rmtree(VENV)
    with ticking("python -m venv"):
        made = subprocess.run(
            [sys.executable, "-m", "venv", VENV],
            capture_output=True,
            text=True,
            check=False,
        )
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise EnvironmentProblem(
            "This Python cannot make a virtual environment. On Debian: "
            f"apt-get install python3-venv\n{made.stdout}{made.stderr}"
        )


def count_packages(lock: str) -> int:
    """How many packages a lock names."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return len(re.findall(r"^\S+==", text, re.MULTILINE))


def follow(command: list[str | Path], count: int) -> int:
    """Run an installer and count the packages it names; its exit code.

    The installer's own words are shown only where it fails.
    """
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None  # noqa: S101  it was asked for just above
    words, seen = [], 0
    with process, ticking("fetching and installing"):
        for line in process.stdout:
            words.append(line)
            if line.startswith(("Collecting ", "Processing ")):
                seen += 1
                if seen % 10 == 0 or seen == count:
                    say(f"  {seen} of {count} packages fetched or found in the cache")
            elif line.startswith("Installing collected"):
                say("  unpacking them into .venv")
    if process.wait():
        sys.stdout.writelines(words)
    return process.returncode


def installers(lock: str) -> Iterator[tuple[str, list[str | Path]]]:
    """The ways to install a lock, the quickest first."""
    hashes = ["--require-hashes", "--no-deps", "-r", lock]
    python = VENV / "bin" / "python"
    if uv := shutil.which("uv"):
        yield "uv", [uv, "pip", "install", "-q", "--python", python, *hashes]
    yield "pip", [python, "-m", "pip", "install", "--no-input", *hashes]


def install_lock(lock: str) -> None:
    """Install the lock. Raises EnvironmentProblem where no installer could."""
    count = count_packages(lock)
    for name, command in installers(lock):
        say(f"installing {count} packages of {lock} with {name}")
        if follow(command, count) == 0:
            return
        say(f"{name} could not install them")
    raise EnvironmentProblem(f"The packages of {lock} could not be installed.")


def install_project() -> None:
    """Install the checkout itself, editable, so that .venv/bin/undisclosed exists."""
    say("installing Undisclosed itself")
    python = VENV / "bin" / "python"
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--no-input", "-q"]
    with ticking("building"):
        built = subprocess.run(
            [python, "-m", "pip", "install", *options, "--editable", "."],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if built.returncode:
        raise EnvironmentProblem(
            f"Undisclosed itself could not be installed.\n{built.stdout}{built.stderr}"
        )


def install(kind: str) -> None:
    """Bring ``.venv`` to what ``kind`` needs, doing nothing where it is there."""
    if is_installed(kind) or (kind == "run" and is_installed("test")):
        return
    if not is_usable():
        make_venv()
    STAMP.unlink(missing_ok=True)
    install_lock(LOCKS[kind])
    install_project()
    STAMP.write_text(json.dumps({kind: fingerprint(kind)}), encoding="utf-8")
    say("the environment is ready")


def main() -> int:
    """Parse the command line, install, and answer 0, or 1 with a sentence."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("kind", choices=sorted(LOCKS))
    kind = parser.parse_args().kind
    try:
        install(kind)
    except EnvironmentProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    except PermissionError as error:
        print(
            f"{error.filename} belongs to somebody else: remove .venv, or run this "
            "as the one who made it.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
