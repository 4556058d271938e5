# SPDX-License-Identifier: Apache-2.0
"""Every page: one line for each group."""

from django.urls import include, path

from undisclosed.console import pages
from undisclosed.console.health import health
from undisclosed.console.start.views import start

urlpatterns = [
    path("", start, name="start"),
    path("", include("undisclosed.console.start.urls")),
    path("", include("undisclosed.console.accounts.urls")),
    path("", include("undisclosed.console.accounts.allauth_urls")),
    path("campaigns/", include("undisclosed.console.campaigns.urls")),
    path("mailings/", include("undisclosed.console.mailings.urls")),
    path("lists/", include("undisclosed.console.lists.urls")),
    path("circles/", include("undisclosed.console.circles.urls")),
    path("control/", include("undisclosed.console.control.urls")),
    path("journal/", include("undisclosed.console.journal.urls")),
    path("links/", include("undisclosed.console.links.urls")),
    path("observed/", include("undisclosed.console.observed.urls")),
    path("post-office/", include("undisclosed.console.postoffice.urls")),
    path("teams/", include("undisclosed.console.teams.urls")),
    path("unsubscribe/", include("undisclosed.console.unsubscribe.urls")),
    path("v1/", include("undisclosed.console.api.urls")),
    path("healthz", health, name="health"),
]

handler400 = pages.bad_request
handler403 = pages.forbidden
handler404 = pages.not_found
handler500 = pages.broken
