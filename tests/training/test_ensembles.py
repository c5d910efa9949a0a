"""Ensembles: a seed in company, a seed alone and a plain loop over one network give the same weights."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch
from torch import nn

from harness._strategy_log import recorded
from harness.errors import UsageError
from harness.seeds import seeds_of
from harness.training.early_stopping import EarlyStopping
from harness.training.ensembles import Ensemble, error_rate
from harness.training.initialisation import initial_weights
from harness.training.layers import LastStep
from harness.training.optimisers import Optimiser
from harness.trials.worker import one_thread
from tests.keywords import train
from tests.plain import cosine, plain_loop

STRATEGIES = ("stacked", "loop", "vmap")
SEEDS = seeds_of("ensembles", 0, range(3))
SGD = Optimiser("sgd", 0.1, 0.9, 1e-3, "cosine")
ADAM = Optimiser("adam", 0.01, weight_decay=0.1)
PLAIN = {
    SGD: {"method": "sgd", "rate": 0.1, "momentum": 0.9, "decay": 1e-3, "schedule": cosine},
    ADAM: {"method": "adam", "rate": 0.01, "decay": 0.1},
}
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


def convolutional(dropout: float = 0.3) -> nn.Sequential:
    # Normalisation takes a bias before it out again; its gradient would be rounding alone, and Adam would scale it up.
    layers = [
        nn.Conv2d(1, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(dropout),
    ]
    return nn.Sequential(*layers, nn.Linear(16, 10))


class Residual(nn.Module):
    """A network that is no Sequential."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(36, 36, bias=False), nn.Linear(36, 36), nn.Linear(36, 10)
        self.normalisation = nn.BatchNorm1d(36)

    def forward(self, inputs):
        inputs = inputs.flatten(1)
        return self.last(inputs + self.second(self.normalisation(self.first(inputs)).relu()))


NETWORKS = {
    "perceptron": (perceptron, (1, 6, 6), STRATEGIES),
    "perceptron with dropout": (lambda: perceptron(0.4), (1, 6, 6), ("stacked", "loop")),
    "convolutional": (lambda: convolutional(0.0), (1, 6, 6), STRATEGIES),
    "convolutional with dropout": (convolutional, (1, 6, 6), ("stacked", "loop")),
    "normalised": (
        lambda: nn.Sequential(nn.Linear(36, 20), nn.LayerNorm(20), nn.GELU(), nn.Linear(20, 10)),
        (36,),
        STRATEGIES,
    ),
    "recurrent": (
        lambda: nn.Sequential(LastStep(nn.LSTM(6, 8, batch_first=True)), nn.Linear(8, 10)),
        (6, 6),
        ("stacked", "loop"),
    ),
    "words": (
        lambda: nn.Sequential(nn.Embedding(3, 4), LastStep(nn.GRU(4, 8, batch_first=True)), nn.Linear(8, 10)),
        "words",
        ("stacked", "loop"),
    ),
    "residual": (Residual, (1, 6, 6), ("vmap", "loop")),
}
EACH = [(name, strategy) for name, (_, _, strategies) in NETWORKS.items() for strategy in strategies]


def examples(seeds=SEEDS, n=70, shape=(1, 6, 6)):
    """Images whose class can be learned, (n_seeds, n, *shape), and classes; or words, one for each pixel."""
    inputs = torch.stack([torch.randn(n, 36, generator=seed.torch("inputs"), dtype=torch.float64) for seed in seeds])
    classes = inputs[..., :10].argmax(2)
    if shape == "words":
        return (inputs > -0.5).long() + (inputs > 0.5).long(), classes
    return inputs.view(len(seeds), n, *shape), classes


def trained(seeds=SEEDS, build=perceptron, optimiser=SGD, shape=(1, 6, 6), **changes) -> Ensemble:
    inputs, targets = examples(seeds, shape=shape)
    settings = {"optimiser": optimiser, "steps": 20, "batch_size": 16, "precision": "float64", **changes}
    return train(build, inputs, targets, seeds, **settings)


