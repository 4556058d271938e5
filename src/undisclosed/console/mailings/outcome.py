# SPDX-License-Identifier: Apache-2.0
"""What became of one mailing so far, in sentences."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from undisclosed.console.templatetags.console import count
from undisclosed.core.held import LEAVING, CopyState, HoldState
from undisclosed.store.desk import Batch, MailingView

WAITING: Final = (CopyState.QUEUED, CopyState.DELAYED)
LEFT: Final = (CopyState.SENT, CopyState.IN_DOUBT, *WAITING)
"""Copies that left, may have left, or are just being tried."""


@dataclass(frozen=True, slots=True)
class Teller:
    """What the sentences of an outcome need beside the mailing.

    ``observed``: mails that passed only because the guard was observing.
    """

    name_of: Callable[[str], str]
    observed: int
    reader_is_sender: bool


def outcome_of(
    view: MailingView, held: Sequence[Batch], teller: Teller
) -> Iterable[str]:
    """What became of it so far, most important sentence first."""
    if held:
        yield _what_is_held(view, held)
    yield from _what_passed(view, teller.observed)
    yield from _decisions(view, teller)
    if held and all(batch.is_ownerless for batch in held):
        yield _(
            "Nobody inside sent it: it stays held until somebody decides, and goes "
            "back to nobody."
        )
    elif held:
        until = min(batch.expires_at for batch in held)
        yield _if_nobody_decides(teller) % {"when": _when(until)}


def is_leaving(view: MailingView) -> bool:
    """Whether any copy of a decided mail still waits, and can be taken back."""
    can = any(batch.state in LEAVING for batch in view.batches)
    return can and any(view.copies.get(state) for state in WAITING)


def _what_is_held(view: MailingView, held: Sequence[Batch]) -> str:
    """How much of it is held; nobody has seen that, and what would have been."""
    if len(held) == view.waves:
        return " ".join(filter(None, (_("Nobody has received it yet."), _each(held))))
    of_it = ngettext(
        "%(held)s of %(mails)s mails is held. Nobody has received that one yet.",
        "%(held)s of %(mails)s mails are held. Nobody has received those yet.",
        len(held),
    ) % {"held": count(len(held)), "mails": count(view.waves)}
    return " ".join(filter(None, (of_it, _each(held))))


def _what_passed(view: MailingView, observed: int) -> Iterable[str]:
    """The mails that left without being held, and why they did."""
    if observed > 0:
        yield ngettext(
            "%(mails)s mail of this mailing passed as it was written, because the "
            "guard was observing: whoever received it saw the addresses in it.",
            "%(mails)s mails of this mailing passed as they were written, because the "
            "guard was observing: whoever received them saw the addresses in them.",
            observed,
        ) % {"mails": count(observed)}
    below = view.waves - len(view.batches) - observed
    if below > 0:
        yield ngettext(
            "%(mails)s earlier mail of this mailing had already left: the limit was "
            "not reached then.",
            "%(mails)s earlier mails of this mailing had already left: the limit was "
            "not reached then.",
            below,
        ) % {"mails": count(below)}


def _if_nobody_decides(teller: Teller) -> str:
    """Where held mail goes by itself: back."""
    if teller.reader_is_sender:
        return _(
            "If nobody decides, it goes back to you on %(when)s; it is never sent by "
            "itself."
        )
    return _(
        "If nobody decides, it goes back to its sender on %(when)s; it is never "
        "sent by itself."
    )


def _each(held: Sequence[Batch]) -> str:
    """What one person would see of held mail, as it is written; "" where nothing."""
    each = [each_would_see(batch) for batch in held]
    least, most = min(each), max(each)
    if most == 0:
        return ""
    if least == most:
        return ngettext(
            "As it is written, each person would see %(most)s other address.",
            "As it is written, each person would see %(most)s other addresses.",
            most,
        ) % {"most": count(most)}
    return _(
        "As it is written, each person would see %(least)s to %(most)s other addresses."
    ) % {"least": count(least), "most": count(most)}


def each_would_see(batch: Batch) -> int:
    """How many others' addresses one viewer of the mail would have seen, at most."""
    return -(-batch.disclosures // batch.viewers) if batch.viewers else 0


def _decisions(view: MailingView, teller: Teller) -> Iterable[str]:
    """One sentence for each decision: what, who, when, and the reason of a release."""
    batches = view.batches
    has_left = any(view.copies.get(state) for state in LEFT)
    decided: dict[tuple[HoldState, str, str], list[Batch]] = {}
    for batch in batches:
        if batch.state is not HoldState.HELD:
            key = (batch.state, batch.decided_by, batch.reason)
            decided.setdefault(key, []).append(batch)
    for (state, by, reason), group in decided.items():
        latest = max(batch.decided_at for batch in group if batch.decided_at)
        if state is HoldState.WITHDRAWN and has_left:
            yield from _withdrawn_midway(view.copies, teller.name_of(by), _when(latest))
            continue
        is_on_its_way = state is HoldState.SPLIT and is_leaving(view)
        sentence = _on_its_way(len(group)) if is_on_its_way else ""
        yield (sentence or _decision(state, len(group), teller)) % {
            "mails": count(len(group)),
            "by": teller.name_of(by),
            "when": _when(latest),
        }
        if reason:
            yield _("The reason given: “%(reason)s”") % {"reason": reason}


def _on_its_way(mails: int) -> str:
    """The sentence of mail that is sent singly while copies of it still wait."""
    return ngettext(
        "It is being sent singly, as %(by)s decided on %(when)s. Nobody is shown to "
        "anybody.",
        "%(mails)s mails are being sent singly, as %(by)s decided on %(when)s. Nobody "
        "is shown to anybody.",
        mails,
    )


def _decision(state: HoldState, mails: int, teller: Teller) -> str:
    """The sentence of a decision over so many mails."""
    match state:
        case HoldState.SPLIT:
            return ngettext(
                "Sent singly by %(by)s on %(when)s. Nobody was shown to anybody.",
                "%(mails)s mails sent singly by %(by)s on %(when)s. Nobody was shown "
                "to anybody.",
                mails,
            )
        case HoldState.ACCEPTED:
            return ngettext(
                "No rule objected to it on %(when)s. It is sent as it was written.",
                "No rule objected to %(mails)s mails on %(when)s. They are sent as "
                "they were written.",
                mails,
            )
        case HoldState.RELEASED:
            return ngettext(
                "Released unchanged by %(by)s on %(when)s.",
                "%(mails)s mails released unchanged by %(by)s on %(when)s.",
                mails,
            )
        case HoldState.WITHDRAWN:
            return ngettext(
                "Withdrawn by %(by)s on %(when)s. Nobody received it.",
                "%(mails)s mails withdrawn by %(by)s on %(when)s. Nobody received "
                "them.",
                mails,
            )
        case HoldState.RETURNED:
            return _returned(mails, teller)
        case HoldState.HELD:
            return ""


def _withdrawn_midway(
    copies: Mapping[CopyState, int], by: str, when: str
) -> Iterable[str]:
    """What a withdrawal found already gone: exactly which copies left."""
    sent = copies.get(CopyState.SENT, 0)
    kept = copies.get(CopyState.WITHDRAWN, 0)
    yield _("Withdrawn by %(by)s on %(when)s, while it was being sent.") % {
        "by": by,
        "when": when,
    }
    left = ngettext("%(sent)s copy had left;", "%(sent)s copies had left;", sent) % {
        "sent": count(sent)
    }
    stayed = ngettext(
        "%(kept)s copy was taken back and never leaves.",
        "%(kept)s copies were taken back and never leave.",
        kept,
    ) % {"kept": count(kept)}
    yield f"{left} {stayed}"
    in_hand = sum(copies.get(state, 0) for state in WAITING)
    if in_hand:
        yield ngettext(
            "%(number)s copy is being tried at this moment: its state follows.",
            "%(number)s copies are being tried at this moment: their states follow.",
            in_hand,
        ) % {"number": count(in_hand)}
    in_doubt = copies.get(CopyState.IN_DOUBT, 0)
    if in_doubt:
        yield ngettext(
            "%(number)s copy may have left: its worker ended before it could say.",
            "%(number)s copies may have left: their worker ended before it could say.",
            in_doubt,
        ) % {"number": count(in_doubt)}


def _returned(mails: int, teller: Teller) -> str:
    """The sentence of mail that nobody decided about."""
    if teller.reader_is_sender:
        return ngettext(
            "Returned to you on %(when)s: nobody had decided. Nobody else received it.",
            "%(mails)s mails returned to you on %(when)s: nobody had decided. Nobody "
            "else received them.",
            mails,
        )
    return ngettext(
        "Returned to its sender on %(when)s: nobody had decided. Nobody else "
        "received it.",
        "%(mails)s mails returned to their sender on %(when)s: nobody had "
        "decided. Nobody else received them.",
        mails,
    )


def _when(at: datetime) -> str:
    """A day and a time as the language writes them."""
    return formats.date_format(timezone.localtime(at), "j F Y, H:i T")
