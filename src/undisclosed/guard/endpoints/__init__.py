# SPDX-License-Identifier: Apache-2.0
"""The ways into the guard. Each translates; none decides."""
