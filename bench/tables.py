# SPDX-License-Identifier: Apache-2.0
"""Makes the tables of an installation that measurements use."""

from undisclosed.cli import wiring
from undisclosed.store.migrate import migrate


def main() -> None:
    """Bring the database that the environment names to this release."""
    wiring.configure(wiring.load(None))
    migrate()


if __name__ == "__main__":
    main()
