"""One trained network per seed: what they make of examples, and how often they are wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from harness.errors import UsageError
from harness.training.architecture import by_batch_statistics, call, is_sequence, mixes_examples, state_of
from harness.training.examples import as_inputs, as_targets
from harness.training.losses import error_rates, require_answers
from harness.training.precision import arithmetic, exact, storage

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from harness.training.precision import Precision
    from harness.training.strategy import Strategy

PREDICTED_AT_ONCE = 1_000
IMAGES_AT_ONCE = 100
"""Examples that a network sees at once when nothing is trained: what it makes of them should stay in the cache."""


@dataclass(frozen=True)
class Ensemble:
    """One trained network per seed.

    Attributes:
        module: the architecture, on the meta device, in evaluation mode; it holds no numbers.
        weights: parameters and buffers by their name in `module`, each of shape (n_seeds, *shape); what stands there
            under several names, tied weights, by the first.
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

    def predict(
        self, inputs: Tensor | np.ndarray, *, batch_statistics: bool = False, batch_size: int | None = None
    ) -> Tensor:
        """Return the networks' outputs, (n_seeds, n, *out), and where the inputs lie.

        Args:
            inputs: (n_seeds, n, *shape).
            batch_statistics: let batch normalisation go by the mean and variance of the batch, as in training; the
                running ones stay as they are, and dropout stays off.
            batch_size: how many examples, one after the other, are such a batch; None for all of them.

        Raises:
            UsageError: a batch size without batch statistics, or a batch of one example, which has no variance.
        """
        _require(
            batch_statistics or batch_size is None, f"batch_size: {batch_size}: give batch_statistics=True with it"
        )
        module = by_batch_statistics(self.module) if batch_statistics else self.module
        if not (batch_statistics and mixes_examples(module)):
            return self._run(module, inputs)
        number = inputs.shape[1]
        size = number if batch_size is None else batch_size
        few = f"batch_size: {size}: a batch needs two examples, the last of the {number} too: leave some out, or change it"
        _require(size > 1 and number % size != 1, few)
        return self._run(module, inputs, size)

    def features(self, inputs: Tensor | np.ndarray, upto: int) -> Tensor:
        """Return what the first `upto` layers of a Sequential make of `inputs`, (n_seeds, n, *hidden), where those lie.

        Raises:
            UsageError: if the module is no plain Sequential (a subclass may do more than call its layers, and so may
                one with hooks), or has fewer layers.
        """
        if not is_sequence(self.module) or not 0 < upto <= len(cast("nn.Sequential", self.module)):
            raise UsageError(f"features: upto: {upto}: needs a plain nn.Sequential of at least that many layers")
        return self._run(cast("nn.Sequential", self.module)[:upto], inputs)

    @torch.no_grad()
    def _run(self, module: nn.Module, inputs: Tensor | np.ndarray, size: int | None = None) -> Tensor:
        anywhere = next(iter(self.weights.values()))
        given = as_inputs(inputs, self.module, storage(self.precision), str(anywhere.device))
        if len(given) != len(self):
            raise UsageError(f"train: inputs: {len(given)} seeds, but the ensemble has {len(self)}")
        wanted = state_of(module).keys()
        outputs = []
        with exact(anywhere.device), arithmetic(anywhere.device, self.precision):
            for number, own in enumerate(given):
                state = {name: _laid_out(own[number]) for name, own in self.weights.items() if name in wanted}
                blocks = [call(module, state, _laid_out(block)) for block in own.split(size or at_once(own, module))]
                outputs.append(torch.cat(blocks).to(storage(self.precision)))
        made = torch.stack(outputs)
        # An experiment compares them with what it has; only this module needs to know where networks are.
        return made.to(inputs.device if isinstance(inputs, Tensor) else "cpu")


@dataclass(frozen=True)
class Observer:
    """Is shown the ensemble of all seeds, with the steps taken, every so many steps.

    The weights are a copy, which it may keep. Where seeds stop early, one that has stopped is shown training on until all have.
    """

    every: int
    see: Callable[[int, Ensemble], None]


def at_once(examples: Tensor, module: nn.Module) -> int:
    """Return how many of the examples, (n, *shape), are predicted at once: all, where a prediction depends on the others."""
    if mixes_examples(module):
        return len(examples)
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

    Args:
        ensemble: networks with one output per class, (n_seeds, n, classes).
        inputs: (n_seeds, n, *shape).
        targets: class numbers, (n_seeds, n).

    Raises:
        UsageError: targets that are no whole numbers, of another shape, or of a class that the networks do not have.
    """
    outputs = ensemble.predict(inputs)
    classes = as_targets(targets, "error_rate", outputs.dtype, str(outputs.device), "error_rate: ")
    require_answers("error_rate", outputs.shape, classes, "error_rate: ")
    return error_rates(outputs, classes).cpu().numpy()


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise UsageError(f"predict: {message}")
