# SPDX-License-Identifier: Apache-2.0
"""Which list a page is about, for whoever has a right in its team."""

from django.core.exceptions import PermissionDenied
from django.http import Http404

from undisclosed.store.models import Account, RecipientList
from undisclosed.store.rights import Right, may


def opened(account: Account, list_id: str, right: Right) -> RecipientList:
    """The list. Raises Http404, PermissionDenied.

    Who may not even see it learns nothing of it: not that it is there either.
    """
    found = (
        RecipientList.objects.select_related("team", "owner")
        .filter(pk=list_id, destroyed_at=None)
        .first()
    )
    if found is None or not may(account, Right.SEE_LISTS, found.team_id):
        raise Http404
    if not may(account, right, found.team_id):
        raise PermissionDenied
    return found
