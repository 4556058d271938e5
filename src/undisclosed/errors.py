# SPDX-License-Identifier: Apache-2.0
"""Every error of Undisclosed: a sentence for people, a class for programs.

A verdict is never an error: a held mail is a result, not an exception.
"""


class UndisclosedError(Exception):
    """Something is wrong that a person has to know about."""

    def __init__(self, message: str | None = None, **facts: object) -> None:
        self.message = message or (type(self).__doc__ or "").strip().split("\n")[0]
        self.facts = facts
        super().__init__(str(self))

    def __str__(self) -> str:
        if not self.facts:
            return self.message
        facts = ", ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.message} ({facts})"


class TransientError(UndisclosedError):
    """Something is away for now: trying again later may succeed."""