def plain(seed, build=perceptron, optimiser=SGD, shape=(1, 6, 6), **changes):
    """Return the weights of one seed by the plain loop, each with a first dimension of one."""
    inputs, targets = (values[0] for values in examples((seed,), shape=shape))
    module = plain_loop(build, inputs, targets, seed, **{"steps": 20, "batch_size": 16, **PLAIN[optimiser], **changes})
    return {name: values[None] for name, values in module.state_dict().items()}


def assert_same(weights, expected, tolerance):
    assert weights.keys() == expected.keys()
    for name in expected:
        torch.testing.assert_close(weights[name], expected[name], rtol=0, atol=tolerance)


def one(ensemble: Ensemble, number: int) -> dict[str, torch.Tensor]:
    return {name: values[number : number + 1] for name, values in ensemble.weights.items()}


@pytest.mark.parametrize("optimiser", [SGD, ADAM], ids=["sgd", "adam"])
@pytest.mark.parametrize(("network", "strategy"), EACH)
def test_every_seed_equals_a_plain_loop(network, strategy, optimiser):
    build, shape, _ = NETWORKS[network]
    ensemble = trained(build=build, shape=shape, strategy=strategy, optimiser=optimiser)

    assert ensemble.strategy == strategy
    assert ensemble.steps == (20, 20, 20)
    for number, seed in enumerate(SEEDS):
        expected = plain(seed, build, optimiser, shape)
        assert_same(one(ensemble, number), expected, SUMS_IN_ANOTHER_ORDER["float64"])


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize(("network", "strategy"), EACH)
def test_a_seed_does_not_notice_its_neighbours(network, strategy, precision):
    build, shape, _ = NETWORKS[network]
    settings = {"build": build, "shape": shape, "precision": precision, "strategy": strategy}
    together, alone = trained(**settings), trained(SEEDS[1:2], **settings)

    assert_same(one(together, 1), alone.weights, SUMS_IN_ANOTHER_ORDER[precision])


