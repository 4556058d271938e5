# SPDX-License-Identifier: Apache-2.0
"""The console as a Django site: what its pages need beside what the store needs.

``store.settings.configure`` is given ``site_settings`` and adds the database and
the keys. Cookies are for this site only, out of the reach of scripts, and secure
wherever the console is called by https.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from undisclosed.console import logged_paths
from undisclosed.store.settings_values import OpenIdSettings

GROUPS: Final = (
    "accounts",
    "campaigns",
    "circles",
    "control",
    "journal",
    "links",
    "lists",
    "mailings",
    "observed",
    "postoffice",
    "start",
    "teams",
    "unsubscribe",
)
"""The groups of pages: each a folder of one shape."""

MIDDLEWARE: Final = (
    "undisclosed.console.middleware.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "undisclosed.console.accounts.factors.FactorPages",
    "undisclosed.console.middleware.StoreAway",
)

_CONTEXT: Final = (
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "undisclosed.console.context.how_mail_flows",
)

_VALIDATION: Final = "django.contrib.auth.password_validation"
_HERE: Final = Path(__file__).resolve().parent
_SESSION_SECONDS: Final = 12 * 60 * 60


def site_settings(url: str, openid: OpenIdSettings | None = None) -> dict[str, Any]:
    """The Django settings of the pages. ``url`` is what people type to reach them."""
    is_https = url.startswith("https://")
    return {
        "ROOT_URLCONF": "undisclosed.console.urls",
        "MIDDLEWARE": list(MIDDLEWARE),
        "TEMPLATES": [_templates()],
        "ALLOWED_HOSTS": [_host(url), "localhost", "127.0.0.1", "[::1]"],
        "AUTHENTICATION_BACKENDS": [
            "undisclosed.console.accounts.backend.AddressAndPassword"
        ],
        "AUTH_PASSWORD_VALIDATORS": [
            {
                "NAME": f"{_VALIDATION}.MinimumLengthValidator",
                "OPTIONS": {"min_length": 12},
            },
            {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
            {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
        ],
        "LOGIN_URL": "accounts:log_in",
        **_allauth(is_https),
        **_openid(openid),
        "STATIC_URL": "/static/",
        # The pages' own files lie in the package; nothing has to be collected first.
        "WHITENOISE_USE_FINDERS": True,
        "LOCALE_PATHS": [_HERE / "locale"],
        "CSRF_FAILURE_VIEW": "undisclosed.console.pages.without_token",
        "CSRF_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SECURE": is_https,
        "CSRF_TRUSTED_ORIGINS": [_origin(url)],
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SECURE": is_https,
        "SESSION_COOKIE_AGE": _SESSION_SECONDS,
        "SECURE_REFERRER_POLICY": "same-origin",
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "X_FRAME_OPTIONS": "DENY",
        "MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage",
        "MESSAGE_TAGS": {10: "", 20: "", 25: "", 30: "waits", 40: "wrong"},
    }


def _allauth(is_https: bool) -> dict[str, Any]:
    """How second factors, passkeys and sessions of django-allauth are set."""
    adapters = "undisclosed.console.accounts.adapter"
    return {
        "LOGIN_REDIRECT_URL": "start",
        "ACCOUNT_ADAPTER": f"{adapters}.AccountAdapter",
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_DEFAULT_HTTP_PROTOCOL": "https" if is_https else "http",
        # Never by its own clock: ``accounts.again`` says how long an answer counts.
        "ACCOUNT_REAUTHENTICATION_TIMEOUT": 0,
        "MFA_ADAPTER": f"{adapters}.SecondFactors",
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_PASSKEY_LOGIN_ENABLED": True,
        "MFA_TOTP_TOLERANCE": 1,
        "USERSESSIONS_ADAPTER": f"{adapters}.Sessions",
    }


def _openid(openid: OpenIdSettings | None) -> dict[str, Any]:
    """The organisation's server, where the settings name one."""
    apps = [] if openid is None else [openid_app(openid)]
    return {
        "SOCIALACCOUNT_ADAPTER": (
            "undisclosed.console.accounts.openid.OrganisationLogIn"
        ),
        # The page at the other side asks; a link may lead there.
        "SOCIALACCOUNT_LOGIN_ON_GET": True,
        "SOCIALACCOUNT_STORE_TOKENS": False,
        "SOCIALACCOUNT_EMAIL_AUTHENTICATION": False,
        "SOCIALACCOUNT_PROVIDERS": {
            "openid_connect": {"APPS": apps, "OAUTH_PKCE_ENABLED": True}
        },
    }


def openid_app(openid: OpenIdSettings) -> dict[str, Any]:
    """The one application at the organisation's server, as allauth wants it told."""
    return {
        "provider_id": "organisation",
        "name": openid.name,
        "client_id": openid.client,
        "secret": openid.secret,
        "settings": {"server_url": openid.issuer, "oauth_pkce_enabled": True},
    }


def _templates() -> dict[str, Any]:
    """Where templates are: the console's own, and those of each group."""
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_HERE / group / "templates" for group in GROUPS],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": list(_CONTEXT)},
    }


def _host(url: str) -> str:
    """The host of a URL, without its port."""
    return urlsplit(url).hostname or "localhost"


def _origin(url: str) -> str:
    """A URL's scheme, host and port (RFC 6454 §4)."""
    parts = urlsplit(url)
    return f"{parts.scheme or 'http'}://{parts.netloc or 'localhost'}"


def application() -> Callable[..., Any]:
    """The WSGI application (PEP 3333); Django and logging are configured before."""
    logged_paths.shorten()
    make: Callable[[], Callable[..., Any]]
    make = import_module("django.core.wsgi").get_wsgi_application
    return make()
