# SPDX-License-Identifier: Apache-2.0
"""The pages of django-allauth, under our names and in our words."""

from allauth.account.views import reauthenticate
from django.urls import include, path

from undisclosed.console.accounts import views

urlpatterns = [
    path("security/", include("allauth.mfa.urls")),
    path("security/again/", reauthenticate, name="account_reauthenticate"),
    path("security/sessions/", include("allauth.usersessions.urls")),
    path("", include("allauth.socialaccount.providers.openid_connect.urls")),
    # Allauth calls these two by names of its own.
    path("log-in/", views.log_in, name="account_login"),
    path("log-out/", views.log_out, name="account_logout"),
]