@pytest.mark.parametrize("optimiser", [SGD, ADAM], ids=["sgd", "adam"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_masked_weights_are_zero_throughout_and_frozen_ones_stay(strategy, optimiser):
    generator = torch.Generator().manual_seed(1)
    masks = {"1.weight": torch.randint(2, (3, 20, 36), generator=generator)}
    ensemble = trained(strategy=strategy, optimiser=optimiser, masks=masks, frozen=["4.weight", "4.bias"])

    assert (ensemble.weights["1.weight"][masks["1.weight"] == 0] == 0).all()
    assert (ensemble.weights["1.weight"][masks["1.weight"] == 1] != 0).all()
    for number, seed in enumerate(SEEDS):
        own = {"1.weight": masks["1.weight"][number]}
        expected = plain(seed, optimiser=optimiser, masks=own, frozen=("4.weight", "4.bias"))
        assert_same(one(ensemble, number), expected, SUMS_IN_ANOTHER_ORDER["float64"])


@pytest.mark.parametrize("optimiser", [SGD, ADAM], ids=["sgd", "adam"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_frozen_entries_stay_and_the_others_move_as_in_a_plain_loop_that_puts_them_back(strategy, optimiser):
    """Beside a mask on the same parameter, and a parameter of which every entry is frozen."""
    generator = torch.Generator().manual_seed(1)
    stays, mask = (torch.randint(2, (3, 20, 36), generator=generator) for _ in range(2))
    held = {"masks": {"1.weight": mask}, "frozen": {"1.weight": stays.bool(), "4.weight": torch.ones(3, 12, 20)}}
    ensemble = trained(strategy=strategy, optimiser=optimiser, **held)
    first = trained(steps=0).weights

    moved = ensemble.weights["1.weight"] != first["1.weight"] * mask
    assert torch.equal(moved, (mask == 1) & (stays == 0))
    for number, seed in enumerate(SEEDS):
        own = first["1.weight"][number] * mask[number]

        def put_back(_step, module, number=number, own=own):
            module.get_parameter("1.weight").data[stays[number] == 1] = own[stays[number] == 1]
            return False

        masks = {"1.weight": mask[number]}
        expected = plain(seed, optimiser=optimiser, masks=masks, frozen=("4.weight",), after=put_back)
        assert_same(one(ensemble, number), expected, SUMS_IN_ANOTHER_ORDER["float64"])


GRIDS = {
    "sgd": [
        Optimiser("sgd", 0.1, 0.9, 1e-3, "cosine"),
        Optimiser("sgd", 0.3, 0.0, 1e-2),
        Optimiser("sgd", 0.05, 0.5, 0.0, "linear"),
    ],
    "adam": [
        Optimiser("adam", 0.01, weight_decay=0.1),
        Optimiser("adam", 0.03, schedule="linear"),
        Optimiser("adam", 0.001, weight_decay=0.01, schedule="cosine"),
    ],
}


@pytest.mark.parametrize("method", GRIDS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_seed_may_have_numbers_of_its_own(strategy, method):
    """A grid of learning rates, momenta, penalties and schedules in one batch equals one run for each."""
    ensemble = trained(strategy=strategy, optimiser=GRIDS[method])

    for number, seed in enumerate(SEEDS):
        rule = GRIDS[method][number]
        numbers = {"rate": rule.learning_rate, "momentum": rule.momentum, "decay": rule.weight_decay}
        factor = {"constant": lambda _: 1.0, "cosine": cosine, "linear": lambda progress: 1 - progress}[rule.schedule]
        expected = plain(seed, schedule=factor, method=method, **numbers)
        assert_same(one(ensemble, number), expected, SUMS_IN_ANOTHER_ORDER["float64"])


def test_a_grid_of_one_method_only():
    with pytest.raises(UsageError, match="may differ in numbers and schedule, not in method"):
        trained(optimiser=[SGD, SGD, ADAM])
    with pytest.raises(UsageError, match="optimiser: 2 for 3 seeds"):
        trained(optimiser=[SGD, SGD])


def rule_of_stopping(**changes):
    """Return a rule over 40 held-out examples of each seed, and those examples."""
    inputs, targets = examples(seeds_of("held out", 0, range(3)), n=40)
    return EarlyStopping(inputs, targets, **{"every": 3, **changes}), inputs, targets


@pytest.mark.parametrize("metric", ["loss", "error_rate"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_seed_stops_by_itself_with_the_weights_of_its_best_look(strategy, metric):
    """The rule written out: at each third step a look; after the second without a new least value it is over."""
    rule, held_out, classes = rule_of_stopping(patience=2, metric=metric)
    ensemble = trained(strategy=strategy, steps=60, optimiser=Optimiser("sgd", 0.5), stopping=rule)

    ends = []
    for number, seed in enumerate(SEEDS):
        best, least, missed, kept = None, math.inf, 0, 0

        def look(step, module, number=number):
            nonlocal best, least, missed, kept
            if step % 3:
                return False
            outputs = module.eval()(held_out[number]).detach()
            module.train()
            wrong = (outputs.argmax(1) != classes[number]).double().mean().item()
            value = nn.functional.cross_entropy(outputs, classes[number]).item() if metric == "loss" else wrong
            missed += 1
            if value < least:
                best = {name: values[None].clone() for name, values in module.state_dict().items()}
                least, missed, kept = value, 0, step
            return missed == 2

        inputs, targets = (values[0] for values in examples((seed,)))
        plain_loop(perceptron, inputs, targets, seed, steps=60, batch_size=16, rate=0.5, after=look)
        assert_same(one(ensemble, number), best, SUMS_IN_ANOTHER_ORDER["float64"])
        ends.append(kept)
    assert ensemble.steps == tuple(ends)
    assert len(set(ends)) > 1, "seeds that stop together show nothing"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_seed_that_is_good_enough_stops(strategy):
    inputs, targets = examples()
    until_fit = EarlyStopping(inputs, targets, every=1, enough=0.1, metric="error_rate")
    ensemble = trained(strategy=strategy, steps=2000, optimiser=ADAM, stopping=until_fit)

    assert max(ensemble.steps) < 2000
    errors = error_rate(ensemble, inputs, targets)
    assert ((errors <= 0.1) & (errors > 0)).all(), "it stops at the first look that is good enough"


def test_evaluation_in_a_look_leaves_training_as_it_was():
    """Neither dropout's draws nor running statistics move when held-out examples are looked at."""
    rule, *_ = rule_of_stopping(enough=0.0)
    for strategy in ("stacked", "loop"):
        settings = {"strategy": strategy, "build": convolutional, "optimiser": ADAM}
        looked = trained(stopping=rule, steps=18, **settings)
        last = trained(steps=max(looked.steps), **settings)
        number = int(np.argmax(looked.steps))
        assert_same(one(looked, number), one(last, number), 0.0)


NO_NUMBER = {"1.weight": torch.full((3, 20, 36), math.nan)}
"""A network that has diverged, by construction: which numbers overflow is a matter of the processor's libraries."""


@pytest.mark.parametrize("metric", ["loss", "error_rate"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_seed_without_a_number_to_look_at_keeps_its_first_look(strategy, metric):
    rule, *_ = rule_of_stopping(patience=2, metric=metric)
    ensemble = trained(start=NO_NUMBER, stopping=rule, strategy=strategy)

    assert ensemble.steps == (3, 3, 3)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_examples_that_seeds_share_are_those_of_each(strategy):
    inputs, targets = (values[:1].expand(3, *values.shape[1:]) for values in examples())
    settings = {"optimiser": SGD, "steps": 20, "batch_size": 16, "precision": "float64", "strategy": strategy}
    shared = train(perceptron, inputs, targets, SEEDS, **settings)
    copied = train(perceptron, inputs.contiguous(), targets.contiguous(), SEEDS, **settings)

    assert_same(shared.weights, copied.weights, 0.0)
    assert not torch.equal(shared.weights["1.weight"][0], shared.weights["1.weight"][1])


def test_choices_are_noted_for_the_record():
    with recorded() as noted:
        trained(steps=1)
        trained(steps=1, build=convolutional)
    trained(steps=1, strategy="vmap")

    assert noted == {"stacked", "loop"}


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
        ({"frozen": ["1.weight", "1.bias", "4.weight", "4.bias", "6.weight"]}, "frozen: nothing is left to train"),
        ({"build": convolutional, "frozen": ["1.running_mean"]}, r"frozen: \['1.running_mean'\]: the network has"),
        ({"build": convolutional, "masks": {"1.running_mean": torch.ones(3, 4)}}, "masks: '1.running_mean'"),
        ({"masks": {"1.bias": torch.full((3, 20), 0.5)}}, "masks: 1.bias: has values besides zero and one"),
        ({"loss": "mse"}, "loss: 'mse': take one of"),
        ({"precision": "float16"}, "precision: 'float16': take one of"),
        ({"strategy": "threads"}, "strategy: 'threads': take one of"),
        ({"batch_size": 0}, "batch_size: 0: give at least one example"),
        ({"steps": -1}, "steps: -1: a number below zero"),
        ({"build": Residual, "strategy": "stacked"}, "strategy: 'stacked' does not serve this network"),
        ({"epochs": 2}, "epochs: 2, steps: 20: give exactly one of them"),
        ({"start": {"nose": torch.ones(3, 1)}}, "start: unknown names"),
        ({"start": {"1.bias": torch.ones(2, 20)}}, r"start: 1.bias: shape \(2, 20\) does not fit"),
        ({"initialiser": "zeros"}, "initialiser: 'zeros'"),
        ({"masks": {"nose": torch.ones(3, 1)}}, "masks: 'nose': the network has"),
        ({"masks": {"1.bias": torch.ones(3, 1)}}, r"masks: 1.bias: shape \(3, 1\) does not fit"),
        ({"frozen": {"nose": torch.ones(3, 1)}}, "frozen: 'nose': the network has"),
        ({"frozen": {"1.bias": torch.ones(3, 1)}}, r"frozen: 1.bias: shape \(3, 1\) does not fit"),
        ({"frozen": {"1.bias": torch.full((3, 20), 0.5)}}, "frozen: 1.bias: has values besides zero and one"),
        (
            {
                "build": lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 10)),
                "frozen": {"1.weight": torch.ones(3, 10, 36), "1.bias": torch.ones(3, 10)},
            },
            "frozen: nothing is left to train",
        ),
        ({"frozen": ["nose"]}, r"frozen: \['nose'\]: the network has"),
        (
            {"stopping": EarlyStopping(torch.ones(2, 5, 1, 6, 6), torch.ones(2, 5, dtype=int), every=1, patience=1)},
            "stopping: inputs .* and 3 seeds do not fit",
        ),
    ],
)
def test_misuse_is_named(changes, message):
    with pytest.raises(UsageError, match=message):
        trained(**changes)


def test_unequal_numbers_of_seeds_are_refused():
    inputs, targets = examples()

    with pytest.raises(UsageError, match=r"inputs \(3, 70, 1, 6, 6\), targets \(3, 70\) and 2 seeds do not fit"):
        train(perceptron, inputs, targets, SEEDS[:2], optimiser=SGD, steps=1, batch_size=8)


def line(*outputs: int) -> nn.Sequential:
    """A linear map of 36 numbers, its outputs reshaped."""
    return nn.Sequential(nn.Flatten(), nn.Linear(36, math.prod(outputs)), nn.Unflatten(1, outputs))


VALUES = torch.linspace(0, 1, 210).view(3, 70)
MISFITS = {
    "values against a column": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 1)), "squared_error", VALUES),
    "a column against values": (
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 1), nn.Flatten(0)), "squared_error", VALUES[..., None],
    ),
    "classes against values": (perceptron, "squared_error", VALUES),
    "a column of classes": (perceptron, "cross_entropy", VALUES[..., None].long()),
    "one class for many places": (lambda: line(10, 2), "cross_entropy", VALUES.long()),
    "no outputs of classes": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 1), nn.Flatten(0)), "cross_entropy",
                              VALUES.long()),
}  # fmt: skip


