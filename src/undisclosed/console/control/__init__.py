# SPDX-License-Identifier: Apache-2.0
"""Visible-mail control: whose mail is held wherever two outsiders would see it."""
