# SPDX-License-Identifier: Apache-2.0
"""Lists of recipients: made, filled, read with a right, destroyed; suppressions."""
