# SPDX-License-Identifier: Apache-2.0
"""Send: the right way to write to many, one message for each person."""
