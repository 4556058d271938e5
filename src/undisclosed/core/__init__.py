# SPDX-License-Identifier: Apache-2.0
"""Who would see whom, and may they? Pure: no I/O, no clock, no settings."""
