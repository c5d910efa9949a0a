"""Counts of successes against a rate: Robbins' beta-binomial mixture.

Of n independent draws, each a success with chance p, let k be successes. The evidence against p is the chance of
these very draws under a mixture of rates, by that under p:

    M_n(p) = B(c + k, c + n - k) / B(c, c) / (p^k (1 - p)^(n - k)),    B the beta function.

Under p it is a non-negative martingale that begins at 1, so the chance that it ever reaches 1 / alpha is at most alpha
(Ville 1939; Robbins 1970, "Statistical methods related to the law of the iterated logarithm").
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PRIOR = 0.25
"""c: both parameters of the beta law that rates are mixed by. Rates near 0 or 1 are the rule here, and a small c sees
them soonest: 83 seeds that all succeed prove 0.9, where Jeffreys' c = 1/2 needs 93 and a uniform law 111."""


@lru_cache(maxsize=512)
def log_mixture(n: int) -> NDArray[np.float64]:
    """Return the logarithm of B(c + k, c + n - k) / B(c, c) for k = 0, ..., n, shape (n + 1,); not to be written to."""
    import numpy as np

    halves = [math.lgamma(PRIOR + k) - math.lgamma(PRIOR) for k in range(n + 1)]
    both: NDArray[np.float64] = np.add(halves, halves[::-1]) - (math.lgamma(2 * PRIOR + n) - math.lgamma(2 * PRIOR))
    both.flags.writeable = False
    return both


def log_evidence(n: int, p: float) -> NDArray[np.float64]:
    """Return log M_n(p) for k = 0, ..., n successes, shape (n + 1,); 0 < p < 1."""
    import numpy as np

    k = np.arange(n + 1)
    result: NDArray[np.float64] = log_mixture(n) - k * math.log(p) - (n - k) * math.log1p(-p)
    return result


@lru_cache(maxsize=4096)
def tails(n: int, p: float, alpha: float) -> tuple[int, int]:
    """Return how many of the counts 0, 1, ... and how many of n, n - 1, ... speak against p at error rate `alpha`."""
    import numpy as np

    against = log_evidence(n, p) >= -math.log(alpha)
    few = np.arange(n + 1) < n * p
    return int((against & few).sum()), int((against & ~few).sum())
