# SPDX-License-Identifier: Apache-2.0
"""Envelopes, patches and readings as bytes, to be sealed: JSON of plain lists.

Addresses may hold characters that no encoding has (what a client sent in raw bytes);
JSON's escapes carry them. Patches hold bytes: they go as Latin-1, one character each.
"""

import json
from collections.abc import Iterable
from typing import Any

from undisclosed.core.address import Address
from undisclosed.core.held import Shown
from undisclosed.core.mail import Envelope, Recipient
from undisclosed.core.private import Edit, Patch
from undisclosed.core.verdict import Action, Finding

AddressPair = list[str]


def _pair(address: Address) -> AddressPair:
    return [address.local_part, address.domain]


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def dump_address(address: Address | None) -> bytes:
    """An address, or the null sender."""
    return _dump(None if address is None else _pair(address))


def load_address(plain: bytes) -> Address | None:
    """What ``dump_address`` wrote."""
    pair = json.loads(plain)
    return None if pair is None else Address(*pair)


def dump_addresses(addresses: Iterable[Address]) -> bytes:
    """Several addresses, in their order."""
    return _dump([_pair(address) for address in addresses])


def load_addresses(plain: bytes) -> tuple[Address, ...]:
    """What ``dump_addresses`` wrote."""
    return tuple(Address(*pair) for pair in json.loads(plain))


def dump_envelope(envelope: Envelope) -> bytes:
    """An envelope with the parameters of MAIL and RCPT."""
    sender = envelope.mail_from
    return _dump(
        [
            None if sender is None else _pair(sender),
            [[_pair(r.address), list(r.parameters)] for r in envelope.recipients],
            list(envelope.parameters),
        ]
    )


def load_envelope(plain: bytes) -> Envelope:
    """What ``dump_envelope`` wrote."""
    sender, recipients, parameters = json.loads(plain)
    return Envelope(
        None if sender is None else Address(*sender),
        tuple(Recipient(Address(*pair), tuple(more)) for pair, more in recipients),
        tuple(parameters),
    )


def dump_patch(patch: Patch) -> bytes:
    """The edits of a private copy."""
    return _dump(
        [[edit.start, edit.end, edit.text.decode("latin-1")] for edit in patch.edits]
    )


def load_patch(plain: bytes) -> Patch:
    """What ``dump_patch`` wrote."""
    return Patch(
        tuple(
            Edit(start, end, text.encode("latin-1"))
            for start, end, text in json.loads(plain)
        )
    )


def dump_shown(shown: Iterable[Shown]) -> bytes:
    """Whom a mail shows, by which channels; who would see it is its envelope."""
    return _dump([[_pair(each.address), list(each.channels)] for each in shown])


def load_shown(plain: bytes) -> tuple[Shown, ...]:
    """What ``dump_shown`` wrote."""
    return tuple(
        Shown(Address(*pair), tuple(channels)) for pair, channels in json.loads(plain)
    )


def printable(text: str) -> str:
    """A sentence that PostgreSQL takes: it may quote a field's name as it came."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def dump_findings(findings: Iterable[Finding]) -> str:
    """Findings as JSON; they never hold an address, so they are not sealed."""
    return json.dumps(
        [
            {
                "rule": finding.rule,
                "action": finding.action.value,
                "people": finding.people,
                "text": printable(finding.text),
            }
            for finding in findings
        ]
    )


def load_findings(value: str | list[dict[str, Any]]) -> tuple[Finding, ...]:
    """What ``dump_findings`` wrote, as text or as Django read it."""
    rows = json.loads(value) if isinstance(value, str) else value
    return tuple(
        Finding(row["rule"], Action(row["action"]), row["people"], row["text"])
        for row in rows
    )
