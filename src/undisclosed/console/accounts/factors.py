# SPDX-License-Identifier: Apache-2.0
"""Every change of a second factor stands in the journal."""

from typing import Any

from allauth.mfa import signals

from undisclosed.store import journal


def connect() -> None:
    """Listen to what allauth says; called once per process."""
    signals.authenticator_added.connect(_added, dispatch_uid="journal added")
    signals.authenticator_removed.connect(_removed, dispatch_uid="journal removed")
    signals.authenticator_reset.connect(_made_anew, dispatch_uid="journal reset")
    signals.authentication_failed.connect(_failed, dispatch_uid="journal failed")


def _added(*, user: Any, authenticator: Any, **_more: object) -> None:
    _write("second factor added", user, authenticator)


def _removed(*, user: Any, authenticator: Any, **_more: object) -> None:
    _write("second factor removed", user, authenticator)


def _made_anew(*, user: Any, authenticator: Any, **_more: object) -> None:
    _write("second factor made anew", user, authenticator)


def _failed(*, user: Any, authenticator: Any, **_more: object) -> None:
    _write("second factor failed", user, authenticator)


def _write(event: str, user: Any, authenticator: Any) -> None:
    journal.write(event, actor=str(user.pk), kind=str(authenticator.type))
