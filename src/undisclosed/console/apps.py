# SPDX-License-Identifier: Apache-2.0
"""The Django application ``console``: where Django finds the shared templates."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The frame of every page. Each group of pages is an application of its own."""

    name = "undisclosed.console"
    label = "console"
    verbose_name = "Console"
