# SPDX-License-Identifier: Apache-2.0
"""The pool of children: within limits, replaced when over them, and told no secret."""

import gzip
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.transport.reading.making import tnef, workbook, zipped
from undisclosed.core.documents import GZIP, MASKED, TNEF, ZIP
from undisclosed.core.text import addresses_in_text
from undisclosed.transport.reading import found, pool
from undisclosed.transport.reading.limits import MEBIBYTE, ReaderLimits
from undisclosed.transport.reading.pool import PooledReader, environment, reader_of

SMALL = zipped({"list.csv": "ann@a.example"})
BOMB = gzip.compress(bytes(400 * MEBIBYTE), 1)


def _people(document):
    return {
        person.person
        for one in document.texts
        for person in addresses_in_text(one.text)
    }


@pytest.fixture(scope="module")
def reader():
    with PooledReader() as reader:
        yield reader


def test_a_child_reads_documents_one_after_another(reader):
    table = reader.read(ZIP, workbook())
    message = reader.read(TNEF, tnef("IPM.Outlook.Recall"))

    assert "sheet@veryhidden.example" in _people(table)
    assert message.is_recall
    assert message.messages[0].startswith(b"Cc: cc@table.example")


def test_threads_share_a_reader(reader):
    with ThreadPoolExecutor(8) as threads:
        documents = list(threads.map(lambda _: reader.read(ZIP, SMALL), range(40)))

    assert [_people(one) for one in documents] == [{"ann@a.example"}] * 40


def test_a_bomb_ends_at_its_limit(reader):
    assert reader.read(GZIP, BOMB).uncertain == (found.TOO_MUCH,)


def test_a_document_that_takes_too_long_is_given_up_and_the_next_one_is_read():
    with PooledReader(ReaderLimits(processes=1, seconds=0.02)) as reader:
        first = reader.read(ZIP, SMALL)
        slow = reader.read(GZIP, BOMB)
        third = reader.read(ZIP, SMALL)

    assert slow.uncertain == (pool.TOO_SLOW,)
    assert _people(first) == _people(third) == {"ann@a.example"}


def test_a_document_that_needs_too_much_memory_is_given_up():
    text = gzip.compress(b"ann@a.example " * (16 * MEBIBYTE), 1)
    with PooledReader(ReaderLimits(processes=1, memory=300 * MEBIBYTE)) as reader:
        document = reader.read(GZIP, text)
        after = reader.read(ZIP, SMALL)

    assert document.uncertain in ((found.OUT_OF_MEMORY,), (pool.ENDED,))
    assert _people(after) == {"ann@a.example"}


def _child_of(reader):
    (child,) = reader._children.values()
    return child._process


def test_the_documents_of_one_mail_share_a_limit_of_time():
    with PooledReader(ReaderLimits(processes=1, seconds=0.02)) as reader:
        first, other = reader.for_one_mail(), reader.for_one_mail()
        one = first.read(ZIP, SMALL)
        # Its time is over once a child has been started for the second document.
        slow = first.read(GZIP, BOMB)
        third, fourth = first.read(ZIP, SMALL), first.read(ZIP, SMALL)

        assert slow.uncertain or one.uncertain
        assert fourth.uncertain == third.uncertain == (pool.TOO_SLOW_TOGETHER,)
        assert _people(other.read(ZIP, SMALL)) == {"ann@a.example"}


def test_a_child_that_dies_is_replaced():
    with PooledReader(ReaderLimits(processes=1)) as reader:
        reader.read(ZIP, SMALL)
        os.kill(_child_of(reader).pid, signal.SIGKILL)
        _child_of(reader).wait()

        assert _people(reader.read(ZIP, SMALL)) == {"ann@a.example"}


