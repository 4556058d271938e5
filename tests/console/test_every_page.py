# SPDX-License-Identifier: Apache-2.0
"""Every page and every act of the console, for everybody: a table that is whole.

A page without a row here fails; so does a row without its page. Nothing that is tried
stays: each request is rolled back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.console.campaigns import Office
from tests.console.test_start import guard_at
from tests.console.world import World, address, message, now, outsiders
from undisclosed.core.campaign import Attached
from undisclosed.store import campaigns, circles, control, desk, suppressions
from undisclosed.store.bootstrap import login_link
from undisclosed.store.models import Account, Role, Suppression
from undisclosed.store.suppressions import Reason

NOBODY = frozenset[str]()
OUT = frozenset({"nobody"})
OF_INSTALLATION = frozenset(str(role) for role in Role)
OF_TEAM = frozenset(
    f"{role} of the team" for role in Role if role is not Role.ADMINISTRATOR
) | {"reader of rows"}
IN = OF_INSTALLATION | OF_TEAM | {"without a role"}
ALL = IN | OUT

# Held mail and the installation: by the account's own roles.
SEES_MAIL = frozenset({"supervisor", "manager", "dpo", "auditor"})
APPROVES_MAIL = frozenset({"supervisor", "manager"})
ADMINISTERS = frozenset({"administrator"})
READS_JOURNAL = frozenset({"dpo", "auditor", "administrator"})

# Lists and campaigns: by roles in the team; two of the account's own count there.
EVERYWHERE = frozenset({"dpo", "auditor"})
SEES_CAMPAIGNS = OF_TEAM | EVERYWHERE
SEES_LISTS = SEES_CAMPAIGNS - {"communications of the team"}
WRITES = frozenset({"sender of the team"})
STEERS = WRITES | {"supervisor of the team", "manager of the team"}
DESTROYS = frozenset(
    {"supervisor of the team", "manager of the team", "dpo of the team", "dpo"}
)
READS_ROWS = frozenset({"reader of rows"})
APPROVES = frozenset(
    {"supervisor of the team", "manager of the team", "communications of the team"}
)


@dataclass(frozen=True, slots=True)
class Row:
    """A page: where it is, who may open it, who may act on it; None is never (405)."""

    path: str
    get: frozenset[str] | None = None
    post: frozenset[str] | None = None
    form: dict[str, Any] = field(default_factory=dict)


NOWHERE = 1
"""A port at which no guard listens."""

WHY = {"why": "check"}
REASON = {"reason": "They are one class.", "months": "0"}
DECIDES = {"digest": "{digest}", "has_seen": "on", "reason": "No.", "to": "{mary}"}
PAGES = {
    "start": Row("/", IN),
    "start:replay": Row("/replay/", None, APPROVES_MAIL),
    "health": Row("/healthz", ALL),
    "api:check": Row("/v1/check", None, NOBODY),  # opened by tokens alone
    "api:openapi": Row("/v1/openapi.json", ALL),
    # A token that is none: everybody is told the same, logged in or not.
    "unsubscribe:unsubscribe": Row("/unsubscribe/wrong/", NOBODY, NOBODY),
    "links:link": Row("/links/{link}/", ALL),
    "links:progress": Row("/links/{link}/progress/", ALL),
    "links:send_singly": Row("/links/{link}/send-singly/", None, ALL),
    "links:send_now": Row("/links/{link}/send-now/", None, ALL),
    "links:withdraw": Row("/links/{link}/withdraw/", None, ALL),
    # Logging in.
    "accounts:log_in": Row("/log-in/", ALL, IN, {"login": "x", "password": "x"}),
    "accounts:enter": Row("/log-in/{enter}/", ALL, ALL),
    "accounts:log_out": Row("/log-out/", None, ALL),
    "account_login": Row("/log-in/", ALL, IN, {"login": "x", "password": "x"}),
    "account_logout": Row("/log-out/", None, ALL),
    "openid_connect_login": Row("/oidc/organisation/login/", NOBODY, NOBODY),
    "openid_connect_callback": Row(
        "/oidc/organisation/login/callback/", NOBODY, NOBODY
    ),
    # One's own account.
    "accounts:absence": Row("/absence/", IN, IN),
    "accounts:again": Row("/security/again/organisation/", NOBODY),
    "account_reauthenticate": Row("/security/again/", NOBODY, NOBODY),
    "usersessions_list": Row("/security/sessions/", IN, IN),
    "mfa_index": Row("/security/", IN),
    "mfa_authenticate": Row("/security/authenticate/", ALL, ALL),
    "mfa_reauthenticate": Row("/security/reauthenticate/", NOBODY, NOBODY),
    "mfa_reauthenticate_webauthn": Row(
        "/security/webauthn/reauthenticate/", NOBODY, NOBODY
    ),
    "mfa_login_webauthn": Row("/security/webauthn/login/", ALL, ALL),
    "mfa_activate_totp": Row("/security/totp/activate/", IN, IN),
    "mfa_deactivate_totp": Row("/security/totp/deactivate/", NOBODY, NOBODY),
    "mfa_list_webauthn": Row("/security/webauthn/", IN),
    "mfa_add_webauthn": Row("/security/webauthn/add/", IN, IN),
    "mfa_remove_webauthn": Row("/security/webauthn/keys/1/remove/", NOBODY, NOBODY),
    "mfa_edit_webauthn": Row("/security/webauthn/keys/1/edit/", NOBODY, NOBODY),
    "mfa_view_recovery_codes": Row("/security/recovery-codes/", NOBODY),
    "mfa_download_recovery_codes": Row("/security/recovery-codes/download/", NOBODY),
    "mfa_generate_recovery_codes": Row("/security/recovery-codes/generate/", IN, IN),
    # Accounts, teams, the journal.
    "accounts:list": Row("/accounts/", ADMINISTERS, ADMINISTERS),
    "accounts:account": Row("/accounts/{sam}/", ADMINISTERS, ADMINISTERS),
    "accounts:link": Row("/accounts/{sam}/link/", None, ADMINISTERS),
    "accounts:deactivate": Row("/accounts/{sam}/deactivate/", None, ADMINISTERS),
    "accounts:activate": Row("/accounts/{sam}/activate/", None, ADMINISTERS),
    "accounts:remove_factors": Row(
        "/accounts/{sam}/remove-factors/", None, ADMINISTERS
    ),
    "teams:list": Row("/teams/", ADMINISTERS, ADMINISTERS),
    "teams:team": Row("/teams/{team}/", ADMINISTERS, ADMINISTERS),
    "teams:end_trial": Row("/teams/{team}/end-trial/", None, ADMINISTERS),
    "teams:member": Row("/teams/{team}/members/{sam}/", ADMINISTERS, ADMINISTERS),
    "teams:remove": Row("/teams/{team}/members/{sam}/remove/", None, ADMINISTERS),
    "journal:list": Row("/journal/", READS_JOURNAL),
    "journal:days": Row("/journal/days/", READS_JOURNAL),
    "journal:verifier": Row("/journal/verifier.py", READS_JOURNAL),
    "journal:verify": Row("/journal/verify/", None, READS_JOURNAL),
    "journal:download": Row("/journal/download/", None, READS_JOURNAL),
    # Held mail. A sender without a mail of their own finds none.
    "mailings:list": Row("/mailings/", SEES_MAIL | {"sender"}),
    "mailings:mailing": Row("/mailings/{mailing}/", SEES_MAIL),
    "mailings:progress": Row("/mailings/{mailing}/progress/", SEES_MAIL),
    "mailings:people": Row("/mailings/{mailing}/people/", SEES_MAIL, SEES_MAIL),
    "mailings:copies": Row("/mailings/{mailing}/copies/", SEES_MAIL),
    "mailings:send_singly": Row(
        "/mailings/{mailing}/send-singly/", None, APPROVES_MAIL
    ),
    "mailings:send_now": Row("/mailings/{mailing}/send-now/", None, NOBODY),
    "mailings:withdraw": Row("/mailings/{mailing}/withdraw/", None, NOBODY),
    "mailings:release": Row(
        "/mailings/{mailing}/release/", None, APPROVES_MAIL, REASON
    ),
    "observed:list": Row("/observed/", SEES_MAIL),
    "circles:list": Row("/circles/", SEES_MAIL, APPROVES_MAIL),
    "circles:end": Row("/circles/{circle}/end/", None, APPROVES_MAIL),
    "control:list": Row("/control/", SEES_MAIL, APPROVES_MAIL),
    "control:lift": Row("/control/{control}/lift/", None, APPROVES_MAIL),
    "postoffice:list": Row("/post-office/", SEES_MAIL),
    "postoffice:message": Row("/post-office/{caught}/", SEES_MAIL),
    "postoffice:raw": Row("/post-office/{caught}/raw", SEES_MAIL),
    # Lists.
    "lists:list": Row("/lists/", SEES_LISTS),
    "lists:new": Row("/lists/new/", WRITES, WRITES),
    "lists:one": Row("/lists/{list}/", SEES_LISTS),
    "lists:rows": Row("/lists/{list}/rows/", SEES_LISTS, READS_ROWS, WHY),
    "lists:export": Row("/lists/{list}/export/", None, READS_ROWS, WHY),
    "lists:call_sheet": Row("/lists/{list}/call-sheet/", None, READS_ROWS, WHY),
    "lists:letters": Row("/lists/{list}/letters/", None, READS_ROWS, WHY),
    "lists:destroy": Row("/lists/{list}/destroy/", DESTROYS, DESTROYS),
    "lists:receive": Row("/lists/{list}/upload/", None, WRITES),
    "lists:upload": Row("/lists/files/{upload}/", WRITES),
    "lists:progress": Row("/lists/files/{upload}/progress/", WRITES),
    "lists:problems": Row("/lists/files/{upload}/problems.csv", WRITES),
    "lists:import": Row("/lists/files/{upload}/import/", None, WRITES),
    "lists:choose": Row("/lists/files/{upload}/choose/", None, WRITES),
    "lists:discard": Row("/lists/files/{upload}/discard/", None, WRITES),
    "lists:suppressions": Row("/lists/suppressions/", SEES_LISTS, WRITES),
    "lists:lift": Row("/lists/suppressions/{suppressed}/lift/", None, WRITES, {}),
    # Campaigns.
    "campaigns:list": Row("/campaigns/", IN),
    "campaigns:new": Row("/campaigns/new/", WRITES, WRITES),
    "campaigns:from_hold": Row("/campaigns/from/{mailing}/", None, SEES_MAIL),
    "campaigns:campaign": Row("/campaigns/{waits}/", SEES_CAMPAIGNS),
    "campaigns:progress": Row("/campaigns/{waits}/progress/", SEES_CAMPAIGNS),
    "campaigns:write": Row("/campaigns/{draft}/write/", WRITES, WRITES),
    "campaigns:live": Row("/campaigns/{draft}/write/preview/", None, WRITES),
    "campaigns:keep_file": Row("/campaigns/{draft}/files/", None, WRITES),
    "campaigns:open_file": Row("/campaigns/{draft}/files/1/", None, SEES_CAMPAIGNS),
    "campaigns:remove_file": Row("/campaigns/{draft}/files/1/remove/", None, WRITES),
    "campaigns:preview": Row("/campaigns/{draft}/preview/", SEES_CAMPAIGNS, READS_ROWS),
    "campaigns:test": Row("/campaigns/{draft}/test/", None, WRITES),
    "campaigns:check": Row("/campaigns/{draft}/check/", None, WRITES),
    "campaigns:override": Row(
        "/campaigns/{draft}/override/links/", None, WRITES, REASON
    ),
    "campaigns:submit": Row("/campaigns/{checked}/submit/", None, WRITES),
    "campaigns:approve": Row("/campaigns/{waits}/approve/", None, APPROVES, DECIDES),
    "campaigns:refuse": Row("/campaigns/{waits}/refuse/", None, APPROVES, DECIDES),
    "campaigns:delegate": Row("/campaigns/{waits}/delegate/", None, APPROVES, DECIDES),
    "campaigns:start": Row("/campaigns/{approved}/start/", None, STEERS),
    "campaigns:schedule": Row("/campaigns/{approved}/schedule/", None, STEERS),
    "campaigns:pause": Row("/campaigns/{sends}/pause/", None, STEERS),
    "campaigns:resume": Row("/campaigns/{sends}/resume/", None, STEERS),
    "campaigns:accept_seeds": Row(
        "/campaigns/{sends}/seeds/accept/", None, STEERS, REASON
    ),
    "campaigns:cancel": Row("/campaigns/{sends}/cancel/", None, STEERS),
    "campaigns:proof": Row("/campaigns/{sends}/proof/", None, SEES_CAMPAIGNS),
    "campaigns:doubt": Row("/campaigns/{sends}/doubt/resend/", None, STEERS),
}
"""Every page, by the name of its address."""

KEPT: Final = frozenset({"journal:verify"})
"""What asks for a transaction of its own, and is not rolled back."""


def names(resolver: URLResolver, within: str = "") -> Iterator[str]:
    """The name of every page, as it stands in the addresses."""
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield f"{within}{one.name}"
        else:
            space = f"{one.namespace}:" if one.namespace else ""
            yield from names(one, within + space)


def test_every_page_has_its_row() -> None:
    assert set(names(get_resolver())) == set(PAGES)


@dataclass
class Everything:
    """An installation with one of each, and somebody of every kind."""

    world: World
    office: Office
    ids: dict[str, str]

    def client(self, who: str) -> Client:
        """The browser of somebody, who writes to nobody's errors."""
        client = Client() if who == "nobody" else self.world.client_of(self.of(who))
        client.raise_request_exception = False
        return client

    def of(self, who: str) -> Account:
        """An account as it is named in the table."""
        login = f"{who.replace(' ', '.')}@council.example"
        role, _, in_team = who.partition(" ")
        if in_team == "of the team":
            return self.office.member(who.replace(" ", "."), Role(role))
        if who == "reader of rows":
            return self.office.member("reader", Role.AUDITOR, may_see_rows=True)
        roles = () if who == "without a role" else (Role(who),)
        return self.world.account(*roles, login=login, name=who)


