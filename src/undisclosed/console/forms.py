# SPDX-License-Identifier: Apache-2.0
"""What every form of the console has in common."""

from django import forms


class ConsoleForm(forms.Form):
    """A form whose fields tell screen readers where their hint and error stand.

    Templates draw each field with ``console/field.html``; Django sets
    ``aria-invalid`` and ``aria-describedby`` to the ids used there.
    """

    use_required_attribute = True
    error_css_class = "error"
    required_css_class = ""
