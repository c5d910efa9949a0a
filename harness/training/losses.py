"""Losses and error rates of all seeds' outputs, and that outputs and targets belong together.

Neither a broadcast nor a class that torch ignores makes a number here: both are refused.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

Loss = Literal["cross_entropy", "squared_error"]

Measure = Literal["cross_entropy", "squared_error", "error_rate"]
"""What can be made of outputs and targets."""

FEW_CLASSES = 32


def summed_loss(loss: Loss, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the sum over seeds of each seed's mean loss: its gradient for one seed holds nothing of another's."""
    require_alike(loss, outputs.shape, targets.shape)
    if loss == "squared_error":
        return nn.functional.mse_loss(outputs, targets, reduction="sum") / targets[0].numel()
    rows = outputs.flatten(0, 1)
    if rows.shape[1] <= FEW_CLASSES and not rows.is_cuda:
        # With the classes outermost a vector of the processor holds many examples, not a part of one: twice as fast. On a
        # GPU the sum over examples would be taken in another order at every call.
        return (
            nn.functional.cross_entropy(rows.T.contiguous()[None], targets.view(1, -1), reduction="sum")
            / targets.shape[1]
        )
    return nn.functional.cross_entropy(rows, targets.view(-1), reduction="sum") / targets.shape[1]


def losses(loss: Loss, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return each seed's mean loss, (n_seeds,)."""
    require_alike(loss, outputs.shape, targets.shape)
    if loss == "squared_error":
        return nn.functional.mse_loss(outputs, targets, reduction="none").flatten(1).mean(1)
    flat = nn.functional.cross_entropy(outputs.flatten(0, 1), targets.flatten(), reduction="none")
    return flat.view(len(targets), -1).mean(1)


def error_rates(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return each seed's share of wrong classes, (n_seeds,); NaN where an output is not a number."""
    require_alike("error_rate", outputs.shape, targets.shape)
    wrong = (outputs.argmax(-1) != targets).double().mean(1)
    return wrong.where(outputs.isfinite().flatten(1).all(1), math.nan)


def require_answers(measure: Measure, outputs: Sequence[int], targets: Tensor, whose: str = "train: ") -> None:
    """Refuse targets that are none of a network's whose outputs have the shape `outputs`; `measure` as `require_alike` has it.

    Raises:
        UsageError: their shape, or a class of theirs, is not the network's.
    """
    require_alike(measure, outputs, targets.shape, whose)
    if measure != "squared_error":
        require_classes(targets, outputs[-1], whose)


def require_alike(measure: Measure, outputs: Sequence[int], targets: Sequence[int], whose: str = "train: ") -> None:
    """Refuse outputs and targets that torch would broadcast against each other, or read as something else.

    Args:
        measure: "squared_error", which takes any one shape; all else takes outputs (n_seeds, n, classes) and classes
            (n_seeds, n).
        outputs: their shape.
        targets: their shape.
        whose: what a message begins with.

    Raises:
        UsageError: they do not belong together.
    """
    have, want = tuple(targets), tuple(outputs) if measure == "squared_error" else tuple(outputs[:2])
    if have == want and (measure == "squared_error" or len(outputs) == 3):
        return
    shapes = f"outputs {tuple(outputs)} and targets {have}"
    if measure == "squared_error":
        raise UsageError(
            f"{whose}targets: {shapes}: '{measure}' needs them alike; {_remedy(tuple(outputs), have)}, so that none is "
            "compared with another's"
        )
    raise UsageError(
        f"{whose}targets: {shapes}: '{measure}' takes outputs (n_seeds, n, classes) and class numbers (n_seeds, n); "
        "let the network end in one output per class, and give one whole number per example"
    )


def _remedy(outputs: tuple[int, ...], targets: tuple[int, ...]) -> str:
    if outputs == (*targets, 1):
        return "give targets[..., None], or let the network end in nn.Flatten(0)"
    return f"give targets of shape {outputs}, or let the network's outputs have theirs"


def class_numbers(targets: Tensor, whose: str) -> Tensor:
    """Return classes, (n_seeds, n), as torch takes them.

    Raises:
        UsageError: they are no whole numbers by type: a fraction would be cut off in silence.
    """
    if targets.is_floating_point() or targets.is_complex():
        raise UsageError(
            f"{whose}targets: {str(targets.dtype).removeprefix('torch.')} values: classes are whole numbers; convert "
            "them (labels.astype(int)), or take loss='squared_error'"
        )
    return targets.long()


def require_classes(targets: Tensor, classes: int, whose: str) -> None:
    """Refuse class numbers outside [0, classes).

    torch leaves out examples of class -100 without a word, and on a GPU reads beyond the outputs.

    Raises:
        UsageError: there are such.
    """
    least, most = (int(value) for value in torch.aminmax(targets))
    for found in (least, most):
        if not 0 <= found < classes:
            raise UsageError(
                f"{whose}targets: class {found}: the network has {classes} outputs, for the classes 0 to {classes - 1}; "
                "correct the label, leave its example out, or widen the last layer"
            )
