# SPDX-License-Identifier: Apache-2.0
"""What was found, for programs: plain objects that become JSON.

Addresses are spelled out in them: this is the machine's interface.
"""

from collections.abc import Mapping
from datetime import datetime

from undisclosed.core.address import Address
from undisclosed.core.verdict import Finding
from undisclosed.scan.mailings import Mailing
from undisclosed.scan.message import Glance, Judged
from undisclosed.scan.scan import Result


def judged_as_object(name: str, judged: Judged) -> dict[str, object]:
    """One message that was checked."""
    reading, verdict = judged.reading, judged.verdict
    return {
        "file": name,
        "action": verdict.action.value,
        "viewers": len(reading.viewers),
        "shown": _shown(reading.content.shown),
        "disclosures": reading.disclosures,
        "new_disclosures": reading.new_disclosures,
        "uncertain": list(reading.content.uncertain),
        "findings": [_finding(finding) for finding in verdict.findings],
    }


def glance_as_object(glance: Glance, mailing: Mailing) -> dict[str, object]:
    """One message that a scan found: as a checked one, with its place and time."""
    return {
        "file": glance.name,
        "action": glance.verdict.action.value,
        "viewers": glance.viewers,
        "shown": _shown(glance.shown),
        "disclosures": glance.disclosures,
        "new_disclosures": glance.new_disclosures,
        "uncertain": list(glance.uncertain),
        "findings": [_finding(finding) for finding in glance.verdict.findings],
        "sent_at": _time(glance.sent_at),
        "sender": _address(glance.author),
        "mailing": mailing.number,
    }


def mailing_as_object(mailing: Mailing) -> dict[str, object]:
    """One mailing that a scan found."""
    return {
        "mailing": mailing.number,
        "action": mailing.action.value,
        "sender": _address(mailing.author),
        "subject": mailing.subject,
        "first_at": _time(mailing.first_at),
        "last_at": _time(mailing.last_at),
        "messages": len(mailing.messages),
        "people": len(mailing.people),
        "disclosures": mailing.disclosures,
        "findings": [_finding(finding) for finding in mailing.findings],
    }


def result_as_object(result: Result) -> dict[str, object]:
    """A whole scan: its sums, and what it could not read."""
    return {
        "messages": result.messages,
        "found": len(result.found),
        "mailings": len(result.mailings),
        "people": len(result.people),
        "disclosures": result.disclosures,
        "uncertain": result.uncertain_count,
        "passed_over": result.passed_over,
        "unreadable": [
            {"file": problem.name, "reason": problem.reason}
            for problem in result.problems
        ],
        "complete": result.is_complete,
    }


def _shown(shown: Mapping[Address, tuple[str, ...]]) -> list[dict[str, object]]:
    return [
        {"address": address.spelled_out(), "channels": list(channels)}
        for address, channels in shown.items()
    ]


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "action": finding.action.value,
        "people": finding.people,
        "text": finding.text,
    }


def _address(address: Address | None) -> str | None:
    return None if address is None else address.spelled_out()


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
