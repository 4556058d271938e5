# SPDX-License-Identifier: Apache-2.0
"""Keeps the people an organisation writes to from being shown to each other."""
