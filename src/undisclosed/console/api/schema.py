# SPDX-License-Identifier: Apache-2.0
"""Every property of the API, in one table: what is documented, is read and written.

The OpenAPI document and the reference page are made from these tables, and a request
with a property that does not stand here is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from undisclosed.core.known import Clearance
from undisclosed.core.own_fields import CLEARANCE_FIELD
from undisclosed.core.verdict import Action

Schema = dict[str, object]


class Kind(Enum):
    """What a value looks like in JSON, as a schema (OpenAPI 3.1, JSON Schema)."""

    TEXT = "text"
    TEXTS = "list of texts"
    BYTES = "text in Base64"
    WHOLE = "whole number"
    TIME = "time (RFC 3339)"
    FILES = "list of files"
    SHOWN = "list of people shown"
    FINDINGS = "list of findings"
    CLEARANCE = "clearance or null"
    SENTENCE = "text or null"


@dataclass(frozen=True, slots=True)
class Property:
    """One property: its name, its kind, its meaning. ``words`` are all it may be."""

    name: str
    kind: Kind
    description: str
    is_required: bool = False
    words: tuple[str, ...] = ()


_TEXT, _TEXTS, _BYTES, _WHOLE = Kind.TEXT, Kind.TEXTS, Kind.BYTES, Kind.WHOLE

CHECK: Final = (
    Property(
        "sender",
        _TEXT,
        "Who sends: the address of From and of the envelope.",
        is_required=True,
    ),
    Property(
        "recipients",
        _TEXTS,
        "Addresses of everybody who will receive the mail, Bcc among them. Without it: "
        "everybody in to, cc and bcc, or in the destination fields of message.",
    ),
    Property("to", _TEXTS, "The mailboxes of To, as they will be shown."),
    Property("cc", _TEXTS, "The mailboxes of Cc."),
    Property("bcc", _TEXTS, "The mailboxes of Bcc; they are shown to nobody."),
    Property("reply_to", _TEXTS, "The mailboxes of Reply-To."),
    Property("subject", _TEXT, "The subject."),
    Property("text", _TEXT, "The text as plain text, if it will be sent so."),
    Property("html", _TEXT, "The text as HTML, if it will be sent so."),
    Property("files", Kind.FILES, "The attached files."),
    Property(
        "message",
        _BYTES,
        "The whole message (RFC 5322) instead of to, cc, bcc, reply_to, subject, text, "
        "html and files.",
    ),
    Property(
        "choice",
        _TEXT,
        "What was decided about the mail: its sender chose to send it singly, or an "
        "approver, who owns the access token, releases it beforehand.",
        words=tuple(kind.value for kind in Clearance),
    ),
    Property("reason", _TEXT, "Why the approver releases it; needed then."),
)
"""A question."""

FILE: Final = (
    Property("name", _TEXT, "The file's name.", is_required=True),
    Property("type", _TEXT, "Its media type, as in text/csv."),
    Property("content", _BYTES, "Its bytes.", is_required=True),
)
"""An attached file of a question."""

ADVICE: Final = (
    Property(
        "action",
        _TEXT,
        "What the guard would do with the mail, as far as the mail itself says.",
        is_required=True,
        words=tuple(action.value for action in Action),
    ),
    Property("viewers", _WHOLE, "How many would receive it.", is_required=True),
    Property(
        "people",
        _WHOLE,
        "How many outsiders would newly be shown to somebody.",
        is_required=True,
    ),
    Property(
        "new_disclosures",
        _WHOLE,
        "How many pairs of viewer and shown person that makes.",
        is_required=True,
    ),
    Property(
        "shown",
        Kind.SHOWN,
        "Everybody whom the mail shows, as far as the question named them.",
        is_required=True,
    ),
    Property("findings", Kind.FINDINGS, "What the rules found.", is_required=True),
    Property(
        "uncertain",
        _TEXTS,
        "What could not be read, in one sentence each.",
        is_required=True,
    ),
    Property(
        "singly_refused",
        Kind.SENTENCE,
        "Why sending singly would not help; null where it would.",
        is_required=True,
    ),
    Property(
        "clearance",
        Kind.CLEARANCE,
        "What the mail has to carry for the choice to count; null without a choice.",
        is_required=True,
    ),
)
"""An answer."""

SHOWN: Final = (
    Property("address", _TEXT, "The address.", is_required=True),
    Property("channels", _TEXTS, "Where it would be shown.", is_required=True),
)
"""A person shown."""

FINDING: Final = (
    Property("rule", _TEXT, "The rule's name.", is_required=True),
    Property(
        "action",
        _TEXT,
        "What the rule asks for.",
        is_required=True,
        words=tuple(action.value for action in Action),
    ),
    Property("people", _WHOLE, "How many people it is about.", is_required=True),
    Property("text", _TEXT, "One sentence, without an address.", is_required=True),
)
"""One rule's answer."""

CLEARANCE: Final = (
    Property("field", _TEXT, f"Always {CLEARANCE_FIELD}.", is_required=True),
    Property("token", _TEXT, "The body of that field.", is_required=True),
    Property("expires_at", Kind.TIME, "Until when it is good.", is_required=True),
)
"""A clearance that was made."""

PROBLEM: Final = (Property("error", _TEXT, "One sentence.", is_required=True),)
"""Why there is no answer."""

OBJECTS: Final = {
    "Check": CHECK,
    "File": FILE,
    "Advice": ADVICE,
    "Shown": SHOWN,
    "Finding": FINDING,
    "Clearance": CLEARANCE,
    "Problem": PROBLEM,
}
"""Every object of the API by its name in the OpenAPI document."""

_NULL: Final[Schema] = {"type": "null"}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_KINDS: Final[dict[Kind, Schema]] = {
    Kind.TEXT: {"type": "string"},
    Kind.TEXTS: _list({"type": "string"}),
    Kind.BYTES: {"type": "string", "contentEncoding": "base64"},
    Kind.WHOLE: {"type": "integer", "minimum": 0},
    Kind.TIME: {"type": "string", "format": "date-time"},
    Kind.FILES: _list(_reference("File")),
    Kind.SHOWN: _list(_reference("Shown")),
    Kind.FINDINGS: _list(_reference("Finding")),
    Kind.CLEARANCE: {"anyOf": [_reference("Clearance"), _NULL]},
    Kind.SENTENCE: {"type": ["string", "null"]},
}


def schema_of(properties: Iterable[Property]) -> Schema:
    """The schema of an object with these properties and no others."""
    listed = tuple(properties)
    return {
        "type": "object",
        "properties": {one.name: _schema_of_one(one) for one in listed},
        "required": [one.name for one in listed if one.is_required],
        "additionalProperties": False,
    }


def _schema_of_one(one: Property) -> Schema:
    schema = {**_KINDS[one.kind], "description": one.description}
    return {**schema, "enum": list(one.words)} if one.words else schema
