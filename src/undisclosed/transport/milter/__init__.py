# SPDX-License-Identifier: Apache-2.0
"""The milter protocol, version 6: how Postfix and Sendmail ask a filter about mail."""
