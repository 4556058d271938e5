# SPDX-License-Identifier: Apache-2.0
"""The catching mailbox of a machine without a next hop."""
