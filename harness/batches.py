"""The batches of a training run: every seed's examples in its own order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.seeds import Seeds

Batch = tuple[Tensor, Tensor]


class Batches:
    """The inputs and targets of each step, (n_seeds, batch, ...), each seed's epochs in orders of its role "batches".

    A step's examples are copied into memory that stays: it is in the processor's cache then, while a whole epoch's copy
    would come from main memory, in pages that the system has to clear first (three times the time of a small step).
    A batch is therefore good until the next one.

    Args:
        inputs: (n_seeds, n, *shape); seeds that share the examples may share their memory, too.
        targets: (n_seeds, n, ...).
        seeds: whose orders they are.
        size: examples per step; an epoch's last batch may be smaller.
        steps: how many batches there are.
        channels_last: images are laid out with their channels innermost, as convolutions on a CPU like them best.
    """

    def __init__(
        self, inputs: Tensor, targets: Tensor, seeds: Seeds, size: int, steps: int, *, channels_last: bool = False
    ) -> None:
        self._number, self._size, self._steps = inputs.shape[1], min(size, inputs.shape[1]), steps
        self._channels_last = channels_last and inputs.ndim == 5
        self._inputs = _Rows(inputs.permute(0, 1, 3, 4, 2) if self._channels_last else inputs)
        self._targets = _Rows(targets)
        self._orders = [seed.torch("batches") for seed in seeds]

    def __iter__(self) -> Iterator[Batch]:
        left, per_epoch = self._steps, math.ceil(self._number / self._size)
        if per_epoch == 1:
            whole = self._gather(torch.arange(self._number).repeat(len(self._orders), 1))
            for _ in range(left):
                yield whole
            return
        while left > 0:
            order = torch.stack([torch.randperm(self._number, generator=own) for own in self._orders])
            for rows in order.to(self._inputs.device).split(self._size, 1)[:left]:  # type: ignore[no-untyped-call]
                yield self._gather(rows)
            left -= per_epoch

    def _gather(self, rows: Tensor) -> Batch:
        """Return the examples that `rows`, (n_seeds, k), names."""
        inputs = self._inputs.take(rows)
        return (inputs.movedim(-1, -3) if self._channels_last else inputs), self._targets.take(rows)


class _Rows:
    """Examples of every seed, (n_seeds, n, *shape), in one piece of memory; where seeds share them, once."""

    def __init__(self, values: Tensor) -> None:
        number = values.shape[1]
        shared = len(values) == 1 or values.stride(0) == 0
        self.device = values.device
        self._values = (values[0] if shared else values.flatten(0, 1)).contiguous()
        starts = torch.zeros(len(values)) if shared else number * torch.arange(len(values))
        self._starts = starts.to(values.device, torch.int64)[:, None]
        self._taken: dict[int, Tensor] = {}

    def take(self, rows: Tensor) -> Tensor:
        """Return the examples of each seed that `rows`, (n_seeds, k), names; the next such call writes over them."""
        width = rows.shape[1]
        if width not in self._taken:
            self._taken[width] = self._values.new_empty(rows.numel(), *self._values.shape[1:])
        index = (rows + self._starts).view(-1)
        torch.index_select(self._values, 0, index, out=self._taken[width])
        return self._taken[width].view(*rows.shape, *self._values.shape[1:])
