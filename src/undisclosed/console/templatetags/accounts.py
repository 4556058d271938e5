# SPDX-License-Identifier: Apache-2.0
"""What the pages of accounts ask of whoever looks at them."""

from django import template
from django.template.context import Context

from undisclosed.console.accounts import factors
from undisclosed.store.models import Account

register = template.Library()


@register.simple_tag(takes_context=True)
def lacks_factor(context: Context) -> bool:
    """Whether a second factor is demanded of the reader, who has none."""
    request = context["request"]
    account = request.user
    return isinstance(account, Account) and factors.lacks_factor(request, account)
