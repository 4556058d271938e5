# SPDX-License-Identifier: Apache-2.0
"""Links of notices: signed, expiring, and good for nothing but opening a page.

Mail gateways open every link they see, so a GET never acts: the page behind a
link has a button. A link names a mailing and a person by reference, never by
address.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from undisclosed.errors import UndisclosedError

MAX_TOKEN = 1024
"""Characters of a token; a longer one is not ours and is not read."""


class LinkWrong(UndisclosedError):
    """This link is incomplete or was changed. Please copy all of it."""


class LinkExpired(UndisclosedError):
    """This link is no longer valid. The mailing can still be found after logging in."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says: this person may decide their mail of this mailing."""

    mailing_id: str
    person_ref: str
    expires_at: datetime


class LinkSigner:
    """Signs links with one key (HMAC-SHA-256, RFC 2104) and opens them again.

    ``earlier`` keys open what they signed, and sign nothing any more.
    """

    __slots__ = ("_earlier", "_key")

    def __init__(self, key: bytes, *earlier: bytes) -> None:
        self._key = key
        self._earlier = earlier

    def sign(self, mailing_id: str, person_ref: str, expires_at: datetime) -> str:
        """The token of a link: letters, digits, ``-``, ``_`` and one dot."""
        facts = [mailing_id, person_ref, int(expires_at.timestamp())]
        payload = _encode(json.dumps(facts, separators=(",", ":")).encode())
        return f"{payload}.{_signature(self._key, payload)}"

    def open(self, token: str, now: datetime) -> Link:
        """What a token says. Raises LinkWrong and LinkExpired."""
        payload, _, signature = token[: MAX_TOKEN + 1].partition(".")
        if len(token) > MAX_TOKEN or not self._is_ours(payload, signature):
            raise LinkWrong
        mailing_id, person_ref, seconds = json.loads(_decode(payload))
        link = Link(mailing_id, person_ref, datetime.fromtimestamp(seconds, UTC))
        if now >= link.expires_at:
            raise LinkExpired
        return link

    def _is_ours(self, payload: str, signature: str) -> bool:
        given = signature.encode("utf-8", "replace")
        keys = (self._key, *self._earlier)
        return any(
            hmac.compare_digest(given, _signature(key, payload).encode())
            for key in keys
        )


def _signature(key: bytes, payload: str) -> str:
    text = payload.encode("utf-8", "replace")
    return _encode(hmac.new(key, text, hashlib.sha256).digest())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
