"""Training one network per seed, all in one call, without a global generator.

`train` takes an ordinary `nn.Module` factory and gives back one trained network per seed. What a seed draws comes from
its own generators, and no operation mixes seeds: a seed's network does not depend on which others were trained with it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from harness._strategy_log import note
from harness.errors import UsageError
from harness.training.draws import Streams
from harness.training.early_stopping import StoppingState
from harness.training.ensembles import Ensemble, at_once
from harness.training.examples import as_inputs, as_targets, require_fit
from harness.training.graphs import Recorded, worth_recording
from harness.training.held_weights import held_weights
from harness.training.initialisation import initial_weights
from harness.training.layers import rounds_first
from harness.training.losses import error_rates, losses, require_answers, summed_loss
from harness.training.minibatches import Batches
from harness.training.networks import SingleNetwork, Stacked, VmappedNetworks
from harness.training.optimisers import make_stepper
from harness.training.precision import arithmetic, exact, storage
from harness.training.rehearsal import global_states, rehearse, require_undrawn
from harness.training.strategy import choose_strategy, require_possible

if TYPE_CHECKING:
    import numpy as np

    from harness.seeds import Seeds
    from harness.training.early_stopping import EarlyStopping
    from harness.training.ensembles import Observer
    from harness.training.held_weights import Held
    from harness.training.losses import Loss, Measure
    from harness.training.networks import Network
    from harness.training.optimisers import Optimiser
    from harness.training.precision import Precision
    from harness.training.recipe import Recipe
    from harness.training.strategy import Strategy

Build = Callable[[], nn.Module]


def train(
    build: Build,
    inputs: Tensor | np.ndarray,
    targets: Tensor | np.ndarray,
    seeds: Seeds,
    *,
    recipe: Recipe,
    start: Mapping[str, Tensor] | None = None,
    masks: Mapping[str, Tensor] | None = None,
    frozen: Collection[str] | Mapping[str, Tensor] = (),
    stopping: EarlyStopping | None = None,
    strategy: Strategy | None = None,
    observer: Observer | None = None,
) -> Ensemble:
    """Train one network per seed and return them.

    Args:
        build: makes the untrained network; called with the meta device as default, so its own initialisation is void.
        inputs: (n_seeds, n, *shape); an expanded view will do where all seeds share the examples, and is not copied.
        targets: class numbers (n_seeds, n), or for "squared_error" values of the outputs' shape, (n_seeds, n, *out).
        seeds: one per network; the roles "weights", "batches" and, for layers that draw, "layer <name>" are drawn from.
        recipe: optimiser, batches, length, initial weights, loss, device and precision.
        start: initial values by name, (n_seeds, *shape), in place of the initialiser's.
        masks: zeros and ones by name, (n_seeds, *shape): a weight under a zero is zero throughout (a pruned one).
        frozen: names of parameters that keep their initial values, as those do that ask for no gradient; or, by name, which
            entries of a parameter do, as truth values, (n_seeds, *shape).
        stopping: when a seed stops before its steps are used up; it then has the weights of its best look.
        strategy: overrides the rule of `choose_strategy`.
        observer: looks on, at all seeds at once; "loop", which trains them one after the other, has it look at one seed only.

    Raises:
        UsageError: for shapes that do not fit, targets that torch would broadcast or leave out, a parameter of unknown
            kind without a start value, an unknown name, or a network that draws from a global generator or changes its
            inputs in place.
    """
    loss, device, precision, optimiser = recipe.loss, recipe.device, recipe.precision, recipe.optimiser
    _require(not recipe.rates, f"learning_rate: {list(recipe.rates)}: a grid: call `search`, or give one rate")
    module, stored = _architecture(build), storage(precision)
    rounded = torch.bfloat16 if precision == "bfloat16" and rounds_first(module) else stored
    examples = as_inputs(inputs, module, rounded, device)
    answers = as_targets(targets, loss, stored, device, "train: ")
    require_fit("", examples, answers, len(seeds))
    count = recipe.steps_in_all(examples.shape[1])
    rules = list(optimiser) if isinstance(optimiser, Sequence) else [optimiser] * len(seeds)
    _require(len(rules) == len(seeds), f"optimiser: {len(rules)} for {len(seeds)} seeds: give one, or one per seed")
    first = initial_weights(module, seeds, recipe.initialiser, start, recipe.layer_factors, device=device, dtype=stored)
    held, whole = held_weights(masks or {}, frozen, first, module)
    looks = stopping and _on_device(stopping, module, loss, stored, device, len(seeds))
    batch = examples[0, : min(recipe.batch_size, examples.shape[1])]
    made = rehearse(module, {name: values[0] for name, values in first.items()}, batch, precision)
    _require_answers(loss, made, answers[:, : len(batch)], answers, looks)
    if strategy:
        require_possible(strategy, module)
    chosen = strategy or choose_strategy(module, batch.to("meta"), len(batch), torch.device(device).type)
    note(chosen)
    one_by_one = "with 'loop' they are trained one after the other: take another strategy, or one call for each seed"
    _require(observer is None or len(seeds) == 1 or chosen != "loop", f"observer: {len(seeds)} seeds: {one_by_one}")
    untrained = Ensemble(copy.deepcopy(module).eval(), first, chosen, precision)
    fixed = (recipe.batch_size, count, precision, loss, held, whole, looks, observer, untrained)
    run = _Run(examples, answers, seeds, rules, *fixed)
    before = global_states(examples.device)
    with exact(examples.device):
        weights, taken = _train(run, module, first, chosen)
    require_undrawn(before, examples.device)
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
    held: dict[str, Held]
    frozen: frozenset[str]
    stopping: EarlyStopping | None
    observer: Observer | None
    untrained: Ensemble

    def streams(self) -> Streams:
        """Return what the networks' layers draw, from its beginning."""
        return Streams(self.seeds, self.inputs.device)

    def of(self, some: slice) -> _Run:
        """Return the same run for a slice of the seeds."""
        stopping = self.stopping and replace(
            self.stopping, inputs=self.stopping.inputs[some], targets=self.stopping.targets[some]
        )
        held = {name: (where[some], values[some]) for name, (where, values) in self.held.items()}
        return replace(
            self, inputs=self.inputs[some], targets=self.targets[some], seeds=self.seeds[some],
            optimisers=self.optimisers[some], held=held, stopping=stopping,
        )  # fmt: skip


