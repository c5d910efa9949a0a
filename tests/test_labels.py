"""Labels drawn anew: how many, to what, and in common between conditions."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.labels import redrawn
from harness.seeds import Seed

SEED = Seed(0, "labels", 0)
LABELS = np.tile(np.arange(10), 2000)


@pytest.mark.parametrize("share", [0.05, 0.4, 1.0])
def test_the_expected_part_is_wrong_and_all_classes_are_drawn(share):
    """Within five standard errors of share * 9 / 10, over 20,000 labels."""
    found = redrawn(LABELS, share, 10, SEED)

    expected = share * 0.9
    error = 5 * np.sqrt(expected * (1 - expected) / len(LABELS))
    assert np.mean(found != LABELS) == pytest.approx(expected, abs=error)
    assert set(found[found != LABELS]) == set(range(10))


def test_no_share_leaves_all_labels():
    np.testing.assert_array_equal(redrawn(LABELS, 0.0, 10, SEED), LABELS)


def test_a_larger_share_redraws_what_a_smaller_one_does_and_to_the_same_class():
    small, large = (redrawn(LABELS, share, 10, SEED) for share in (0.05, 0.4))
    changed = small != LABELS

    np.testing.assert_array_equal(large[changed], small[changed])


def test_seeds_have_noise_of_their_own():
    assert not np.array_equal(redrawn(LABELS, 0.4, 10, SEED), redrawn(LABELS, 0.4, 10, Seed(0, "labels", 1)))
