# SPDX-License-Identifier: Apache-2.0
"""Circles: people whom an approver declared to know one another."""
