# SPDX-License-Identifier: Apache-2.0
"""Who may see and do what: one table of rights by role (design section 7).

A sender sees and decides their own mail and no other. Nobody releases their
own. A data protection officer and an auditor read all held mail and change nothing.
An administrator makes accounts and sees no mail.
"""

from collections.abc import Callable
from enum import Enum, auto
from functools import wraps
from typing import Concatenate, Final, ParamSpec
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from undisclosed.store.models import Account, Role

P = ParamSpec("P")


class Right(Enum):
    """One thing that a role allows."""

    SEE_OWN = auto()  # mailings sent from a verified address of one's own
    DECIDE_OWN = auto()  # send singly and withdraw these
    SEE_ALL = auto()  # every held mailing
    ASK_ADDRESSES = auto()  # read addresses in full, journalled
    SEND_SINGLY = auto()  # for others
    RELEASE = auto()  # others' mail unchanged, with a reason
    DECLARE = auto()  # circles, and who is under visible-mail control
    SEE_POST_OFFICE = auto()  # caught mail, with its content
    REPLAY = auto()  # start the replay of a case
    INVITE = auto()  # make accounts and log-in links


_APPROVER: Final = frozenset(
    {
        Right.SEE_ALL,
        Right.ASK_ADDRESSES,
        Right.SEND_SINGLY,
        Right.RELEASE,
        Right.DECLARE,
        Right.SEE_POST_OFFICE,
        Right.REPLAY,
    }
)
_READER: Final = frozenset({Right.SEE_ALL, Right.ASK_ADDRESSES, Right.SEE_POST_OFFICE})

RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.SENDER: frozenset({Right.SEE_OWN, Right.DECIDE_OWN}),
    Role.SUPERVISOR: _APPROVER,
    Role.MANAGER: _APPROVER,
    Role.COMMUNICATIONS: frozenset(),
    Role.DPO: _READER,
    Role.AUDITOR: _READER,
    Role.ADMINISTRATOR: frozenset({Right.INVITE}),
}
"""What each role allows. An account has the rights of all its roles together."""


def rights_of(account: object) -> frozenset[Right]:
    """Every right of an account; none of somebody who is not logged in."""
    if not isinstance(account, Account):
        return frozenset()
    held = [RIGHTS[role] for role in Role if account.has_role(role)]
    return frozenset().union(*held)


def account_of(request: HttpRequest) -> Account:
    """The account that is logged in. Raises PermissionDenied where none is."""
    if not isinstance(request.user, Account):
        raise PermissionDenied
    return request.user


def requires(
    *any_of: Right,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponse]],
    Callable[Concatenate[HttpRequest, P], HttpResponse],
]:
    """Let a view be seen only with one of these rights (403); log-in first.

    Without any right named, being logged in is enough.
    """

    def guard(
        view: Callable[Concatenate[HttpRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @wraps(view)
        def guarded(
            request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            if not isinstance(request.user, Account):
                return to_log_in(request)
            if any_of and not rights_of(request.user).intersection(any_of):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return guard


def to_log_in(request: HttpRequest) -> HttpResponse:
    """The log-in page, which leads back here; a fragment reloads the whole page."""
    way_back = urlencode({"next": request.get_full_path()})
    where = f"{reverse('accounts:log_in')}?{way_back}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    return redirect(where)
