# SPDX-License-Identifier: Apache-2.0
"""SMTP (RFC 5321): state machines without I/O, and the sockets around them."""
