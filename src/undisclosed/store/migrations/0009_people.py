# SPDX-License-Identifier: Apache-2.0
"""Not yet anything."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    """Nothing."""

    dependencies: ClassVar = [("store", "0008_send")]

    operations: ClassVar = []
