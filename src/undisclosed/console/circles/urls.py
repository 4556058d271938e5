# SPDX-License-Identifier: Apache-2.0
"""The pages of circles."""

from django.urls import path

from undisclosed.console.circles import views

app_name = "circles"
urlpatterns = [
    path("", views.circles, name="list"),
    path("<str:circle_id>/end/", views.end, name="end"),
]
