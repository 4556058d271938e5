# SPDX-License-Identifier: Apache-2.0
"""The pages of observed mail."""

from django.urls import path

from undisclosed.console.observed import views

app_name = "observed"
urlpatterns = [
    path("", views.observed, name="list"),
]
