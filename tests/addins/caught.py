# SPDX-License-Identifier: Apache-2.0
"""Prints every message that an installation's post office has caught, as a process."""

import sys

from undisclosed.cli import wiring


def main() -> None:
    """Print them, oldest first."""
    from undisclosed.store import crypto
    from undisclosed.store.models import CaughtMail

    key = crypto.keys().sealer("caught")
    for mail in CaughtMail.objects.order_by("id"):
        sys.stdout.buffer.write(
            key.open(bytes(mail.content_sealed), f"content/{mail.id}")
        )


if __name__ == "__main__":
    wiring.configure(wiring.load(None))
    main()
