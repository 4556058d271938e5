# SPDX-License-Identifier: Apache-2.0
"""Over the whole acceptance run: no address, no subject and no text in any log line."""

import logging
import re
from collections.abc import Iterator

import pytest

ADDRESS = re.compile(r"[^\s<>\"'=@]+@[\w.-]*\.(?:example|test|invalid)\b")


@pytest.fixture(autouse=True)
def no_address_in_any_log_record(
    caplog: pytest.LogCaptureFixture,
) -> Iterator[None]:
    """Reads every record of every logger, tracebacks among them."""
    caplog.set_level(logging.DEBUG)
    formatter = logging.Formatter("%(name)s %(message)s")

    yield

    lines = [formatter.format(r) for r in caplog.get_records("call")]
    assert [line for line in lines if ADDRESS.search(line)] == []
    assert [line for line in lines if "Dear resident" in line] == []
