# SPDX-License-Identifier: Apache-2.0
"""What a setting is: its name, what it looks like, its default, what it does."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a value looks like in TOML."""

    TEXT = "text"
    TEXTS = "list of texts"
    WHOLE = "whole number"
    NUMBER = "number"
    NUMBERS = "list of numbers"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its dotted name, its kind, its default and what it does."""

    name: str
    kind: Kind
    default: object
    description: str
    minimum: int = 0

    @property
    def section(self) -> str:
        """The table that the setting stands in, for example ``guard.limits``."""
        return self.name.rpartition(".")[0]

    @property
    def key(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]
