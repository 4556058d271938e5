# SPDX-License-Identifier: Apache-2.0
"""What is set for sending agrees with how long a connection may take."""

from undisclosed.send.settings import SendSettings
from undisclosed.transport.smtp.bulk import Patience


def test_a_lease_outlasts_the_two_messages_of_a_connection():
    patience = Patience()
    message = 2 * patience.command + patience.data + patience.content

    assert SendSettings().lease > 2 * message
