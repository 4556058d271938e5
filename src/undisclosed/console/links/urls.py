# SPDX-License-Identifier: Apache-2.0
"""The pages of links: one page, its fragment, and two acts."""

from django.urls import path

from undisclosed.console.links import views

app_name = "links"
urlpatterns = [
    path("<str:token>/", views.link, name="link"),
    path("<str:token>/progress/", views.progress, name="progress"),
    path("<str:token>/send-singly/", views.send_singly, name="send_singly"),
    path("<str:token>/send-now/", views.send_now, name="send_now"),
    path("<str:token>/withdraw/", views.withdraw, name="withdraw"),
]
