# SPDX-License-Identifier: Apache-2.0
"""The forms of observed mail: its list asks for nothing."""
