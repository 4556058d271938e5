# SPDX-License-Identifier: Apache-2.0
"""The HTTP API for mail clients and programs: JSON, access tokens, no pages."""
