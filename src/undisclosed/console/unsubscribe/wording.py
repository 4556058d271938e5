# SPDX-License-Identifier: Apache-2.0
"""What the page says: in the organisation's own words, or ours in English."""

import re
from dataclasses import dataclass
from typing import Final

from django.conf import settings as django_conf
from django.utils import translation
from django.utils.translation import gettext as _

from undisclosed.store.settings_values import UnsubscribeSettings

_BREAK: Final = "\n\n"
_PARAGRAPHS: Final = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Page:
    """One state of the page: ``button`` is empty where there is nothing to do."""

    heading: str
    paragraphs: tuple[str, ...]
    language: str
    direction: str
    organisation: str
    button: str = ""


def asking(chosen: UnsubscribeSettings) -> Page:
    """Before the button."""
    with translation.override(chosen.language):
        text = chosen.ask_text or _BREAK.join(
            (_("We then send you no more newsletters or advertising."), _still())
        )
        heading = chosen.ask_heading or _("Do you want no more of this?")
        button = chosen.button or _("Unsubscribe")
    return _page(chosen, heading, text, button)


def done(chosen: UnsubscribeSettings) -> Page:
    """Behind it."""
    with translation.override(chosen.language):
        text = chosen.done_text or _BREAK.join(
            (_("We send you no more newsletters or advertising."), _still())
        )
        heading = chosen.done_heading or _("You are unsubscribed")
    return _page(chosen, heading, text)


def wrong(chosen: UnsubscribeSettings) -> Page:
    """For a link that was cut off or changed, or whose message is long gone."""
    with translation.override(chosen.language):
        text = chosen.wrong_text or _BREAK.join(
            (
                _("Copy all of it from the message, to its last letter; try again."),
                _("Or answer the message: a person reads what comes back."),
            )
        )
        heading = chosen.wrong_heading or _("This link is not complete")
    return _page(chosen, heading, text)


def _still() -> str:
    return _("What concerns you yourself, such as an answer or a warning, still comes.")


def _page(
    chosen: UnsubscribeSettings, heading: str, text: str, button: str = ""
) -> Page:
    main = chosen.language.lower().partition("-")[0]
    return Page(
        heading,
        tuple(filter(None, map(str.strip, _PARAGRAPHS.split(text)))),
        chosen.language,
        "rtl" if main in django_conf.LANGUAGES_BIDI else "ltr",
        chosen.organisation,
        button,
    )
