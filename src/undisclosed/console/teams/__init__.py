# SPDX-License-Identifier: Apache-2.0
"""Teams: who works together on lists and campaigns, and as what."""
