"""Noise that shifts and stretches what a network has normalised: another one at every step, of each seed's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.training.draws import Draws


class SeededNoise(nn.Module):
    """Multiplies and shifts in training, by numbers that change with every step (Santurkar et al. 2018, algorithm 1).

    At each step every unit draws a shift from [-`shift`, `shift`] and a factor from [1, `factor`]; an example's own shift is
    uniform within `jitter` of the unit's, its factor normal about the unit's with `jitter` as standard deviation. Else the
    layer returns its inputs.

    Args:
        shift: the largest of a unit (0.5 there).
        factor: the largest of a unit (1.25 there).
        jitter: how far examples of a unit differ (0.1 there).
        draws: of a network that is not trained by `train`, which brings each seed's own.
    """

    def __init__(self, shift: float, factor: float, jitter: float, draws: Draws | None = None) -> None:
        super().__init__()
        self.shift, self.factor, self.jitter, self.draws = shift, factor, jitter, draws

    def forward(self, inputs: Tensor) -> Tensor:
        """Return what training makes of the inputs, (batch, *units); else the inputs."""
        if not self.training:
            return inputs
        if self.draws is None:
            raise UsageError("SeededNoise: no draws: give it `Draws` of a seed, or let `train` do so")
        return self.of_all(inputs[None], self.draws)[0]

    def of_all(self, inputs: Tensor, draws: Draws) -> Tensor:
        """Return what training makes of all seeds' inputs, (n_seeds, batch, *units), by their draws."""
        every, units, kind = inputs.shape[1:], (1, *inputs.shape[2:]), inputs.dtype
        shift = (2 * draws.uniform(*units, dtype=kind) - 1) * self.shift
        factor = 1 + draws.uniform(*units, dtype=kind) * (self.factor - 1)
        shifts = shift + (2 * draws.uniform(*every, dtype=kind) - 1) * self.jitter
        factors = factor + draws.normal(*every, dtype=kind) * self.jitter
        return inputs * factors + shifts
