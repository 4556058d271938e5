# SPDX-License-Identifier: Apache-2.0
"""Properties are checked without a deadline: a busy machine proves nothing."""

from hypothesis import settings

settings.register_profile("undisclosed", deadline=None)
settings.load_profile("undisclosed")
