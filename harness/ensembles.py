"""Training one network per seed, all in one call, without a global generator.

`train` takes an ordinary `nn.Module` factory and gives back one trained network per seed. What a seed draws (initial
weights, order of the examples, dropout masks) comes from its own generators, and no operation mixes seeds, so a seed's
network does not depend on which other seeds were trained along with it.
"""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from harness.batches import Batches
from harness.choices import note
from harness.errors import UsageError
from harness.initial import initial_weights
from harness.layers import rounds_first
from harness.networks import Alone, Mapped, Stacked
from harness.optim import descent
from harness.stopping import Watch
from harness.strategy import choose_strategy

if TYPE_CHECKING:
    import numpy as np

    from harness.initial import Initialiser
    from harness.networks import Network
    from harness.optim import Optimiser
    from harness.seeds import Seeds
    from harness.stopping import EarlyStopping
    from harness.strategy import Strategy

Precision = Literal["float32", "bfloat16", "float64"]
Loss = Literal["cross_entropy", "squared_error"]
Build = Callable[[], nn.Module]

PREDICTED_AT_ONCE = 1_000
IMAGES_AT_ONCE = 100
"""Examples that a network sees at once when nothing is trained: what it makes of them should stay in the cache."""

FEW_CLASSES = 32


@dataclass(frozen=True)
class Ensemble:
    """One trained network per seed.

    Attributes:
        module: the architecture, on the meta device, in evaluation mode; it holds no numbers.
        weights: parameters and buffers by their name in `module`, each of shape (n_seeds, *shape).
        strategy: how it was trained: "stacked", "vmap" or "loop".
        precision: of the arithmetic; the weights themselves are float32 under "bfloat16".
        steps: how many updates made each seed's weights.
    """

    module: nn.Module
    weights: dict[str, Tensor]
    strategy: Strategy
    precision: Precision
    steps: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.weights.values())))

    def predict(self, inputs: Tensor | np.ndarray) -> Tensor:
        """Return the networks' outputs, (n_seeds, n, *out), for inputs of shape (n_seeds, n, *shape)."""
        return self._run(self.module, inputs)

    def features(self, inputs: Tensor | np.ndarray, upto: int) -> Tensor:
        """Return what the first `upto` layers of a Sequential make of `inputs`, (n_seeds, n, *hidden).

        Raises:
            UsageError: if the module is no Sequential, or has fewer layers.
        """
        if not isinstance(self.module, nn.Sequential) or not 0 < upto <= len(self.module):
            raise UsageError(f"features: upto: {upto}: needs an nn.Sequential of at least that many layers")
        return self._run(self.module[:upto], inputs)

    @torch.no_grad()
    def _run(self, module: nn.Module, inputs: Tensor | np.ndarray) -> Tensor:
        anywhere = next(iter(self.weights.values()))
        given = _as_inputs(inputs, self.module, _storage(self.precision), str(anywhere.device))
        _require(len(given) == len(self), f"inputs: {len(given)} seeds, but the ensemble has {len(self)}")
        wanted = module.state_dict().keys()
        outputs = []
        with _arithmetic(anywhere.device, self.precision):
            for number, own in enumerate(given):
                state = {name: _laid_out(own[number]) for name, own in self.weights.items() if name in wanted}
                blocks = [functional_call(module, state, (_laid_out(block),)) for block in own.split(_at_once(own))]
                outputs.append(torch.cat(blocks).to(_storage(self.precision)))
        return torch.stack(outputs)


@dataclass(frozen=True)
class Observer:
    """Is shown an ensemble of one seed, with the steps taken, every so many steps; the next step changes what it saw."""

    every: int
    see: Callable[[int, Ensemble], None]


def _at_once(examples: Tensor) -> int:
    """Return how many of the examples, (n, *shape), are predicted at once."""
    return IMAGES_AT_ONCE if examples.ndim > 3 else PREDICTED_AT_ONCE


def _laid_out(values: Tensor) -> Tensor:
    """Return images, or a convolution's weights, with their channels innermost in memory; all else as it is."""
    if values.ndim != 4:
        return values
    # `contiguous` leaves a single channel's stride as it is, and torch would take the images for channels outermost:
    # pooling after the first convolution then takes ten times as long.
    laid_out = torch.empty_like(values.permute(0, 2, 3, 1), memory_format=torch.contiguous_format).permute(0, 3, 1, 2)
    return laid_out.copy_(values)


def error_rate(ensemble: Ensemble, inputs: Tensor | np.ndarray, targets: Tensor | np.ndarray) -> np.ndarray:
    """Return the fraction of examples whose largest output is not the target's, (n_seeds,).

    A network with an output that is not a number has no error rate: its entry is NaN.
    """
    outputs = ensemble.predict(inputs)
    return _error_rates(outputs, torch.as_tensor(targets, device=outputs.device)).cpu().numpy()


