# SPDX-License-Identifier: Apache-2.0
"""Where a mail came from: what an endpoint knows of its client beyond the envelope."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Origin:
    """How a mail was handed in, and by whom.

    ``endpoint`` is ``SMTP``, ``milter``, ``sendmail`` or ``HTTP``; ``client`` the
    client's IP address, empty for a local process; ``login`` the name that
    authenticated (an access token's name, a system user), empty where nobody did;
    ``certificate`` the SHA-256 fingerprint of the client's certificate, lower-case
    hexadecimal, empty without one; ``tenant`` the name of the cloud tenant whose
    proof the mail carried (design: tenant proof).
    """

    endpoint: str = ""
    client: str = field(default="", repr=False)
    login: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    tenant: str = ""


UNKNOWN = Origin()
"""Nothing is known of the client: no exemption and no pass rests on it."""
