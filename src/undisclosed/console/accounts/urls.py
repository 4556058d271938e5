# SPDX-License-Identifier: Apache-2.0
"""The pages of accounts."""

from django.urls import path

from undisclosed.console.accounts import absence, views

app_name = "accounts"
urlpatterns = [
    path("log-in/", views.log_in, name="log_in"),
    path("log-in/<str:token>/", views.enter, name="enter"),
    path("log-out/", views.log_out, name="log_out"),
    path("absence/", absence.absence, name="absence"),
    path("accounts/", views.accounts, name="list"),
    path("accounts/<uuid:account_id>/link/", views.new_link, name="link"),
]
