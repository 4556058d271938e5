# SPDX-License-Identifier: Apache-2.0
"""What every ``Once`` does: the one that forgets and the one in PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from undisclosed.guard.ports import Once

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(hours=1)
ONE, OTHER = b"1" * 32, b"2" * 32


class OnceContract:
    """One mail may use a token, as often as it comes."""

    def once(self) -> Once:
        """A fresh one."""
        raise NotImplementedError

    def test_the_first_mail_uses_a_token(self) -> None:
        assert self.once().use("token", ONE, until=UNTIL, now=NOW)

    def test_the_same_mail_again_finds_its_token_good(self) -> None:
        once = self.once()

        assert once.use("token", ONE, until=UNTIL, now=NOW)
        assert once.use("token", ONE, until=UNTIL, now=NOW + timedelta(minutes=5))

    def test_another_mail_finds_it_used(self) -> None:
        once = self.once()
        once.use("token", ONE, until=UNTIL, now=NOW)

        assert not once.use("token", OTHER, until=UNTIL, now=NOW)
        assert once.use("token", ONE, until=UNTIL, now=NOW)

    def test_tokens_do_not_know_one_another(self) -> None:
        once = self.once()
        once.use("token", ONE, until=UNTIL, now=NOW)

        assert once.use("another", OTHER, until=UNTIL, now=NOW)

    def test_of_many_mails_at_once_one_wins(self) -> None:
        once = self.once()
        digests = [bytes([number]) * 32 for number in range(16)]

        with ThreadPoolExecutor(8) as threads:
            won = list(
                threads.map(
                    lambda digest: once.use("token", digest, until=UNTIL, now=NOW),
                    digests,
                )
            )

        assert sum(won) == 1
