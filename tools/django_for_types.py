# SPDX-License-Identifier: Apache-2.0
"""Django's settings as a module, for tools that ask for one (mypy's plugin).

The program has no settings module; these are the settings it makes at its start,
with a database and a key that nobody uses.
"""

from undisclosed.console.site import site_settings
from undisclosed.store.crypto import Keys
from undisclosed.store.framework import django_settings
from undisclosed.store.settings import load

_SETTINGS = load(None, {})

globals().update(
    django_settings(
        _SETTINGS,
        site_settings(_SETTINGS.console.url),
        url="postgresql:///nothing",
        keys=Keys(bytes(32)),
    )
)
