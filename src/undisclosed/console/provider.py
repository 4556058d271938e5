# SPDX-License-Identifier: Apache-2.0
"""Where django-allauth looks for ways to log in: the organisation's OpenID Connect."""

from undisclosed.console.accounts.openid import Organisation

provider_classes = [Organisation]
