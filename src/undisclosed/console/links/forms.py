# SPDX-License-Identifier: Apache-2.0
"""The forms of links: one button each, nothing to fill in."""
