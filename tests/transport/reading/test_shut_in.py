# SPDX-License-Identifier: Apache-2.0
"""A child that a document takes over finds no file, no socket, no other program."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, os, resource, socket, sys
from undisclosed.transport.reading import shut_in
MEBIBYTE = 1024 * 1024
def attempt():
{attempt}
answers = os.dup(1)
shut_in.shut_in(512 * MEBIBYTE)
try:
    attempt()
    os.write(answers, b"done")
except (OSError, MemoryError) as error:
    os.write(answers, type(error).__name__.encode())
"""
ATTEMPTS = {
    "open-a-file": "open('/etc/passwd')",
    "open-in-the-place-of-another": "os.close(0); open('/etc/passwd')",
    "write-a-file": "os.close(0); open('/tmp/undisclosed-never', 'w')",
    "connect": "os.close(0); socket.socket()",
    "fork": "os.fork()",
    "start-a-program": "os.execv('/bin/true', ['true'])",
    "kill-its-parent": "os.kill(os.getppid(), 15)",
    "take-memory": "bytearray(600 * MEBIBYTE)",
    "raise-a-limit": (
        "resource.setrlimit(resource.RLIMIT_AS, (2**40, 2**40)) if os.geteuid()"
        " else bytearray(600 * MEBIBYTE)"
    ),
}


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "aarch64"),
    reason="the kernel's filter is written for two machines",
)
@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=list(ATTEMPTS))
def test_nothing_is_within_reach(attempt):
    program = PROGRAM.format(attempt=f"    {attempt}")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, timeout=60
    )

    assert done.stdout in (
        b"PermissionError",
        b"OSError",
        b"MemoryError",
        b"ValueError",
    ), done.stderr


def test_computing_is_allowed():
    program = PROGRAM.format(attempt="    return sum(range(1000))")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, timeout=60
    )

    assert done.stdout == b"done"
