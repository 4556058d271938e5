# SPDX-License-Identifier: Apache-2.0
"""The settings of the page to unsubscribe. They stand in ``settings_table.SETTINGS``.

Whoever comes to this page is no user of ours: it speaks for the organisation.
"""

from typing import Final

from undisclosed.store.settings_kinds import Kind, Setting

_T = Kind.TEXT

UNSUBSCRIBE: Final = (
    Setting(
        "send.unsubscribe.organisation",
        _T,
        "",
        "Your organisation's name, as it stands at the top of the page to unsubscribe.",
    ),
    Setting(
        "send.unsubscribe.language",
        _T,
        "en",
        "The language of the words below, as a tag (RFC 5646): en, nl, fr-CA. Another "
        "than English needs all of them.",
    ),
    Setting("send.unsubscribe.ask_heading", _T, "", "Heading of the page that asks."),
    Setting(
        "send.unsubscribe.ask_text",
        _T,
        "",
        "What the page says above its button. Empty lines part paragraphs.",
    ),
    Setting("send.unsubscribe.button", _T, "", "The words of the button."),
    Setting("send.unsubscribe.done_heading", _T, "", "Heading of the page after it."),
    Setting("send.unsubscribe.done_text", _T, "", "What that page says."),
    Setting(
        "send.unsubscribe.wrong_heading",
        _T,
        "",
        "Heading of the page for a link that was cut off or is none of ours.",
    ),
    Setting("send.unsubscribe.wrong_text", _T, "", "What that page says."),
)
