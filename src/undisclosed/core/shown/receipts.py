# SPDX-License-Identifier: Apache-2.0
"""Who is told what became of a message: receipts, confirmations, error reports.

Disposition-Notification-To (RFC 8098 §2.1), Return-Receipt-To, Errors-To and more.
They name the author as a rule, who is not shown to anybody; whoever else stands
there is.
"""

from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.shown.channel import FieldChannel, usual_spelling

_NAMES = (
    "disposition-notification-to",
    "return-receipt-to",
    "generate-delivery-report-to",
    "delivery-report-to",
    "errors-to",
    "warnings-to",
    "complaints-to",
    "complain-to",
    "abuse-reports-to",
    "cfbl-address",
    "x-abuse",
    "x-abuse-reports-to",
    "x-complaints-to",
    "x-confirm-reading-to",
    "x-confirm-delivery-to",
    "x-pmrqc",
    "x-report-abuse",
    "x-report-abuse-to",
    "x-errors-to",
    "x-acknowledge-to",
    "x-failed-recipients",
)

CHANNELS = {name: FieldChannel(usual_spelling(name), mailboxes) for name in _NAMES}