@pytest.mark.parametrize("strategy", [None, "loop", "vmap"])
@pytest.mark.parametrize("kind", MISFITS)
def test_targets_that_torch_would_broadcast_are_refused_before_anything_is_trained(kind, strategy):
    build, loss, targets = MISFITS[kind]
    outputs = {"values against a column": r"\(3, 16, 1\)", "a column against values": r"\(3, 16\)"}.get(kind, "")
    message = (
        rf"train: targets: outputs {outputs}.* and targets {re.escape(str((3, 16, *targets.shape[2:])))}: '{loss}'"
    )
    with pytest.raises(UsageError, match=message):
        train(build, examples()[0], targets, SEEDS, optimiser=SGD, steps=0, batch_size=16, loss=loss, strategy=strategy)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_column_of_values_is_solved_for(strategy):
    """The exact solution of a linear map: what a broadcast would have replaced by the mean of all targets."""
    inputs, weight = examples()[0], torch.randn(36, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    settings = {"steps": 2000, "batch_size": 70, "loss": "squared_error", "precision": "float64", "strategy": strategy}
    targets = (inputs.flatten(2) @ weight)[..., None]
    build = lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 1, bias=False))  # noqa: E731
    ensemble = train(build, inputs, targets, SEEDS, optimiser=Optimiser("sgd", 0.2), **settings)

    torch.testing.assert_close(ensemble.weights["1.weight"], weight.expand(3, 1, 36), rtol=0, atol=1e-6)


