# SPDX-License-Identifier: Apache-2.0
"""Every fault of a settings file is named, with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.store.settings import load
from undisclosed.store.settings_faults import faults

MANY = """\
[guard]
listen = "nowhere"
mod = "observe"
processes = "two"

[holds]
expiry = -1

[policy]
own_domains = ["council.example", "co.uk", "b c", "school.example", "d e"]

[[policy.lists]]
address = "clinic@council.example"
members = ["bob@b.example", "nobody"]

[[policy.lists]]
members = []

[[policy.lists]]
address = "third@council.example"
membres = []
"""


def written(folder: Path, text: str) -> Path:
    """A settings file."""
    file = folder / "undisclosed.toml"
    file.write_text(text, "utf-8")
    return file


def lines(file: Path) -> list[int]:
    """The line of every fault."""
    return [int(str(fault).split(":")[1]) for fault in faults(file, {})]


def test_every_fault_is_named_with_its_own_line(tmp_path: Path) -> None:
    file = written(tmp_path, MANY)

    assert lines(file) == [2, 3, 4, 7, 10, 10, 10, 14, 16, 21]


def test_good_settings_have_none(tmp_path: Path) -> None:
    file = written(tmp_path, '[policy]\nown_domains = ["council.example"]\n')

    assert faults(file, {}) == ()
    assert load(file, {}).policy.own_domains == {"council.example"}


def test_what_is_no_toml_is_one_fault(tmp_path: Path) -> None:
    assert lines(written(tmp_path, "[guard]\nlisten = = 3\nmod = 2\n")) == [2]


def test_a_file_that_cannot_be_read_is_one_fault(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path / "missing.toml", {})

    assert "cannot be read" in str(fault)


def test_what_is_wrong_with_the_environment_is_named_after_the_file(
    tmp_path: Path,
) -> None:
    file = written(tmp_path, "[gard]\n")
    both = {"DATABASE_URL": "postgres://a", "DATABASE_URL_FILE": "b"}

    first, second = faults(file, both)

    assert "gard" in str(first)
    assert str(second).startswith("Both DATABASE_URL and DATABASE_URL_FILE are set")


def test_a_fault_about_something_missing_does_not_hide_other_tables(
    tmp_path: Path,
) -> None:
    text = '[guard]\ntls_certificate = "a.crt"\n[holds]\nexpiry = "x"\n'

    assert len(faults(written(tmp_path, text), {})) == 2


def test_no_fault_spells_an_address(tmp_path: Path) -> None:
    text = (
        '[policy.keys]\n"bob@b.example" = "no list"\n[holds]\ndesk = "a b@c.example"\n'
    )

    found = faults(written(tmp_path, text), {})

    assert len(found) == 2
    assert not any("bob@" in repr(one) or "a b@" in repr(one) for one in found)


@given(st.sets(st.sampled_from(range(8)), max_size=8))
def test_as_many_faults_as_wrong_domains_are_named_each_at_its_line(
    tmp_path_factory: pytest.TempPathFactory, wrong: set[int]
) -> None:
    domains = [f"n{n} x" if n in wrong else f"n{n}.example" for n in range(8)]
    listed = "".join(f'  "{domain}",\n' for domain in domains)
    folder = tmp_path_factory.mktemp("settings")
    file = written(folder, f"[policy]\nown_domains = [\n{listed}]\n")

    assert lines(file) == [3 + number for number in sorted(wrong)]
