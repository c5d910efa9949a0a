"""Ensembles: a seed in company, a seed alone and a plain loop over one network give the same weights."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from harness.ensembles import Ensemble, choose_strategy, error_rate, initial_weights, train
from harness.errors import UsageError
from harness.executor import one_thread
from harness.optim import Optimiser
from harness.seeds import seeds_of

STRATEGIES = ("stacked", "loop")
SEEDS = seeds_of("ensembles", 0, range(3))
SGD = Optimiser("sgd", 0.1, 0.9, 1e-3, "cosine")
ADAM = Optimiser("adam", 0.01)
SUMS_IN_ANOTHER_ORDER = {"float64": 1e-10, "float32": 2e-5}
"""Absolute, on weights of order one after 20 steps; each step rounds at 1e-16 or 6e-8, and training amplifies that."""


@pytest.fixture(autouse=True)
def _one_thread():
    """Products this small take longer on two threads than on one, many times so beside other processes."""
    with one_thread():
        yield


def perceptron(dropout: float = 0.0) -> nn.Sequential:
    hidden = [nn.Flatten(), nn.Linear(36, 20), nn.ReLU(), nn.Dropout(dropout), nn.Linear(20, 12), nn.Tanh()]
    return nn.Sequential(*hidden, nn.Linear(12, 10, bias=False))


def convolutional() -> nn.Sequential:
    layers = [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.3)]
    return nn.Sequential(*layers, nn.Linear(16, 10))


def examples(seeds=SEEDS, n=70):
    """Images whose class can be learned, (n_seeds, n, 1, 6, 6), and classes."""
    inputs = torch.stack(
        [torch.randn(n, 1, 6, 6, generator=seed.torch("inputs"), dtype=torch.float64) for seed in seeds]
    )
    return inputs, inputs.flatten(2)[..., :10].argmax(2)


def trained(seeds=SEEDS, build=perceptron, optimiser=SGD, **changes) -> Ensemble:
    inputs, targets = examples(seeds)
    settings = {"optimiser": optimiser, "steps": 20, "batch_size": 16, "precision": "float64", **changes}
    return train(build, inputs, targets, seeds, **settings)


def assert_same(weights, expected, tolerance):
    assert weights.keys() == expected.keys()
    for name in expected:
        torch.testing.assert_close(weights[name], expected[name], rtol=0, atol=tolerance)


def one(ensemble: Ensemble, number: int) -> dict[str, torch.Tensor]:
    return {name: values[number : number + 1] for name, values in ensemble.weights.items()}


class PlainDropout(nn.Module):
    def __init__(self, probability, generator):
        super().__init__()
        self.probability, self.generator = probability, generator

    def forward(self, inputs):
        kept = torch.bernoulli(torch.full_like(inputs, 1 - self.probability), generator=self.generator)
        return inputs * kept / (1 - self.probability)


def plain_loop(seed, dropout: float, steps: int = 20, batch_size: int = 16) -> dict[str, torch.Tensor]:
    """Train one network as anybody would, by torch's own pieces and formulas written out."""
    inputs, targets = (values[0] for values in examples((seed,)))
    module = perceptron(dropout).double()
    generator = seed.torch("weights")
    for parameter, fan_in in zip(module.parameters(), (36, 36, 20, 20, 12), strict=True):
        drawn = torch.empty(parameter.shape).uniform_(-1, 1, generator=generator) / math.sqrt(fan_in)
        parameter.data.copy_(drawn)
    module[3] = PlainDropout(dropout, seed.torch("dropout"))
    optimiser = torch.optim.SGD(module.parameters(), 0.1, momentum=0.9, weight_decay=1e-3)
    orders, step = seed.torch("batches"), 0
    while step < steps:
        for batch in torch.randperm(len(inputs), generator=orders).split(batch_size):
            if step == steps:
                break
            optimiser.param_groups[0]["lr"] = 0.1 * 0.5 * (1 + math.cos(math.pi * step / steps))
            optimiser.zero_grad()
            nn.functional.cross_entropy(module(inputs[batch]), targets[batch]).backward()
            optimiser.step()
            step += 1
    return {name: parameter.detach()[None] for name, parameter in module.named_parameters()}


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_every_seed_equals_a_plain_loop(strategy, dropout):
    ensemble = trained(build=lambda: perceptron(dropout), strategy=strategy)

    assert ensemble.strategy == strategy
    for number, seed in enumerate(SEEDS):
        assert_same(one(ensemble, number), plain_loop(seed, dropout), SUMS_IN_ANOTHER_ORDER["float64"])


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("optimiser", [SGD, ADAM], ids=["sgd", "adam"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_seed_does_not_notice_its_neighbours(strategy, optimiser, precision):
    settings = {"optimiser": optimiser, "precision": precision, "strategy": strategy, "build": lambda: perceptron(0.4)}
    together, alone = trained(**settings), trained(SEEDS[1:2], **settings)

    assert_same(one(together, 1), alone.weights, SUMS_IN_ANOTHER_ORDER[precision])


def test_a_convolutional_seed_does_not_notice_its_neighbours():
    together, alone = trained(build=convolutional), trained(SEEDS[2:], build=convolutional)

    assert together.strategy == "loop"
    assert_same(one(together, 2), alone.weights, SUMS_IN_ANOTHER_ORDER["float64"])
    assert (together.weights["1.num_batches_tracked"] == 20).all()


def test_strategies_agree():
    assert_same(trained(strategy="stacked").weights, trained(strategy="loop").weights, SUMS_IN_ANOTHER_ORDER["float64"])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_squared_error_by_full_batches_is_gradient_descent(strategy):
    """One step of size r on a linear map: W - r 2/(n k) (W x - y) x, written out."""
    inputs, targets = examples()[0].flatten(2), torch.ones(3, 70, 2)
    build = lambda: nn.Sequential(nn.Linear(36, 2, bias=False))  # noqa: E731
    settings = {"steps": 1, "batch_size": 70, "precision": "float64", "loss": "squared_error", "strategy": strategy}
    ensemble = train(build, inputs, targets, SEEDS, optimiser=Optimiser("sgd", 0.5), **settings)
    first = initial_weights(build(), SEEDS, "uniform", dtype=torch.float64)["0.weight"]
    error = inputs @ first.mT - targets

    torch.testing.assert_close(ensemble.weights["0.weight"], first - 0.5 * 2 / 140 * error.mT @ inputs)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_base_seed_changes_the_draws(strategy):
    inputs, targets = examples()
    other = seeds_of("ensembles", 1, range(3))
    runs = [
        train(perceptron, inputs, targets, seeds, optimiser=SGD, steps=1, batch_size=16, strategy=strategy)
        for seeds in (SEEDS, other)
    ]

    assert not torch.allclose(runs[0].weights["1.weight"], runs[1].weights["1.weight"])


@pytest.mark.parametrize("build", [lambda: perceptron(0.4), convolutional], ids=["stacked", "loop"])
def test_global_generators_are_untouched(build):
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002 - the state that must not move
    trained(build=build)

    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002


class Careless(nn.Module):
    """Draws from the global generator, which nothing here may do."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(36, 10)

    def forward(self, inputs):
        return self.linear(nn.functional.dropout(inputs.flatten(1), 0.5, self.training))


class Scaled(nn.Module):
    """Has a parameter of a kind of its own."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(10))
        self.linear = nn.Linear(36, 10)

    def forward(self, inputs):
        return self.scale * self.linear(inputs.flatten(1))


def test_start_values_take_the_place_of_draws_and_leave_the_others_as_they_are():
    first = {"1.weight": torch.full((3, 20, 36), 0.25)}
    started = trained(steps=0, start=first)

    assert (started.weights["1.weight"] == 0.25).all()
    assert torch.equal(started.weights["4.weight"], trained(steps=0).weights["4.weight"])
    assert (trained(start=first).weights["1.weight"] != 0.25).any()
    assert (first["1.weight"] == 0.25).all(), "training must not write into what it was given"


def test_a_start_value_allows_a_parameter_of_unknown_kind():
    assert len(trained(build=Scaled, start={"scale": torch.ones(3, 10)})) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"build": Scaled}, "train: scale: no rule to initialise this part of a Scaled; give it by `start`"),
        ({"build": Careless}, "draws from torch's global generator: use nn.Dropout"),
        ({"epochs": 2}, "epochs: 2, steps: 20: give exactly one of them"),
        ({"start": {"nose": torch.ones(3, 1)}}, "start: unknown names"),
        ({"start": {"1.bias": torch.ones(2, 20)}}, r"start: 1.bias: shape \(2, 20\) does not fit"),
        ({"initialiser": "zeros"}, "initialiser: 'zeros'"),
    ],
)
def test_misuse_is_named(changes, message):
    with pytest.raises(UsageError, match=message):
        trained(**changes)


