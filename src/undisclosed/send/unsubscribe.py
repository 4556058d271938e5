# SPDX-License-Identifier: Apache-2.0
"""Ends marketing to whoever got a message, by its opaque token alone (RFC 8058).

The token says which delivery it was; neither the link nor the page names a person,
and a token cannot be made up or counted through. Service mail goes on.
"""

from datetime import datetime

from undisclosed.core.returns import ReturnKind
from undisclosed.send.tokens import Purpose, Tokens
from undisclosed.store import returns
from undisclosed.store.returns import Report, Whose


def delivery_of(tokens: Tokens, token: str) -> Whose | None:
    """The delivery of an unsubscribe token; None where it is none of ours.

    Raises TransientError.
    """
    opened = tokens.open(Purpose.UNSUBSCRIBE, token)
    return returns.whose(*opened) if opened else None


def unsubscribe(tokens: Tokens, token: str, now: datetime) -> bool:
    """Send no more marketing there; False where the token is none of ours.

    Twice is once. What is waiting to be sent does not leave. Raises TransientError.
    """
    about = delivery_of(tokens, token)
    if about is None:
        return False
    kind = ReturnKind.UNSUBSCRIBE
    returns.record(Report(returns.key_of(kind, about), kind), about, now)
    return True