def with_label(label: int) -> torch.Tensor:
    targets = examples()[1].clone()
    targets[1, 69] = label
    return targets


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("label", [-100, -1, 10])
def test_a_class_that_the_network_does_not_have_is_refused(label, strategy):
    inputs = examples()[0]
    settings = {"optimiser": SGD, "steps": 1, "batch_size": 16, "strategy": strategy}
    with pytest.raises(UsageError, match=rf"train: targets: class {label}: the network has 10 outputs"):
        train(perceptron, inputs, with_label(label), SEEDS, **settings)
    for metric in ("loss", "error_rate"):
        rule = EarlyStopping(inputs, with_label(label), every=5, patience=1, metric=metric)
        with pytest.raises(UsageError, match=rf"train: stopping: targets: class {label}: the network has 10 outputs"):
            train(perceptron, *examples(), SEEDS, stopping=rule, **settings)
    with pytest.raises(UsageError, match=rf"error_rate: targets: class {label}: the network has 10 outputs"):
        error_rate(trained(steps=0), inputs, with_label(label))


def test_targets_of_a_look_and_of_an_error_rate_have_one_class_for_each_example():
    inputs, targets = examples()
    squared = {"loss": "squared_error", "targets": nn.functional.one_hot(targets, 10).double()}
    for kind, settings, wrong in (
        ("error_rate", {}, targets[..., None]),
        ("loss", {}, targets[..., None]),
        ("loss", squared, targets),
        ("error_rate", squared, nn.functional.one_hot(targets, 10)),
    ):
        rule = EarlyStopping(inputs, wrong, every=5, patience=1, metric=kind)
        chosen = {"targets": targets, "optimiser": SGD, "steps": 1, "batch_size": 16, **settings}
        with pytest.raises(UsageError, match="train: stopping: targets: outputs"):
            train(perceptron, inputs, seeds=SEEDS, stopping=rule, **chosen)
    for wrong in (targets[..., None], targets[:1], targets[0]):
        with pytest.raises(UsageError, match="error_rate: targets: outputs"):
            error_rate(trained(steps=0), inputs, wrong)


