# SPDX-License-Identifier: Apache-2.0
"""Compound files (MS-CFB): XLS, DOC, PPT, MSG, and documents with a password.

What has no reader of its own is swept, stream by stream, and the files embedded in it
are read.
"""

import io

import olefile  # type: ignore[import-untyped]

from undisclosed.core.documents import kind_of_document
from undisclosed.transport.reading.found import (
    BROKEN,
    Broken,
    Findings,
    Protected,
)
from undisclosed.transport.reading.readers.compound import read_stream
from undisclosed.transport.reading.readers.outlook import read_msg
from undisclosed.transport.reading.readers.sweep import sweep
from undisclosed.transport.reading.readers.xls import read_xls

DOCUMENT = "attached document"
SLIDES = "attached slides"
TABLE = "attached table"

_ENCRYPTED_STREAMS = frozenset({"encryptedpackage", "encryptedsummary"})
_WORD_IS_ENCRYPTED = 0x0100  # FibBase, fEncrypted (MS-DOC §2.5.2)
_MESSAGE = "__properties_version1.0"


def read_ole(content: bytes, findings: Findings) -> None:
    """Read a compound file. Raises Broken and Protected."""
    try:
        file = olefile.OleFileIO(io.BytesIO(content))
    except (OSError, ValueError, IndexError, TypeError):
        sweep(content, findings, DOCUMENT)
        raise Broken from None
    with file:
        paths = file.listdir(streams=True, storages=False)
        if any(path[-1].lower() in _ENCRYPTED_STREAMS for path in paths):
            raise Protected
        if file.exists(_MESSAGE):
            read_msg(file, findings)
            return
        channel = _channel(paths)
        for path in paths:
            _read_stream(file, path, findings, channel)


def _channel(paths: list[list[str]]) -> str:
    names = {path[-1].lower() for path in paths if len(path) == 1}
    if names & {"workbook", "book"}:
        return TABLE
    return SLIDES if "powerpoint document" in names else DOCUMENT


def _read_stream(
    file: olefile.OleFileIO, path: list[str], findings: Findings, channel: str
) -> None:
    try:
        stream = read_stream(file, path, findings)
    except Broken:
        findings.doubt(BROKEN)
        return
    name = path[-1].lower()
    if name in ("workbook", "book"):
        read_xls(stream, findings)
        return
    flags = int.from_bytes(stream[10:12], "little")
    if name == "worddocument" and len(path) == 1 and flags & _WORD_IS_ENCRYPTED:
        raise Protected
    where = f"{channel}: pivot cache" if "_SX_DB_CUR" in path else channel
    if name == "\x01ole10native":
        findings.open(f"{channel}: embedded object", *_packed(stream))
    elif kind_of_document("", (), stream[:1024]) is not None:
        findings.open(f"{channel}: embedded object", "", stream)
    else:
        sweep(stream, findings, where)


def _packed(stream: bytes) -> tuple[str, bytes]:
    """Name and content of a file that was packed as an object (Ole10Native)."""
    at = 6
    texts = []
    for _ in range(2):
        end = stream.find(b"\0", at, at + 1024)
        if end < 0:
            return "", stream
        texts.append(stream[at:end])
        at = end + 1
    at += 4
    size = int.from_bytes(stream[at : at + 4], "little")
    at += 4 + size
    length = int.from_bytes(stream[at : at + 4], "little")
    content = stream[at + 4 : at + 4 + length]
    return texts[0].decode("latin-1"), content or stream
