# SPDX-License-Identifier: Apache-2.0
"""The pages of teams."""

from django.urls import path

from undisclosed.console.teams import views

app_name = "teams"
urlpatterns = [
    path("", views.teams, name="list"),
    path("<uuid:team_id>/", views.team, name="team"),
    path("<uuid:team_id>/end-trial/", views.end_trial, name="end_trial"),
    path("<uuid:team_id>/members/<uuid:account_id>/", views.member, name="member"),
    path(
        "<uuid:team_id>/members/<uuid:account_id>/remove/",
        views.remove,
        name="remove",
    ),
]
