# SPDX-License-Identifier: Apache-2.0
"""MAPI properties (MS-OXPROPS, MS-OXCDATA §2.11): what Outlook keeps of a message.

TNEF streams and MSG files hold the same properties in different wrappings. Here are
their numbers, and a message as plain values.
"""

import codecs
from dataclasses import dataclass, field

BINARY, UNICODE, STRING8, OBJECT = 0x0102, 0x001F, 0x001E, 0x000D
MULTIPLE = 0x1000  # a flag of the type: several values

MESSAGE_CLASS = 0x001A
SUBJECT = 0x0037
TRANSPORT_HEADERS = 0x007D
RECIPIENT_TYPE = 0x0C15
BODY = 0x1000
COMPRESSED_RTF = 0x1009
HTML_BODY = 0x1013
ATTACH_DATA = 0x3701
ATTACH_FILE_NAME = 0x3704
ATTACH_LONG_FILE_NAME = 0x3707
DISPLAY_NAME = 0x3001
CODE_PAGE = 0x3FFD
INTERNET_CODE_PAGE = 0x3FDE
MESSAGE_RECIPIENTS = 0x0E12
OF_ATTACHMENT = 1 << 16
"""Added to the number of a text that an attachment of the message has."""

FIELDS_OF_RECIPIENTS = {1: "To", 2: "Cc", 3: "Bcc"}
"""PidTagRecipientType (MS-OXPROPS): the lower byte; its upper bits are flags."""

FIELDS_OF_PROPERTIES = {
    0x0C1A: "From", 0x0C1F: "From", 0x5D01: "From", 0x0042: "From", 0x0065: "From",
    0x5D02: "From", 0x0050: "Reply-To", 0x0E04: "To", 0x0E03: "Cc", 0x0E02: "Bcc",
    0x0074: "To", 0x0073: "Cc", 0x0072: "Bcc", 0x003F: "To", 0x0040: "To",
    0x0075: "To", 0x0076: "To", 0x0077: "To", 0x0078: "To", 0x5D07: "To",
    0x0E28: "From", 0x0E29: "From", 0x1035: "Message-ID", 0x1042: "In-Reply-To",
    0x1039: "References",
}  # fmt: skip
"""Properties that stand for a field of the header: senders, lists, identifiers."""

Value = str | bytes | int
Properties = dict[int, list[Value]]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file or a message inside a message; one of the two is empty."""

    name: str = field(repr=False)
    content: bytes = field(default=b"", repr=False)
    message: "MapiMessage | None" = None


@dataclass(frozen=True, slots=True)
class MapiMessage:
    """A message: its properties by number, those of each recipient, what is attached.

    ``is_cut`` says that not all of it could be read.
    """

    properties: Properties = field(default_factory=dict, repr=False)
    recipients: tuple[Properties, ...] = field(default=(), repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    is_cut: bool = False

    def text(self, number: int) -> str:
        """The first text of a property; empty where there is none."""
        return first_text(self.properties, number)

    def number(self, number: int, default: int = 0) -> int:
        """The first number of a property."""
        for value in self.properties.get(number, ()):
            if isinstance(value, int):
                return value
        return default


def first_text(properties: Properties, number: int) -> str:
    """The first text among a property's values; empty where there is none."""
    for value in properties.get(number, ()):
        if isinstance(value, str):
            return value
    return ""


def texts(properties: Properties) -> list[tuple[int, str]]:
    """Every text among the properties, with its number."""
    return [
        (number, value)
        for number, values in properties.items()
        for value in values
        if isinstance(value, str)
    ]


def code_page_name(number: int) -> str:
    """Python's name for a code page of Windows; Latin-1's for one without a name."""
    names = {65001: "utf-8", 1200: "utf-16-le", 20127: "ascii", 28591: "latin-1"}
    if number in names:
        return names[number]
    for name in (f"cp{number}", f"iso8859-{number - 28590}"):
        try:
            return codecs.lookup(name).name
        except LookupError:
            continue
    return "latin-1"
