# SPDX-License-Identifier: Apache-2.0
"""One line of the table of measurements.

Every module of this folder that measures has ``rows(*, quick: bool)``, which
yields rows as they are ready. A target is judged as a ratio of two figures of the
same run, since machines differ and are noisy; an absolute figure only stands
beside its bound.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured, against whom, and whether the target was met.

    ``ours``, ``peer`` and ``bound`` are in ``unit``. ``target`` says in words what
    is asked of them. ``is_met`` is None where a row only informs. ``bounded_by``
    names what holds the figure down, always where the target is missed.
    """

    name: str
    unit: str
    ours: float
    peer: float | None = None
    peer_name: str = ""
    bound: float | None = None
    bound_name: str = ""
    target: str = ""
    is_met: bool | None = None
    bounded_by: str = ""

    @property
    def peer_ratio(self) -> float | None:
        """Ours divided by the peer's figure."""
        return self.ours / self.peer if self.peer else None

    @property
    def bound_ratio(self) -> float | None:
        """Ours divided by the bound."""
        return self.ours / self.bound if self.bound else None
