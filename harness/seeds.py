"""Where all randomness comes from: generators derived by hashing, never a global state."""

from __future__ import annotations

import contextlib
import hashlib
import operator
import random
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import torch


@dataclass(frozen=True, order=True)
class Seed:
    """The randomness of one trial: base seed of the run, claim, and index.

    Two arms of a claim that ask the same seed for the same role get the same
    numbers; that is what pairs them. Two roles never share a stream.

    Attributes:
        base: base seed of the run (`--claims-base-seed`); it enters every draw.
        claim: id of the claim.
        index: 0, 1, 2, ... within the claim.
        repeats: which repetition within the seed, and which within that; none of a trial's own seed.
    """

    base: int
    claim: str
    index: int
    repeats: tuple[int, ...] = ()

    def again(self, number: int) -> Seed:
        """Return the randomness of repetition `number` within this seed: a restart, or a resample.

        Number 0 is a repetition like the others, not this seed itself, and all draw independently of it and of each other, at every depth:
        `seed.again(1).again(2)`. A repetition has no trial: what `measure` returns is one number per seed.
        """
        return replace(self, repeats=(*self.repeats, operator.index(number)))

    def entropy(self, role: str) -> int:
        """Return 64 bits for `role`, by SHA-256 of base, claim, role, index and repeats."""
        # The repeats have a separator of their own: whatever the role, no repetition reads like another seed's index.
        own = "\x1e".join(map(str, (self.index, *self.repeats)))
        text = f"{self.base}\x1f{self.claim}\x1f{role}\x1f{own}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")

    def numpy(self, role: str) -> np.random.Generator:
        """Return a NumPy generator for `role`."""
        # Late: what only reads stored trials names seeds too, and draws nothing.
        import numpy as np

        return np.random.default_rng(self.entropy(role))

    def torch(self, role: str, device: str = "cpu") -> torch.Generator:
        """Return a torch generator for `role` on `device`."""
        import torch

        return torch.Generator(device).manual_seed(self.entropy(role) >> 1)

    @contextlib.contextmanager
    def globally(self, role: str) -> Iterator[None]:
        """Let the global generators of Python, NumPy and, where it is loaded, torch draw from `role`; they are as before afterwards.

        For code of others that cannot be given a generator, and for one seed at a time.
        """
        import numpy as np

        bits, torch = self.entropy(role), sys.modules.get("torch")
        before = random.getstate(), np.random.get_state()  # noqa: NPY002 - others draw from it
        gpus = range(torch.cuda.device_count()) if torch and torch.cuda.is_initialized() else ()
        with torch.random.fork_rng(devices=gpus) if torch else contextlib.nullcontext():
            random.seed(bits)
            np.random.seed(bits % 2**32)  # noqa: NPY002
            if torch:
                torch.manual_seed(bits >> 1)
            try:
                yield
            finally:
                random.setstate(before[0])
                np.random.set_state(before[1])  # noqa: NPY002


Seeds = tuple[Seed, ...]


def seeds_of(claim: str, base: int, indices: range | list[int]) -> Seeds:
    """Return the seeds `indices` of `claim` under the base seed `base`."""
    return tuple(Seed(base, claim, index) for index in indices)
