# SPDX-License-Identifier: Apache-2.0
"""Observed mail: what the guard objected to and let pass."""
