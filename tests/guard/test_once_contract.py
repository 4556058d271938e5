# SPDX-License-Identifier: Apache-2.0
"""The contract of used tokens over the ones that forget."""

from datetime import timedelta

import pytest

from tests.guard.once_contract import NOW, ONE, OTHER, UNTIL, OnceContract
from undisclosed.errors import TransientError
from undisclosed.guard.ports import Once
from undisclosed.guard.testing import ForgetfulOnce


class TestForgetfulOnce(OnceContract):
    """In memory."""

    def once(self) -> Once:
        """A fresh one."""
        return ForgetfulOnce()

    def test_what_has_expired_is_forgotten(self) -> None:
        once = self.once()
        once.use("token", ONE, until=UNTIL, now=NOW)

        assert once.use("token", OTHER, until=UNTIL + timedelta(hours=2), now=UNTIL)

    def test_one_that_is_away_says_so(self) -> None:
        once = ForgetfulOnce()
        once.is_away = True

        with pytest.raises(TransientError):
            once.use("token", ONE, until=UNTIL, now=NOW)
