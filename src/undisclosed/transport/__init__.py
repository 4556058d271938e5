# SPDX-License-Identifier: Apache-2.0
"""SMTP and mailboxes: the sockets and files that mail comes from and goes to."""
