# SPDX-License-Identifier: Apache-2.0
"""Documents read in child processes: spreadsheets, PDF, archives, Outlook's forms.

``pool`` is what others use. ``child`` is the program of a child, ``readers`` what it
runs: one file for each form of document.
"""
