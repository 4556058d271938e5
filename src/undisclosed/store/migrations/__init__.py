# SPDX-License-Identifier: Apache-2.0
"""The steps that bring the tables from one release to the next."""
