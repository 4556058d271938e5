# SPDX-License-Identifier: Apache-2.0
"""The warm start: what an archive teaches Memory."""

from datetime import timedelta

import pytest

from tests.guard.journals import report
from tests.guard.test_feed import AUTHOR, PASS, SERVER, inbound
from tests.guard.worlds import NOW, OLIVE, POLICY, mail, people
from undisclosed.core.policy import Policy
from undisclosed.guard.testing import ForgetfulMemory
from undisclosed.guard.warm_start import Remembered, WarmStart

DAY = timedelta(days=1)
THREAD, HIDDEN = Remembered.THREAD, Remembered.HIDDEN


def start(memory=None, **changes) -> WarmStart:
    values = {"policy": POLICY, "authserv_ids": [SERVER], **changes}
    return WarmStart(memory=memory or ForgetfulMemory(), **values)


def record(of, memory=None, at=NOW - DAY, **changes) -> Remembered:
    return start(memory, **changes).record(of.content, at, NOW)


def test_own_mail_that_would_be_accepted_makes_a_thread():
    memory = ForgetfulMemory()

    assert record(mail(people(range(4))), memory) is THREAD
    assert memory.threads() == [frozenset(people(range(4)))]


def test_own_mail_that_would_be_held_makes_nobody_known():
    memory = ForgetfulMemory()

    assert record(mail(people(range(40))), memory) is Remembered.WOULD_HOLD
    assert memory.threads() == []


def test_who_stands_in_bcc_of_a_sent_mail_is_a_hidden_audience():
    memory = ForgetfulMemory()
    sent = mail(people(range(40)), field_name="Bcc")

    assert record(sent, memory) is HIDDEN
    assert memory.hidden() == [frozenset(people(range(40)))]


def test_inbound_mail_counts_where_it_is_authenticated():
    memory = ForgetfulMemory()

    assert record(inbound(people(range(2, 9))), memory) is THREAD
    assert memory.threads() == [frozenset({AUTHOR, *people(range(2, 9))})]


def test_inbound_mail_of_a_trusted_archive_counts_without_proof():
    of = inbound(people(range(2, 9)), results="")

    assert record(of) is Remembered.NOT_AUTHENTICATED
    assert record(of, is_trusted_whole=True) is THREAD


@pytest.mark.parametrize(
    "at", [None, NOW - 400 * DAY], ids=["without a date", "too old"]
)
def test_what_is_over_is_not_remembered(at):
    assert record(mail(people(range(4))), at=at) is Remembered.TOO_OLD


def test_a_date_to_come_counts_as_now():
    assert record(mail(people(range(4))), at=NOW + 400 * DAY) is THREAD


@pytest.mark.parametrize(
    "of", [mail(people(range(1))), mail([OLIVE]), inbound([OLIVE])]
)
def test_mail_to_one_outsider_has_nobody_to_remember(of):
    assert record(of) is Remembered.NOTHING


def test_the_same_archive_again_changes_nothing():
    memory = ForgetfulMemory()
    every = [mail(people(range(4))), inbound(people(range(2, 9)))]

    for _ in range(2):
        for of in every:
            record(of, memory)

    assert len(memory.threads()) == 2
    assert len(memory.states()) == 1


def test_batches_of_an_archive_add_up_as_they_would_today():
    memory = ForgetfulMemory()

    found = [record(mail(people(range(4 * n, 4 * n + 4))), memory) for n in range(2)]

    assert found == [THREAD, Remembered.WOULD_HOLD]


def test_a_policy_without_own_domains_has_no_inbound_mail_of_an_author_inside():
    assert PASS.startswith("Authentication-Results")
    assert record(mail(people(range(4))), policy=Policy()) is THREAD


def test_reports_are_opened_where_the_archive_is_a_journal_rule_s():
    of = report(inbound(people(range(2, 9))))
    memory = ForgetfulMemory()

    assert record(of) is not THREAD
    assert record(of, memory, has_reports=True) is THREAD
    assert memory.threads() == [frozenset({AUTHOR, *people(range(2, 9))})]


def test_a_report_says_who_was_written_to_in_bcc():
    sent = mail([OLIVE], viewers=[OLIVE, *people(range(40))])
    memory = ForgetfulMemory()

    assert record(report(sent), memory, has_reports=True) is HIDDEN
    assert memory.hidden() == [frozenset(people(range(40)))]


def test_other_mail_of_such_an_archive_is_read_as_ever():
    assert record(mail(people(range(4))), has_reports=True) is THREAD
