# SPDX-License-Identifier: Apache-2.0
"""Clearances: what was decided about a mail before it came, as a token that it carries.

A mail client asks first (``POST /v1/check``) and puts the answer into the field
X-Undisclosed-Clearance, so that its sender is not asked twice. The token says one of
two things: its sender chose *send singly*, or an approver decided to release it. It
is an HMAC-SHA-256 (RFC 2104) over what the mail is bound to, expires, and is good for
one mail. The mail is judged all the same; without a match nothing was decided.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from undisclosed.core.disclosure import Reading
from undisclosed.core.known import Clearance
from undisclosed.core.mail import Mail
from undisclosed.core.mailing import digest_of
from undisclosed.core.own_fields import CLEARANCE_FIELD
from undisclosed.guard.bound import Bound, bound_of
from undisclosed.guard.origin import Origin
from undisclosed.guard.ports import Journal, Once, Passed

MOST_TEXTS = 3
"""Ways of writing one text that a clearance covers: plain, HTML, and one to spare."""

LONGEST_TOKEN = 512
"""Characters; a longer one is not ours and is not read."""

_KINDS = {Clearance.SEND_SINGLY: b"S", Clearance.RELEASE: b"R"}
_OF_KIND = {code: kind for kind, code in _KINDS.items()}
_VERSION = b"1"
_ID, _DIGEST, _SEAL = 12, 16, 16  # bytes; 128 bits of a keyed hash cannot be forged
_HEAD = 2 + 5 + _ID + _DIGEST
_FIELD = CLEARANCE_FIELD.lower()


@dataclass(frozen=True, slots=True)
class Issued:
    """A clearance as it was made: its token, and its id in the journal."""

    id: str
    kind: Clearance
    token: str = field(repr=False)
    expires_at: datetime


class Clearances:
    """Makes clearances and, as a ``Pass``, opens those that mails carry.

    ``key`` has 32 bytes and is used for nothing else; ``earlier`` keys open what they
    made, and make nothing any more. May be called from any thread.
    """

    def __init__(
        self,
        key: bytes,
        once: Once,
        journal: Journal,
        *,
        lifetime: timedelta,
        earlier: Sequence[bytes] = (),
    ) -> None:
        self._key = key
        self._every = (key, *earlier)
        self._once = once
        self._journal = journal
        self._lifetime = lifetime

    def issue(self, kind: Clearance, bound: Bound, now: datetime) -> Issued:
        """The clearance for mail that is bound to this. The caller journals it."""
        expires_at = now + self._lifetime
        seconds = int(expires_at.timestamp())
        begin = _VERSION + _KINDS[kind] + seconds.to_bytes(5, "big")
        begin += secrets.token_bytes(_ID)
        texts = sorted(bound.texts)[:MOST_TEXTS]
        key = self._key
        payload = begin + _of_people(key, begin, kind, bound)
        payload += b"".join(_of_text(key, begin, text) for text in texts)
        token = base64.urlsafe_b64encode(payload + _seal(key, payload))
        return Issued(_id_of(payload), kind, token.decode().rstrip("="), expires_at)

    def of(
        self, mail: Mail, reading: Reading, origin: Origin, now: datetime
    ) -> Passed | None:
        """What was decided about this mail; None where no clearance holds for it.

        The first that does is used up for this mail. Raises TransientError.
        """
        bound: Bound | None = None
        for key, payload in self._genuine(reading):
            kind, expires_at = _said_by(payload)
            if now >= expires_at:
                continue
            bound = bound or bound_of(mail, reading)
            if bound is None or not _covers(key, payload, kind, bound):
                continue
            name, digest = _id_of(payload), digest_of(mail)
            if self._once.use(name, digest, until=expires_at, now=now):
                self._journal("clearance used", clearance=name, kind=kind.value)
                return Passed(clearance=kind)
        return None

    def _genuine(self, reading: Reading) -> Iterable[tuple[bytes, bytes]]:
        """What the tokens of the mail say, where we said it, and the key of each."""
        for name, body in reading.content.own_fields:
            opened = self._opened(body) if name == _FIELD else None
            if opened is not None:
                yield opened

    def _opened(self, body: bytes) -> tuple[bytes, bytes] | None:
        # A field of its own is never folded, but a server on the way may have done so.
        token = b"".join(body.split())
        if not token or len(token) > LONGEST_TOKEN:
            return None
        try:
            whole = base64.b64decode(
                token + b"=" * (-len(token) % 4), altchars=b"-_", validate=True
            )
        except (binascii.Error, ValueError):
            return None
        payload, seal = whole[:-_SEAL], whole[-_SEAL:]
        is_whole = len(payload) >= _HEAD and (len(payload) - _HEAD) % _DIGEST == 0
        if not is_whole:
            return None
        for key in self._every:
            if hmac.compare_digest(seal, _seal(key, payload)):
                return key, payload
        return None


def _covers(key: bytes, payload: bytes, kind: Clearance, bound: Bound) -> bool:
    """Whether the mail is the one that was decided about."""
    begin, people = payload[: _HEAD - _DIGEST], payload[_HEAD - _DIGEST : _HEAD]
    if not hmac.compare_digest(people, _of_people(key, begin, kind, bound)):
        return False
    texts = {payload[at : at + _DIGEST] for at in range(_HEAD, len(payload), _DIGEST)}
    return {_of_text(key, begin, text) for text in bound.texts} <= texts


def _of_people(key: bytes, begin: bytes, kind: Clearance, bound: Bound) -> bytes:
    """Everything but the texts. A release is for exactly those who are shown."""
    shown = bound.shown if kind is Clearance.RELEASE else ()
    texts = b"text" if bound.texts else b"no text"
    groups = (
        (bound.sender,),
        bound.people,
        shown,
        (bound.subject,),
        tuple(one.hex() for one in bound.files),
    )
    keyed = hmac.new(key, begin + texts, hashlib.sha256)
    for group in groups:
        keyed.update(b"%d;" % len(group))
        for one in group:
            encoded = one.encode("utf-8", "surrogatepass")
            keyed.update(b"%d:" % len(encoded) + encoded)
    return keyed.digest()[:_DIGEST]


def _of_text(key: bytes, begin: bytes, text: bytes) -> bytes:
    return hmac.digest(key, b"text" + begin + text, "sha256")[:_DIGEST]


def _seal(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, b"seal" + payload, "sha256")[:_SEAL]


def _said_by(payload: bytes) -> tuple[Clearance, datetime]:
    seconds = int.from_bytes(payload[2:7], "big")
    return _OF_KIND[payload[1:2]], datetime.fromtimestamp(seconds, UTC)


def _id_of(payload: bytes) -> str:
    """What the journal calls a clearance, and what is used once."""
    return payload[7 : 7 + _ID].hex()
