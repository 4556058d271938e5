# SPDX-License-Identifier: Apache-2.0
"""What both add-ins must ask alike is written twice, and is the same.

Classic Outlook loads one script and no other; Thunderbird takes the files of its own
folder. So neither can load a third file, and this test keeps the two alike.
"""

import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
OUTLOOK = EXAMPLES / "outlook" / "onsend.js"
THUNDERBIRD = EXAMPLES / "thunderbird" / "check.js"


@pytest.mark.parametrize(
    "pattern",
    [
        r"^// Ask the guard\..*?^}$",
        r"^const LARGEST_FILES = .*?$",
    ],
    ids=["the request", "how large files may be"],
)
def test_both_add_ins_ask_alike(pattern: str) -> None:
    one, two = (
        re.search(pattern, path.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        for path in (OUTLOOK, THUNDERBIRD)
    )

    assert one is not None and two is not None
    assert one[0] == two[0]
