# SPDX-License-Identifier: Apache-2.0
"""``python -m undisclosed`` and the command ``undisclosed``."""

import sys

from undisclosed.cli import main

if __name__ == "__main__":
    sys.exit(main())
