"""Parity and majority, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.cube import majority, parity, vertices


def test_row_i_of_the_vertices_holds_the_bits_of_i():
    assert vertices(3)[[0, 1, 5, 7]].tolist() == [[0, 0, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1]]


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_parity_is_balanced_and_flips_with_every_bit(dimension):
    corners = vertices(dimension)

    assert parity(corners).sum() == 0
    for bit in range(dimension):
        flipped = corners.copy()
        flipped[:, bit] ^= 1
        np.testing.assert_array_equal(parity(flipped), -parity(corners))


def test_majority_needs_more_than_half():
    assert majority(vertices(2)).tolist() == [-1, -1, -1, 1]
    assert majority(vertices(3)).tolist() == [-1, -1, -1, 1, -1, 1, 1, 1]
