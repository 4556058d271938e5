# SPDX-License-Identifier: Apache-2.0
"""The public page behind a message's link to unsubscribe."""
