# SPDX-License-Identifier: Apache-2.0
"""Any other field: whoever is named in one that nobody thought of is shown, too.

Subject, Comments, X-Spamd-Result, X-SMTPAPI, X-MS-Exchange-…, Authentication-Results,
Autocrypt-Gossip, a field of next year's gateway. Some hold structured text: JSON, in
which an at sign may be ``\\u0040``; the copied fields of a DKIM signature (RFC 6376
§3.5, ``z=``); the recipients of one hop in a DKIM2 signature
(draft-ietf-dkim-dkim2-spec, ``rt=``), hidden ones among them; the parameters of a
media type (RFC 2231), whose boundary is no address.
"""

import binascii
import re

from undisclosed.core.address import Address
from undisclosed.core.charsets import decode
from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.media_types import parameters
from undisclosed.core.shown.channel import FieldChannel, usual_spelling
from undisclosed.core.text import addresses_in_text
from undisclosed.formats.openpgp import user_ids

_BOUNDARY = re.compile(
    r'\b(?:boundary|start|start-info)\*?(?:\d+\*?)?\s*=\s*(?:"[^"]*"?|[^\s;]*)',
    re.IGNORECASE,
)
_COPIED_FIELDS = re.compile(r"(?:^|;)\s*z\s*=([^;]*)")
_KEY_DATA = re.compile(r"(?:^|;)\s*keydata\s*=([^;]*)")
_IDENTIFIER = re.compile(r'(?i);\s*id\s*=\s*(?:"[^"]*"?|[^\s;]*)')
_RECIPIENTS_OF_HOP = re.compile(r"(?:^|;)\s*rt\s*=([^;]*)")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_QUOTED_BYTE = re.compile(r"=([0-9A-Fa-f]{2})")
_JSON_AT_SIGN = re.compile(r"\\u0040", re.IGNORECASE)


def _read(text: str) -> list[Address]:
    return addresses_in_text(_JSON_AT_SIGN.sub("@", text))


def _read_media_type(text: str) -> list[Address]:
    if text[:20].lower().lstrip().startswith("message/partial"):
        text = _IDENTIFIER.sub(" ", text)  # RFC 2046 §5.2.2
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


def _read_hop(text: str) -> list[Address]:
    """Whom this hop's envelope names: ``rt=`` is a list of paths in Base64."""
    found = addresses_in_text(text)
    for listed in _RECIPIENTS_OF_HOP.findall(text):
        for coded in listed.split(","):
            found += mailboxes(decode(_from_base64(coded)))
    return found


def _from_base64(coded: str) -> bytes:
    clean = _NOT_BASE64.sub("", coded)
    clean = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + "=" * (-len(clean) % 4))


def _read_gossip(text: str) -> list[Address]:
    """Whose key is passed on, by the field's word and by the key itself."""
    found = addresses_in_text(text)
    for coded in _KEY_DATA.findall(text):
        for name in user_ids(_from_base64(coded)):
            found += addresses_in_text(name)
    return found


CHANNELS = {
    "content-type": FieldChannel("Content-Type", _read_media_type),
    "content-disposition": FieldChannel("Content-Disposition", _read_media_type),
    "dkim-signature": FieldChannel("DKIM-Signature", _read_signature),
    "autocrypt": FieldChannel("Autocrypt", _read_gossip),
    "autocrypt-gossip": FieldChannel("Autocrypt-Gossip", _read_gossip),
    "dkim2-signature": FieldChannel("DKIM2-Signature", _read_hop, is_coded=True),
}


def other_channel(name: str) -> FieldChannel:
    """The channel of a field that no other file here knows."""
    return FieldChannel(usual_spelling(name), _read)
