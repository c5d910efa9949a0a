"""Verdicts, controls, timings; checks of the instrument: what is cut, when, by which rank, and that it stays cut."""

from __future__ import annotations

import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
WEIGHTS = 196 * 30 + 30 * 20 + 20 * 10


@pytest.fixture
def trained(claim):
    """Return a function that trains small networks in stages, by name of the arm that has them."""
    from harness.training import Optimiser, Recipe

    split = claim.experiment.examples(SEEDS, n_train=200, n_test=100, side=14)

    def networks(stages, score="magnitude", ranking="largest", epochs=4):
        recipe = Recipe(Optimiser("sgd", 0.1, 0.9), 50, epochs=epochs, initialiser="he")
        settings = {"stages": stages, "score": score, "ranking": ranking, "density": 0.1, "hidden": [30, 20]}
        return claim.experiment.fit(SEEDS, split, recipe, **settings)

    return networks


def weights_of(networks):
    """Return all weights that can be cut, (n_seeds, weights)."""
    import torch

    return torch.cat([networks.weights[f"{layer}.weight"].flatten(1) for layer in (0, 2, 4)], 1)


@pytest.mark.parametrize(
    ("stages", "score"), [((1, 0), "magnitude"), ((0.25,) * 4, "magnitude"), ((0, 1), "sensitivity"), ((0, 1), "lot")]
)
def test_instrument_a_tenth_of_the_weights_is_left_and_all_biases(trained, stages, score):
    networks = trained(stages, score)

    assert (weights_of(networks) != 0).sum(1).tolist() == [round(0.1 * WEIGHTS)] * 2
    assert all((networks.weights[f"{layer}.bias"] != 0).any() for layer in (0, 2, 4))


def test_instrument_without_a_cut_all_weights_are_left(trained):
    assert (weights_of(trained((1,))) != 0).all()


def test_instrument_cutting_alone_leaves_the_largest_weights_of_the_dense_network_as_they_are(trained):
    dense, cut = weights_of(trained((1,))), weights_of(trained((1, 0)))

    for before, after in zip(dense, cut, strict=True):
        assert (after[after != 0] == before[after != 0]).all()
        assert before[after != 0].abs().min() >= before[after == 0].abs().max()


def test_instrument_what_a_round_cuts_no_later_round_brings_back(claim):
    """Also where the smallest are kept: a weight that was cut has the smallest magnitude of all."""
    import torch

    found, before = {"w": torch.tensor([[4.0, 3.0, 0.0, 0.0]])}, {"w": torch.tensor([[1.0, 1.0, 0.0, 0.0]])}

    assert claim.experiment.survivors(found, before, "largest", 0.25)["w"].tolist() == [[1, 0, 0, 0]]
    assert claim.experiment.survivors(found, before, "smallest", 0.25)["w"].tolist() == [[0, 1, 0, 0]]


def test_instrument_before_training_the_weights_are_the_initial_ones(trained):
    """Cut at once and not trained, what is left of the weights is what He's rule drew for the dense network."""
    untrained, cut = weights_of(trained((1,), epochs=0)), weights_of(trained((0, 1), "sensitivity", epochs=0))

    assert (cut[cut != 0] == untrained[cut != 0]).all()


def test_instrument_all_arms_train_equally_long(claim):
    assert {sum(arm["stages"]) for arm in claim.plan.claim.arms.values()} == {1.0}