def test_a_child_that_hangs_is_killed_and_replaced():
    with PooledReader(ReaderLimits(processes=1, seconds=1)) as reader:
        reader.read(ZIP, SMALL)
        hanging = _child_of(reader)
        os.kill(hanging.pid, signal.SIGSTOP)
        given_up = reader.read(ZIP, SMALL)

        assert given_up.uncertain == (pool.TOO_SLOW,)
        assert hanging.returncode == -signal.SIGKILL
        assert _people(reader.read(ZIP, SMALL)) == {"ann@a.example"}


def test_a_child_that_answers_nonsense_is_not_believed(monkeypatch):
    command = "import os; os.read(0, 9); os.write(1, b'\\xff' * 99)"
    with PooledReader(ReaderLimits(processes=1)) as reader:
        monkeypatch.setattr(
            subprocess,
            "Popen",
            _popen_of([sys.executable, "-c", command], subprocess.Popen),
        )
        assert reader.read(MASKED, b"x").uncertain == (pool.ENDED,)


def test_a_program_that_does_not_start_leaves_the_document_unread(monkeypatch):
    with PooledReader(ReaderLimits(processes=1)) as reader:
        monkeypatch.setattr(
            subprocess, "Popen", _popen_of(["/nowhere/python"], subprocess.Popen)
        )
        assert reader.read(MASKED, b"x").uncertain == (pool.NO_CHILD,)


def _popen_of(command, popen):
    return lambda _, **how: popen(command, **how)


def test_too_many_at_once_leave_a_document_unread():
    with PooledReader(ReaderLimits(processes=0, seconds=0.01)) as reader:
        assert reader.read(ZIP, SMALL).uncertain == (pool.BUSY,)


def test_a_child_is_told_no_secret():
    ours = {
        "PATH": "/bin",
        "PYTHONPATH": "src",
        "UNDISCLOSED_MASTER_KEY": "k",
        "DATABASE_URL": "postgresql://u:p@h/d",
        "HOME": "/root",
    }

    told = environment(ours)

    assert set(told) == {"PATH", "PYTHONPATH"}
    assert all(Path(one).is_absolute() for one in told["PYTHONPATH"].split(":"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a child")
def test_a_child_that_runs_knows_no_secret(monkeypatch):
    monkeypatch.setenv("UNDISCLOSED_MASTER_KEY", "very-secret")
    with PooledReader(ReaderLimits(processes=1)) as reader:
        reader.read(ZIP, SMALL)
        known = Path(f"/proc/{_child_of(reader).pid}/environ").read_bytes()

    assert b"PYTHONPATH" in known
    assert b"secret" not in known


def test_a_reader_travels_without_its_children(reader):
    limits = ReaderLimits(processes=1)

    travelled = pickle.loads(pickle.dumps(PooledReader(limits)))  # noqa: S301 - our own

    assert travelled is reader_of(limits)


def test_a_forked_process_has_children_of_its_own():
    with PooledReader(ReaderLimits(processes=1)) as reader:
        reader.read(ZIP, SMALL)
        ours = _child_of(reader).pid
        program = os.fork()
        if program == 0:
            right = _people(reader.read(ZIP, SMALL)) == {"ann@a.example"}
            theirs = _child_of(reader).pid
            reader.close()
            os._exit(0 if right and theirs != ours else 1)
        _, status = os.waitpid(program, 0)

        assert status == 0
        assert _people(reader.read(ZIP, SMALL)) == {"ann@a.example"}


PARENT = """
import sys, time
from undisclosed.transport.reading.limits import ReaderLimits
from undisclosed.transport.reading.pool import PooledReader
reader = PooledReader(ReaderLimits(processes=1))
reader.read("masked", b"x")
print(next(iter(reader._children.values()))._process.pid, flush=True)
time.sleep(600)
"""


def test_a_child_does_not_outlive_its_parent():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()

    until = time.monotonic() + 30
    while _is_alive(child) and time.monotonic() < until:
        time.sleep(0.05)

    assert not _is_alive(child)


def _is_alive(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text("latin-1")
    except FileNotFoundError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"
