# SPDX-License-Identifier: Apache-2.0
"""How much ordinary mail is held, and how many real disclosures are: against counts.

The Enron mail of the corpus is replayed in the order of its dates with enron.com as
the organisation's own domain: once without Memory and once with it. Inbound mail is
shown to Memory as the record-only feed would; every hold of this ordinary mail is
taken to be released by an approver. Beside it stand plain counts of the visible
recipients, as mail programs have them. The real disclosures are those that the
acceptance tests replay.

The table goes into ``docs/explanation/false-alarms.md``, the plot beside it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from matplotlib import rcParams
from matplotlib.figure import Figure

from bench.corpus import REALMAIL, NoCorpus
from bench.row import Row
from tests.acceptance.incidents import SENDER, Batch, Incident, load
from undisclosed.core.address import Address
from undisclosed.core.disclosure import Reading, read
from undisclosed.core.judge import judge
from undisclosed.core.known import NOTHING_KNOWN
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.mailing import wave_of
from undisclosed.core.policy import DistributionList, Policy
from undisclosed.core.reading import read_content
from undisclosed.core.threads import thread_of
from undisclosed.core.verdict import Action
from undisclosed.guard.feed import MOST_PEOPLE
from undisclosed.guard.ports import WaveState
from undisclosed.guard.testing import ForgetfulMemory
from undisclosed.scan.dates import sent_at
from undisclosed.transport.mailbox import Message, read_path

DOCS = Path(__file__).parents[1] / "docs" / "explanation"
COUNTS = {
    5: "Roundcube",
    10: "FairEmail",
    15: "Thunderbird",
    25: "Exchange MailTips",
}
"""From how many visible recipients on a mail program says something."""

ENRON = Policy(own_domains=frozenset({"enron.com"}))
_FEWEST = 100
"""Fewer messages of our own say nothing."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A message of the archive, read as its recipients would."""

    at: datetime
    mail: Mail = field(repr=False)
    reading: Reading = field(repr=False)

    @property
    def is_own(self) -> bool:
        """Whether the organisation wrote it."""
        author = self.reading.content.author
        return author is not None and not self.reading.sides.is_outsider(author)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one way of looking comes to, as shares from 0 to 1."""

    name: str
    stopped: int
    leaving: int
    caught: int
    incidents: int

    @property
    def false_alarms(self) -> float:
        """The share of ordinary mail to outsiders that is stopped."""
        return self.stopped / self.leaving

    @property
    def catches(self) -> float:
        """The share of real disclosures of which every visible mail is stopped."""
        return self.caught / self.incidents


def rows(*, quick: bool) -> Iterator[Row]:
    """The share of ordinary mail that is held, beside the plain counts."""
    archive = enron()
    incidents = load()
    if len(archive) < _FEWEST or not incidents:
        raise NoCorpus("Enron's mail or the incidents are not in ../shared")
    leaving = [one for one in archive if one.is_own and one.reading.outside_viewers]
    every = [
        Figures(
            name, stopped, len(leaving), sum(map(catches, incidents)), len(incidents)
        )
        for name, stopped, catches in (
            ("default policy with Memory", with_memory(archive), is_caught),
            (
                "default policy without Memory",
                sum(is_objected_to(one.reading) for one in leaving),
                is_caught_without_memory,
            ),
            *(
                (
                    f"{count} visible recipients ({program})",
                    sum(visible(one.mail) >= count for one in leaving),
                    counting(count),
                )
                for count, program in COUNTS.items()
            ),
        )
    ]
    write(every, several(leaving))
    ours, without, *counts = every
    peer = min(counts, key=lambda one: (-one.catches, one.false_alarms))
    yield Row(
        name="ordinary mail that is held, default policy with Memory",
        unit="% of mail to outsiders",
        ours=100 * ours.false_alarms,
        peer=100 * peer.false_alarms,
        peer_name=f"a count of {peer.name.split()[0]}",
        bound=100 * without.false_alarms,
        bound_name="without Memory",
        target="less than a count that catches as many",
        is_met=ours.false_alarms < peer.false_alarms and ours.catches >= peer.catches,
        bounded_by="mail to many outsiders who never wrote to each other before",
    )


def enron() -> list[Dated]:
    """Enron's mail in the order of its dates, each message once."""
    found: dict[bytes, Dated] = {}
    for path in sorted(REALMAIL.glob("enron.mbox.gz")):
        for item in read_path(path):
            if isinstance(item, Message):
                content = read_content(item.content, ENRON)
                at = sent_at(content.header.fields)
                if at is None or not content.destinations:
                    continue
                people = tuple(map(Recipient, content.destinations))
                mail = Mail(Envelope(content.author, people), item.content)
                named = _identity(item.content)
                found.setdefault(
                    named, Dated(at, mail, read(mail, ENRON, content=content))
                )
    return sorted(found.values(), key=lambda one: one.at)


def _identity(content: bytes) -> bytes:
    """What two copies of one message in two mailboxes have in common."""
    names = (b"Date:", b"From:", b"Subject:", b"To:")
    head = content.partition(b"\n\n")[0].splitlines()
    return b"\n".join(line for line in head if line.startswith(names))


def visible(mail: Mail) -> int:
    """Recipients in To and Cc, insiders among them: what a mail program counts."""
    return len(mail.envelope.rcpt_tos)


def several(leaving: Sequence[Dated]) -> int:
    """Mail that two or more outsiders get."""
    return sum(len(one.reading.outside_viewers) > 1 for one in leaving)


