# SPDX-License-Identifier: Apache-2.0
"""Measurements: ours, a peer and the physical bound, in turn in one run."""
