# SPDX-License-Identifier: Apache-2.0
"""The pages of accounts."""

from django.urls import path

from undisclosed.console.accounts import absence, administering, answering, views

app_name = "accounts"
urlpatterns = [
    path("log-in/", views.log_in, name="log_in"),
    path("log-in/<str:token>/", views.enter, name="enter"),
    path("log-out/", views.log_out, name="log_out"),
    path("absence/", absence.absence, name="absence"),
    path("accounts/", views.accounts, name="list"),
    path("accounts/<uuid:account_id>/", administering.account, name="account"),
    path("accounts/<uuid:account_id>/link/", views.new_link, name="link"),
    path(
        "accounts/<uuid:account_id>/deactivate/",
        administering.deactivate,
        name="deactivate",
    ),
    path(
        "accounts/<uuid:account_id>/activate/", administering.activate, name="activate"
    ),
    path(
        "accounts/<uuid:account_id>/remove-factors/",
        administering.remove_factors,
        name="remove_factors",
    ),
    path("security/again/organisation/", answering.organisation, name="again"),
]
