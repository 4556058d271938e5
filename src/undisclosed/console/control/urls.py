# SPDX-License-Identifier: Apache-2.0
"""The pages of visible-mail control."""

from django.urls import path

from undisclosed.console.control import views

app_name = "control"
urlpatterns = [
    path("", views.control, name="list"),
    path("<str:control_id>/lift/", views.lift, name="lift"),
]
