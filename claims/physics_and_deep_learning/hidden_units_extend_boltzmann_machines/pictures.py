"""What machines with and without hidden units make of parity; and what a Hopfield network's noisy updates sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import softmax

from harness.pictures import Curves, Line

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed

STATES = np.arange(8)
LIKELIEST = 100


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves]:
    """Draw the probabilities of three bits' states by target and machine; and of a network's states, sampled and exact."""
    return [_parity(experiment, seed, arms), _samples(experiment, seed, arms["hopfield_at_temperature"])]


def _parity(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> Curves:
    lines = [Line("target, even parity", STATES, experiment.TARGETS["even_parity"])]
    for arm, name in (("visible_only", "visible units alone"), ("with_hidden", "four hidden units")):
        settings = arms[arm]
        end = experiment.fit(seed, **settings)
        terms = experiment.visible_terms(pairs=settings["pairs"])
        logs, _ = experiment.log_weights(end.x, terms, settings["hidden"])
        lines.append(Line(f"best machine of {name}", STATES, softmax(logs)))
    title = "Even parity of three bits, and the best that machines make of it"
    return Curves(title, "state: 0 is 000, 3 is 011, 5 is 101, 6 is 110", "probability", lines)


def _samples(experiment: ModuleType, seed: Seed, settings: dict[str, Any]) -> Curves:
    """Draw the likeliest states of both kinds of couplings, in the order of their energy."""
    lines = []
    for couplings in ("symmetric", "one_way"):
        found, exact = experiment.sampled(seed, **settings | {"couplings": couplings})
        order = np.argsort(-exact)[:LIKELIEST]
        lines.append(
            Line(f"sampled, {couplings.replace('_', ' ')} couplings", np.arange(1, LIKELIEST + 1), found[order])
        )
    lines.append(Line("exp(-energy / T) / Z", np.arange(1, LIKELIEST + 1), exact[order]))
    title = f"A Hopfield network at T = {settings['temperature']:g} samples what its energy says, if couplings are symmetric"
    return Curves(title, f"the {LIKELIEST} states of lowest energy", "probability", lines, log="y")
