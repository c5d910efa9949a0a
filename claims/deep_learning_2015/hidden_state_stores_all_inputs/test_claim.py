"""Verdicts, controls, timings; checks of the instrument: what the bits are, where the gates begin, what a state can tell."""

from __future__ import annotations

import numpy as np

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))


def delay_line(units):
    """Return W and v of a state that holds the last `units` inputs, each in a unit of its own."""
    return np.eye(units, k=-1), np.eye(units)[0]


def test_instrument_a_delay_line_remembers_all_of_its_length_and_nothing_beyond(claim):
    np.testing.assert_allclose(claim.experiment.memory(*delay_line(5), 9), [1] * 5 + [0] * 4, atol=1e-12)


def test_instrument_shares_of_variance_are_those_of_a_regression_on_held_out_inputs(claim):
    """20,000 inputs are driven through a state; the read-outs are fitted on the first half and judged on the second."""
    w, v = claim.experiment.reservoir(SEEDS[0], 6, 0.9)
    inputs, state, states = SEEDS[0].numpy("inputs").standard_normal(20_000), np.zeros(6), []
    for value in inputs:
        state = w @ state + v * value
        states.append(state)
    states = np.array(states)[100:]
    past = np.stack([inputs[100 - lag : 20_000 - lag] for lag in range(12)], axis=1)
    half = len(states) // 2
    readout, *_ = np.linalg.lstsq(states[:half], past[:half], rcond=None)
    told = 1 - ((past - states @ readout)[half:] ** 2).mean(0) / (past[half:] ** 2).mean(0)

    np.testing.assert_allclose(claim.experiment.memory(w, v, 12), told, atol=0.03)


def test_instrument_a_rotation_keeps_lengths_but_for_its_contraction(claim):
    w, v = claim.experiment.reservoir(SEEDS[0], 7, 0.95)

    np.testing.assert_allclose(w.T @ w, 0.95**2 * np.eye(7), atol=1e-12)
    assert abs(v @ v - 1) < 1e-12


def test_instrument_bits_are_fair_and_tell_nothing_of_each_other(claim):
    """Of 4,000 sequences means and correlations lie within five standard errors of zero."""
    inputs, targets = claim.experiment.examples(SEEDS, n_train=4000, n_test=10, lag=5).train
    bits = inputs[..., 0].double().numpy()

    assert (bits == targets.double().numpy()).all()
    assert set(np.unique(bits)) == {-1.0, 1.0}
    for own in bits:
        assert np.abs(own.mean(0)).max() < 5 / 4000**0.5
        assert np.abs(own.T @ own / 4000 - np.eye(6)).max() < 5 / 4000**0.5 + 1e-9
    assert not (bits[0] == bits[1]).all()


def test_instrument_only_forget_gates_begin_elsewhere(claim):
    """A cell with nothing in its inputs keeps the share sigmoid(bias) of its content, in one step of torch's own LSTM."""
    import torch

    from harness.training import Optimiser, Recipe

    split = claim.experiment.examples(SEEDS, n_train=10, n_test=10, lag=5)
    recipe = Recipe(Optimiser("adam", 0.01), 10, epochs=0, loss="squared_error")
    usual, raised = (
        claim.experiment.fit(SEEDS, split, recipe, cell="lstm", units=3, forget_bias=bias).weights
        for bias in (0.0, 4.0)
    )
    changed = {name: (raised[name] - own).abs().flatten(1).sum(1) for name, own in usual.items()}

    assert [name for name, sums in changed.items() if sums.any()] == ["0.recurrent.bias_ih_l0"]
    cell = torch.nn.LSTM(1, 3, batch_first=True)
    with torch.no_grad():
        for name, own in cell.named_parameters():
            own.copy_(raised["0.recurrent." + name][0] - usual["0.recurrent." + name][0])
        _, (_, kept) = cell(torch.zeros(1, 1, 1), (torch.zeros(1, 1, 3), torch.ones(1, 1, 3)))
    np.testing.assert_allclose(kept, 1 / (1 + np.exp(-4.0)), rtol=1e-6)


def test_instrument_guessing_recalls_nothing_and_telling_recalls_all(claim):
    """A network whose state is the last input tells one bit always, and of several the worst as often as by guessing."""
    import torch
    from torch import nn

    from harness.training import Ensemble, LastStep

    last = LastStep(nn.RNN(1, 1, batch_first=True))
    values = {"weight_ih_l0": 1.0, "weight_hh_l0": 0.0, "bias_ih_l0": 0.0, "bias_hh_l0": 0.0}
    weights = {
        f"0.recurrent.{name}": torch.full((2, *own.shape), values[name])
        for name, own in last.recurrent.named_parameters()
    }
    for lag, expected in ((0, 1.0), (3, 0.0)):
        split = claim.experiment.examples(SEEDS, n_train=1, n_test=4000, lag=lag)
        readout = {"1.weight": torch.ones(2, lag + 1, 1), "1.bias": torch.zeros(2, lag + 1)}
        networks = Ensemble(nn.Sequential(last, nn.Linear(1, lag + 1)), weights | readout, "loop", "float32")
        np.testing.assert_allclose(claim.experiment.score(networks, split)["recalled"], expected, atol=5 / 4000**0.5)
