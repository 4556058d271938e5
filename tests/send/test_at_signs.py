# SPDX-License-Identifier: Apache-2.0
"""An at sign is explained by an address, by constant text, or not at all."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.address import Address
from undisclosed.send.at_signs import constant_signs, has_unexplained_sign, plainly

ANN = Address("ann", "a.example")
texts = st.text(st.sampled_from('ab@ \n.<>"(%4026&#;\u00fc\uff20\u200b\u3002'))


@given(texts)
def test_without_people_every_at_sign_is_nobodys(text):
    assert has_unexplained_sign(text, set(), set()) == ("@" in plainly(text))


@given(texts)
def test_a_constant_text_explains_itself(text):
    assert not has_unexplained_sign(text, set(), constant_signs([text]))


@given(texts)
def test_a_percent_form_of_a_text_has_the_same_at_signs(text):
    if "%" not in text and "&" not in text:
        assert plainly(quote(text)) == plainly(text)


@pytest.mark.parametrize("before", ["", "Ann <", "x\n", "mailto:", "?to=", "'", "*"])
@pytest.mark.parametrize("behind", ["", ">", ".", ", or", "'", "_"])
def test_an_address_is_explained_whatever_signs_stand_around_it(before, behind):
    text = f"https://u.example/{before}" if before == "?to=" else before

    assert not has_unexplained_sign(f"{text}ann@a.example{behind}", {ANN}, set())
