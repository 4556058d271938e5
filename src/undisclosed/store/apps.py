# SPDX-License-Identifier: Apache-2.0
"""The Django application ``store``: where Django finds the tables."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """The one Django application that has tables of our own."""

    name = "undisclosed.store"
    label = "store"
    verbose_name = "Store"
    default_auto_field = "django.db.models.BigAutoField"
