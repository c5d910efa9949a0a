"""Separable blobs are separable, and drawn by the generator alone."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from fixtures.separable import separable_blobs


def test_some_plane_through_the_origin_separates_them():
    inputs, labels = separable_blobs(np.random.default_rng(0), 30, 20)
    signed = labels[:, None] * inputs

    found = linprog(np.zeros(20), A_ub=-signed, b_ub=-np.ones(30), bounds=[(None, None)] * 20)

    assert found.status == 0
    assert set(labels) == {-1.0, 1.0}


def test_the_same_generator_gives_the_same_blobs_and_another_gives_others():
    first, again, other = (separable_blobs(np.random.default_rng(k), 5, 3)[0] for k in (1, 1, 2))

    np.testing.assert_array_equal(first, again)
    assert not np.isin(first, other).any()
