# SPDX-License-Identifier: Apache-2.0
"""The addresses of the API, version 1."""

from django.urls import path

from undisclosed.console.api import views

app_name = "api"
urlpatterns = [
    path("check", views.check, name="check"),
    path("openapi.json", views.openapi, name="openapi"),
]
