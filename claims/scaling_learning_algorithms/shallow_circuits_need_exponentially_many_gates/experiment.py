"""Circuits for the parity of N bits: the smallest OR of ANDs, a layer of threshold units, XOR gates in a chain or a tree."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, log2
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from fixtures.cube import parity, vertices

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from harness.seeds import Seeds


class Gate(NamedTuple):
    """Gives 1 where the weighted sum of its sources reaches the threshold; where that is None (XOR), if the sum is odd."""

    sources: tuple[int, ...]  # 0 to N-1 are the inputs, N and above the gates before it
    weights: tuple[int, ...]
    threshold: int | None


Circuit = list[Gate]
"""Gates in an order in which they can be computed; the last one is the output."""

TARGETS = {"parity": lambda corners: parity(corners) > 0, "conjunction": lambda corners: corners.all(axis=1)}


def prime_implicants(wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the products of literals that imply a function, and do so no more without one of them (Quine 1952).

    Args:
        wanted: the function's table, shape (2,) * N.

    Returns:
        Shape (n_products, N): 0 for a negated literal, 1 for a plain one, 2 for one that is not there.
    """
    implies = wanted
    for bit in range(wanted.ndim):  # 0, 1, or either: then both halves of the table must be ones
        implies = np.concatenate([implies, implies.all(axis=bit, keepdims=True)], axis=bit)
    shorter = np.zeros_like(implies)
    for bit in range(wanted.ndim):
        np.moveaxis(shorter, bit, 0)[:2] |= np.moveaxis(implies, bit, 0)[2]
    return np.argwhere(implies & ~shorter)


@lru_cache(maxsize=16)
def smallest_formula(target: str, bits: int) -> Circuit:
    """Return an OR of as few ANDs of literals as compute the target: a cover of its ones by prime implicants.

    Raises:
        ArithmeticError: the integer program was not solved to the end.
    """
    corners = vertices(bits)
    wanted = TARGETS[target](corners)
    products = prime_implicants(wanted.reshape((2,) * bits))
    covers = ((products == 2) | (products == corners[wanted][:, None])).all(axis=2)  # (n_ones, n_products)
    every_one = LinearConstraint(csr_array(covers.astype(float)), lb=1)
    cost = np.ones(len(products))
    found = milp(cost, integrality=1, bounds=Bounds(0, 1), constraints=every_one, options={"mip_rel_gap": 0})
    if found.status != 0:
        raise ArithmeticError(f"no smallest formula: {found.message}")
    terms = []
    for product in products[found.x > 0.5]:
        literals = np.flatnonzero(product < 2)
        signs = np.where(product[literals] == 1, 1, -1)
        terms.append(Gate(tuple(literals.tolist()), tuple(signs.tolist()), int((signs == 1).sum())))
    return [*terms, Gate(tuple(range(bits, bits + len(terms))), (1,) * len(terms), 1)]


def threshold_layer(bits: int) -> Circuit:
    """Return N units, of which unit i fires for i ones or more, and one that takes them with alternating signs."""
    units = [Gate(tuple(range(bits)), (1,) * bits, ones) for ones in range(1, bits + 1)]
    signs = tuple((-1) ** unit for unit in range(bits))
    return [*units, Gate(tuple(range(bits, 2 * bits)), signs, 1)]


def exclusive_or(first: int, second: int, made_of: str, place: int) -> Circuit:
    """Return the XOR of two sources as one gate, or as four NANDs that stand from number `place` on."""
    if made_of == "xor":
        return [Gate((first, second), (1, 1), None)]
    pairs = [(first, second), (first, place), (second, place), (place + 1, place + 2)]
    return [Gate(pair, (-1, -1), -1) for pair in pairs]


def joined(bits: int, made_of: str, *, tree: bool) -> Circuit:
    """Return a circuit that replaces two waiting values by their XOR until one is left.

    The new value waits behind all others (a tree), or is taken next (a chain).
    """
    circuit: Circuit = []
    waiting = list(range(bits))
    while len(waiting) > 1:
        first, second, *others = waiting
        circuit += exclusive_or(first, second, made_of, bits + len(circuit))
        new = bits + len(circuit) - 1
        waiting = [*others, new] if tree else [new, *others]
    return circuit


BUILDERS: dict[str, Callable[[str, int, str], Circuit]] = {
    "formula": lambda target, bits, _: smallest_formula(target, bits),
    "thresholds": lambda _, bits, __: threshold_layer(bits),
    "chain": lambda _, bits, made_of: joined(bits, made_of, tree=False),
    "tree": lambda _, bits, made_of: joined(bits, made_of, tree=True),
}


def evaluate(circuit: Circuit, inputs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what the last gate gives for each row of `inputs`, shape (n_inputs,)."""
    values = list(inputs.T)
    for gate in circuit:
        total = sum(weight * values[source] for source, weight in zip(gate.sources, gate.weights, strict=True))
        values.append(total % 2 if gate.threshold is None else (total >= gate.threshold).astype(np.int64))
    return values[-1]


def depth(circuit: Circuit, bits: int) -> int:
    """Return the number of gates on the longest way from an input to the output."""
    levels = [0] * bits
    for gate in circuit:
        levels.append(1 + max(levels[source] for source in gate.sources))
    return levels[-1]


def measure(
    arm: str, seeds: Seeds, *, bits: int, circuit: str, target: str, made_of: str, first_gate: str
) -> dict[str, NDArray[np.float64]]:
    """Return size, depth and errors of a circuit, shape (n_seeds,); a seed wires the inputs in another order.

    `first_gate: and` replaces the first gate by the AND of its sources.
    """
    gates = list(BUILDERS[circuit](target, bits, made_of))
    if first_gate == "and":
        gates[0] = Gate(gates[0].sources, (1,) * len(gates[0].sources), len(gates[0].sources))
    corners = vertices(bits)
    wanted = TARGETS[target](corners)
    orders = [seed.numpy("wiring").permutation(bits) for seed in seeds]
    wrong = [np.count_nonzero(evaluate(gates, corners[:, order]) != wanted) for order in orders]
    steps = depth(gates, bits)
    sizes = {
        "elements_over_exponential": len(gates) / 2 ** (bits - 1),
        "elements_over_n_log_n": len(gates) / (bits * log2(bits)),
        "elements_over_bits": len(gates) / bits,
        "depth_over_bits": steps / bits,
        "depth_over_log": steps / ceil(log2(bits)),
    }
    return {"wrong_inputs": np.array(wrong, float), **{name: np.full(len(seeds), size) for name, size in sizes.items()}}
