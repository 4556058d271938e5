# SPDX-License-Identifier: Apache-2.0
"""The words of the page to unsubscribe, read together."""

import re
from typing import Any, Final, Protocol

from undisclosed.errors import UndisclosedError
from undisclosed.store.settings_values import UnsubscribeSettings

WORDS: Final = (
    *("ask_heading", "ask_text", "button"),
    *("done_heading", "done_text", "wrong_heading", "wrong_text"),
)
"""Everything that the page says in the organisation's own words."""

_SECTION: Final = "send.unsubscribe"
_TAG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")  # RFC 5646 §2.1


class Reader(Protocol):
    """What is read from one settings file, and how it is complained about."""

    values: dict[str, Any]

    def error(self, name: str, sentence: str) -> UndisclosedError:
        """What is wrong with a setting, with its line."""
        ...


def unsubscribe(reader: Reader) -> UnsubscribeSettings:
    """The words; empty ones are ours, in English. Raises UndisclosedError."""
    said = {name: reader.values[f"{_SECTION}.{name}"].strip() for name in WORDS}
    language = reader.values[f"{_SECTION}.language"]
    if not _TAG.fullmatch(language):
        raise reader.error(f"{_SECTION}.language", "must be a tag, as in nl or fr-CA")
    missing = [name for name, words in said.items() if not words]
    if missing and language.lower().partition("-")[0] != "en":
        names = ", ".join(missing)
        raise reader.error(f"{_SECTION}.language", f"needs these words, too: {names}")
    return UnsubscribeSettings(
        organisation=reader.values[f"{_SECTION}.organisation"].strip(),
        language=language,
        **said,
    )
