# SPDX-License-Identifier: Apache-2.0
"""The report of a scan: one HTML page that asks nothing of any other place.

Style and pictures are inside it; there is no script. Every picture has its table.
Addresses are shortened, unless the reader asked for them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib import resources

from undisclosed.core.address import Address
from undisclosed.scan.mailings import Mailing
from undisclosed.scan.message import Glance
from undisclosed.scan.picture import Span, bar, bars_over_time, spans_of
from undisclosed.scan.scan import Result

MOST_MAILINGS, MOST_MESSAGES, MOST_PEOPLE, MOST_NAMED = 300, 100, 200, 100
"""What one page shows; what is above is counted on it, and stands in the JSON."""

_MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="5" '
    'fill="#f2b400"/><g fill="#0d2c3b"><rect x="6" y="7.5" width="20" height="4.5" '
    'rx="1"/><circle cx="8.6" cy="16" r="2.6"/><rect x="13" y="14.9" width="13" '
    'height="2.2" rx="1.1"/><rect x="6" y="20" width="20" height="4.5" rx="1"/></g>'
    "</svg>"
)
_ADDRESS = re.compile(r"[^\s<>\"'(),:;@]+@(?=[^\s<>\"'(),:;@]*\w)")


@dataclass(frozen=True, slots=True)
class Page:
    """What a report needs beside the result: when, of what, and how to write."""

    made_at: datetime
    sources: tuple[str, ...]
    is_spelled_out: bool = False

    def write(self, address: Address | None) -> str:
        """An address as this page shows it, escaped."""
        if address is None:
            return "nobody"
        whole = address.spelled_out() if self.is_spelled_out else str(address)
        return _escaped(whole)

    def subject(self, subject: str) -> str:
        """A subject, the addresses in it shortened as all others are."""
        shown = subject if self.is_spelled_out else without_addresses(subject)
        return _escaped(shown) or "(no subject)"


def without_addresses(text: str) -> str:
    """A text with the local part of every address in it cut short."""
    return _ADDRESS.sub(lambda match: f"{match[0][:1]}…@", text)


def render_report(result: Result, page: Page) -> str:
    """The whole page as HTML."""
    style = (
        resources.files("undisclosed.scan").joinpath("report.css").read_text("utf-8")
    )
    by_people = sorted(result.mailings, key=lambda one: (-len(one.people), one.number))
    made = f"{page.made_at.astimezone(UTC):%-d %B %Y, %H:%M} UTC"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex, nofollow">
<title>{_escaped(_headline(result))} · Undisclosed</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
<header class="band"><div class="inside">
<span class="brand">{_MARK}<span>Undisclosed</span></span>
<span class="made">Scan of past mail, {made}</span>
</div></header>
<main><div class="inside">
{_summary(result, page)}
{_over_time(result)}
{_mailings(by_people, page)}
{_all_in_a_table(result, page)}
{_unread(result)}
{_how_it_was_counted()}
</div></main>
<footer class="foot"><div class="inside">Undisclosed keeps the recipients of a mailing from seeing each other. This page holds personal data: keep it as you would keep the mail itself.</div></footer>
</body>
</html>
"""  # noqa: E501 - markup is not broken where it would change


def _headline(result: Result) -> str:
    if not result.mailings:
        return "No mail was found that shows people to each other"
    mailings = _counted(len(result.mailings), "mailing")
    people = _counted(len(result.people), "person’s address", "people’s addresses")
    return f"{mailings} showed {people} to other recipients"


def _summary(result: Result, page: Page) -> str:
    """The first screen: what was found, in one sentence and four numbers."""
    named = ", ".join(page.sources[:3])
    if len(page.sources) > 3:
        named += f" and {len(page.sources) - 3:,} more"
    stopped = (
        '<p class="says waits">The scan was stopped before its end. What it had read'
        " by then is here.</p>"
        if not result.is_complete
        else ""
    )
    return f"""<h1>{_escaped(_headline(result))}.</h1>
<p class="lede">{_period(result)}{_counted(result.messages, "message")} of
<span class="place">{_escaped(named)}</span> {"was" if result.messages == 1 else "were"}
read and judged by the rules that the guard applies to outgoing mail.</p>
{stopped}<dl class="tally">
{_figure("messages read", result.messages)}
{_figure("mailings found", len(result.mailings), is_bad=True)}
{_figure("people shown", len(result.people), is_bad=True)}
{_figure("disclosures", result.disclosures, is_bad=True)}
</dl>"""


def _period(result: Result) -> str:
    """On which days the found mail was sent, where any is dated."""
    first = min((one.first_at for one in result.mailings if one.first_at), default=None)
    last = max((one.last_at for one in result.mailings if one.last_at), default=None)
    if first is None or last is None:
        return ""
    if first.date() == last.date():
        return f"Sent on {_day(first)}. "
    return f"Sent between {_day(first)} and {_day(last)}. "


