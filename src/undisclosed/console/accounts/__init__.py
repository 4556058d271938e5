# SPDX-License-Identifier: Apache-2.0
"""Logging in and out, log-in links, and who has an account."""
