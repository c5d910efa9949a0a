"""Checks of the instrument: smallest formulas by brute force, circuits against sums, counts and depths by hand."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of


def products_of_literals(corners):
    """Return on which corners each of the 3^N products of literals is true, as sets of row numbers."""

    def true_on(literals):
        return [
            row for row, corner in enumerate(corners) if all(a in (2, b) for a, b in zip(literals, corner, strict=True))
        ]

    return [frozenset(true_on(literals)) for literals in product((0, 1, 2), repeat=corners.shape[1])]


def fewest_by_hand(corners, wanted):
    """Return how many products an OR needs, by trying all sets of products that are false wherever the target is."""
    ones = frozenset(np.flatnonzero(wanted).tolist())
    usable = [true_on for true_on in products_of_literals(corners) if true_on and true_on <= ones]
    return next(
        size
        for size in range(len(usable) + 1)
        for chosen in combinations(usable, size)
        if frozenset().union(*chosen) == ones
    )


@pytest.mark.parametrize("bits", [2, 3])
def test_instrument_smallest_formula_by_trying_all_formulas(claim, bits):
    """Every set of products is tried, not only prime ones: an independent way to the same number of terms."""
    corners = claim.experiment.vertices(bits)
    for target, wanted in (("parity", corners.sum(axis=1) % 2 == 1), ("conjunction", corners.all(axis=1))):
        formula = claim.experiment.smallest_formula(target, bits)

        assert len(formula) - 1 == fewest_by_hand(corners, wanted)


def test_instrument_smallest_formula_of_functions_whose_cover_is_a_choice(claim, monkeypatch):
    """Majority of 3 takes its three pairs; seven of eight inputs take three literals; the six-cycle takes three of six primes."""
    targets = {
        "majority": lambda corners: corners.sum(axis=1) >= 2,
        "any": lambda corners: corners.any(axis=1),
        "mixed": lambda corners: (corners.sum(axis=1) % 3) > 0,
    }
    for name, target in targets.items():
        monkeypatch.setitem(claim.experiment.TARGETS, name, target)
    corners = claim.experiment.vertices(3)
    for name, (primes, terms) in {"majority": (3, 3), "any": (3, 3), "mixed": (6, 3)}.items():
        table = targets[name](corners).reshape((2,) * 3)

        assert len(claim.experiment.prime_implicants(table)) == primes
        assert len(claim.experiment.smallest_formula(name, 3)) == terms + 1
        assert terms == fewest_by_hand(corners, targets[name](corners))


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 8, 12])
def test_instrument_parity_takes_two_to_the_bits_less_one_terms(claim, bits):
    """2^(N-1) exactly, each a product of all N literals, one for each odd input."""
    *terms, output = claim.experiment.smallest_formula("parity", bits)

    assert len(terms) == len(set(terms)) == 2 ** (bits - 1)
    assert {len(term.sources) for term in terms} == {bits}
    assert {term.threshold % 2 for term in terms} == {1}
    assert output.sources == tuple(range(bits, bits + len(terms)))


@pytest.mark.parametrize("circuit", ["formula", "thresholds", "chain", "tree"])
@pytest.mark.parametrize("made_of", ["xor", "nand"])
def test_instrument_circuits_give_the_sum_of_the_bits_modulo_two(claim, circuit, made_of):
    """Against plain counting of ones, for sizes that the claim does not read, too."""
    for bits in (2, 6, 7, 9):
        gates = claim.experiment.BUILDERS[circuit]("parity", bits, made_of)
        inputs = np.array(list(product((0, 1), repeat=bits)))

        assert claim.experiment.evaluate(gates, inputs).tolist() == [sum(row) % 2 for row in inputs.tolist()]


def test_instrument_a_gate_is_what_it_says(claim):
    """AND, OR, NAND, XOR and a negated literal of two inputs, by hand."""
    inputs, gate = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), claim.experiment.Gate
    tables = {
        gate((0, 1), (1, 1), 2): [0, 0, 0, 1],
        gate((0, 1), (1, 1), 1): [0, 1, 1, 1],
        gate((0, 1), (-1, -1), -1): [1, 1, 1, 0],
        gate((0, 1), (1, 1), None): [0, 1, 1, 0],
        gate((0, 1), (1, -1), 1): [0, 0, 1, 0],
    }

    for one, table in tables.items():
        assert claim.experiment.evaluate([one], inputs).tolist() == table


def test_instrument_sizes_and_depths_by_hand(claim):
    """N-1 gates in a chain or a tree; four times as many NANDs, of which three stand one after another."""
    build, depth = claim.experiment.joined, claim.experiment.depth
    for bits, levels in ((2, 1), (3, 2), (5, 3), (8, 3), (12, 4), (16, 4), (17, 5)):
        chain, tree = (build(bits, "xor", tree=tree) for tree in (False, True))

        assert (len(chain), depth(chain, bits)) == (bits - 1, bits - 1)
        assert (len(tree), depth(tree, bits)) == (bits - 1, levels)
    nands = build(5, "nand", tree=False)
    assert (len(nands), depth(nands, 5)) == (16, 12)
    assert depth(claim.experiment.threshold_layer(6), 6) == 2
    assert len(claim.experiment.threshold_layer(6)) == 7


def test_instrument_one_changed_gate_is_counted_on_every_input(claim):
    """x0 AND x1 in place of x0 XOR x1 is wrong on three of four inputs, whatever comes after it."""
    settings = {"target": "parity", "made_of": "xor", "first_gate": "and"}
    seeds = seeds_of("instrument", 0, range(2))
    for bits in (2, 4, 8):
        found = claim.experiment.measure("xor_chain", seeds, bits=bits, circuit="chain", **settings)

        assert found["wrong_inputs"].tolist() == [0.75 * 2**bits] * 2
    settings["first_gate"] = "as_it_is"
    found = claim.experiment.measure("xor_tree", seeds, bits=8, circuit="tree", **settings)
    assert {name: values.tolist()[0] for name, values in found.items()} == {
        "wrong_inputs": 0,
        "elements_over_exponential": 7 / 128,
        "elements_over_n_log_n": 7 / 24,
        "elements_over_bits": 7 / 8,
        "depth_over_bits": 3 / 8,
        "depth_over_log": 1,
    }


def test_instrument_a_program_that_stops_is_refused(claim, monkeypatch):
    class Stopped:
        status, x, message = 1, None, "time limit"

    claim.experiment.smallest_formula.cache_clear()
    monkeypatch.setattr(claim.experiment, "milp", lambda *_, **__: Stopped())
    with pytest.raises(ArithmeticError, match="time limit"):
        claim.experiment.smallest_formula("parity", 2)
