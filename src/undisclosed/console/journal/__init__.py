# SPDX-License-Identifier: Apache-2.0
"""The journal: what was decided and done, for whoever audits it."""
