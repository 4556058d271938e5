# SPDX-License-Identifier: Apache-2.0
"""The first page: what this is, where mail flows, and a case to replay."""
