# SPDX-License-Identifier: Apache-2.0
"""RTF: its text, visible or not, and the objects embedded in it."""

from undisclosed.core.text import html_sources
from undisclosed.formats.rtf import read_rtf as rtf_of
from undisclosed.transport.reading.found import Findings
from undisclosed.transport.reading.readers.sweep import sweep

DOCUMENT = "attached document"


def read_rtf(content: bytes, findings: Findings) -> None:
    """Read an RTF file."""
    show_rtf(content, findings, DOCUMENT)


def show_rtf(content: bytes, findings: Findings, channel: str) -> None:
    """Show the text of RTF, wherever it stands."""
    rtf = rtf_of(content)
    findings.show(channel, rtf.text)
    if "<" in rtf.text and "&" in rtf.text:
        # Outlook keeps HTML inside of RTF (MS-OXRTFEX).
        findings.show(channel, html_sources(rtf.text))
    sweep(content, findings, channel)
    for one in rtf.objects:
        place = one.find(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
        findings.open(f"{channel}: embedded object", "", one[max(place, 0) :])
