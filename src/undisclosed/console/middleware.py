# SPDX-License-Identifier: Apache-2.0
"""What every answer of the console carries: no request to any other host.

Pages have neither inline scripts nor inline styles, so the Content Security
Policy (W3C CSP Level 3) allows neither. Nothing is kept by caches and no page
tells another host where the reader came from ("same-origin": with "no-referrer"
browsers send the Origin "null" with our own forms, which CSRF checks refuse).
"""

from collections.abc import Callable
from typing import Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from undisclosed.console import pages
from undisclosed.errors import TransientError

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


class SecurityHeaders:
    """Adds the headers above where the view has not set its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer of the view, with the headers."""
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        return response


class StoreAway:
    """Says so in a sentence, with 503, while the database is away."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer of the view."""
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        """503 with ``Retry-After`` (RFC 9110 §10.2.3) for what may pass."""
        if isinstance(exception, TransientError | OperationalError | InterfaceError):
            return pages.away()
        return None
