# SPDX-License-Identifier: Apache-2.0
"""The Django application ``console``: where Django finds the shared templates."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The frame of every page. Each group of pages is an application of its own."""

    name = "undisclosed.console"
    label = "console"
    verbose_name = "Console"

    def ready(self) -> None:
        """Listen to what is done with second factors."""
        # Models can be imported only once every application is there.
        from undisclosed.console.accounts import factors  # noqa: PLC0415

        factors.connect()