def _figure(name: str, count: int, *, is_bad: bool = False) -> str:
    kind = ' class="bad"' if is_bad and count else ""
    return f"<div{kind}><dt>{name}</dt><dd>{count:,}</dd></div>"


def _over_time(result: Result) -> str:
    """The picture over the years, and its table."""
    dated = [(one.first_at, len(one.people)) for one in result.mailings if one.first_at]
    spans = spans_of(dated)
    if not spans:
        return ""
    undated = len(result.mailings) - len(dated)
    most = max(span.people for span in spans)
    left_out = (
        f"<p class='muted'>{_counted(undated, 'mailing')} without a date left out.</p>"
        if undated
        else ""
    )
    middle = f"<span>{spans[len(spans) // 2].name}</span>" if len(spans) > 4 else ""
    last = f"<span>{spans[-1].name}</span>" if len(spans) > 1 else ""
    described = (
        f"People shown over time, at most {most:,}. The table holds the numbers."
    )
    return f"""<section aria-labelledby="when"><h2 id="when">When it happened</h2>
<figure class="picture"><figcaption>People shown by the mailings of each period; the
line at the top is {most:,}.</figcaption>
{bars_over_time(spans, described)}
<div class="axis" aria-hidden="true"><span>{spans[0].name}</span>{middle}{last}</div>
{left_out}</figure>
<details><summary>The same as a table</summary>{_spans_table(spans)}</details>
</section>"""


