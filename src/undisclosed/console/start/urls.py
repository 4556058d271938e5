# SPDX-License-Identifier: Apache-2.0
"""The pages of start."""

from django.urls import path

from undisclosed.console.start import views

app_name = "start"
urlpatterns = [
    path("replay/", views.replay, name="replay"),
]
