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
    from collections.abc import Callable

    from harness.seeds import Seeds

MULTIPLIERS = (0x7FEB352D, 0x846CA68B - 2**32)
SHIFTS = (16, 15, 16)
"""Of a bijection of 32 bits in which every bit of the input turns every bit of the output with probability near one half
(Wellons 2018, "lowbias32"); a multiplication and a shift are to it what they are to SplitMix (Steele, Lea & Flood 2014)."""

AT_ONCE = 65_536
"""Words that a CPU makes at once, of several calls if they are few: each small operation costs it a microsecond."""


class Draws:
    """What the seeds draw for one purpose: call after call, each seed by a key of its own.

    The word of a call at a place is mix(mix(place + a) ^ mix(call + b)), where (a, b) is the seed's key: what a seed
    draws depends neither on its neighbours nor on what was drawn at other places.

    Args:
        keys: two words of 32 bits per seed, int32 (n_seeds, 2), on the device where numbers are wanted.
    """

    def __init__(self, keys: Tensor) -> None:
        self._places, self._calls = keys[:, :1].contiguous(), keys[:, 1:].contiguous()
        # A count on the device, so that a step which was recorded draws anew when it is replayed.
        self._counted = keys.device.type != "cpu"
        self._count, self._called = torch.zeros_like(self._calls), 0
        self._kept: dict[tuple[int, ...], _Words] = {}

    @classmethod
    def of(cls, seeds: Seeds, role: str, device: str | torch.device = "cpu") -> Draws:
        """Return what the seeds draw for `role`, on `device`."""
        words = [seed.entropy(role) for seed in seeds]
        halves = [[_signed(word >> 32), _signed(word & 0xFFFFFFFF)] for word in words]
        return cls(torch.tensor(halves, dtype=torch.int32).view(-1, 2).to(device))

    def state(self) -> list[Tensor]:
        """Return what a call changes: how many there were, where a recorded step counts them."""
        return [self._count]

    def words(self, *shape: int) -> Tensor:
        """Return the next words of 32 bits, int32 (n_seeds, *shape), good until the next call."""
        if shape not in self._kept:
            self._kept[shape] = _Words(self._places, math.prod(shape), 1 if self._counted else AT_ONCE)
        words = self._kept[shape].of_call(self._called, self._keys)
        if self._counted:
            self._count.add_(1)
        else:
            self._called += 1
        return words.view(len(self._places), *shape)

    def _keys(self, calls: int) -> Tensor:
        """Return the keys of the next calls, (calls, n_seeds, 1)."""
        numbers = torch.arange(self._called, self._called + calls, dtype=torch.int32, device=self._calls.device)
        keys = (self._calls + self._count) + numbers[:, None, None]
        return mix(keys, torch.empty_like(keys))

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


class _Words:
    """The words of some calls of one shape, and room for them.

    Args:
        keys: of places, (n_seeds, 1).
        places: that a seed draws at in a call.
        at_once: how many words are made at once, if a call has not more.
    """

    def __init__(self, keys: Tensor, places: int, at_once: int) -> None:
        numbers = torch.arange(places, dtype=torch.int32, device=keys.device) + keys
        self._places = mix(numbers, torch.empty_like(numbers))
        calls = max(1, at_once // max(1, numbers.numel()))
        self._words, self._between = (numbers.new_empty(calls, *numbers.shape) for _ in range(2))
        self._first: int | None = None

    def of_call(self, call: int, keys_of: Callable[[int], Tensor]) -> Tensor:
        """Return the words of a call, (n_seeds, places), by the keys of this and of the next."""
        calls = len(self._words)
        if calls == 1 or self._first is None or not self._first <= call < self._first + calls:
            torch.bitwise_xor(self._places, keys_of(calls), out=self._words)
            mix(self._words, self._between)
            self._first = call
        return self._words[call - self._first]


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
