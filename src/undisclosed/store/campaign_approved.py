# SPDX-License-Identifier: Apache-2.0
"""What of a campaign somebody last approved: its text, files, list and settings.

It is kept beside the draft and sealed with the same key, so that a page can say what
was changed since. Of a file everything but its content is kept; the content as well
where it is a text for everybody and not long.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from undisclosed.core.campaign import Attached
from undisclosed.store import campaign_files, crypto
from undisclosed.store.database import Connection

LONGEST_TEXT: Final = 64 * 1024
"""Octets of a file whose lines are kept, and compared."""

SETTINGS: Final = ("per_minute", "in_doubt")
"""The campaign's settings that are compared besides those of its draft."""

_APPROVED: Final = "approved"
_TEXTS: Final = ("csv", "tsv", "txt", "md", "ics", "json", "xml", "html", "vcf")
_READ: Final = """
SELECT c.draft_sealed, c.data_key, c.list_id, l.name, c.list_version, c.recipients,
       c.per_minute, c.in_doubt
  FROM store_campaign c LEFT JOIN store_recipientlist l ON l.id = c.list_id
 WHERE c.id = %s AND c.draft_sealed IS NOT NULL AND c.data_key IS NOT NULL
"""
_KEEP: Final = "UPDATE store_campaign SET approved_sealed = %b WHERE id = %s"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file: ``size`` in octets, ``digest`` SHA-256 in hexadecimal digits.

    ``text`` is its content where that is a text for everybody and not long.
    """

    name: str = field(repr=False)
    media_type: str
    column: str
    size: int
    digest: str
    text: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Approved:
    """What was approved. ``text`` is the draft (JSON, ``send.draft``).

    ``is_whole`` is false where nothing but the text was kept. ``list_name`` and
    ``recipients`` (people who are mailed) are the list's, ``settings`` the campaign's.
    """

    text: bytes = field(repr=False)
    is_whole: bool = False
    files: tuple[FileFacts, ...] = ()
    list_id: str = ""
    list_name: str = field(default="", repr=False)
    list_version: int = 0
    recipients: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)


def facts_of(file: Attached) -> FileFacts:
    """A file as it is compared."""
    return FileFacts(
        file.name,
        file.media_type,
        file.column,
        len(file.content),
        hashlib.sha256(file.content).hexdigest(),
        _text_of(file),
    )


def keep(connection: Connection, campaign_id: str) -> None:
    """Keep the campaign as it is now as the approved one."""
    row = connection.one(_READ, (campaign_id,))
    if row is None:
        return
    draft, wrapped, list_id, name, version, recipients, *settings = row
    key = crypto.keys().unwrap(bytes(wrapped), f"campaign/{campaign_id}")
    context = f"draft/{campaign_id}"
    files = campaign_files.read(connection, campaign_id, key)
    kept = json.loads(key.open(bytes(draft), context))
    kept[_APPROVED] = {
        "files": [asdict(facts_of(one)) for one in files],
        "list_id": list_id or "",
        "list_name": name or "",
        "list_version": version,
        "recipients": recipients,
        "settings": dict(zip(SETTINGS, settings, strict=True)),
    }
    whole = json.dumps(kept, ensure_ascii=False).encode("utf-8", "surrogatepass")
    connection.run(_KEEP, (key.seal(whole, context), campaign_id))


def read(kept: bytes) -> Approved:
    """What ``keep`` wrote, or a draft alone."""
    more = json.loads(kept).get(_APPROVED)
    if more is None:
        return Approved(kept)
    files: Sequence[Mapping[str, Any]] = more.pop("files")
    return Approved(kept, True, tuple(FileFacts(**one) for one in files), **more)


def _text_of(file: Attached) -> str | None:
    kind = file.name.rpartition(".")[2].lower()
    is_text = file.media_type.startswith("text/") or kind in _TEXTS
    if not is_text or file.column or len(file.content) > LONGEST_TEXT:
        return None
    try:
        return file.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What people's spreadsheets write where it is not UTF-8; every octet is one.
        return file.content.decode("cp1252", "replace")