def test_an_error_rate_may_stop_what_is_trained_by_squares():
    inputs, targets = examples()
    rule = EarlyStopping(inputs, targets, every=5, enough=0.5, metric="error_rate")
    columns = nn.functional.one_hot(targets, 10)
    settings = {"optimiser": ADAM, "steps": 1000, "batch_size": 16, "loss": "squared_error", "stopping": rule}
    ensemble = train(perceptron, inputs, columns, SEEDS, **settings)

    assert max(ensemble.steps) < 1000
    assert (error_rate(ensemble, inputs, targets) <= 0.5).all()


def test_classes_that_are_no_whole_numbers_are_refused():
    inputs, targets = examples()
    with pytest.raises(UsageError, match="train: targets: float32 values: classes are whole numbers"):
        train(perceptron, inputs, targets + 0.5, SEEDS, optimiser=SGD, steps=1, batch_size=16)
    with pytest.raises(UsageError, match="error_rate: targets: float32 values: classes are whole numbers"):
        error_rate(trained(steps=0), inputs, targets.float().numpy())


def test_what_asks_for_no_gradient_is_not_trained():
    def half_frozen():
        module = perceptron()
        module[1].weight.requires_grad_(requires_grad=False)
        return module

    for strategy in STRATEGIES:
        ensemble = trained(build=half_frozen, strategy=strategy)
        assert_same(ensemble.weights, trained(frozen=["1.weight"], strategy=strategy).weights, 0.0)
        assert torch.equal(ensemble.weights["1.weight"], trained(steps=0).weights["1.weight"])


class Idle(nn.Module):
    """Has a layer that it does not use."""

    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(36, 10), nn.Linear(36, 10)

    def forward(self, inputs):
        return self.used(inputs.flatten(1))


@pytest.mark.parametrize("strategy", ["loop", "vmap"])
@pytest.mark.parametrize("method", GRIDS)
def test_weights_that_a_network_does_not_use_stay_whatever_the_optimisers(method, strategy):
    first = trained(build=Idle, steps=0)
    for optimiser in (GRIDS[method], GRIDS[method][0]):
        ensemble = trained(build=Idle, optimiser=optimiser, strategy=strategy)
        assert torch.equal(ensemble.weights["unused.weight"], first.weights["unused.weight"])
        assert not torch.equal(ensemble.weights["used.weight"], first.weights["used.weight"])


