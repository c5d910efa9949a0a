"""Random numbers by counting: what a seed draws, at which call and at which place, is a function of the three.

One operation draws for all seeds, and on every device draws the same; a generator that goes from state to state would have
to be asked for one seed after the other, and takes ten times as long on a CPU.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from harness.seeds import Seeds

MULTIPLIERS = (0x7FEB352D, 0x846CA68B - 2**32)
SHIFTS = (16, 15, 16)
"""Of a bijection of 32 bits in which every bit of the input turns every bit of the output with probability near one half
(Wellons 2018, "lowbias32"); a multiplication and a shift are to it what they are to SplitMix (Steele, Lea & Flood 2014)."""

AHEAD = 256
"""Calls whose keys are made at once on a CPU, where each small operation costs a microsecond."""


class Draws:
    """What the seeds draw for one purpose: call after call, each seed by a key of its own.

    The word of a call at a place is mix(mix(place + a) ^ mix(call + b)), where (a, b) is the seed's key: what a seed
    draws depends neither on its neighbours nor on what was drawn at other places.

    Args:
        keys: two words of 32 bits per seed, int32 (n_seeds, 2), on the device where numbers are wanted.
    """

    def __init__(self, keys: Tensor) -> None:
        self._places, self._calls = keys[:, :1].contiguous(), keys[:, 1:].contiguous()
        self._count = torch.zeros_like(self._calls)
        # A count on the device, so that a step which was recorded draws anew when it is replayed.
        self._counted = keys.device.type != "cpu"
        self._ahead: list[Tensor] = []
        self._kept: dict[tuple[int, ...], tuple[Tensor, Tensor, Tensor]] = {}

    @classmethod
    def of(cls, seeds: Seeds, role: str, device: str | torch.device = "cpu") -> Draws:
        """Return what the seeds draw for `role`, on `device`."""
        words = [seed.entropy(role) for seed in seeds]
        halves = [[_signed(word >> 32), _signed(word & 0xFFFFFFFF)] for word in words]
        return cls(torch.tensor(halves, dtype=torch.int32).to(device))

    def state(self) -> list[Tensor]:
        """Return what a call changes: how many there were, where a recorded step counts them."""
        return [self._count]

    def words(self, *shape: int) -> Tensor:
        """Return the next words of 32 bits, int32 (n_seeds, *shape); the next call of that shape writes over them."""
        where, words, between = self._memory(shape)
        torch.bitwise_xor(where, self._key(), out=words)
        return mix(words, between).view(len(where), *shape)

    def coins(self, likeness: Tensor, probability: float) -> Tensor:
        """Return ones with a probability below one, else zeros, shaped and typed as `likeness`, (n_seeds, ...)."""
        ones = torch.empty_like(likeness, memory_format=torch.contiguous_format)
        above = min(round(probability * 2**32), 2**32 - 1) - 2**31
        return torch.lt(self.words(*likeness.shape[1:]), above, out=ones)

    def uniform(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return uniform numbers in [0, 1), (n_seeds, *shape): multiples of 2 to the power of -24."""
        # Numbers of 24 bits are exact in float32; a longer one might be rounded up to 1.
        return (self.words(*shape) >> 8).to(dtype).mul_(2.0**-24).add_(0.5)

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return standard normal numbers, (n_seeds, *shape), at most 5.8 from zero (Box & Muller 1958)."""
        radius = self.uniform(*shape, dtype=dtype).neg_().add_(1.0).log_().mul_(-2.0).sqrt_()
        return self.uniform(*shape, dtype=dtype).mul_(math.tau).cos_().mul_(radius)

    def _memory(self, shape: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
        """Return the mixed places of every seed, and room for words; (n_seeds, places) each."""
        if shape not in self._kept:
            places = torch.arange(math.prod(shape), dtype=torch.int32, device=self._places.device) + self._places
            self._kept[shape] = (
                mix(places, torch.empty_like(places)),
                torch.empty_like(places),
                torch.empty_like(places),
            )
        return self._kept[shape]

    def _key(self) -> Tensor:
        """Return the key of the next call, (n_seeds, 1)."""
        if self._counted:
            key = self._calls + self._count
            self._count.add_(1)
            return mix(key, torch.empty_like(key))
        if not self._ahead:
            steps = self._count + torch.arange(AHEAD, dtype=torch.int32)
            keys = self._calls + steps
            self._ahead = list(reversed(torch.split(mix(keys, torch.empty_like(keys)), 1, 1)))
            self._count.add_(AHEAD)
        return self._ahead.pop()


class Streams:
    """What the layers of the seeds' networks draw: each layer, by its name, the same whatever others draw, and when.

    Args:
        seeds: one per network.
        device: where numbers are wanted.
    """

    def __init__(self, seeds: Seeds, device: torch.device) -> None:
        self._seeds, self._device = seeds, device
        self._made: list[Draws] = []

    def of(self, layer: str) -> Draws:
        """Return the draws of a layer, from its beginning."""
        self._made.append(Draws.of(self._seeds, f"layer {layer}", self._device))
        return self._made[-1]

    def state(self) -> list[Tensor]:
        """Return what a step changes of them."""
        return [tensor for own in self._made for tensor in own.state()]


def mix(words: Tensor, between: Tensor) -> Tensor:
    """Mix the bits of each word, in place; `between` is room of the same shape."""
    for shift, multiplier in zip(SHIFTS, (*MULTIPLIERS, 1), strict=True):
        # A shift of signed words brings in copies of their sign.
        torch.bitwise_right_shift(words, shift, out=between)
        words.bitwise_xor_(between.bitwise_and_((1 << (32 - shift)) - 1))
        if multiplier != 1:
            words.mul_(multiplier)
    return words


def _signed(word: int) -> int:
    return word - 2**32 if word >= 2**31 else word
