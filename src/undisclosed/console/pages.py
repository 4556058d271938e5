# SPDX-License-Identifier: Apache-2.0
"""Pages that say one clear sentence: refusals, wrong ways, things that are away."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _


def say(
    request: HttpRequest,
    heading: str,
    *sentences: str,
    status: int = 200,
    way_on: str = "",
    way_on_text: str = "",
) -> HttpResponse:
    """One heading, a few sentences, at most one way on."""
    return render(
        request,
        "console/said.html",
        {
            "heading": heading,
            "sentences": sentences,
            "way_on": way_on,
            "way_on_text": way_on_text,
        },
        status=status,
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the request cannot be understood."""
    return say(request, _("This request cannot be understood"), status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: logged in, but without the right."""
    return say(
        request,
        _("Your roles do not allow this"),
        _("If you need it for your work, ask an administrator for the role."),
        status=403,
    )


def without_token(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form without its CSRF token."""
    return say(
        request,
        _("The form was too old"),
        _("Nothing was done. Go back, load the page anew and try again."),
        status=403,
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such page."""
    return say(
        request,
        _("There is no such page"),
        _("It may have been removed because its time of keeping is over."),
        status=404,
    )


def broken(request: HttpRequest) -> HttpResponse:
    """500: our fault; said without the templates that may have failed."""
    return _plain(
        500,
        _("Something broke here"),
        _("Held mail is safe and stays held. Try again later."),
    )


def away() -> HttpResponse:
    """503: the store is away; said without templates, which ask it who looks."""
    response = _plain(
        503,
        _("The store is away for now"),
        _("Held mail is safe and stays held. Try again in a minute."),
    )
    response["Retry-After"] = "60"
    return response


def _plain(status: int, heading: str, sentence: str) -> HttpResponse:
    """A page that needs nothing but itself."""
    return HttpResponse(
        format_html(
            '<!DOCTYPE html><html lang="{}"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            '<title>{}</title><link rel="stylesheet" href="{}">'
            '<main><div class="inside"><h1>{}</h1><p class="lede">{}</p></div></main>',
            get_language() or "en",
            heading,
            static("console/console.css"),
            heading,
            sentence,
        ),
        status=status,
    )
