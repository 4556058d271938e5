# SPDX-License-Identifier: Apache-2.0
"""The API: JSON in, one question to the guard, JSON out."""

from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from undisclosed.console import acting, wiring
from undisclosed.console.api.bearer import problem, with_token
from undisclosed.console.api.forms import Question, QuestionWrong, read_question
from undisclosed.console.api.openapi import document
from undisclosed.core.known import Clearance
from undisclosed.core.own_fields import CLEARANCE_FIELD
from undisclosed.guard.clearance import Issued
from undisclosed.guard.desk import (
    Actor,
    NotAnApprover,
    NotYours,
    OwnMail,
    ReasonMissing,
)
from undisclosed.guard.endpoints.http import Advice, CannotClear
from undisclosed.guard.notices import without_others
from undisclosed.store import journal
from undisclosed.store.models import Account
from undisclosed.store.tokens import AccessToken

LARGEST: Final = 32 * 1024 * 1024
"""Bytes of a question; above it the answer is 413 (RFC 9110 §15.5.14)."""

_FORBIDDEN: Final = (NotYours, NotAnApprover, OwnMail)
_UNPROCESSABLE: Final = (QuestionWrong, ReasonMissing, CannotClear)


@with_token
def check(request: HttpRequest, token: AccessToken) -> HttpResponse:
    """Who would see whom, what the guard would do, and a clearance for a choice."""
    body = request.read(LARGEST + 1)
    if len(body) > LARGEST:
        return problem(413, "The question is too large to be answered.")
    try:
        question = read_question(body, wiring.policy())
        advice = wiring.http_endpoint().advise(question.mail)
        issued = _clearance(question, advice, token)
    except _FORBIDDEN as error:
        return problem(403, error.message)
    except _UNPROCESSABLE as error:
        return problem(422, error.message)
    _record(token, advice, question, issued)
    return JsonResponse(_as_object(advice, issued))


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """What can be asked, for programs (OpenAPI 3.1)."""
    return JsonResponse(document())


def _clearance(question: Question, advice: Advice, token: AccessToken) -> Issued | None:
    """What was decided, as a token. Raises what the guard's endpoint raises."""
    endpoint, now = wiring.http_endpoint(), timezone.now()
    match question.choice:
        case None:
            return None
        case Clearance.SEND_SINGLY:
            return endpoint.send_singly(advice, _actor(token), now)
        case Clearance.RELEASE:
            reason = question.reason
            return endpoint.release(advice, _actor(token), now, reason=reason)


def _actor(token: AccessToken) -> Actor:
    """Whom the token acts for: an account, or nobody in particular."""
    if not token.account:
        return Actor(name=token.name)
    return acting.actor_of(Account.objects.get(pk=token.account))


def _record(
    token: AccessToken, advice: Advice, question: Question, issued: Issued | None
) -> None:
    """Journal every question; a decision with its clearance and its reason."""
    facts: dict[str, object] = {
        "token": token.name,
        "action": advice.action.value,
        "viewers": advice.viewers,
        "people": advice.people,
    }
    if issued is not None:
        facts |= {"clearance": issued.id, "kind": issued.kind.value}
        facts["reason"] = without_others(question.reason)
    journal.write("checked", actor=token.account or "api", **facts)


def _as_object(advice: Advice, issued: Issued | None) -> dict[str, object]:
    return {
        "action": advice.action.value,
        "viewers": advice.viewers,
        "people": advice.people,
        "new_disclosures": advice.new_disclosures,
        "shown": [
            {"address": one.address.spelled_out(), "channels": list(one.channels)}
            for one in advice.shown
        ],
        "findings": [
            {
                "rule": finding.rule,
                "action": finding.action.value,
                "people": finding.people,
                "text": finding.text,
            }
            for finding in advice.findings
        ],
        "uncertain": list(advice.uncertain),
        "singly_refused": advice.singly_refused,
        "clearance": None if issued is None else _clearance_as_object(issued),
    }


def _clearance_as_object(issued: Issued) -> dict[str, object]:
    return {
        "field": CLEARANCE_FIELD,
        "token": issued.token,
        "expires_at": issued.expires_at.isoformat(timespec="seconds"),
    }
