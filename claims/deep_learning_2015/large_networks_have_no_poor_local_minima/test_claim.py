"""Verdicts, controls, timings; checks of the instrument: the task, that two units can do it, that the stuck are stuck, restarts."""

from __future__ import annotations

import math

import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
TASK = {"task": "exclusive_or", "restarts": 8}


def trained(claim, seeds=SEEDS, steps=500, width=2):
    from harness.training import Optimiser, Recipe

    split = claim.experiment.examples(seeds, n_train=4, side=8, **TASK)
    recipe = Recipe(Optimiser("adam", 0.03), batch_size=100_000, steps=steps, initialiser="he", precision="float64")
    return split, claim.experiment.fit(seeds, split, recipe, width=width, **TASK)


def by_hand(claim, weights):
    """Return a network of two hidden units with these weights, for one restart of one seed."""
    import torch

    from harness.training import Ensemble

    own = {name: torch.tensor([values], dtype=torch.float64) for name, values in weights.items()}
    with torch.device("meta"):
        module = claim.experiment.perceptron(2, [2], 2).eval()
    return Ensemble(module, own, "loop", "float64")


def test_instrument_exclusive_or_asks_whether_two_signs_differ(claim):
    inputs, classes = claim.experiment.examples(SEEDS, n_train=4, side=8, **TASK).train

    assert inputs.shape == (16, 4, 2)
    assert all(
        (int(own[0] != own[1]) == kind) for own, kind in zip(inputs[0].tolist(), classes[0].tolist(), strict=True)
    )
    assert (inputs == inputs[0]).all()
    assert (classes == classes[0]).all()


def test_instrument_two_units_can_do_exclusive_or(claim):
    """relu(x + y) + relu(-x - y) is 2 where the signs agree, and 0 where they differ: what is stuck lacks no capacity."""
    weights = {"0.weight": [[1, 1], [-1, -1]], "0.bias": [0, 0], "2.weight": [[20, 20], [0, 0]], "2.bias": [-20, 0]}
    network = by_hand(claim, weights)
    split = claim.experiment.examples(SEEDS[:1], n_train=4, side=8, task="exclusive_or", restarts=1)
    found = claim.experiment.final_losses(network, split, "exclusive_or", 1)

    assert found.item() == pytest.approx(math.log1p(math.exp(-20)) / math.log(2), rel=1e-6)


def test_instrument_guessing_leaves_all_of_the_loss_of_guessing(claim):
    weights = {"0.weight": [[1, 1], [-1, -1]], "0.bias": [0, 0], "2.weight": [[0, 0], [0, 0]], "2.bias": [0, 0]}
    split = claim.experiment.examples(SEEDS[:1], n_train=4, side=8, task="exclusive_or", restarts=1)

    assert claim.experiment.final_losses(by_hand(claim, weights), split, "exclusive_or", 1).item() == pytest.approx(1)


def test_instrument_the_stuck_stay_stuck_and_have_no_gradient(claim):
    """Three times the steps free none, and the slope where they are is less than a fiftieth of what it is at a start."""
    import torch

    from fixtures.curvature import gradient

    split, networks = trained(claim)
    left, later = (
        claim.experiment.final_losses(own, split, **TASK).flatten() for own in (networks, trained(claim, steps=1500)[1])
    )
    stuck = left > claim.experiment.STUCK

    def slope(own):
        parts = gradient(own, *split.train, "cross_entropy").values()
        return sum(part.flatten(1).square().sum(1) for part in parts).sqrt()

    assert 4 <= stuck.sum() < 16
    assert torch.equal(later > claim.experiment.STUCK, stuck)
    assert (slope(networks)[stuck] < 0.02 * slope(trained(claim, steps=0)[1]).mean()).all()


def test_instrument_restarts_begin_each_elsewhere_on_the_same_digits(claim):
    _, networks = trained(claim, steps=0)
    first = networks.weights["0.weight"].flatten(1)
    inputs, _ = claim.experiment.examples(SEEDS, task="digits", n_train=20, side=8, restarts=3).train

    assert len({tuple(own) for own in first.tolist()}) == 16
    assert (inputs[0] == inputs[2]).all()
    assert not (inputs[2] == inputs[3]).all()


def test_instrument_a_seed_has_its_own_restarts_in_company(claim):
    """Those of the second seed are the second row, as they are alone but for rounding."""
    import torch

    split, together = trained(claim, width=4)
    alone_split, alone = trained(claim, SEEDS[1:], width=4)
    both = claim.experiment.final_losses(together, split, **TASK)

    assert both.shape == (2, 8)
    torch.testing.assert_close(
        both[1:], claim.experiment.final_losses(alone, alone_split, **TASK), rtol=1e-6, atol=1e-9
    )


def test_instrument_what_is_counted_of_restarts(claim, monkeypatch):
    import torch

    left = torch.tensor([[0.0, 0.05, 0.5, 0.7], [0.0, 0.0, 0.0, 0.2]])
    monkeypatch.setattr(claim.experiment, "final_losses", lambda *_: left)
    found = claim.experiment.score(None, None, task="digits", restarts=4)

    assert found["stuck_share"].tolist() == [0.5, 0.25]
    assert found["worst_loss"].tolist() == pytest.approx([0.7, 0.2])
    assert found["spread"].tolist() == pytest.approx([(left[0] - 0.3125).square().sum().div(3).sqrt().item(), 0.1])