def test_unequal_numbers_of_seeds_are_refused():
    inputs, targets = examples()

    with pytest.raises(UsageError, match=r"inputs \(3, 70, 1, 6, 6\), targets \(3, 70\) and 2 seeds do not fit"):
        train(perceptron, inputs, targets, SEEDS[:2], optimiser=SGD, steps=1, batch_size=8)


@pytest.mark.parametrize(
    ("initialiser", "deviation", "shape"),
    [
        ("uniform", 1 / math.sqrt(3 * 400), "uniform"),
        ("he", math.sqrt(2 / 400), "normal"),
        ("xavier", math.sqrt(2 / (400 + 100)), "uniform"),
        ("xavier_sigmoid", 4 * math.sqrt(2 / (400 + 100)), "uniform"),
    ],
)
def test_initial_weights_have_the_spread_of_their_formula(initialiser, deviation, shape):
    """Over 40,000 draws the standard deviation is within 2 per cent: five standard errors of a normal's."""
    weights = initial_weights(nn.Sequential(nn.Linear(400, 100)), SEEDS[:1], initialiser)["0.weight"]

    assert weights.std().item() == pytest.approx(deviation, rel=0.02)
    reach = weights.abs().max().item() / deviation
    assert reach <= math.sqrt(3) * 1.02 if shape == "uniform" else reach > 3


