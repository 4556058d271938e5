# SPDX-License-Identifier: Apache-2.0
"""Stamps: what our own copies show to a second guard of the same installation.

A stamp is a header field with an HMAC-SHA-256 (RFC 2104) over the copy's id, its
sender and recipients, the outsiders whom it newly shows, what of it could not be read,
and its end. It says that
the mail went through the guard before: it is not counted a second time, and what an
approver released is not held again. It never skips the judge. It is cut out of every
mail that comes in, holds for one mail, and where anything is different than it was,
it says nothing.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from undisclosed.core.disclosure import Reading, read
from undisclosed.core.documents import Reader
from undisclosed.core.held import Outgoing, OutgoingKind
from undisclosed.core.known import Clearance
from undisclosed.core.mail import Envelope, Mail
from undisclosed.core.mailing import digest_of
from undisclosed.core.own_fields import STAMP_FIELD
from undisclosed.core.policy import Policy
from undisclosed.guard.origin import Origin
from undisclosed.guard.ports import Once, Passed

VALID_FOR = timedelta(days=5)
"""How long a stamp holds: as long as mail servers keep trying (RFC 5321 §4.5.4.1)."""

MOST_STAMPS = 4
"""Stamps of one mail that are looked at; one of ours has one."""

_KINDS = {
    OutgoingKind.PRIVATE_COPY: "copy",
    OutgoingKind.INSIDERS_COPY: "copy",
    OutgoingKind.RELEASE: "release",
}
_STAMP = re.compile(
    rb"\s*v=1;\s*k=(copy|release);\s*i=([0-9A-Za-z.-]{1,100});\s*x=([0-9]{1,12});"
    rb"\s*b=([0-9A-Za-z_-]{43})\s*"
)


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What a stamp says. ``token`` names one try of one copy."""

    kind: str
    token: str
    expires_at: datetime

    def signed(self, key: bytes, envelope: Envelope, reading: Reading) -> str:
        """The signature that binds it to an envelope and to whom the mail shows.

        And to what of it could not be read, or is encrypted for whom: nobody has
        decided about another mail to the same people with a closed archive in it.
        """
        content = reading.content
        sender = envelope.mail_from
        parts = (
            *("stamp 2", self.kind, self.token, str(int(self.expires_at.timestamp()))),
            *("sender", sender.person if sender else ""),
            *("recipients", *sorted({one.person for one in envelope.rcpt_tos})),
            *("shown", *sorted(_shown(reading))),
            *("unread", *sorted(content.uncertain), *sorted(content.key_ids)),
        )
        signed = hmac.new(key, digestmod=hashlib.sha256)
        for part in parts:
            encoded = part.encode("utf-8", "surrogatepass")
            signed.update(b"%d:" % len(encoded) + encoded)
        return base64.urlsafe_b64encode(signed.digest()).rstrip(b"=").decode("ascii")


class StampWriter:
    """Stamps copies as they leave; it reads each as the next guard will."""

    def __init__(
        self, key: bytes, policy: Policy, reader: Reader | None = None
    ) -> None:
        self._key = key
        self._policy = policy
        self._reader = reader

    def finished(
        self, copy: Outgoing, held: bytes, content: bytes, now: datetime
    ) -> bytes:
        """The copy with its stamp in front. Notices and returned mail get none."""
        kind = _KINDS.get(copy.kind)
        if kind is None:
            return content
        expires_at = (now + VALID_FOR).replace(microsecond=0)
        stamp = _Stamp(kind, f"{copy.id}.{copy.attempts}", expires_at)
        reading = read(Mail(copy.envelope, content), self._policy, reader=self._reader)
        signed = stamp.signed(self._key, copy.envelope, reading)
        seconds = int(expires_at.timestamp())
        field = (
            f"{STAMP_FIELD}: v=1; k={kind}; i={stamp.token};\r\n"
            f" x={seconds}; b={signed}\r\n"
        )
        return field.encode("ascii") + content


class StampPass:
    """Opens stamps; fits the port ``Pass``."""

    def __init__(self, key: bytes, once: Once) -> None:
        self._key = key
        self._once = once

    def of(
        self, mail: Mail, reading: Reading, origin: Origin, now: datetime
    ) -> Passed | None:
        """What a stamp on this mail proves. May block; raises TransientError."""
        stamps = [
            body
            for name, body in reading.content.own_fields
            if name == STAMP_FIELD.lower()
        ]
        for body in stamps[:MOST_STAMPS]:
            passed = self._opened(body, mail, reading, now)
            if passed is not None:
                return passed
        return None

    def _opened(
        self, body: bytes, mail: Mail, reading: Reading, now: datetime
    ) -> Passed | None:
        found = _STAMP.fullmatch(body)
        if found is None:
            return None
        kind, token, seconds, given = (one.decode("ascii") for one in found.groups())
        expires_at = datetime.fromtimestamp(min(int(seconds), _LAST), UTC)
        stamp = _Stamp(kind, token, expires_at)
        expected = stamp.signed(self._key, mail.envelope, reading)
        if not hmac.compare_digest(given, expected) or now >= expires_at:
            return None
        is_first = self._once.use(
            f"stamp {token}", digest_of(mail), until=expires_at, now=now
        )
        if not is_first:
            return None
        return Passed(Clearance.RELEASE if kind == "release" else None, is_counted=True)


_LAST = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())


def _shown(reading: Reading) -> set[str]:
    """The outsiders whom a mail newly shows to one of its viewers."""
    people = reading.newly_shown | reading.newly_shown_in_text
    return {person.person for person in people}
