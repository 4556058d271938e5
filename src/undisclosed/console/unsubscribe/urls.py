# SPDX-License-Identifier: Apache-2.0
"""The page to unsubscribe: one address, shown by GET, acted on by POST."""

from django.urls import path

from undisclosed.console.unsubscribe import views

app_name = "unsubscribe"
urlpatterns = [path("<str:token>/", views.unsubscribe, name="unsubscribe")]
