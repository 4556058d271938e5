# SPDX-License-Identifier: Apache-2.0
"""A process that shuts itself in: it may compute, and answer, and nothing else.

Limits of the kernel (setrlimit) hold everywhere. Where the kernel filters system
calls (seccomp), opening, connecting and starting are refused, too: a document that
takes over a library finds the machine's files out of reach, the keys among them.
"""

import ctypes
import platform
import resource
import struct

PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2

_LOAD_WORD, _JUMP_IF_EQUAL, _JUMP_IF_GREATER, _RETURN = 0x20, 0x15, 0x25, 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # EPERM
_HIGHEST_NUMBER = 0x3FFFFFFF
"""Above it are the calls of another form of program (x32) on the same machine."""

# Numbers of open, openat, openat2, socket, socketpair, connect, bind, listen, sendto,
# sendmsg, execve, execveat, ptrace, process_vm_readv, process_vm_writev, fork, vfork,
# clone, clone3, kill, tkill, tgkill, unlink, unlinkat, rename, renameat, renameat2,
# truncate, chmod, fchmodat, io_uring_setup, io_uring_enter, pidfd_getfd, mount, bpf,
# memfd_create, shmat, creat, open_by_handle_at.
_CALLS = {
    "x86_64": (
        0xC000003E,
        (2, 257, 437, 41, 53, 42, 49, 50, 44, 46, 59, 322, 101, 310, 311, 57, 58, 56,
         435, 62, 200, 234, 87, 263, 82, 264, 316, 76, 90, 268, 425, 426, 438, 165,
         321, 319, 30, 85, 304),
    ),
    "aarch64": (
        0xC00000B7,
        (56, 437, 198, 199, 203, 200, 201, 206, 211, 221, 281, 117, 270, 271, 220,
         435, 129, 130, 131, 35, 38, 276, 45, 53, 425, 426, 438, 40, 280, 279, 196,
         265),
    ),
}  # fmt: skip


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def shut_in(memory: int) -> None:
    """Shut this process in, for good. ``memory``: bytes of address space."""
    _lower(resource.RLIMIT_AS, memory)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, 3)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        refuse_calls(libc)


def _lower(limit: int, to: int) -> None:
    """Set a limit, unless the one that is there is lower."""
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        to = min(to, hard)
    resource.setrlimit(limit, (to, to))


def refuse_calls(libc: ctypes.CDLL) -> bool:
    """Have the kernel refuse what a reader never does; whether it does so now.

    False where the kernel has no filter, or the machine is of a kind not known here.
    """
    if platform.machine() not in _CALLS:
        return False
    architecture, numbers = _CALLS[platform.machine()]
    program = filter_program(architecture, numbers)
    argument = _Program(len(program) // 8, program)
    return bool(
        libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(argument), 0, 0)
        == 0
    )


def filter_program(architecture: int, refused: tuple[int, ...]) -> bytes:
    """The kernel's filter (struct sock_filter): these calls fail, others go on.

    Calls of another architecture are refused whole: their numbers mean other things.
    """
    last = len(refused) + 1  # the instruction that allows, counted from the first test
    steps = [
        (_LOAD_WORD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_IF_EQUAL, 0, last + 2, architecture),
        (_LOAD_WORD, 0, 0, _NUMBER_AT),
        (_JUMP_IF_GREATER, last, 0, _HIGHEST_NUMBER),
    ]
    steps += [
        (_JUMP_IF_EQUAL, last - 1 - place, 0, number)
        for place, number in enumerate(refused)
    ]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
