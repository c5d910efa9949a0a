"""Verdicts, controls, timings; checks of the instrument: gradients in training, shift and landscape by a second way."""

from __future__ import annotations

import copy

import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
SIZES = {"n_train": 60, "n_test": 20, "side": 14}
RATE = 0.3
NOISE = [0.5, 1.25, 0.1]
KINDS = pytest.mark.parametrize("normalized", [False, True])


def digits(claim):
    """Return the digits to train on."""
    ink, labels = claim.experiment.examples(SEEDS, **SIZES).train
    return ink.double(), labels


def networks(claim, *, normalized=False, noise=(), steps=0):
    """Return networks of three layers that have taken so many steps, each on all digits, in float64."""
    from harness.training import Optimiser, Recipe

    recipe = Recipe(Optimiser("sgd", RATE), SIZES["n_train"], steps=steps, precision="float64")
    split = claim.experiment.examples(SEEDS, **SIZES)
    return claim.experiment.fit(SEEDS, split, recipe, hidden=[8, 7], normalized=normalized, noise=noise)


def draws(role="noise"):
    """Return numbers for the noise."""
    from harness.training import Draws

    return Draws.of(SEEDS, role)


def module_of(ensemble, number, weights=None):
    """Return a seed's network as an ordinary module of torch, in training."""
    own = copy.deepcopy(ensemble.module).to_empty(device="cpu").double().train()
    own.load_state_dict({name: every[number] for name, every in (weights or ensemble.weights).items()})
    return own


def slopes_of(module, ink, labels):
    """Return the gradient of a module's loss by name, as torch has it, and the loss."""
    import torch

    loss = torch.nn.functional.cross_entropy(module(ink), labels)
    loss.backward()
    return {name: own.grad for name, own in module.named_parameters()}, loss.item()


@KINDS
def test_instrument_outputs_are_those_of_the_network_in_training(claim, normalized):
    import torch

    made, (ink, _) = networks(claim, normalized=normalized, steps=3), digits(claim)

    found = claim.experiment.outputs(made.module, made.weights, ink, None)

    torch.testing.assert_close(found, torch.stack([module_of(made, number)(ink[number]) for number in range(2)]))


@KINDS
def test_instrument_a_step_down_the_slopes_is_a_step_of_training(claim, normalized):
    import torch

    (start, after), batch = (networks(claim, normalized=normalized, steps=steps) for steps in (0, 1)), digits(claim)
    names = [name for name, _ in start.module.named_parameters()]

    slopes = claim.experiment.slopes(start.module, start.weights, names, batch, None)

    for name in names:
        torch.testing.assert_close(start.weights[name] - RATE * slopes[name], after.weights[name], msg=name)


@KINDS
def test_instrument_shift_is_that_of_a_loop_over_modules(claim, normalized):
    """Definition 2.1 of Santurkar et al. 2018, layer by layer, with torch's own modules and autograd."""
    import torch

    made, (ink, labels) = networks(claim, normalized=normalized, steps=3), digits(claim)
    found = claim.experiment.covariate_shift(made, (ink, labels), RATE, draws())

    for number in range(2):
        before, _ = slopes_of(module_of(made, number), ink[number], labels[number])
        shifts = []
        for layer in claim.experiment.matrices(made.weights)[1:]:
            moved = module_of(made, number)
            with torch.no_grad():
                for name, own in moved.named_parameters():
                    if int(name.split(".")[0]) < int(layer.split(".")[0]):
                        own.sub_(RATE * before[name])
            after, _ = slopes_of(moved, ink[number], labels[number])
            shifts.append(1 - torch.cosine_similarity(before[layer].flatten(), after[layer].flatten(), dim=0))
        assert len(shifts) == 2
        assert found[number].item() == pytest.approx(torch.stack(shifts).mean().item(), rel=1e-6)
        assert found[number] > 1e-4


def test_instrument_only_noise_shifts_what_takes_no_step(claim):
    plain, noisy = networks(claim), networks(claim, noise=NOISE)

    assert claim.experiment.covariate_shift(plain, digits(claim), 0.0, draws()).abs().max() < 1e-12
    assert claim.experiment.covariate_shift(noisy, digits(claim), 0.0, draws()).min() > 0.05


def test_instrument_noise_is_that_of_the_layer_in_training(claim):
    """For each seed what `SeededNoise` makes of its sums with the seed's own draws."""
    import torch

    from harness.training import Draws, SeededNoise

    sums = torch.linspace(-2, 2, 2 * 5 * 3, dtype=torch.float64).view(2, 5, 3)
    found = claim.experiment.outputs(torch.nn.Sequential(SeededNoise(*NOISE)), {}, sums, draws())

    for number, seed in enumerate(SEEDS):
        layer = SeededNoise(*NOISE, Draws.of((seed,), "noise")).train()
        torch.testing.assert_close(found[number], layer(sums[number]))


@KINDS
def test_instrument_landscape_of_a_small_step_is_that_of_calculus(claim, normalized):
    """The loss falls by the step times the gradient's square, and the gradient changes by the Hessian's product with it."""
    import torch

    small, made, (ink, labels) = 1e-6, networks(claim, normalized=normalized, steps=3), digits(claim)
    loss_range, change = claim.experiment.landscape(made, (ink, labels), small)

    for number in range(2):
        module = module_of(made, number)
        leaves = dict(module.named_parameters())
        loss = torch.nn.functional.cross_entropy(module(ink[number]), labels[number])
        gradient = torch.autograd.grad(loss, list(leaves.values()), create_graph=True)
        product = torch.autograd.grad(gradient, list(leaves.values()), [own.detach() for own in gradient])
        squares, of_product, of_gradient = (
            sum(
                float((own.detach() ** 2).sum())
                for own, leaf in zip(parts, leaves.values(), strict=True)
                if leaf.ndim >= least
            )
            for parts, least in ((gradient, 1), (product, 2), (gradient, 2))
        )
        assert loss_range[number].item() == pytest.approx(4 * small * squares, rel=1e-3)
        assert change[number].item() == pytest.approx(4 * small * (of_product / of_gradient) ** 0.5, rel=1e-3)


def test_instrument_networks_are_compared_where_they_first_come_to_the_level(claim):
    import torch

    looks, batch = [networks(claim, steps=steps) for steps in (0, 2, 4, 6)], digits(claim)
    heights = torch.stack([claim.experiment.losses(look.module, look.weights, batch) for look in looks])
    assert (heights.diff(dim=0) < 0).all()

    chosen, reached = claim.experiment.at_level(looks, batch, heights[2].max().item())
    _, nowhere = claim.experiment.at_level(looks, batch, heights[3].min().item() / 2)

    expected = (heights <= heights[2].max()).int().argmax(0)
    assert reached.all()
    assert not nowhere.any()
    for name, own in chosen.weights.items():
        torch.testing.assert_close(
            own, torch.stack([looks[int(look)].weights[name][seed] for seed, look in enumerate(expected)])
        )


def test_instrument_arms_begin_with_the_same_matrices(claim):
    import torch

    arms = [networks(claim, normalized=flag, noise=noise) for flag in (False, True) for noise in ((), NOISE)]
    first, *others = [[own.weights[name] for name in claim.experiment.matrices(own.weights)] for own in arms]

    for other in others:
        torch.testing.assert_close(other, first, rtol=0, atol=0)
