# SPDX-License-Identifier: Apache-2.0
"""The page behind a notice's link: for the sender, without logging in."""
