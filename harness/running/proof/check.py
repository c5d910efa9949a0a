"""What a check says of a claim."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import ClaimsError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Check:
    """One thing that should hold for a claim.

    Attributes:
        name: what is checked, in a word or two.
        holds: what holds if nothing fails, in words.
        failures: what does not hold, one line each: which seed, which metric, which numbers, and what to do.
        seconds: what it took.
        applies: whether there was anything to check.
    """

    name: str
    holds: str
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    applies: bool = True

    @property
    def passed(self) -> bool:
        """Whether nothing fails."""
        return not self.failures


@contextmanager
def timed(check: Check) -> Iterator[Check]:
    """Give a check to be filled in, note what that takes; what this tool raises on purpose, or a file that cannot be read, is a failure of it."""
    begun = time.perf_counter()
    try:
        yield check
    except (ClaimsError, SyntaxError, OSError) as error:
        check.failures += str(error).splitlines()
    finally:
        check.seconds = time.perf_counter() - begun
