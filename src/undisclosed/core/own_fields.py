# SPDX-License-Identifier: Apache-2.0
"""Header fields of our own, in which tokens travel. They never leave with a mail."""

STAMP_FIELD = "X-Undisclosed-Stamp"
"""Put on the copies that we send: it went through this guard before."""

CLEARANCE_FIELD = "X-Undisclosed-Clearance"
"""Put on by a mail client that asked first: what was decided about this mail."""

OWN_FIELDS = frozenset((STAMP_FIELD.lower(), CLEARANCE_FIELD.lower()))
"""Lower-case. They are cut out of every mail, forged ones like good ones."""
