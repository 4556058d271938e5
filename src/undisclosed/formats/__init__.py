# SPDX-License-Identifier: Apache-2.0
"""Machine-written things as plain values: DSN, configuration."""