def test_features_are_what_the_first_layers_make():
    ensemble, inputs = trained(), examples()[0]
    hidden = ensemble.features(inputs, upto=6)

    torch.testing.assert_close(hidden @ ensemble.weights["6.weight"].mT, ensemble.predict(inputs))
    with pytest.raises(UsageError, match="upto: 8"):
        ensemble.features(inputs, upto=8)


class Doubled(nn.Sequential):
    """A Sequential that does more than call its layers."""

    def forward(self, inputs):
        return 2 * super().forward(inputs)


def test_features_of_what_does_more_than_call_its_layers_are_refused():
    def watched():
        module = perceptron()
        module.register_forward_pre_hook(lambda _, inputs: (inputs[0] * 2,))
        return module

    for build in (lambda: Doubled(*perceptron()), watched):
        ensemble = trained(build=build, steps=1)
        assert ensemble.strategy != "stacked"
        with pytest.raises(UsageError, match="needs a plain"):
            ensemble.features(examples()[0], upto=2)


def test_prediction_in_blocks_is_prediction_at_once(monkeypatch):
    ensemble, inputs = trained(build=convolutional), examples()[0]
    whole = ensemble.predict(inputs)
    monkeypatch.setattr("harness.training.ensembles.IMAGES_AT_ONCE", 16)

    torch.testing.assert_close(ensemble.predict(inputs), whole)


@pytest.mark.parametrize("kept", [True, False], ids=["running statistics", "those of the batch"])
def test_no_number_depends_on_how_many_examples_are_predicted_at_once(monkeypatch, kept):
    def build():
        layers = [nn.Flatten(), nn.Linear(36, 8), nn.BatchNorm1d(8, track_running_stats=kept), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(8, 10))

    rule, *_ = rule_of_stopping(patience=1)
    found = []
    for at_once in (7, 1000):
        monkeypatch.setattr("harness.training.ensembles.IMAGES_AT_ONCE", at_once)
        ensemble = trained(build=build, stopping=rule, steps=30, strategy="loop")
        found.append((ensemble.steps, ensemble.predict(examples()[0])))
    assert found[0][0] == found[1][0]
    torch.testing.assert_close(found[0][1], found[1][1])


def normalised(dropout: float = 0.4) -> nn.Sequential:
    hidden = [nn.Flatten(), nn.Linear(36, 20), nn.BatchNorm1d(20), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*hidden, nn.Linear(20, 10))


NORMALISED = [("stacked", normalised), ("loop", normalised), ("loop", convolutional), ("vmap", Residual)]


@pytest.mark.parametrize("size", [4, 16, None])
@pytest.mark.parametrize(("strategy", "build"), NORMALISED)
def test_prediction_by_batch_statistics_is_a_network_in_training_mode(strategy, build, size):
    """Torch's own normalisation in training mode, on batches cut by hand: 70 examples, the last batch shorter."""
    ensemble, inputs = trained(build=build, strategy=strategy), examples()[0]
    before = {name: own.clone() for name, own in ensemble.weights.items()}
    found = ensemble.predict(inputs, batch_statistics=True, batch_size=size)

    module, width = build().double(), size or 70
    for number, own in enumerate(inputs):
        module.load_state_dict({name: values[number] for name, values in ensemble.weights.items()})
        for part in module.eval().modules():
            part.train(isinstance(part, (nn.BatchNorm1d, nn.BatchNorm2d)))
        expected = torch.cat([module(own[first : first + width]) for first in range(0, 70, width)])
        torch.testing.assert_close(found[number], expected.detach(), rtol=0, atol=1e-10)
    assert_same(ensemble.weights, before, 0.0)
    assert (found - ensemble.predict(inputs)).abs().max() > 1e-3


