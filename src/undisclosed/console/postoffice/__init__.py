# SPDX-License-Identifier: Apache-2.0
"""The post office: the mail that was caught on a machine without a next hop."""
