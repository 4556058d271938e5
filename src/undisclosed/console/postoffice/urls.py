# SPDX-License-Identifier: Apache-2.0
"""The pages of the post office."""

from django.urls import path

from undisclosed.console.postoffice import views

app_name = "postoffice"
urlpatterns = [
    path("", views.caught, name="list"),
    path("<str:mail_id>/", views.message, name="message"),
    path("<str:mail_id>/raw", views.raw, name="raw"),
]
