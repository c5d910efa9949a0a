"""How networks are trained, as one value: what a claim's settings say of optimiser, batches, steps and arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from harness.errors import UsageError
from harness.training.initialisation import Gaussian, as_factors
from harness.training.losses import Loss
from harness.training.optimisers import Optimiser
from harness.training.precision import Precision

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.training.initialisation import Initialiser

OF_OPTIMISER = ("method", "learning_rate", "weight_decay", "schedule")
OF_TRAINING = ("batch_size", "initialiser", "loss", "device", "precision")
OF_GAUSSIAN = ("weight_variance", "bias_variance")
LENGTHS = ("epochs", "steps")
"""Settings that a recipe is read from; `momentum`, too, which the method "adam" has of its own, and `layer_factors`."""


@dataclass(frozen=True)
class Recipe:
    """How one network per seed is trained.

    Attributes:
        optimiser: the rule of a step: one for all seeds, or one per seed, alike in method.
        batch_size: examples per step; an epoch's last batch may be smaller.
        epochs: passes over the examples; give this or `steps`.
        steps: updates; give this or `epochs`.
        initialiser: "uniform" on +-1/sqrt(fan in), torch's own default; "he": N(0, 2/fan in) (He et al. 2015);
            "xavier": uniform of variance 2/(fan in + fan out) (Glorot & Bengio 2010, eq. 16); "xavier_sigmoid": four
            times that range, for logistic units (ibid.; Bengio 2012, sec. 3.3); "orthogonal" matrices (Saxe et al. 2014,
            sec. 3), also between the hidden states of recurrent layers; all these but the first set biases to zero.
            "saturated": the weights of "uniform" and biases of -10, so that rectifiers and sigmoids begin on their flat
            side for all inputs of ordinary size, and nothing is learned below the last layer. Or a `Gaussian`.
        loss: mean over the batch: "cross_entropy" or "squared_error".
        device: where to train; initial weights and orders are drawn on the CPU everywhere, and so are the same.
        precision: "bfloat16" computes under autocast with float32 weights.
        layer_factors: what the weights of each linear or convolutional layer are multiplied by at the start; by nothing
            if empty.
        rates: learning rates that `search` chooses among; where there are any, nothing else trains by this recipe.

    Raises:
        UsageError: for an unknown loss or precision, a number out of its range, or not exactly one of epochs and steps.
    """

    optimiser: Optimiser | Sequence[Optimiser]
    batch_size: int
    epochs: int | None = None
    steps: int | None = None
    initialiser: Initialiser | Gaussian = "uniform"
    loss: Loss = "cross_entropy"
    device: str = "cpu"
    precision: Precision = "float32"
    layer_factors: tuple[float, ...] = ()
    rates: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name, kinds in (("loss", get_args(Loss)), ("precision", get_args(Precision))):
            given = getattr(self, name)
            _require(given in kinds, f"{name}: {given!r}: take one of {kinds}")
        length = f"epochs: {self.epochs}, steps: {self.steps}"
        _require((self.epochs is None) != (self.steps is None), f"{length}: give exactly one of them")
        _require(min(self.epochs or 0, self.steps or 0) >= 0, f"{length}: a number below zero")
        _require(self.batch_size >= 1, f"batch_size: {self.batch_size}: give at least one example per step")

    @classmethod
    def split(cls, settings: Mapping[str, Any]) -> tuple[Recipe, dict[str, Any]]:
        """Return the recipe that settings say by their names, and all settings that are no part of it.

        Nothing has a default: what trains a network stands in claim.yaml. Names are those of `Optimiser` and of this
        class; `epochs` or `steps`; no `momentum` for the method "adam"; `weight_variance` and `bias_variance` for the
        initialiser "gaussian" alone; `layer_factors`, a list, only where layers are to have them; a list as `learning_rate`
        is a grid for `search`. The harness adds `device` and `precision` where a claim says `precision`.

        Raises:
            UsageError: settings that are missing, all at once; or values that `Optimiser` or this class refuses.
        """
        needed = [*OF_OPTIMISER, *OF_TRAINING, *(["momentum"] if settings.get("method") == "sgd" else [])]
        needed += OF_GAUSSIAN if settings.get("initialiser") == "gaussian" else ()
        missing = [name for name in needed if name not in settings]
        missing += [] if any(name in settings for name in LENGTHS) else [" or ".join(LENGTHS)]
        if missing:
            raise UsageError(
                f"settings: {', '.join(missing)}: a recipe of training has no defaults; say them in claim.yaml "
                "(`precision: float32` there brings device and precision)"
            )
        own = {name: settings[name] for name in (*OF_OPTIMISER, "momentum") if name in settings}
        rest = {name: settings[name] for name in (*OF_TRAINING, *LENGTHS) if name in settings} | _start_of(settings)
        taken = {*own, *rest, *OF_GAUSSIAN}
        optimisers = [Optimiser(**own | {"learning_rate": rate}) for rate in _rates(own["learning_rate"])]
        if isinstance(own["learning_rate"], (list, tuple)):
            rest["rates"] = tuple(each.learning_rate for each in optimisers)
        return cls(optimisers[0], **rest), {name: value for name, value in settings.items() if name not in taken}

    def steps_in_an_epoch(self, examples: int) -> int:
        """Return the updates of one pass over so many examples."""
        return math.ceil(examples / self.batch_size)

    def steps_in_all(self, examples: int) -> int:
        """Return the updates of the whole training on so many examples."""
        return self.steps if self.epochs is None else self.epochs * self.steps_in_an_epoch(examples)  # type: ignore[return-value]


def _rates(given: Any) -> list[float]:
    """Return the learning rates that a setting names: one, or a grid."""
    if not isinstance(given, (list, tuple)):
        return [given]
    _require(len(set(given)) == len(given) > 1, f"learning_rate: {given}: a grid has two rates or more, each once")
    return list(given)


def _start_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what settings say of initial weights in numbers."""
    start: dict[str, Any] = {}
    variances = {name: settings[name] for name in OF_GAUSSIAN if name in settings}
    if settings["initialiser"] == "gaussian":
        start["initialiser"] = Gaussian(**variances)
    else:
        _require(not variances, f"{', '.join(variances)}: of the initialiser 'gaussian' alone; leave it out")
    if "layer_factors" in settings:
        start["layer_factors"] = as_factors(settings["layer_factors"])
    return start


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise UsageError(f"train: {message}")
