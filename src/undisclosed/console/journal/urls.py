# SPDX-License-Identifier: Apache-2.0
"""The pages of the journal."""

from django.urls import path

from undisclosed.console.journal import views

app_name = "journal"
urlpatterns = [
    path("", views.entries, name="list"),
    path("days/", views.days, name="days"),
    path("verify/", views.verify, name="verify"),
    path("download/", views.download, name="download"),
    path("verifier.py", views.stand_alone, name="verifier"),
]
