# SPDX-License-Identifier: Apache-2.0
"""The scan of real mailboxes: messages per second on two cores and on one."""

import statistics
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from bench.corpus import mailboxes
from bench.row import Row
from undisclosed.core.policy import Policy
from undisclosed.scan.scan import scan
from undisclosed.transport.mailbox import read_path

CORES = 2


def rows(*, quick: bool) -> Iterator[Row]:
    """The rate on two cores, beside the rate on one taken in the same run."""
    paths = mailboxes()
    one, two = [], []
    for _ in range(1 if quick else 3):
        one.append(rate(paths, jobs=1))
        two.append(rate(paths, jobs=CORES))
    single, double = statistics.median(one), statistics.median(two)
    yield Row(
        name="scan of realmail mboxes, two cores",
        unit="messages/s",
        ours=double,
        bound=CORES * single,
        bound_name="twice one core",
        target="≥ 8,000/s",
        is_met=double >= 8_000,
        bounded_by="the verdict; decompressing and cutting is a tenth of it",
    )
    yield Row(
        name="scan of realmail mboxes, two cores against one",
        unit="messages/s",
        ours=double,
        peer=single,
        peer_name="one core",
        target="≥ 1.8 × one core",
        is_met=double >= 1.8 * single,
        bounded_by="decompressing and cutting in the process that hands out the work",
    )


def rate(paths: list[Path], *, jobs: int) -> float:
    """Messages per second from the files to the grouped result."""
    items = chain.from_iterable(read_path(path) for path in paths)
    began = time.perf_counter()
    result = scan(items, Policy(), jobs=jobs)
    return result.messages / (time.perf_counter() - began)