@pytest.fixture
def everything(world: World) -> Everything:
    """One of each."""
    caught = world.hold(message(outsiders(9), subject="Something else entirely"))
    first = world.client(Role.SUPERVISOR, login="first@council.example")
    first.post(f"/mailings/{caught}/send-singly/")
    world.deliver()
    office, mailing = Office(world), world.hold(message(outsiders(8)))
    sam, mary = office.people["sam"], office.people["mary"]
    draft, waits, approved = office.drafted(), office.submitted(), office.submitted()
    files = (Attached("dates.csv", "text/csv", b"Monday"),)
    campaigns.change(draft, by=sam.pk, now=now(), files=files)
    office.approve(approved)
    chosen = office.list_of(("zoe@z.example", "Zoe"))
    suppressions.suppress(
        [address("pat@p.example")],
        Reason.ASKED,
        team=office.team.pk,
        by=str(sam.pk),
        now=now(),
    )
    pasted = {"pasted": "Email,Name\nno address,Zoe\n"}
    kept = office.client("sam").post(f"/lists/{chosen.pk}/upload/", pasted)
    soon = now() + timedelta(days=3)
    circle = circles.declare(
        [address("ann@a.example"), address("bob@b.example")],
        owner=str(sam.pk),
        reason="The choir.",
        until=soon,
        by=str(mary.pk),
        now=now(),
    )
    control.impose(
        [address("eve@council.example")],
        reason="After May.",
        by=str(mary.pk),
        until=soon,
        now=now(),
    )
    digest = campaigns.get(waits).digest
    assert digest is not None
    ids = {
        "mailing": mailing,
        "link": world.link(mailing),
        "caught": desk.caught().items[0].caught_id,
        "enter": login_link(office.member("new")),
        "sam": str(sam.pk),
        "mary": str(mary.pk),
        "team": str(office.team.pk),
        "list": chosen.pk,
        "upload": kept["Location"].strip("/").rpartition("/")[2],
        "suppressed": str(Suppression.objects.get().pk),
        "circle": circle,
        "control": control.active(now())[0].id,
        "draft": draft,
        "checked": office.checked(),
        "waits": waits,
        "approved": approved,
        "sends": office.sending(),
        "digest": digest.hex(),
    }
    return Everything(world, office, ids)