def _spans_table(spans: Iterable[Span]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{span.name}</th><td class="number">{span.mailings:,}</td>'
        f'<td class="number">{span.people:,}</td></tr>'
        for span in spans
        if span.mailings
    )
    return (
        '<table><thead><tr><th scope="col">Period</th><th scope="col" class="number">'
        'Mailings</th><th scope="col" class="number">People</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _mailings(mailings: Sequence[Mailing], page: Page) -> str:
    """Every mailing with its picture, those that showed the most people first."""
    if not mailings:
        return ""
    most = len(mailings[0].people)
    listed = "\n".join(_mailing(one, most, page) for one in mailings[:MOST_MAILINGS])
    rest = len(mailings) - MOST_MAILINGS
    more = (
        f"<p>{rest:,} smaller mailings are in the table below.</p>" if rest > 0 else ""
    )
    return f"""<section aria-labelledby="mailings">
<h2 id="mailings">The mailings, most people first</h2>
<ol class="mailings">
{listed}
</ol>{more}</section>"""


def _mailing(mailing: Mailing, most: int, page: Page) -> str:
    count = len(mailing.people)
    why = " ".join(_escaped(_past(finding.text)) for finding in mailing.findings)
    if len(mailing.messages) > 1:
        why = f"Of its messages the largest: {why}"
    batches = _batches(mailing) if len(mailing.messages) > 1 else bar(count, most)
    noun = "person shown" if count == 1 else "people shown"
    disclosures = _counted(mailing.disclosures, "disclosure")
    return f"""<li id="mailing-{mailing.number}"><div class="mailing">
<h3>{page.subject(mailing.subject)}</h3>
<p class="people"><b>{count:,}</b> {noun}</p>
<p class="muted">{_when(mailing)}, from {page.write(mailing.author)}: {disclosures} in
{_counted(len(mailing.messages), "message")}.</p></div>
{batches}
<p class="why">{why}</p>
<details><summary>Messages and people</summary>
{_messages_table(mailing, page)}
{_people(mailing.people, page)}
</details></li>"""


def _batches(mailing: Mailing) -> str:
    """One bar for each message of a mailing that came in several."""
    shown = mailing.messages[:MOST_MESSAGES]
    most = max(len(glance.people) for glance in shown)
    rows = "".join(
        f'<li><span class="name">{_moment(glance.sent_at)}</span>'
        f"{bar(len(glance.people), most)}"
        f'<span class="value">{len(glance.people):,}</span></li>'
        for glance in shown
    )
    return f'<ol class="batches">{rows}</ol>{_more(mailing.messages, MOST_MESSAGES)}'


def _messages_table(mailing: Mailing, page: Page) -> str:
    rows = "".join(_message_row(one) for one in mailing.messages[:MOST_MESSAGES])
    return (
        '<table class="folds"><caption>Messages</caption><thead><tr>'
        '<th scope="col">Where</th><th scope="col">Sent</th>'
        '<th scope="col" class="number">Viewers</th>'
        '<th scope="col" class="number">People</th>'
        '<th scope="col" class="number">Disclosures</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{_more(mailing.messages, MOST_MESSAGES)}"
    )


def _message_row(glance: Glance) -> str:
    return (
        f'<tr><th scope="row" class="place">{_escaped(glance.name)}</th>'
        f'<td class="when" data-label="Sent">{_moment(glance.sent_at)}</td>'
        f'<td class="number" data-label="Viewers">{glance.viewers:,}</td>'
        f'<td class="number" data-label="People">{len(glance.people):,}</td>'
        f'<td class="number" data-label="Disclosures">{glance.new_disclosures:,}</td>'
        "</tr>"
    )


def _people(people: Iterable[Address], page: Page) -> str:
    everybody = sorted(people)
    listed = "".join(f"<li>{page.write(one)}</li>" for one in everybody[:MOST_PEOPLE])
    return (
        f"<h4>People</h4>"
        f'<ul class="persons">{listed}</ul>{_more(everybody, MOST_PEOPLE)}'
    )


def _all_in_a_table(result: Result, page: Page) -> str:
    """All mailings by date: the table to the pictures, and what is copied away."""
    if not result.mailings:
        return ""
    rows = "".join(
        f'<tr><td class="when">{_when(one)}</td>'
        f'<th scope="row" class="place">{page.subject(one.subject)}</th>'
        f'<td class="place" data-label="Sender">{page.write(one.author)}</td>'
        f'<td class="number" data-label="Messages">{len(one.messages):,}</td>'
        f'<td class="number" data-label="People">{len(one.people):,}</td>'
        f'<td class="number" data-label="Disclosures">{one.disclosures:,}</td></tr>'
        for one in result.mailings
    )
    return f"""<section aria-labelledby="all"><h2 id="all">All mailings by date</h2>
<details><summary>Show the table</summary>
<table class="folds"><thead><tr><th scope="col">When</th><th scope="col">Subject</th>
<th scope="col">Sender</th><th scope="col" class="number">Messages</th>
<th scope="col" class="number">People</th>
<th scope="col" class="number">Disclosures</th></tr></thead>
<tbody>{rows}</tbody></table></details></section>"""


def _unread(result: Result) -> str:
    """What could not be read is named, never silent."""
    if not result.problems and not result.uncertain_count and not result.passed_over:
        return ""
    parts = []
    if result.problems:
        parts.append(f"<p>Not read at all: {len(result.problems):,}.</p>")
        named = [(one.name, f"{one.reason}.") for one in result.problems]
        parts.append(_named(named))
    if result.uncertain_count:
        number = _counted(result.uncertain_count, "message")
        parts.append(f"<p>Read and judged, but not whole: {number}.</p>")
        parts.append(_named(result.uncertain))
    if result.passed_over:
        number = _counted(result.passed_over, "file")
        parts.append(f"<p>Passed over, because no mail is in it: {number}.</p>")
    return f"""<section aria-labelledby="unread"><h2 id="unread">What was not read</h2>
{"".join(parts)}</section>"""


def _named(pairs: Sequence[tuple[str, str]]) -> str:
    items = "".join(
        f'<li><span class="place">{_escaped(name)}</span>: {_escaped(said)}</li>'
        for name, said in pairs[:MOST_NAMED]
    )
    return (
        f"<details><summary>Which</summary><ul>{items}</ul>"
        f"{_more(pairs, MOST_NAMED)}</details>"
    )


def _how_it_was_counted() -> str:
    return """<section aria-labelledby="how"><h2 id="how">How it was counted</h2>
<p class="text">People are outsiders whom a mailing newly showed to other outsiders,
each counted once. A disclosure is one viewer being shown one other person. Messages of
one sender that are nearly the same, within the policy's days, are one mailing, and
copies of one message in several mailboxes count once. An archive does not say who
really received a message, so the viewers are the addresses of its destination fields;
it does not know either who had declared whom to know one another. So this page is a
list to be looked at by somebody who knows the senders: a finding is not yet a breach.
</p></section>"""


def _past(sentence: str) -> str:
    """What a rule says of mail that waits, said of mail that has long been sent."""
    for waiting, sent in (("would see", "could see"), ("would be", "were")):
        sentence = sentence.replace(waiting, sent)
    return sentence


def _when(mailing: Mailing) -> str:
    first, last = mailing.first_at, mailing.last_at
    if first is None or last is None:
        return "Undated"
    if first.date() == last.date():
        return _day(first)
    return f"{_day(first)} to {_day(last)}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b} {moment.year}"


def _moment(moment: datetime | None) -> str:
    return "undated" if moment is None else f"{_day(moment)}, {moment:%H:%M}"


def _more(whole: Sequence[object], limit: int) -> str:
    rest = len(whole) - limit
    return f'<p class="muted">and {rest:,} more</p>' if rest > 0 else ""


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _escaped(text: str) -> str:
    """A text as HTML: control characters and lone surrogates made visible."""
    shown = "".join(one if one.isprintable() else " " for one in text)
    return escape(shown.encode("utf-8", "replace").decode("utf-8"))