def test_initial_weights_of_a_convolution_count_its_whole_field():
    weights = initial_weights(nn.Sequential(nn.Conv2d(8, 64, 5)), SEEDS[:1], "he")["0.weight"]

    assert weights.std().item() == pytest.approx(math.sqrt(2 / 200), rel=0.03)


def test_features_are_what_the_first_layers_make():
    ensemble, inputs = trained(), examples()[0]
    hidden = ensemble.features(inputs, upto=6)

    torch.testing.assert_close(hidden @ ensemble.weights["6.weight"].mT, ensemble.predict(inputs))
    with pytest.raises(UsageError, match="upto: 8"):
        ensemble.features(inputs, upto=8)


def test_prediction_in_blocks_is_prediction_at_once(monkeypatch):
    ensemble, inputs = trained(build=convolutional), examples()[0]
    whole = ensemble.predict(inputs)
    monkeypatch.setattr("harness.ensembles.PREDICTED_AT_ONCE", 16)

    torch.testing.assert_close(ensemble.predict(inputs), whole)


def test_error_rate_counts_wrong_classes():
    identity = Ensemble(
        nn.Sequential(nn.Linear(2, 2, bias=False, device="meta")), {"0.weight": torch.eye(2)[None]}, "loop", "float32"
    )
    inputs = np.array([[[2.0, 1.0], [0.0, 1.0], [3.0, 4.0], [1.0, 0.0]]])

    assert error_rate(identity, inputs, np.array([[0, 1, 0, 0]])).tolist() == [0.25]


def test_error_rate_of_a_diverged_network_is_not_a_number():
    diverged = trained(optimiser=Optimiser("sgd", 1e200), steps=5)
    inputs, targets = examples()

    assert np.isnan(error_rate(diverged, inputs, targets)).all()


def test_bfloat16_keeps_float32_weights_and_learns():
    inputs, targets = examples()
    ensemble = trained(optimiser=ADAM, precision="bfloat16", steps=100)

    assert ensemble.weights["1.weight"].dtype == torch.float32
    assert not torch.equal(
        ensemble.weights["1.weight"], trained(optimiser=ADAM, precision="float32", steps=100).weights["1.weight"]
    )
    assert error_rate(ensemble, inputs, targets).max() < 0.1


@pytest.mark.parametrize(
    ("width", "batch_size", "expected"),
    [(4096, 100, "loop"), (1024, 20, "stacked"), (1024, 100, "loop"), (64, 100, "stacked")],
)
def test_strategy_follows_the_documented_rule(width, batch_size, expected):
    assert (
        choose_strategy(nn.Sequential(nn.Linear(100, width), nn.ReLU(), nn.Linear(width, 10)), batch_size) == expected
    )


@pytest.mark.parametrize("build", [convolutional, Scaled])
def test_what_cannot_be_stacked_goes_by_loop(build):
    assert choose_strategy(build(), 1) == "loop"
