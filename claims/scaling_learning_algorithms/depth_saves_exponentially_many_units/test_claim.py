"""Verdicts, controls, timings; checks of the instrument: the sawtooth by folding, pieces by brute force, a bound that is attained."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(3))


def built(claim, start, folds, slopes=(2.0, -2.0), spread=0.0):
    """Return untrained networks of a construction, and its examples."""
    from harness.training import Optimiser, Recipe

    recipe = Recipe(Optimiser("adam", 1e-3), 10, steps=0, loss="squared_error", precision="float64")
    split = claim.experiment.examples(SEEDS, n_train=20, folds=folds)
    design = {"start": start, "hidden": [3], "folds": folds, "slopes": slopes, "spread": spread}
    return claim.experiment.fit(SEEDS, split, recipe, **design), split


def parts_of(networks, number):
    return [own[number].numpy() for own in networks.weights.values()]


def test_instrument_sawtooth_is_the_tent_composed(claim):
    """By folding each place as often as the target says, in training and test."""
    for folds in (1, 2, 5, 10):
        split = built(claim, "drawn", folds)[1]
        for places, values in (split.train, split.test):
            folded = places.numpy()
            for _ in range(folds):
                folded = np.where(folded < 0.5, 2 * folded, 2 - 2 * folded)
            np.testing.assert_allclose(values.numpy(), folded, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("start", "folds"), [("in_a_row", 1), ("in_a_row", 7), ("side_by_side", 1), ("side_by_side", 7)]
)
def test_instrument_constructions_make_the_sawtooth_of_any_number_of_folds(claim, start, folds):
    networks, split = built(claim, start, folds)

    assert (networks.predict(split.test[0]) == split.test[1]).all()
    assert len(networks.weights) == (2 * folds + 2 if start == "in_a_row" else 4)


def straight(parts, cells=2**14):
    """Return how many runs of equal slope a fine grid shows, those of one or two cells being turns within a cell."""
    values = np.linspace(0, 1, cells + 1)[:, None]
    for number in range(len(parts) // 2):
        values = (np.maximum(values, 0) if number else values) @ parts[2 * number].T + parts[2 * number + 1]
    slopes = np.round(np.diff(values[:, 0]) * cells, 5)
    return sum(len(list(run)) > 2 for _, run in itertools.groupby(slopes))


@pytest.mark.parametrize("hidden", [(6,), (4, 4), (3, 3, 3)])
def test_instrument_pieces_are_those_that_a_fine_grid_shows(claim, hidden):
    """Of random networks of one to three layers."""
    counts = []
    for number in range(12):
        generator = np.random.default_rng(number)
        sizes = [1, *hidden, 1]
        parts = []
        for below, units in itertools.pairwise(sizes):
            parts += [generator.standard_normal((units, below)), generator.standard_normal(units)]
        counts.append(claim.experiment.pieces(parts))
        assert counts[-1] == straight(parts)

    assert max(counts) >= 4


@pytest.mark.parametrize("units", [1, 7, 110])
def test_instrument_one_layer_attains_its_bound(claim, units):
    """With its turns spread over [0, 1] and every unit adding to the slope, m units make m + 1 pieces, and no more."""
    turns = np.arange(1, units + 1) / (units + 1)
    parts = [np.ones((units, 1)), -turns, np.ones((1, units)), np.zeros(1)]

    assert claim.experiment.pieces(parts) == units + 1


def test_instrument_units_that_turn_nowhere_make_no_piece(claim):
    """Turns outside [0, 1], two that cancel, and a layer that is on everywhere."""
    parts = [np.ones((4, 1)), np.array([-2.0, 1.0, -0.5, -0.5]), np.array([[1.0, 1.0, 1.0, -1.0]]), np.zeros(1)]

    assert claim.experiment.pieces(parts) == 1


def test_instrument_what_is_counted_and_saved(claim):
    """Three folds in a row: 8 pieces of 6 units and 19 numbers, where one layer takes 7 units and 22 numbers."""
    score = claim.experiment.score(*built(claim, "in_a_row", 3))

    assert score["squared_error"].tolist() == [0, 0, 0]
    assert score["pieces_over_bound"].tolist() == pytest.approx([8 / 7] * 3, abs=1e-12)
    assert score["parameters_saved"].tolist() == pytest.approx([22 / 19] * 3, abs=1e-12)


def test_instrument_error_of_the_best_constant_is_one(claim):
    """A network of zeros with the bias 1/2 misses the sawtooth by its variance; the grid's is off by a thousandth at most."""
    from dataclasses import replace

    import torch

    networks, split = built(claim, "side_by_side", 5)
    zeros = {name: torch.zeros_like(own) for name, own in networks.weights.items()}
    zeros["2.bias"] += 0.5

    assert claim.experiment.score(replace(networks, weights=zeros), split)["squared_error"] == pytest.approx(
        [1] * 3, abs=1e-3
    )


def test_instrument_starts_are_disturbed_seed_by_seed(claim):
    exact, disturbed = (built(claim, "in_a_row", 5, spread=spread)[0] for spread in (0.0, 0.001))
    moved = [
        np.concatenate(
            [(one - other).ravel() for one, other in zip(parts_of(disturbed, own), parts_of(exact, own), strict=True)]
        )
        for own in range(3)
    ]

    assert len({float(own[0]) for own in moved}) == 3
    assert np.std(moved) == pytest.approx(0.001, rel=0.3)
