# SPDX-License-Identifier: Apache-2.0
"""A recall is known in the language of its sender."""

import pytest

from undisclosed.core.recall import (
    RECALL_PREFIXES,
    has_recall_class,
    is_recall_class,
    recalled_subject,
)


@pytest.mark.parametrize("prefix", RECALL_PREFIXES)
@pytest.mark.parametrize("colon", [":", " :", "："])
def test_a_recall_names_the_subject_it_recalls(prefix, colon):
    assert recalled_subject(f"{prefix.upper()}{colon} Newsletter") == "Newsletter"


@pytest.mark.parametrize(
    "subject", ["", "Newsletter", "Product recall: bicycles", "Re: x"]
)
def test_other_subjects_recall_nothing(subject):
    assert recalled_subject(subject) is None


@pytest.mark.parametrize(
    "tnef", [b"..IPM.Outlook.Recall\x00", "..IPM.Outlook.Recall".encode("utf-16-le")]
)
def test_the_class_is_found_in_a_tnef_stream(tnef):
    assert has_recall_class(tnef)


def test_other_classes_are_no_recall():
    assert not has_recall_class(b"IPM.Note\x00")
    assert not is_recall_class("urn:content-classes:message")
    assert is_recall_class("urn:content-classes:recallmessage")
    assert is_recall_class("IPM.Outlook.Recall")
