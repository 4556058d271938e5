# SPDX-License-Identifier: Apache-2.0
"""The forms of start: the replay asks for nothing."""
