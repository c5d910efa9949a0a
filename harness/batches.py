"""The batches of a training run: every seed's examples in its own order, gathered many steps at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.seeds import Seeds

GATHERED_AT_ONCE = 16 * 2**20
"""Bytes: copying many steps at once spares starting a copy at every step; much more than a cache holds gains nothing."""

Batch = tuple[Tensor, Tensor]


class Batches:
    """The inputs and targets of each step, (n_seeds, batch, ...), each seed's epochs in orders of its role "batches".

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
        self._number, self._size, self._steps, self._seeds = inputs.shape[1], size, steps, seeds
        self._channels_last = channels_last and inputs.ndim == 5
        self._inputs = _rows(inputs.permute(0, 1, 3, 4, 2) if self._channels_last else inputs)
        self._targets = _rows(targets)
        self._orders = [seed.torch("batches") for seed in seeds]

    def __iter__(self) -> Iterator[Batch]:
        left = self._steps
        per_epoch = math.ceil(self._number / self._size)
        whole = self._gather(torch.arange(self._number).expand(len(self._seeds), -1)) if per_epoch == 1 else None
        while left > 0:
            if whole is not None:
                yield whole
                left -= 1
                continue
            order = torch.stack([torch.randperm(self._number, generator=own) for own in self._orders])
            yield from self._epoch(order[:, : left * self._size])
            left -= min(left, per_epoch)

    def _epoch(self, order: Tensor) -> Iterator[Batch]:
        """Yield the batches of an order, (n_seeds, n)."""
        per_step = self._inputs[0].numel() * self._inputs.element_size() * len(order) * self._size
        together = max(1, GATHERED_AT_ONCE // per_step)
        full = order.shape[1] // self._size
        for begin in range(0, full, together):
            part = order[:, begin * self._size : min(begin + together, full) * self._size]
            stepwise = torch.unflatten(part, 1, (-1, self._size)).transpose(0, 1)
            yield from zip(*self._gather(stepwise), strict=True)
        if order.shape[1] % self._size:
            yield self._gather(order[:, full * self._size :])

    def _gather(self, order: Tensor) -> Batch:
        """Return the examples that `order`, (..., n_seeds, k), names."""
        inputs, targets = (_pick(rows, order.to(rows.device), self._number) for rows in (self._inputs, self._targets))
        return (inputs.movedim(-1, -3) if self._channels_last else inputs), targets


def _rows(values: Tensor) -> Tensor:
    """Return (n_seeds, n, *shape) as rows in one piece of memory, those of all seeds once if they are the same memory."""
    shared = len(values) == 1 or values.stride(0) == 0
    return (values[0] if shared else values.flatten(0, 1)).contiguous()


def _pick(rows: Tensor, order: Tensor, number: int) -> Tensor:
    """Return rows by `order`, (..., n_seeds, k); those of seed s begin at s * number unless the seeds share them."""
    if len(rows) > number:
        order = order + number * torch.arange(order.shape[-2], device=order.device)[:, None]
    return torch.unflatten(rows.index_select(0, order.flatten()), 0, order.shape)
