# SPDX-License-Identifier: Apache-2.0
"""The guard in the sending path: one checkpoint, several endpoints."""
