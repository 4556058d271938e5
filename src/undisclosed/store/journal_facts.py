# SPDX-License-Identifier: Apache-2.0
"""Every event of the journal and every fact in it: what may stand there, and how.

An entry is never changed, so what must be able to go has to be written so that it can:
people as pseudonyms and people's own words sealed, both under a key of the epoch that
is destroyed in time. The reference page of the journal is made from this table, and a
test compares it with every place that writes.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final


class Kind(Enum):
    """What a fact is; the value is how the reference page says it."""

    ID = "an id of ours"
    NUMBER = "a number"
    YES_NO = "yes or no"
    TIME = "a time"
    WORD = "a word of the program"
    SENTENCE = "a sentence of the program"
    NAME = "a name that an administrator chose, never an address"
    KEYED = "a keyed hash, good until the epoch's key is destroyed"
    HASH = "a hash of what holds no address"
    PERSON = "a person, as a pseudonym"
    TEAM = "a team's id"
    WORDS = "somebody's own words, sealed until the epoch's key is destroyed"
    TOLD = "a sentence of the program, or a person's own words, then sealed"


Facts = Mapping[str, Kind]
_I, _N, _Y, _T, _W, _A = (
    *(Kind.ID, Kind.NUMBER, Kind.YES_NO),
    *(Kind.TIME, Kind.WORD, Kind.NAME),
)
_LIST: Final[Facts] = {"list": _I}
_UPLOAD: Final[Facts] = {"list": _I, "upload": _I}
_CAMPAIGN: Final[Facts] = {"campaign": _I}
_STEP: Final[Facts] = {"campaign": _I, "state": _W, "because": Kind.TOLD}
_ACCOUNT: Final[Facts] = {"account": Kind.PERSON}
_ROLES: Final[Facts] = {"account": Kind.PERSON, "roles": _W, "only_administrator": _Y}
_FACTOR: Final[Facts] = {"kind": _W}
_MEMBER: Final[Facts] = {
    "team": Kind.TEAM,
    "account": Kind.PERSON,
    "roles": _W,
    "may_see_rows": _Y,
    "only_administrator": _Y,
}
_HOLD: Final[Facts] = {
    "hold": _I,
    "mailing": _I,
    "copies": _N,
    "taken back": _N,
    "in doubt": _N,
    "in hand": _N,
}
_JUDGED: Final[Facts] = {
    "mailing": _I,
    "action": _W,
    "rules": _W,
    "people": _N,
    "removals": _N,
    "exemption": _A,
    "owner": _A,
}
_SUPPRESSED: Final[Facts] = {
    "people": _N,
    "reason": _W,
    "taken_out": _N,
    "team": Kind.TEAM,
}
_PRINTED: Final[Facts] = {
    "list": _I,
    "campaign": _I,
    "people": _N,
    "rows": _N,
    "way": _W,
    "why": _W,
    "left out": _N,
}
_ROW: Final[Facts] = {"campaign": _I, "list": _I, "row": _N}

EVENTS: Final[Mapping[str, Facts]] = MappingProxyType(
    {
        # Held mail, and mail that passed or was rejected.
        "accept": _HOLD,
        "send singly": _HOLD,
        "release": _HOLD,
        "send now": _HOLD,
        "withdraw": _HOLD,
        "escalate": _HOLD,
        "expire": _HOLD,
        "exempted": _JUDGED,
        "observed": _JUDGED,
        "rejected": _JUDGED,
        "passed unread": {"mailing": _I, "viewers": _N, "what": _W},
        "trouble": {"what": _W, "sentence": Kind.SENTENCE},
        "checked": {
            "token": _A,
            "action": _W,
            "viewers": _N,
            "people": _N,
            "clearance": _I,
            "kind": _W,
            "reason": Kind.WORDS,
        },
        "clearance used": {"clearance": _I, "kind": _W},
        "asked too often": {"token": _A},
        "addresses asked": {"mailing": _I, "page": _N},
        "mail traced": {},
        "bypass started": {"until": _T, "reason": Kind.WORDS},
        "bypass ended": {"minutes": _N, "overdue": _Y},
        "circle declared": {"circle": _I, "owner": Kind.PERSON, "people": _N},
        "circle ended": {"circle": _I},
        "control imposed": {"control": _I, "days": _N},
        "control lifted": {"control": _I},
        "caught mail read": {"mail": _I},
        "caught mail taken raw": {"mail": _I},
        "replay started": {},
        # Lists and suppressions.
        "list made": _LIST,
        "list imported": {"list": _I, "rows": _N, "mailed": _N},
        "list destroyed": _LIST,
        "list file uploaded": _UPLOAD,
        "list import confirmed": _UPLOAD,
        "list file discarded": _UPLOAD,
        "list rows shown": {"list": _I, "first": _N, "last": _N, "why": _W},
        "list exported": {"list": _I, "rows": _N, "why": _W},
        "list printed": _PRINTED,
        "suppressed": _SUPPRESSED,
        "suppression lifted": {
            "suppression": _I,
            "reason": _W,
            "because": _W,
            "team": Kind.TEAM,
        },
        "suppressions shown": {"people": _N},
        "suppressions exported": {"people": _N, "why": _W},
        # Campaigns.
        "campaign made": {"campaign": _I, "hold": _I},
        "campaign change": _STEP,
        "campaign check": _STEP,
        "campaign submit": _STEP,
        "campaign reject": _STEP,
        "campaign approve": _STEP,
        "campaign schedule": _STEP,
        "campaign start": _STEP,
        "campaign pause": _STEP,
        "campaign resume": _STEP,
        "campaign finish": _STEP,
        "campaign cancel": _STEP,
        "campaign consented": {"campaign": _I, "role": _W},
        "campaign step": {"campaign": _I, "messages": _N},
        "campaign waits": {"campaign": _I, "because": Kind.SENTENCE},
        "campaign forgotten": _CAMPAIGN,
        "finding overridden": {"campaign": _I, "check": _W},
        "approval delegated": {"campaign": _I, "role": _W, "to": Kind.PERSON},
        "test sent": {**_ROW, "values": _W},
        "row shown": _ROW,
        "file opened": {"campaign": _I, "file": _N},
        "doubt decided": {"campaign": _I, "choice": _W, "messages": _N},
        "seeds sent": {"campaign": _I, "round": _N, "messages": _N},
        "seeds compared": {"campaign": _I, "messages": _N, "different": _N},
        "seeds accepted": _CAMPAIGN,
        "campaign proof": {"campaign": _I, "head": Kind.HASH, "rows": _N},
        # People and rights.
        "first account made": _ACCOUNT,
        "account made": _ROLES,
        "account's roles set": _ROLES,
        "account activated": _ACCOUNT,
        "account deactivated": _ACCOUNT,
        "absence declared": {"account": Kind.PERSON, "until": _T},
        "absence ended": _ACCOUNT,
        "log-in link made": _ACCOUNT,
        "log-in link used": {},
        "logged in": {"how": _W},
        "log-in failed": {"login": Kind.KEYED, "client": Kind.KEYED},
        "sessions ended": {"sessions": _N},
        "second factor added": _FACTOR,
        "second factor removed": _FACTOR,
        "second factor made anew": _FACTOR,
        "second factor failed": _FACTOR,
        "second factors removed for another": {"account": Kind.PERSON, "kinds": _W},
        "openid connected": {},
        "team made": {"team": Kind.TEAM},
        "team's trial ended": {"team": Kind.TEAM},
        "team member set": _MEMBER,
        "team member removed": {"team": Kind.TEAM, "account": Kind.PERSON},
        "access token made": {"token": _A, "purpose": _W, "account": Kind.PERSON},
        "access token revoked": {"token": _A, "purpose": _W},
        # Keys and the journal itself.
        "memory key rotated": {"key": _I},
        "master key exchanged": {"values": _N, "key": _I},
        "look-up key exchanged": {"key": _I, "people": _N},
        "master key dropped": {"key": _I},
        "people forgotten": {"epoch": _N},
        "pseudonym read": _ACCOUNT,
        "seal timestamped": {"day": _T, "stamped_at": _T},
        "journal exported": {},
        "journal verification asked": {},
        "journal verified": {
            "holds": _Y,
            "entries": _N,
            "batches": _N,
            "days": _N,
            "unsealed": _N,
            "head": Kind.HASH,
            "fault_count": _N,
            "faults": Kind.SENTENCE,
        },
    }
)
"""What each event says, by name."""


def kind_of(event: str, fact: str) -> Kind | None:
    """What a fact of an event is; None for what the table does not name."""
    return EVENTS.get(event, {}).get(fact)