def _error_rates(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return each seed's share of wrong classes, (n_seeds,); NaN where an output is not a number."""
    wrong = (outputs.argmax(-1) != targets).double().mean(1)
    return wrong.where(outputs.isfinite().flatten(1).all(1), math.nan)


def train(
    build: Build,
    inputs: Tensor | np.ndarray,
    targets: Tensor | np.ndarray,
    seeds: Seeds,
    *,
    optimiser: Optimiser | Sequence[Optimiser],
    batch_size: int,
    epochs: int | None = None,
    steps: int | None = None,
    device: str = "cpu",
    precision: Precision = "float32",
    initialiser: Initialiser = "uniform",
    loss: Loss = "cross_entropy",
    start: Mapping[str, Tensor] | None = None,
    masks: Mapping[str, Tensor] | None = None,
    frozen: Collection[str] = (),
    stopping: EarlyStopping | None = None,
    strategy: Strategy | None = None,
    observer: Observer | None = None,
) -> Ensemble:
    """Train one network per seed and return them.

    Args:
        build: makes the untrained network; called with the meta device as default, so its own initialisation is void.
        inputs: (n_seeds, n, *shape); an expanded view will do where all seeds share the examples, and is not copied.
        targets: class numbers (n_seeds, n), or values (n_seeds, n, *out) for "squared_error".
        seeds: one per network; the roles "weights", "batches" and "dropout" are drawn from.
        optimiser: the rule of a step: one for all seeds, or one per seed, alike in method.
        batch_size: examples per step; an epoch's last batch may be smaller.
        epochs: passes over the examples; give this or `steps`.
        steps: updates; give this or `epochs`.
        device: where to train; initial weights and orders are drawn on the CPU everywhere, and so are the same.
        precision: "bfloat16" computes under autocast with float32 weights.
        initialiser: "uniform" on +-1/sqrt(fan in), torch's own default; "he": N(0, 2/fan in) (He et al. 2015);
            "xavier": uniform of variance 2/(fan in + fan out) (Glorot & Bengio 2010, eq. 16); "xavier_sigmoid": four
            times that range, for logistic units (ibid.; Bengio 2012, sec. 3.3). All but the first set biases to zero.
        loss: mean over the batch.
        start: initial values by name, (n_seeds, *shape), in place of the initialiser's.
        masks: zeros and ones by name, (n_seeds, *shape): a weight under a zero is zero throughout (a pruned one).
        frozen: names of parameters that keep their initial values.
        stopping: when a seed stops before its steps are used up; it then has the weights of its best look.
        strategy: overrides the rule of `choose_strategy`.
        observer: looks on, at one seed.

    Raises:
        UsageError: for shapes that do not fit, a parameter of unknown kind without a start value, an unknown name, or a
            network that draws from the global generator.
    """
    module = _architecture(build)
    storage = _storage(precision)
    rounded = torch.bfloat16 if precision == "bfloat16" and rounds_first(module) else storage
    examples = _as_inputs(inputs, module, rounded, device)
    answers = _as_targets(targets, loss, storage, device)
    _require_fit("", examples, answers, len(seeds))
    count = _number_of_steps(epochs, steps, examples.shape[1], batch_size)
    rules = list(optimiser) if isinstance(optimiser, Sequence) else [optimiser] * len(seeds)
    _require(len(rules) == len(seeds), f"optimiser: {len(rules)} for {len(seeds)} seeds: give one, or one per seed")
    first = initial_weights(module, seeds, initialiser, start, device=device, dtype=storage)
    kept = _checked_masks(masks or {}, first)
    _require(set(frozen) <= set(first), f"frozen: {sorted(frozen)}: the network has {list(first)}")
    batch = torch.empty(min(batch_size, examples.shape[1]), *examples.shape[2:], device="meta", dtype=examples.dtype)
    chosen = strategy or choose_strategy(module, batch, len(batch), torch.device(device).type)
    note(chosen)
    looks = stopping and _on_device(stopping, module, loss, storage, device, len(seeds))
    _require(observer is None or len(seeds) == 1, f"observer: {len(seeds)} seeds: it looks at one alone")
    untrained = Ensemble(copy.deepcopy(module).eval(), first, chosen, precision)
    fixed = (batch_size, count, precision, loss, kept, frozenset(frozen), looks, observer, untrained)
    run = _Run(examples, answers, seeds, rules, *fixed)
    before = torch.get_rng_state()
    weights, taken = _train(run, module, first, chosen)
    _require(
        torch.equal(before, torch.get_rng_state()), "the network draws from torch's global generator: use nn.Dropout"
    )
    return replace(untrained, weights=weights, steps=tuple(taken.tolist()))


Trained = tuple[dict[str, Tensor], Tensor]
"""Weights by name, (n_seeds, *shape), and the steps that made them, (n_seeds,)."""


@dataclass(frozen=True)
class _Run:
    """What one call of `train` was asked for; inputs (n_seeds, n, *shape) and targets are on the device."""

    inputs: Tensor
    targets: Tensor
    seeds: Seeds
    optimisers: Sequence[Optimiser]
    batch_size: int
    steps: int
    precision: Precision
    loss: Loss
    masks: dict[str, Tensor]
    frozen: frozenset[str]
    stopping: EarlyStopping | None
    observer: Observer | None
    untrained: Ensemble

    def dropout(self) -> list[torch.Generator]:
        """Return the generators of dropout, one per seed."""
        return [seed.torch("dropout", str(self.inputs.device)) for seed in self.seeds]

    def of(self, some: slice) -> _Run:
        """Return the same run for a slice of the seeds."""
        stopping = self.stopping and replace(
            self.stopping, inputs=self.stopping.inputs[some], targets=self.stopping.targets[some]
        )
        masks = {name: own[some] for name, own in self.masks.items()}
        return replace(
            self, inputs=self.inputs[some], targets=self.targets[some], seeds=self.seeds[some],
            optimisers=self.optimisers[some], masks=masks, stopping=stopping,
        )  # fmt: skip


def _train(run: _Run, architecture: nn.Module, first: dict[str, Tensor], chosen: Strategy) -> Trained:
    if chosen == "loop":
        return _one_by_one(run, architecture, first)
    module = copy.deepcopy(architecture)
    stacked = chosen == "stacked"
    network = Stacked(module, first, run.frozen, run.dropout()) if stacked else Mapped(module, first, run.frozen)
    return _descend(run, network, Batches(run.inputs, run.targets, run.seeds, run.batch_size, run.steps))


def _one_by_one(run: _Run, architecture: nn.Module, first: dict[str, Tensor]) -> Trained:
    """Train one seed after the other; where there are several threads, as many seeds side by side, each on one.

    Seeds side by side need not wait for each other; threads that share a seed's operations do so at every one of them.
    """

    def alone(number: int) -> Trained:
        only = slice(number, number + 1)
        # Memory of its own: autograd counts changes, and counts those of all views of one tensor together.
        own, weights = run.of(only), {name: values[only].clone() for name, values in first.items()}
        network = Alone(copy.deepcopy(architecture), weights, run.frozen, own.dropout())
        batches = Batches(own.inputs, own.targets, own.seeds, own.batch_size, own.steps, channels_last=True)
        return _descend(own, network, batches)

    threads = torch.get_num_threads() if run.inputs.device.type == "cpu" else 1
    if min(threads, len(run.seeds)) == 1:
        trained = [alone(number) for number in range(len(run.seeds))]
    else:
        try:
            with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                trained = list(pool.map(alone, range(len(run.seeds))))
        finally:
            torch.set_num_threads(threads)
    weights = {name: torch.cat([own[name] for own, _ in trained]) for name in first}
    return weights, torch.cat([steps for _, steps in trained])


def _descend(run: _Run, network: Network, batches: Batches) -> Trained:
    """Take the steps of a run on its networks, each seed's until its rule stops it."""
    parameters = list(network.trained.values())
    rule = descent(run.optimisers, parameters, run.steps)
    masked = [(network.weights()[name].detach(), mask) for name, mask in run.masks.items()]
    watch = run.stopping and Watch(run.stopping, len(run.seeds), run.inputs.device)
    arithmetic, storage, taken = _arithmetic(run.inputs.device, run.precision), _storage(run.precision), 0
    for inputs, targets in batches:
        with arithmetic:
            outputs = network.forward(inputs, training=True)
        _summed_loss(run.loss, outputs.to(storage), targets).backward()  # type: ignore[no-untyped-call]
        rule.step(taken)
        taken += 1
        for parameter, mask in masked:
            parameter.mul_(mask)
        if run.observer and taken % run.observer.every == 0:
            weights = {name: values.detach() for name, values in network.weights().items()}
            run.observer.see(taken, replace(run.untrained, weights=weights, steps=(taken,)))
        if watch and watch.due(taken) and watch.look(taken, _looked_at(run, network), network.weights()):
            break
    if watch and watch.best:
        return watch.best, watch.steps
    weights = {name: values.detach().contiguous() for name, values in network.weights().items()}
    return weights, torch.full((len(run.seeds),), taken)


@torch.no_grad()
def _looked_at(run: _Run, network: Network) -> Tensor:
    """Return what the rule of stopping looks at, (n_seeds,), without dropout and by the running statistics."""
    assert run.stopping is not None
    total = torch.zeros(len(run.seeds), dtype=torch.float64, device=run.inputs.device)
    inputs, targets = cast("Tensor", run.stopping.inputs), cast("Tensor", run.stopping.targets)
    for block, answers in zip(*(torch.split(each, _at_once(inputs[0]), 1) for each in (inputs, targets)), strict=True):
        with _arithmetic(run.inputs.device, run.precision):
            outputs = network.forward(block, training=False).to(_storage(run.precision))
        loss = run.stopping.metric == "loss"
        total += (_losses(run.loss, outputs, answers) if loss else _error_rates(outputs, answers)) * block.shape[1]
    return total / inputs.shape[1]


def _summed_loss(loss: Loss, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the sum over seeds of each seed's mean loss: its gradient for one seed holds nothing of another's."""
    if loss == "squared_error":
        return nn.functional.mse_loss(outputs, targets, reduction="sum") / targets[0].numel()
    rows = outputs.flatten(0, 1)
    if rows.shape[1] <= FEW_CLASSES:
        # With the classes outermost a vector of the processor holds many examples, not a part of one: twice as fast.
        return (
            nn.functional.cross_entropy(rows.T.contiguous()[None], targets.view(1, -1), reduction="sum")
            / targets.shape[1]
        )
    return nn.functional.cross_entropy(rows, targets.view(-1), reduction="sum") / targets.shape[1]


def _losses(loss: Loss, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return each seed's mean loss, (n_seeds,)."""
    if loss == "squared_error":
        return nn.functional.mse_loss(outputs, targets, reduction="none").flatten(1).mean(1)
    flat = nn.functional.cross_entropy(outputs.flatten(0, 1), targets.flatten(), reduction="none")
    return flat.view(len(targets), -1).mean(1)


def _checked_masks(masks: Mapping[str, Tensor], first: dict[str, Tensor]) -> dict[str, Tensor]:
    """Apply the masks to the first weights and return them in their dtype and on their device."""
    checked = {}
    for name, mask in masks.items():
        _require(name in first, f"masks: {name!r}: the network has {list(first)}")
        checked[name] = torch.as_tensor(mask).to(first[name])
        _require(mask.shape == first[name].shape, f"masks: {name}: shape {tuple(mask.shape)} does not fit")
        first[name].mul_(checked[name])
    return checked


def _as_inputs(inputs: Tensor | np.ndarray, module: nn.Module, storage: torch.dtype, device: str) -> Tensor:
    """Return inputs on the device: whole numbers for a network that looks them up, else floating-point ones."""
    looked_up = any(isinstance(part, nn.Embedding) for part in module.modules())
    values = torch.as_tensor(inputs)
    shared = len(values) > 1 and values.stride(0) == 0
    # What the seeds share is converted once, and stays shared.
    own = (values[:1] if shared else values).to(device, torch.int64 if looked_up else storage)
    return own.expand_as(values)


def _as_targets(targets: Tensor | np.ndarray, loss: Loss, storage: torch.dtype, device: str) -> Tensor:
    answers = torch.as_tensor(targets, device=device)
    return answers.to(storage) if loss == "squared_error" else answers.long()


def _on_device(
    stopping: EarlyStopping, module: nn.Module, loss: Loss, storage: torch.dtype, device: str, number: int
) -> EarlyStopping:
    """Return the rule with its examples converted as the training set's are."""
    inputs = _as_inputs(stopping.inputs, module, storage, device)
    targets = _as_targets(stopping.targets, loss, storage, device)
    _require_fit("stopping: ", inputs, targets, number)
    return replace(stopping, inputs=inputs, targets=targets)


def _require_fit(whose: str, inputs: Tensor, targets: Tensor, number: int) -> None:
    """Refuse examples that are not those of `number` seeds, each with a target for every input."""
    _require(
        number == len(inputs) == len(targets) and inputs.shape[1] == targets.shape[1] > 0,
        f"{whose}inputs {tuple(inputs.shape)}, targets {tuple(targets.shape)} and {number} seeds do not fit",
    )


def _architecture(build: Build) -> nn.Module:
    with torch.device("meta"):
        return build()


def _number_of_steps(epochs: int | None, steps: int | None, examples: int, batch_size: int) -> int:
    _require((epochs is None) != (steps is None), f"epochs: {epochs}, steps: {steps}: give exactly one of them")
    return steps if steps is not None else cast("int", epochs) * math.ceil(examples / batch_size)


def _storage(precision: Precision) -> torch.dtype:
    return torch.float64 if precision == "float64" else torch.float32


def _arithmetic(device: torch.device, precision: Precision) -> contextlib.AbstractContextManager[object]:
    if precision != "bfloat16":
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise UsageError(f"train: {message}")