def _train(run: _Run, architecture: nn.Module, first: dict[str, Tensor], chosen: Strategy) -> Trained:
    if chosen == "loop":
        return _one_by_one(run, architecture, first)
    module = copy.deepcopy(architecture)
    network = (Stacked if chosen == "stacked" else VmappedNetworks)(module, first, run.frozen, run.streams())
    return _descend(run, network, Batches(run.inputs, run.targets, run.seeds, run.batch_size, run.steps))


def _one_by_one(run: _Run, architecture: nn.Module, first: dict[str, Tensor]) -> Trained:
    """Train one seed after the other; where there are several threads, as many seeds side by side, each on one.

    Seeds side by side need not wait for each other; threads that share a seed's operations do so at every one of them.
    """

    def alone(number: int) -> Trained:
        only = slice(number, number + 1)
        # Memory of its own: autograd counts changes, and counts those of all views of one tensor together.
        own, weights = run.of(only), {name: values[only].clone() for name, values in first.items()}
        network = SingleNetwork(copy.deepcopy(architecture), weights, run.frozen, own.streams())
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
    rule = make_stepper(run.optimisers, parameters, run.steps)
    held = [(network.weights()[name].detach(), *own) for name, own in run.held.items()]
    watch = run.stopping and StoppingState(run.stopping, len(run.seeds), run.inputs.device)
    around, stored, taken = arithmetic(run.inputs.device, run.precision), storage(run.precision), 0

    def step(inputs: Tensor, targets: Tensor) -> None:
        with around:
            outputs = network.forward(inputs, training=True)
        summed_loss(run.loss, outputs.to(stored), targets).backward()  # type: ignore[no-untyped-call]
        rule.step()
        for parameter, where, values in held:
            torch.where(where, values, parameter, out=parameter)

    take = step
    if worth_recording(run.untrained.strategy, run.steps, run.inputs.device):
        take = Recorded(step, lambda: [*network.weights().values(), *rule.state(), *network.streams.state()])
    for inputs, targets in batches:
        take(inputs, targets)
        taken += 1
        if run.observer and taken % run.observer.every == 0:
            run.observer.see(taken, replace(run.untrained, weights=_copied(network), steps=(taken,) * len(run.seeds)))
        if watch and watch.due(taken) and watch.look(taken, _looked_at(run, network), network.weights()):
            break
    if watch and watch.best:
        return watch.best, watch.steps
    return _copied(network), torch.full((len(run.seeds),), taken)


def _copied(network: Network) -> dict[str, Tensor]:
    """Return the weights as they are now, laid out as torch's layers have them."""
    return {
        name: values.detach().clone(memory_format=torch.contiguous_format) for name, values in network.weights().items()
    }


@torch.no_grad()
def _looked_at(run: _Run, network: Network) -> Tensor:
    """Return what the rule of stopping looks at, (n_seeds,), without dropout and by the running statistics."""
    assert run.stopping is not None
    total = torch.zeros(len(run.seeds), dtype=torch.float64, device=run.inputs.device)
    inputs, targets = cast("Tensor", run.stopping.inputs), cast("Tensor", run.stopping.targets)
    number = at_once(inputs[0], run.untrained.module)
    for block, answers in zip(*(torch.split(each, number, 1) for each in (inputs, targets)), strict=True):
        with arithmetic(run.inputs.device, run.precision):
            outputs = network.forward(block, training=False).to(storage(run.precision))
        loss = run.stopping.metric == "loss"
        total += (losses(run.loss, outputs, answers) if loss else error_rates(outputs, answers)) * block.shape[1]
    return total / inputs.shape[1]


def _on_device(
    stopping: EarlyStopping, module: nn.Module, loss: Loss, stored: torch.dtype, device: str, number: int
) -> EarlyStopping:
    """Return the rule with its examples converted as the training set's are."""
    inputs = as_inputs(stopping.inputs, module, stored, device)
    measure = _looked_for(stopping, loss)
    targets = as_targets(stopping.targets, measure, stored, device, "train: stopping: ")
    require_fit("stopping: ", inputs, targets, number)
    return replace(stopping, inputs=inputs, targets=targets)


def _looked_for(stopping: EarlyStopping, loss: Loss) -> Measure:
    return loss if stopping.metric == "loss" else "error_rate"


def _require_answers(
    loss: Loss, made: Sequence[int], first: Tensor, answers: Tensor, looks: EarlyStopping | None
) -> None:
    """Refuse targets that are not of the shape, or the classes, of what a network made of the `first` of them."""
    require_answers(loss, (len(answers), *made), first)
    require_answers(loss, (*answers.shape[:2], *made[1:]), answers)
    if looks:
        looked_at = cast("Tensor", looks.targets)
        require_answers(_looked_for(looks, loss), (*looked_at.shape[:2], *made[1:]), looked_at, "train: stopping: ")


def _architecture(build: Build) -> nn.Module:
    with torch.device("meta"):
        return build()


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise UsageError(f"train: {message}")
