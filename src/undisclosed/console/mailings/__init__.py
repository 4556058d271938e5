# SPDX-License-Identifier: Apache-2.0
"""Held mailings: the list, one mailing, and what is decided about it."""
