# SPDX-License-Identifier: Apache-2.0
"""Readers of documents, one file for each form. They run in a child process only.

Each is a function of the document's bytes and the ``Findings`` to fill. It may raise
Broken, Protected, TooMuch or anything else: ``kinds`` says what becomes of that.
"""
