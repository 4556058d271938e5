# SPDX-License-Identifier: Apache-2.0
"""The forms of unsubscribing: one button, nothing to fill in."""