def is_objected_to(reading: Reading) -> bool:
    """Whether the default policy stops a mail, nothing else being known."""
    return judge(reading, NOTHING_KNOWN, ENRON).action is not Action.ACCEPT


def with_memory(archive: Sequence[Dated]) -> int:
    """How much of the organisation's mail is stopped, with a Memory that learns."""
    memory, stopped = ForgetfulMemory(), 0
    for one in archive:
        if one.is_own:
            stopped += _is_stopped(memory, one.mail, one.reading, one.at, ENRON)
        else:
            people = thread_of(one.reading)
            if len(people) <= MOST_PEOPLE:
                memory.learn(people, now=one.at)
    return stopped


def _is_stopped(
    memory: ForgetfulMemory, mail: Mail, reading: Reading, at: datetime, policy: Policy
) -> bool:
    """Judge one mail; what is held is released, as ordinary mail would be."""
    wave = wave_of(reading, mail, policy)
    if wave is None:
        return judge(reading, NOTHING_KNOWN, policy).action is not Action.ACCEPT
    place = memory.reserve(wave, window=policy.mailing_window, now=at)
    is_stopped = judge(reading, place.known, policy).action is not Action.ACCEPT
    if is_stopped:
        memory.settle(place.id, WaveState.HELD)
    memory.settle(place.id, WaveState.SHOWN)
    return is_stopped


def is_caught(incident: Incident) -> bool:
    """Whether every visible mail of a disclosure is stopped, with Memory."""
    memory, policy = ForgetfulMemory(), _policy_of(incident)
    start = datetime(2026, 1, 5, tzinfo=UTC)
    stopped = []
    for batch in incident.batches:
        mail = _mail_of(batch)
        wave = wave_of(reading := read(mail, policy), mail, policy)
        known = NOTHING_KNOWN
        if wave is not None:
            at = start + batch.after
            place = memory.reserve(wave, window=policy.mailing_window, now=at)
            known = place.known
        verdict = judge(reading, known, policy)
        stopped.append(batch.is_hidden or verdict.action is not Action.ACCEPT)
    return all(stopped)


def is_caught_without_memory(incident: Incident) -> bool:
    """The same, each mail judged alone."""
    policy = _policy_of(incident)
    return all(
        judge(read(mail, policy), NOTHING_KNOWN, policy).action is not Action.ACCEPT
        for mail in (_mail_of(one) for one in incident.batches if not one.is_hidden)
    )


def counting(count: int) -> Callable[[Incident], bool]:
    """Whether a count of visible recipients stops every visible mail."""

    def is_counted(incident: Incident) -> bool:
        shown = [one.rcpt_tos for one in incident.batches if not one.is_hidden]
        return all(len(people) >= count for people in shown)

    return is_counted


def _mail_of(batch: Batch) -> Mail:
    people = tuple(Recipient(_address(one)) for one in batch.rcpt_tos)
    return Mail(Envelope(_address(SENDER), people), batch.content)


def _policy_of(incident: Incident) -> Policy:
    own = SENDER.partition("@")[2]
    lists = {}
    if incident.members:
        (address,) = incident.batches[0].rcpt_tos
        members = tuple(map(_address, incident.members))
        lists[_address(address)] = DistributionList(members)
    return Policy(own_domains=frozenset({own}), lists=lists)


def _address(text: str) -> Address:
    return Address(*text.split("@"))


def write(every: Sequence[Figures], to_several: int) -> None:
    """Put the table into the document, and draw the plot."""
    page = DOCS / "false-alarms.md"
    lines = [
        "| what stops a mail | ordinary mail stopped | real disclosures caught |",
        "|---|---:|---:|",
    ]
    lines += [
        f"| {one.name} | {one.stopped:,} ({one.false_alarms:.2%}) "
        f"| {one.caught} of {one.incidents} |"
        for one in every
    ]
    leaving = every[0].leaving
    told = (
        f"Ordinary mail: {leaving:,} different messages from enron.com to somebody "
        f"outside, {to_several:,} of them to two or more people outside."
    )
    table = "\n".join((*lines, "", told))
    text = re.sub(
        r"(<!-- measured: false-alarms -->\n).*?(<!-- end -->)",
        lambda found: f"{found[1]}{table}\n{found[2]}",
        page.read_text("utf-8"),
        flags=re.DOTALL,
    )
    page.write_text(text, "utf-8")
    _draw(every)


def _draw(every: Sequence[Figures]) -> None:
    """False alarms against disclosures caught: the upper left corner is best."""
    rcParams["svg.hashsalt"] = "false alarms"  # the same figures, the same bytes
    figure = Figure(figsize=(8, 4.5))
    axes = figure.subplots()
    for number, one in enumerate(every):
        is_ours = one.name.startswith("default")
        colour = "#1d5c87" if is_ours else "#8a6d3b"
        x, y = 100 * one.false_alarms, 100 * one.catches
        axes.scatter(x, y, color=colour, zorder=3)
        shift = (6, -12 if number else 6)  # the first two stand close together
        axes.annotate(
            one.name, (x, y), xytext=shift, textcoords="offset points", fontsize=8
        )
    axes.set_xlabel("ordinary mail to outsiders that is stopped (%)")
    axes.set_ylabel("real disclosures caught (%)")
    axes.set_xlim(0, 1.3 * 100 * max(one.false_alarms for one in every))
    axes.set_ylim(80, 103)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(
        DOCS / "false-alarms.svg",
        bbox_inches="tight",
        metadata={"Date": None, "Creator": None},
    )
