# SPDX-License-Identifier: Apache-2.0
"""What was not tested is said by name, counted, and in CI a failure.

A skipped test looks green. On a developer's machine that is a convenience, so the
reasons are listed at the end of the run; with ``CI`` set in the environment a
single skip fails the run. ``UNDISCLOSED_TEST_COUNTS`` names a file that receives
the closing counts, for the script that runs the tests and other checks besides.
"""

import os
from collections import Counter
from pathlib import Path

import pytest


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ")


class Skips:
    """Collects the reasons for which tests were skipped, and the other outcomes."""

    def __init__(self, *, forbidden: bool) -> None:
        self.forbidden = forbidden
        self.reasons: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A whole file may be skipped, or fail, while it is collected."""
        if report.skipped:
            self.reasons[_reason(report)] += 1
        elif report.failed:
            self.outcomes["failed"] += 1

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count each test once: its call, or whatever kept it from being called."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self.reasons[_reason(report)] += 1
        elif report.failed:
            self.outcomes["failed"] += 1
        elif report.when == "call":
            self.outcomes["passed"] += 1

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn a green run with skips red where skips are forbidden."""
        if self.forbidden and self.reasons and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if path := os.environ.get("UNDISCLOSED_TEST_COUNTS"):
            Path(path).write_text(f"{self.counts()}\n", encoding="utf-8")

    def counts(self) -> str:
        """The closing counts in one line."""
        return (
            f"{self.outcomes['passed']} passed, {self.outcomes['failed']} failed, "
            f"{self.reasons.total()} skipped"
        )

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """List what is missing, most tests first."""
        if not self.reasons:
            return
        verb = "FORBIDDEN HERE" if self.forbidden else "not tested"
        terminalreporter.section(f"{self.reasons.total()} skipped: {verb}")
        for reason, count in self.reasons.most_common():
            terminalreporter.write_line(f"{count:5}  {reason}")


def pytest_configure(config: pytest.Config) -> None:
    """Only the process that reports counts; helpers of a parallel run do not."""
    if hasattr(config, "workerinput"):
        return
    forbidden = bool(os.environ.get("CI"))
    config.pluginmanager.register(Skips(forbidden=forbidden), "undisclosed-skips")
