# SPDX-License-Identifier: Apache-2.0
"""Any other field: whoever is named in one that nobody thought of is shown, too.

Subject, Comments, X-Spamd-Result, X-SMTPAPI, X-MS-Exchange-…, Authentication-Results,
Autocrypt-Gossip, a field of next year's gateway. Some hold structured text: JSON, in
which an at sign may be ``\\u0040``; the copied fields of a DKIM signature (RFC 6376
§3.5, ``z=``); the parameters of a media type (RFC 2231), whose boundary is no address.
"""

import re

from undisclosed.core.address import Address
from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.mime import parameters
from undisclosed.core.shown.channel import FieldChannel, usual_spelling
from undisclosed.core.text import addresses_in_text

_BOUNDARY = re.compile(
    r'\b(?:boundary|start|start-info)\*?(?:\d+\*?)?\s*=\s*(?:"[^"]*"?|[^\s;]*)',
    re.IGNORECASE,
)
_COPIED_FIELDS = re.compile(r"(?:^|;)\s*z\s*=([^;]*)")
_QUOTED_BYTE = re.compile(r"=([0-9A-Fa-f]{2})")
_JSON_AT_SIGN = re.compile(r"\\u0040", re.IGNORECASE)


def _read(text: str) -> list[Address]:
    return addresses_in_text(_JSON_AT_SIGN.sub("@", text))


def _read_media_type(text: str) -> list[Address]:
    named = " ".join(
        value
        for name in ("name", "filename")
        for value in parameters(text.encode("utf-8", "replace"), name)
    )
    return addresses_in_text(f"{_BOUNDARY.sub(' ', text)} {named}")


def _read_signature(text: str) -> list[Address]:
    found = addresses_in_text(text)
    for copied in _COPIED_FIELDS.findall(text):
        plain = _QUOTED_BYTE.sub(lambda pair: chr(int(pair[1], 16)), copied)
        for each in "".join(plain.split()).split("|"):
            if not each.lower().startswith(("message-id:", "references:")):
                found += mailboxes(each)
    return found


CHANNELS = {
    "content-type": FieldChannel("Content-Type", _read_media_type),
    "content-disposition": FieldChannel("Content-Disposition", _read_media_type),
    "dkim-signature": FieldChannel("DKIM-Signature", _read_signature),
}


def other_channel(name: str) -> FieldChannel:
    """The channel of a field that no other file here knows."""
    return FieldChannel(usual_spelling(name), _read)
