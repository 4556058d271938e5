# SPDX-License-Identifier: Apache-2.0
"""The tags and filters of the console's templates."""
