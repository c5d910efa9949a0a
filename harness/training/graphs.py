"""A step of training recorded on a GPU, and replayed: the GPU is told once what to do, not at every step.

To launch an operation takes a GPU's host some five microseconds, and a step of ours is dozens of them that take
less to compute. CUDA graphs (CUDA C++ Programming Guide, "CUDA Graphs") launch them all at once.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from harness.training.strategy import Strategy

STEPS_AT_LEAST = 20
"""Recording takes as long as some ten steps; shorter runs are not worth it."""

WARM_UP = 3
"""Steps before a recording, in which libraries choose kernels and make workspaces, as torch's manual asks for."""


def worth_recording(strategy: Strategy, steps: int, device: torch.device) -> bool:
    """Whether the steps of a run are recorded: on a GPU, where all seeds take them together, if there are enough.

    One seed after the other may be a module that asks the GPU for numbers, which cannot be recorded.
    """
    return device.type == "cuda" and strategy != "loop" and steps >= STEPS_AT_LEAST


class Recorded:
    """Steps recorded as CUDA graphs, one for each memory that batches come in.

    Args:
        step: takes a step on inputs and targets that stay where they are in memory.
        state: returns all tensors that a step changes; those that it makes itself are zero before the first.
    """

    def __init__(self, step: Callable[[Tensor, Tensor], None], state: Callable[[], list[Tensor]]) -> None:
        self._step, self._state = step, state
        self._graphs: dict[tuple[int, int, torch.Size], torch.cuda.CUDAGraph] = {}
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, inputs: Tensor, targets: Tensor) -> None:
        """Take a step."""
        where = (inputs.data_ptr(), targets.data_ptr(), inputs.shape)
        if where not in self._graphs:
            self._warm_up(inputs, targets)
            self._graphs[where] = self._record(inputs, targets)
        self._graphs[where].replay()

    def _warm_up(self, inputs: Tensor, targets: Tensor) -> None:
        """Take steps beside the queue of all else, and undo them."""
        before = {own.data_ptr(): own.detach().clone() for own in self._state()}
        beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside), warnings.catch_warnings():
            # torch's optimisers remind of what comes next.
            warnings.filterwarnings("ignore", ".*capturable=True", UserWarning)
            for _ in range(WARM_UP):
                self._step(inputs, targets)
        torch.cuda.current_stream().wait_stream(beside)
        with torch.no_grad():
            for own in self._state():
                own.detach().copy_(before.get(own.data_ptr(), torch.zeros_like(own)))

    def _record(self, inputs: Tensor, targets: Tensor) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            self._step(inputs, targets)
        return graph
