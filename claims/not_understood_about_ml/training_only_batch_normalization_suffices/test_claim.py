"""Verdicts, controls, timings; checks of the instrument: what moves in training and what does not, and how many of it."""

from __future__ import annotations

import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
SIZES = {"n_train": 100, "n_test": 20, "side": 14}
WIDTH, DEPTH = 8, 4
NORMALIZATION = {f"{number}.{part}" for number in (1, 4, 7, 10) for part in ("weight", "bias")}
MATRICES = {"0.weight", "3.weight", "6.weight", "9.weight", "12.weight"}


def moved(claim, trained, *, times=1, rates=(0.5, 1.0)):
    """Return where parameters differ from those that nothing was done to, truth values by name, (n_seeds, *shape)."""
    from harness.training import Optimiser, Recipe

    start, end = (
        claim.experiment.fit(
            SEEDS,
            claim.experiment.examples(SEEDS, **SIZES),
            Recipe(Optimiser("sgd", rates[0]), 50, steps=steps, initialiser="he", rates=rates),
            width=WIDTH, depth=DEPTH, trained=trained, times=times,
        )
        for steps in (0, 4)
    )  # fmt: skip
    names = [name for name, _ in start.module.named_parameters()]
    return {name: start.weights[name] != end.weights[name] for name in names}


@pytest.mark.parametrize(
    ("trained", "expected"),
    [
        ("normalization", NORMALIZATION),
        ("output", {"12.weight", "12.bias"}),
        ("all", NORMALIZATION | MATRICES | {"12.bias"}),
    ],
)
def test_instrument_nothing_else_moves(claim, trained, expected):
    """Biases before a normalisation have no slope but rounding, and may stay or move by it where all is trained."""
    idle = {"0.bias", "3.bias", "6.bias", "9.bias"} if trained == "all" else set()

    assert {name for name, own in moved(claim, trained).items() if own.any()} - idle == expected


@pytest.mark.parametrize("times", [1, 3])
def test_instrument_as_many_random_weights_move_as_there_are_scales_and_shifts(claim, times):
    """At most so many, and nearly all: the slope of a weight is zero where its unit is off for all digits."""
    found = moved(claim, "random", times=times)
    numbers = sum(own.flatten(1).sum(1) for own in found.values())
    count = times * 2 * DEPTH * WIDTH

    assert {name for name, own in found.items() if own.any()} <= MATRICES
    assert (numbers <= count).all()
    assert (numbers >= 0.7 * count).all()


def test_instrument_each_seed_draws_its_weights_from_all_matrices_alike(claim):
    network = claim.experiment.network(196, WIDTH, DEPTH)
    kept = claim.experiment.frozen(network, "random", SEEDS, 10)
    free = {name: (~kept[name]).flatten(1).sum(1) for name in MATRICES}
    share = 10 * 2 * DEPTH * WIDTH / sum(kept[name][0].numel() for name in MATRICES)

    assert all(kept[name].all() for name in kept if name not in MATRICES)
    assert sum(free.values()).tolist() == [640, 640]
    assert free["0.weight"][0].item() == pytest.approx(share * 196 * WIDTH, rel=0.1)
    assert (kept["0.weight"][0] != kept["0.weight"][1]).any()


@pytest.mark.parametrize(("width", "weights", "scales"), [(50, 18_010, 400), (300, 333_010, 2_400)])
def test_instrument_sizes_are_those_that_are_printed(claim, width, weights, scales):
    network = claim.experiment.network(196, width, DEPTH)
    parameters = {name: own.numel() for name, own in network.named_parameters()}
    found = sum(parameters[name] for name in claim.experiment.normalization(network))

    assert found == scales
    assert sum(parameters.values()) - found == weights