@contextmanager
def undone(name: str) -> Iterator[None]:
    """Nothing that is done in here stays."""
    if name in KEPT:
        yield
        return
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def answer_of(
    everything: Everything, client: Client, name: str, method: str, who: str
) -> str:
    """What somebody is told: open, refused, log in, never, or that it broke."""
    row = PAGES[name]
    role = who.partition(" ")[0]
    known = everything.ids | {"role": role}
    form = {key: str(value).format(**known) for key, value in row.form.items()}
    if row.form is DECIDES:
        form["role"] = role
    path = row.path.format(**known)
    cookies = deepcopy(client.cookies)
    # A guard may run on this machine: nothing of the replay is for it.
    with undone(name), guard_at(NOWHERE):
        ask = client.get if method == "get" else client.post
        answer = ask(path, form if method == "post" else None)
        answer.close()
    client.cookies = cookies
    match answer.status_code:
        case 302 if answer["Location"].startswith("/log-in/?next="):
            return "log in"
        case 405:
            return "never"
        case 401 | 403 | 404:
            return "refused"
        case 500:
            return "broken"
        case _:
            return "open"


def expected(name: str, allowed: frozenset[str] | None, who: str) -> set[str]:
    """What the table says that somebody is told."""
    if allowed is None:
        # Whoever is not logged in is asked for that first, mostly.
        return {"never", "log in"} if who == "nobody" else {"never", "refused"}
    if who in allowed:
        return {"open"}
    return {"log in", "refused"} if who == "nobody" else {"refused"}


@pytest.mark.parametrize("who", sorted(ALL))
def test_everybody_is_let_in_where_the_table_says_so_and_nowhere_else(
    everything: Everything, who: str
) -> None:
    client, wrong = everything.client(who), []
    for name, row in PAGES.items():
        for method, allowed in (("get", row.get), ("post", row.post)):
            told = answer_of(everything, client, name, method, who)
            if told not in expected(name, allowed, who):
                wrong.append(f"{method} {name}: {told}")

    assert not wrong, "\n".join(wrong)
