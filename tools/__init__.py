# SPDX-License-Identifier: Apache-2.0
"""What builds, checks and documents the project; no part of the program."""
