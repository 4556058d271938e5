# SPDX-License-Identifier: Apache-2.0
"""The picture's geometry: shares of a bar, never wider than the bar."""

from hypothesis import given
from hypothesis import strategies as st

from undisclosed.console.picture import Part, pieces

parts = st.lists(
    st.builds(Part, st.integers(-3, 10**7), st.sampled_from(["seen", "rest"])),
    max_size=6,
)


@given(parts, st.integers(0, 10**7))
def test_the_pieces_lie_side_by_side_inside_the_bar(
    given_parts: list[Part], whole: int
) -> None:
    drawn = pieces(given_parts, whole=whole)

    end = 0.0
    for piece in drawn:
        assert abs(float(piece.x) - end) < 0.002
        end = float(piece.x) + float(piece.width)
    assert end <= 100.002


def test_a_piece_is_as_wide_as_its_share() -> None:
    drawn = pieces([Part(119, "seen"), Part(0, "wait"), Part(79, "rest")], whole=198)

    assert [(piece.x, piece.width, piece.kind) for piece in drawn] == [
        ("0.000", "60.101", "seen"),
        ("60.101", "39.899", "rest"),
    ]


def test_an_empty_whole_draws_nothing_wide() -> None:
    assert all(piece.width == "0.000" for piece in pieces([Part(4, "seen")], whole=0))