def test_batch_normalisation_written_out_goes_by_four_examples():
    """(x - mean) / sqrt(variance + 1e-5) of four, and of the two that are left over."""
    module = nn.Sequential(nn.BatchNorm1d(2, affine=False, device="meta"))
    kept = {"0.running_mean": torch.full((1, 2), 9.0), "0.running_var": torch.ones(1, 2)}
    ensemble = Ensemble(module, {**kept, "0.num_batches_tracked": torch.zeros(1)}, "loop", "float64")
    inputs = np.random.default_rng(1).normal(size=(1, 6, 2))
    found = ensemble.predict(inputs, batch_statistics=True, batch_size=4)

    parts = [(part - part.mean(0)) / np.sqrt(part.var(0) + 1e-5) for part in (inputs[0, :4], inputs[0, 4:])]
    np.testing.assert_allclose(found[0], np.concatenate(parts), rtol=0, atol=1e-10)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_batch_statistics_are_nothing_to_a_network_without_batch_normalisation(strategy):
    def build():
        return nn.Sequential(nn.Flatten(), nn.Linear(36, 20), nn.LayerNorm(20), nn.ReLU(), nn.Linear(20, 10))

    ensemble, inputs = trained(build=build, strategy=strategy, precision="float32"), examples()[0]
    for size in (1, 3, None):
        assert torch.equal(ensemble.predict(inputs, batch_statistics=True, batch_size=size), ensemble.predict(inputs))


@pytest.mark.parametrize("size", [0, 1, 3, 69])
def test_a_batch_of_one_example_has_no_statistics(size):
    ensemble, inputs = trained(build=normalised, steps=1), examples()[0]
    with pytest.raises(
        UsageError, match=rf"predict: batch_size: {size}: a batch needs two examples, the last of the 70 too"
    ):
        ensemble.predict(inputs, batch_statistics=True, batch_size=size)
    with pytest.raises(UsageError, match="predict: batch_size: 1: a batch needs two examples"):
        ensemble.predict(inputs[:, :1], batch_statistics=True)


def test_a_batch_size_alone_is_refused():
    with pytest.raises(UsageError, match="predict: batch_size: 4: give batch_statistics=True with it"):
        trained(steps=1).predict(examples()[0], batch_size=4)


def test_error_rate_counts_wrong_classes():
    identity = Ensemble(
        nn.Sequential(nn.Linear(2, 2, bias=False, device="meta")), {"0.weight": torch.eye(2)[None]}, "loop", "float32"
    )
    inputs = np.array([[[2.0, 1.0], [0.0, 1.0], [3.0, 4.0], [1.0, 0.0]]])

    assert error_rate(identity, inputs, np.array([[0, 1, 0, 0]])).tolist() == [0.25]


def test_error_rate_of_a_diverged_network_is_not_a_number():
    weights = trained(steps=0).weights
    weights["1.weight"][1, 0, 0] = math.nan
    weights["6.weight"][2, 0, 0] = math.inf
    inputs, targets = examples()
    rates = error_rate(Ensemble(perceptron(), weights, "loop", "float64"), inputs, targets)

    assert np.isnan(rates).tolist() == [False, True, True]


def test_bfloat16_keeps_float32_weights_and_learns():
    inputs, targets = examples()
    ensemble = trained(optimiser=ADAM, precision="bfloat16", steps=100)

    assert ensemble.weights["1.weight"].dtype == torch.float32
    assert not torch.equal(
        ensemble.weights["1.weight"], trained(optimiser=ADAM, precision="float32", steps=100).weights["1.weight"]
    )
    assert error_rate(ensemble, inputs, targets).max() < 0.1


@pytest.mark.parametrize("build", [convolutional, lambda: perceptron(0.4)], ids=["convolutional", "perceptron"])
def test_seeds_side_by_side_on_two_threads_are_the_seeds_one_after_the_other(build):
    one_after_the_other = trained(build=build, strategy="loop")
    torch.set_num_threads(2)
    side_by_side = trained(build=build, strategy="loop")

    assert torch.get_num_threads() == 2
    assert_same(side_by_side.weights, one_after_the_other.weights, 0.0)
