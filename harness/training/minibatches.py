"""The batches of a training run: every seed's examples in its own order."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.seeds import Seeds

Batch = tuple[Tensor, Tensor]


class Batches:
    """The inputs and targets of each step, (n_seeds, batch, ...); a batch is good until the next one.

    Args:
        inputs: (n_seeds, n, *shape); seeds that share the examples may share their memory, too.
        targets: (n_seeds, n, ...).
        seeds: whose orders they are; their role "batches" is drawn from.
        size: examples per step; an epoch's last batch may be smaller.
        steps: how many batches there are.
        channels_last: images are laid out with their channels innermost, as convolutions on a CPU like them best.
    """

    def __init__(
        self, inputs: Tensor, targets: Tensor, seeds: Seeds, size: int, steps: int, *, channels_last: bool = False
    ) -> None:
        self._channels_last = channels_last and inputs.ndim == 5
        self._inputs = Rows(inputs.permute(0, 1, 3, 4, 2) if self._channels_last else inputs)
        self._targets = Rows(targets)
        self._orders = itertools.islice(orders(seeds, "batches", inputs.shape[1], size, inputs.device), steps)

    def __iter__(self) -> Iterator[Batch]:
        for rows in self._orders:
            inputs = self._inputs.take(rows)
            yield (inputs.movedim(-1, -3) if self._channels_last else inputs), self._targets.take(rows)


def orders(seeds: Seeds, role: str, number: int, size: int, device: torch.device) -> Iterator[Tensor]:
    """Yield without end which examples each step takes, (n_seeds, k): permutations of all, cut into pieces of `size`.

    Where a piece holds all examples, it is always the same tensor and nothing is drawn.

    Args:
        seeds: each draws its own permutations.
        role: what their generators are for.
        number: of examples.
        size: of a step; the last of an epoch may be smaller.
        device: where the examples are; the permutations are drawn on the CPU, and so are the same everywhere.
    """
    if size >= number:
        yield from itertools.repeat(torch.arange(number, device=device).repeat(len(seeds), 1))
    generators = [seed.torch(role) for seed in seeds]
    while True:
        order = torch.stack([torch.randperm(number, generator=own) for own in generators])
        if device.type == "cuda":
            # Unless its memory is pinned, nobody here goes on before the GPU has done all that was asked of it before.
            order = order.pin_memory()
        yield from torch.split(order.to(device, non_blocking=True), size, 1)


class Rows:
    """Examples of every seed, (n_seeds, n, *shape), in one piece of memory; where seeds share them, once.

    What is taken is copied into memory that stays: it is in the processor's cache then, while a whole epoch's copy would
    come from main memory, in pages that the system has to clear first (three times the time of a small step).
    """

    def __init__(self, values: Tensor) -> None:
        number = values.shape[1]
        shared = len(values) == 1 or values.stride(0) == 0
        self._values = (values[0] if shared else values.flatten(0, 1)).contiguous()
        self._starts = (torch.arange(len(values), device=values.device) * (0 if shared else number))[:, None]
        self._taken: dict[int, Tensor] = {}
        self._last: Tensor | None = None

    def take(self, rows: Tensor) -> Tensor:
        """Return the examples of each seed that `rows`, (n_seeds, k), names; the next such call writes over them."""
        shape = (*rows.shape, *self._values.shape[1:])
        if rows is self._last:
            return self._taken[rows.shape[1]].view(shape)
        if rows.shape[1] not in self._taken:
            self._taken[rows.shape[1]] = self._values.new_empty(rows.numel(), *shape[2:])
        index = (rows + self._starts).view(-1)
        torch.index_select(self._values, 0, index, out=self._taken[rows.shape[1]])
        self._last = rows
        return self._taken[rows.shape[1]].view(shape)
