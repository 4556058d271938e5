# SPDX-License-Identifier: Apache-2.0
"""A draft as it is kept, and the digest that approvals are bound to."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from undisclosed.core.address import Address
from undisclosed.core.campaign import Attached, Draft, MailKind

_PART = b"\x00\x01"


def to_json(draft: Draft) -> bytes:
    """The draft without its attachments, which are kept apart."""
    reply_to = draft.reply_to
    return json.dumps(
        {
            "subject": draft.subject,
            "markdown": draft.markdown,
            "author": [draft.author.local_part, draft.author.domain],
            "author_name": draft.author_name,
            "reply_to": [reply_to.local_part, reply_to.domain] if reply_to else None,
            "kind": draft.kind.value,
        },
        ensure_ascii=False,
        sort_keys=True,
    ).encode()


def from_json(text: bytes, attachments: Sequence[Attached] = ()) -> Draft:
    """The draft again, with its attachments."""
    kept: dict[str, Any] = json.loads(text)
    return Draft(
        subject=kept["subject"],
        markdown=kept["markdown"],
        author=Address(*kept["author"]),
        author_name=kept["author_name"],
        reply_to=Address(*kept["reply_to"]) if kept["reply_to"] else None,
        kind=MailKind(kept["kind"]),
        attachments=tuple(attachments),
    )


def file_facts(one: Attached) -> tuple[str, str, str, str]:
    """What an approval, and a proof, say of a file: name, type, column, SHA-256.

    One person's own file is named as that person is, and the name says whose it is. So
    it has none here: the hash is over both, and nobody guesses names by it who has not
    the very file.
    """
    hashed = hashlib.sha256(one.content)
    if not one.column:
        return one.name, one.media_type, "", hashed.hexdigest()
    hashed = hashlib.sha256(hashed.digest() + one.name.encode("utf-8", "surrogatepass"))
    return "", one.media_type, one.column, hashed.hexdigest()


def digest_of(
    draft: Draft,
    *,
    list_id: str,
    list_version: int,
    recipients: int,
    findings: Sequence[object] = (),
) -> bytes:
    """What an approval is bound to: template, attachments, list, checks and count.

    SHA-256. Whatever changes one of them changes it, and voids every approval.
    """
    files = sorted(map(file_facts, draft.attachments))
    facts = [list_id, list_version, recipients, files, list(findings)]
    hashed = hashlib.sha256(to_json(draft))
    hashed.update(_PART)
    hashed.update(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode())
    return hashed.digest()
