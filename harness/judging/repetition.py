"""Whether a replication's numbers are an earlier replication's again: evidence that must not count twice.

Independent replications are exchangeable: given all numbers of two replications together, every order of them is as likely as any
other. A replication that says of every seed what the other said of the seed with its index, or of some seed, is one of few
such orders, and how few is counted exactly, whatever the numbers' distribution. Numbers that often agree by chance (an
error rate in steps of 1/20, successes and failures) have many such orders, and prove nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from typing import Any

CHANCE = 0.001
"""A replication is taken for a repetition if independent replications would look so no more often than this."""

MOST = 128
"""Seeds of either replication that the chance is counted for."""


def repeats(later: Mapping[int, Mapping[Any, float]], earlier: Mapping[int, Mapping[Any, float]]) -> bool:
    """Return whether a replication repeats an earlier one: all its seeds' numbers are there, and not by chance.

    Args:
        later: index of the seed -> what was measured -> number.
        earlier: likewise.
    """
    names = _common([*later.values(), *earlier.values()])
    if not names:
        return False
    new, old = (
        {index: tuple(row[name] for name in names) for index, row in replication.items()}
        for replication in (later, earlier)
    )
    if all(old.get(index) == row for index, row in new.items()):
        shared = sorted(new)[:MOST]
        rest = [index for index in sorted(old) if index not in new][: MOST - len(shared)]
        return chance_in_order([new[i] for i in shared], [old[i] for i in [*shared, *rest]]) <= CHANCE / 2
    one, other = ([replication[index] for index in sorted(replication)[:MOST]] for replication in (new, old))
    return set(new.values()) <= set(old.values()) and set(one) <= set(other) and chance(one, other) <= CHANCE / 2


def _common(rows: Sequence[Mapping[Any, float]]) -> list[Any]:
    """Return what was measured of every seed."""
    return [name for name in rows[0] if all(name in row for row in rows)] if rows else []


def chance_in_order(later: Sequence[Hashable], earlier: Sequence[Hashable]) -> float:
    """Return how likely independent replications agree seed by seed, given the numbers of both together.

    With m later and n earlier seeds, m <= n, and c_v seeds of both with the value v, it is
    m! (n - m)! / (m + n)! times the coefficient of x^m in prod_v sum_j c_v! / (j! (c_v - 2j)!) x^j.
    """
    m, n = len(later), len(earlier)

    def pairs(c: int, j: int) -> int:
        return math.comb(c, 2 * j) * math.factorial(2 * j) // math.factorial(j)

    ways = _coefficient(later, earlier, lambda c: [pairs(c, j) for j in range(c // 2 + 1)])
    return ways * math.factorial(m) * math.factorial(n - m) / math.factorial(m + n)


def chance(later: Sequence[Hashable], earlier: Sequence[Hashable]) -> float:
    """Return how likely every value of the later of two independent replications is among the earlier's, given both together.

    It is the coefficient of x^m in prod_v ((1 + x)^c_v - x^c_v), over the number of ways to choose m of all.
    """
    ways = _coefficient(later, earlier, lambda c: [math.comb(c, j) for j in range(c)])
    return ways / math.comb(len(later) + len(earlier), len(later))


def _coefficient(later: Sequence[Hashable], earlier: Sequence[Hashable], factor: Callable[[int], list[int]]) -> int:
    """Return the coefficient of x^m, m later seeds, in the product of a polynomial per value by how often it occurs."""
    m, product = len(later), [1]
    for count in Counter([*later, *earlier]).values():
        terms = factor(count)
        product = [
            sum(product[i - j] * terms[j] for j in range(max(0, i - len(product) + 1), min(i, len(terms) - 1) + 1))
            for i in range(min(m + 1, len(product) + len(terms) - 1))
        ]
    return product[m] if len(product) > m else 0
