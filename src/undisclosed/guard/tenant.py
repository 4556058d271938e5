# SPDX-License-Identifier: Apache-2.0
"""The tenant proof: mail from a cloud provider is ours only with a secret in it.

The addresses and certificates of Exchange Online or Google Workspace are shared by
all their customers. A rule of our own tenant puts a secret into a header field; mail
without it, or from a sender who is not ours, is refused. The field is cut out before
the mail is judged, kept or passed on, whoever sent it: the secret leaves with nobody.
"""

import hmac
import re
from dataclasses import dataclass, field, replace

from undisclosed.core.address import Address
from undisclosed.core.mail import Mail
from undisclosed.guard.authors import author_of

_BLANK_LINE = re.compile(rb"\n\r?\n")


@dataclass(frozen=True, slots=True)
class Tenant:
    """Our tenant: the field that its rule puts on, and what it must hold.

    ``name`` stands in ``Origin.tenant``. ``secrets`` are all good at once, so that
    the secret can be changed without losing mail. ``domains`` are those that the
    tenant may send as, with their sub-domains, lower-case in A-labels.
    """

    name: str
    field_name: str
    secrets: tuple[bytes, ...] = field(repr=False)
    domains: frozenset[str] = frozenset()

    def sends_as(self, sender: Address | None) -> bool:
        """Whether the tenant may send as this one. Nobody is the null sender."""
        if sender is None:
            return False
        domain = sender.person.rpartition("@")[2]
        return any(domain == own or domain.endswith(f".{own}") for own in self.domains)

    def opened(self, mail: Mail) -> tuple[Mail, bool]:
        """The mail without the field, and whether it is our tenant's.

        Every field of that name goes, however it is spelt, folded or repeated. Our
        tenant's is a mail that holds the secret and whose sender is ours: where
        nobody is the envelope's sender (RFC 5321 §4.5.5), its author.
        """
        pattern = _pattern(self.field_name)
        content = mail.content
        end = _header_end(content)
        if self.field_name.lower().encode() not in content[:end].lower():
            return mail, False
        proved = False
        kept: list[bytes] = []
        position = 0
        for found in pattern.finditer(content, 0, end):
            proved |= self._is_secret(found[1])
            kept.append(content[position : found.start()])
            position = found.end()
        if not position:
            return mail, False
        kept.append(content[position:])
        opened = replace(mail, content=b"".join(kept))
        return opened, proved and self.sends_as(_sender(opened))

    def _is_secret(self, body: bytes) -> bool:
        given = body.strip()
        # Each is compared, so that the time taken does not say which one was near.
        return any([hmac.compare_digest(given, secret) for secret in self.secrets])


def _sender(mail: Mail) -> Address | None:
    if mail.envelope.mail_from is not None:
        return mail.envelope.mail_from
    return author_of(mail.content)


def _pattern(name: str) -> re.Pattern[bytes]:
    """The field whole with its continuation lines (RFC 5322 §2.2.3, §4.5)."""
    escaped = re.escape(name.encode())
    return re.compile(
        rb"^" + escaped + rb"[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)\n?",
        re.IGNORECASE | re.MULTILINE,
    )


def _header_end(content: bytes) -> int:
    """Where the header block ends, its last line end included."""
    if content.startswith((b"\n", b"\r\n")):
        return 0
    blank = _BLANK_LINE.search(content)
    return len(content) if blank is None else blank.start() + 1
