# SPDX-License-Identifier: Apache-2.0
"""A field of a form for several addresses, one on each line or parted by commas."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from undisclosed.core.address import Address, parse_addr_spec

MOST = 10_000

_BETWEEN = re.compile(r"[\s,;<>]+")


class AddressesField(forms.CharField):
    """Several addresses; the form's value is a set of Address."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", gettext_lazy("One on each line."))
        kwargs.setdefault("max_length", 1_000_000)
        super().__init__(
            widget=forms.Textarea(
                attrs={"rows": 4, "autocapitalize": "none", "spellcheck": "false"}
            ),
            **kwargs,
        )

    def clean(self, value: Any) -> frozenset[Address]:
        """The addresses, or a sentence that says which place is none."""
        found = set()
        words = [word for word in _BETWEEN.split(super().clean(value)) if word]
        for place, word in enumerate(words[:MOST], start=1):
            address = parse_addr_spec(word)
            if address is None or not address.domain:
                raise ValidationError(
                    _("Number %(place)s is no address."), params={"place": place}
                )
            found.add(address)
        return frozenset(found)
