# SPDX-License-Identifier: Apache-2.0
"""The pages of mailings."""

from django.urls import path

from undisclosed.console.mailings import views

app_name = "mailings"
urlpatterns = [
    path("", views.mailings, name="list"),
    path("<str:mailing_id>/", views.mailing, name="mailing"),
    path("<str:mailing_id>/progress/", views.progress, name="progress"),
    path("<str:mailing_id>/people/", views.people, name="people"),
    path("<str:mailing_id>/copies/", views.copies, name="copies"),
    path("<str:mailing_id>/send-singly/", views.send_singly, name="send_singly"),
    path("<str:mailing_id>/send-now/", views.send_now, name="send_now"),
    path("<str:mailing_id>/withdraw/", views.withdraw, name="withdraw"),
    path("<str:mailing_id>/release/", views.release, name="release"),
]
