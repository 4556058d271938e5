# SPDX-License-Identifier: Apache-2.0
"""The settings of Django, made from ours; there is no settings module.

A connection is kept for the life of its thread, and what repeats is prepared. The
pages add theirs as ``site``; guard and worker need none of them.
"""

from collections.abc import Mapping
from typing import Any

import django
from django.conf import settings as django_conf
from psycopg.conninfo import conninfo_to_dict

from undisclosed.store import master_key, postgres
from undisclosed.store.crypto import Keys
from undisclosed.store.settings_values import Settings

_APPLICATIONS = (
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    "procrastinate.contrib.django",
    "undisclosed.store",
    "undisclosed.console",
)


def database_url(settings: Settings) -> str:
    """Where the tables are: a server of the organisation's, or the embedded one.

    Raises UndisclosedError where the embedded one was never started.
    """
    return settings.store.database_url or postgres.url_of(settings.store.data)


def database(url: str) -> dict[str, Any]:
    """Django's settings of the database that a libpq URL or string names."""
    options = conninfo_to_dict(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": options.pop("dbname", None) or "undisclosed",
        "USER": options.pop("user", None) or "",
        "PASSWORD": options.pop("password", None) or "",
        "HOST": options.pop("host", None) or "",
        "PORT": str(options.pop("port", None) or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 10,
            "application_name": "undisclosed",
            **options,
            "prepare_threshold": 2,
        },
    }


def django_settings(
    settings: Settings,
    site: Mapping[str, Any] | None = None,
    *,
    url: str | None = None,
    keys: Keys | None = None,
) -> dict[str, Any]:
    """Everything that Django is configured with; ``site`` are the pages' own."""
    keys = keys or Keys(master_key.of(settings))
    newest, *earlier = (one.hex() for one in keys.derive_all("django secret key"))
    return {
        "DATABASES": {"default": database(url or database_url(settings))},
        "UNDISCLOSED": settings,
        "UNDISCLOSED_KEYS": keys,
        "SECRET_KEY": newest,
        "SECRET_KEY_FALLBACKS": earlier,
        "DEBUG": False,
        "INSTALLED_APPS": list(_APPLICATIONS),
        "AUTH_USER_MODEL": "store.Account",
        # An account has no name to log in with and no address in the clear; allauth's
        # migrations ask, too.
        "ACCOUNT_USER_MODEL_USERNAME_FIELD": None,
        "ACCOUNT_USER_MODEL_EMAIL_FIELD": None,
        # Its table is made with all others; pages bring more of it with them.
        "MIDDLEWARE": ["allauth.account.middleware.AccountMiddleware"],
        "CACHES": {"default": {"BACKEND": "undisclosed.store.cache.ShortTime"}},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "USE_TZ": True,
        "TIME_ZONE": settings.console.time_zone,
        "USE_I18N": True,
        "LANGUAGE_CODE": "en",
        "LANGUAGES": [("en", "English")],
        "STATIC_URL": "/static/",
        "ROOT_URLCONF": "undisclosed.console.urls",
        "PASSWORD_HASHERS": [
            "django.contrib.auth.hashers.ScryptPasswordHasher",
            "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        ],
        "SECURE_HSTS_SECONDS": (
            365 * 86_400 if settings.console.url.startswith("https://") else 0
        ),
        # Logging is the command line's: Django would print requests with addresses.
        "LOGGING_CONFIG": None,
        **(site or {}),
    }


def configure(
    settings: Settings,
    site: Mapping[str, Any] | None = None,
    *,
    url: str | None = None,
    keys: Keys | None = None,
) -> None:
    """Configure Django for this process, once, and load the applications.

    ``url`` and ``keys`` override what the settings lead to. Raises UndisclosedError
    where the master key or the embedded database is missing.
    """
    if django_conf.configured:
        return
    django_conf.configure(**django_settings(settings, site, url=url, keys=keys))
    django.setup()
