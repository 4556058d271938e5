# SPDX-License-Identifier: Apache-2.0
"""A question of the API: from JSON to values, or the sentence that says what is wrong.

No sentence repeats what was sent: answers are logged by other people's programs.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from undisclosed.console.api.schema import CHECK, FILE, Kind, Property
from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.core.known import Clearance
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.errors import UndisclosedError
from undisclosed.guard.draft import Draft, DraftFile, mail_of

Values = Mapping[str, Any]

INSTEAD_OF: Final = ("to", "cc", "bcc", "reply_to", "subject", "text", "html", "files")
"""What a question with a whole message does not say beside it."""

_SHOWN_FIELDS: Final = (("to", "To"), ("cc", "Cc"), ("reply_to", "Reply-To"))


class QuestionWrong(UndisclosedError):
    """The question cannot be understood."""


@dataclass(frozen=True, slots=True)
class Question:
    """A mail that somebody asks about, and what they decided about it."""

    mail: Mail
    choice: Clearance | None
    reason: str


def read_question(body: bytes, policy: Policy) -> Question:
    """The question that a request's body asks. Raises QuestionWrong."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise QuestionWrong("The body must be one JSON object.") from None
    values = _values(asked, CHECK, "The body")
    choice = values.get("choice")
    mail = _message(values, policy) if "message" in values else _drafted(values)
    if not mail.envelope.recipients:
        raise QuestionWrong("The mail has no recipient.")
    return Question(
        mail, None if choice is None else Clearance(choice), values.get("reason", "")
    )


def _message(values: Values, policy: Policy) -> Mail:
    """The question's own message, under an envelope."""
    beside = [name for name in INSTEAD_OF if name in values]
    if beside:
        raise QuestionWrong(f'"{beside[0]}" and "message" exclude each other.')
    content = values["message"]
    if "recipients" in values:
        recipients = _addresses(values, "recipients")
    else:
        recipients = read_content(content, policy).destinations
    people = tuple(map(Recipient, dict.fromkeys(recipients)))
    return Mail(Envelope(_sender(values), people), content)


def _drafted(values: Values) -> Mail:
    """The mail that the question's values make."""
    if "recipients" in values:
        recipients = _addresses(values, "recipients")
    else:
        boxes = (box for name in ("to", "cc", "bcc") for box in values.get(name, ()))
        recipients = tuple(address for box in boxes for address in mailboxes(box))
    fields = tuple(
        (name, ", ".join(values[key])) for key, name in _SHOWN_FIELDS if values.get(key)
    )
    return mail_of(
        Draft(
            sender=_sender(values),
            recipients=recipients,
            fields=fields,
            subject=values.get("subject", ""),
            plain=values.get("text"),
            html=values.get("html"),
            files=tuple(map(_file, values.get("files", ()))),
        )
    )


def _sender(values: Values) -> Address:
    sender = parse_addr_spec(values["sender"])
    if sender is None:
        raise QuestionWrong('"sender" must be one address.')
    return sender


def _addresses(values: Values, name: str) -> tuple[Address, ...]:
    found = tuple(map(parse_addr_spec, values[name]))
    addresses = tuple(one for one in found if one is not None)
    if len(addresses) != len(found):
        raise QuestionWrong(f'"{name}" must be a list of addresses.')
    return addresses


def _file(values: Values) -> DraftFile:
    return DraftFile(values["name"], values.get("type", ""), values["content"])


def _values(asked: object, properties: Iterable[Property], what: str) -> Values:
    """The values of an object, each of its kind."""
    if not isinstance(asked, dict):
        raise QuestionWrong(f"{what} must be one JSON object.")
    known = {one.name: one for one in properties}
    if asked.keys() - known.keys():
        raise QuestionWrong(f"{what} has a property that is not known.")
    for one in known.values():
        if one.is_required and one.name not in asked:
            raise QuestionWrong(f'{what} has no "{one.name}".')
    return {name: _value(value, known[name]) for name, value in asked.items()}


def _value(value: object, one: Property) -> object:
    read = _READ[one.kind](value)
    if read is None or (one.words and read not in one.words):
        words = ", ".join(f'"{word}"' for word in one.words)
        must = f"one of {words}" if words else f"a {one.kind.value}"
        raise QuestionWrong(f'"{one.name}" must be {must}.')
    return read


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> list[str] | None:
    is_list = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return value if is_list else None  # type: ignore[return-value]


def _bytes(value: object) -> bytes | None:
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None


def _files(value: object) -> list[Values] | None:
    if not isinstance(value, list):
        return None
    return [_values(one, FILE, "A file") for one in value]


_READ: Final[dict[Kind, Callable[[object], object | None]]] = {
    Kind.TEXT: _text,
    Kind.TEXTS: _texts,
    Kind.BYTES: _bytes,
    Kind.FILES: _files,
}
"""How each kind of a question's values is read; None where it is of another kind."""
