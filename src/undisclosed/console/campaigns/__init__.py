# SPDX-License-Identifier: Apache-2.0
"""Campaigns: written, checked, approved by others, sent, followed."""
