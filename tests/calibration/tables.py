"""The tables of docs/calibration.md: what each row simulates, and which error rates it promises.

The seed of a row's generator is made of the row's own name, so that a row comes out the same whichever others are made
with it.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from harness.judging import student
from harness.judging.confidence_sequence import Student
from harness.judging.simulation import Rule, decide
from harness.running.error_budget import FAMILY_WISE
from harness.specification.models import SeedPlan
from tests.calibration import counts, families, groups, rivals
from tests.calibration.cells import Average, Cell, Figure, Share
from tests.calibration.laws import BREAKING, KEEPING, Law, Pool, pools
from tests.calibration.nights import NIGHTS, SEEDS, nights
from tests.calibration.worlds import CONTRASTS, PLAN, Truth, error_truth, normal_truth, tau_truth, tried
from tests.specimen import claim_with, point

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.random import Generator

    from harness.judging.simulation import Decisions
    from tests.calibration.rivals import HalfWidths

    Row = Callable[[int, Generator], Sequence[Cell]]
    Labels = tuple[str, ...]

SEED, SEED_OF_TESTS = 1, 2
"""First parts of the generators' seeds: of the document, and of the reduced runs that are held against it."""
ALPHA = 0.001
"""The default of an expectation."""
ALPHAS = (0.001, 0.01)
EFFECTS = (10, 5, 3, 2, 1.5, 1, 0.75)
"""Distance of the truth from the band's edge, in standard deviations over seeds."""
SCALES = (1, 3, 10, 30, 100)
"""Prior scales g that are compared."""
LOOKS = PLAN.looks
EVERY_SEED = list(range(2, PLAN.cap + 1))
LOOKING = {"6, 8, ..., 32": LOOKS, "every seed": EVERY_SEED}
FORMS = ("at_least", "between")
CHUNK = 4000
"""Runs of long sequences that are in memory at a time."""


@dataclass(frozen=True)
class Table:
    """A table of the document.

    Attributes:
        columns: heads of its columns, those of the labels first.
        rows: labels -> what makes the other cells.
        runs: simulated runs per row in the document; 0 where nothing is simulated.
        reduced: the same in the tests.
        path: which code the verdicts come from.
        cost: processor time of one of its rows, in proportion.
    """

    columns: Labels
    rows: Mapping[Labels, Row]
    runs: int
    reduced: int
    path: str
    cost: float

    def cells(self, name: str, labels: Labels, runs: int, seed: int) -> Sequence[Cell]:
        """Return the cells of a row of the table called `name`."""
        words = zlib.crc32("|".join((name, *labels)).encode())
        return self.rows[labels](runs, np.random.default_rng([seed, words]))


# ---- verdicts of simulated runs ----------------------------------------------------------------------------------


def errors(found: Decisions, rate: float, *, promised: bool) -> list[Cell]:
    """Return the shares of false VERIFIED and false REFUTED, the truth being on the band's edge."""
    return [Share(int((found.sign == sign).sum()), len(found.sign), rate, promised) for sign in (1, -1)]


def either(found: Decisions, rate: float, *, promised: bool) -> Cell:
    """Return the share of false decisions of both kinds."""
    return Share(int((found.sign != 0).sum()), len(found.sign), rate, promised)


def rule_of(law: Law, form: str, looks: Sequence[int], alpha: float, prior_scale: float = student.PRIOR_SCALE) -> Rule:
    """Return the rule for a band with the truth on its edge; a band of two edges is three standard deviations wide."""
    high = law.mean + 3 * law.sd if form == "between" else math.inf
    return Rule(looks, law.mean, high, alpha, law.floor, law.bounds, Student(prior_scale))


def judged(truth: Truth, form: str, promised: bool, runs: int, generator: Generator) -> Sequence[Cell]:
    """Trials through `verdict.judge`."""
    alpha, trials = KIND_ALPHA[form], truth.trials(generator, runs)
    return errors(tried(truth.claim(form, alpha), trials, truth.metric), alpha, promised=promised)


def under_law(
    law: Law, form: str, looks: Sequence[int], promised: bool, runs: int, generator: Generator
) -> Sequence[Cell]:
    """Contrasts of a law through `simulation.decide`, at each alpha."""
    values = law.draw(generator, (runs, PLAN.cap))
    decisions = [(decide(values, rule_of(law, form, looks, alpha)), alpha) for alpha in ALPHAS]
    return [cell for found, alpha in decisions for cell in errors(found, alpha, promised=promised)]


def resampled(pool: Pool, why: str, runs: int, generator: Generator) -> Sequence[Cell]:
    """Contrasts drawn from a pool with replacement, its mean on the band's edge; `why` the promise is not kept, if so."""
    values, rounding = pool.draw(generator, (runs, PLAN.cap))
    moments = (f"{pool.skewness:.1f}", f"{pool.excess_kurtosis:.1f}")
    cells: list[Cell] = [Figure(text) for text in (str(len(pool.values)), *moments)]
    for alpha in ALPHAS:
        rule = Rule(LOOKS, pool.truth, math.inf, alpha, bounds=pool.bounds)
        cells += errors(decide(values, rule, rounding), alpha, promised=not why)
    return [*cells, Figure(why or "-")]


def from_look(law: Law, runs: int, generator: Generator) -> Sequence[Cell]:
    """False decisions, of either kind, when the first look is later."""
    values = law.draw(generator, (runs, PLAN.cap))
    decisions = [decide(values, rule_of(law, "at_least", range(first, PLAN.cap + 1, 2), ALPHA)) for first in FIRST]
    return [either(found, ALPHA, promised=False) for found in decisions]


FIRST = (6, 8, 12, 16, 24)
"""First looks that are compared."""


def exact(broken: int, runs: int, generator: Generator) -> Sequence[Cell]:
    """An exact statement, `loss` at most 0 in every instance, of which `broken` instances lie above it."""
    claim = claim_with({"exact": "loss", "at": {"arm": "net"}}, {"at_most": 0})
    plan = SeedPlan(first=6, cap=6)
    where = [point("net", width, scene) for width in (1, 2, 4) for scene in ("plain", "clutter")]
    # Half of what holds holds with nothing to spare.
    values = -np.maximum(generator.normal(size=(runs, len(where), plan.cap)), 0)
    for run in range(runs if broken else 0):
        picks = generator.choice(values[run].size, broken, replace=False)
        values[run].flat[picks] = generator.exponential(size=broken)
    found = tried(claim, {p: values[:, place] for place, p in enumerate(where)}, "loss", plan)
    wrong = Share(int((found.sign == (1 if broken else -1)).sum()), runs, 0.0, promised=True)
    return [wrong, Figure("-")] if broken else [Figure("-"), wrong]


# ---- seeds to a decision -----------------------------------------------------------------------------------------


def seeds_and_share(found: Decisions) -> tuple[Cell, Cell]:
    """Return the mean number of seeds used, and the share decided."""
    return Average.of(found.n), Share(int((found.sign != 0).sum()), len(found.sign))


def with_effect(effect: float, runs: int, generator: Generator) -> Sequence[Cell]:
    """How soon a normal contrast is decided whose truth lies `effect` from the edge."""
    values = generator.normal(effect, 1, (runs, PLAN.cap))
    decisions = [decide(values, Rule(looks, 0, math.inf, ALPHA)) for looks in LOOKING.values()]
    return [cell for found in decisions for cell in seeds_and_share(found)]


def scaled(scale: float, looks: Sequence[int], which: int, runs: int, generator: Generator) -> Sequence[Cell]:
    """Seeds (`which` 0) or share decided (1) at every effect, with prior scale g."""
    return [
        seeds_and_share(
            decide(
                generator.normal(effect, 1, (runs, PLAN.cap)), Rule(looks, 0, math.inf, ALPHA, sequence=Student(scale))
            )
        )[which]
        for effect in EFFECTS
    ]


def scaled_errors(scale: float, looks: Sequence[int], runs: int, generator: Generator) -> Sequence[Cell]:
    """False decisions for normal and uniform contrasts, with prior scale g."""
    cells: list[Cell] = []
    for name in ("normal", "uniform"):
        law = KEEPING[name]
        found = decide(law.draw(generator, (runs, PLAN.cap)), rule_of(law, "at_least", looks, ALPHA, scale))
        cells += errors(found, ALPHA, promised=name == "normal")
    return cells


def half_widths(scale: float, _runs: int, _generator: Generator) -> Sequence[Cell]:
    """Half-widths of the interval in standard deviations."""
    halves = [student.half_width(n, ALPHA, scale) for n in SHOWN]
    return [Figure(f"{half:.2f}" if math.isfinite(half) else "unbounded") for half in halves]


SHOWN = (4, 5, 6, 8, 12, 16, 24, 32)
"""Numbers of seeds whose half-widths are shown."""


# ---- other methods -----------------------------------------------------------------------------------------------

METHODS: dict[str, tuple[Callable[[Sequence[int], float], HalfWidths], Sequence[int]]] = {
    "confidence sequence, looks 6, 8, ..., 32": (rivals.confidence_sequence, LOOKS),
    "t interval, once, at 12 seeds": (rivals.t_intervals, [12]),
    "t interval, once, at 32 seeds": (rivals.t_intervals, [32]),
    "t interval, looks 6, 8, ..., 32": (rivals.t_intervals, LOOKS),
    "group-sequential, looks 6, 8, ..., 32": (rivals.group_sequential, LOOKS),
}
RIVAL_LAWS = {**{name: KEEPING[name] for name in list(KEEPING)[:3]}, "exponential": BREAKING["exponential"]}


def method_effects(method: str, which: int, runs: int, generator: Generator) -> Sequence[Cell]:
    """Seeds (`which` 0) or share decided (1) at every effect."""
    halves = _halves(method, ALPHA)
    return [
        seeds_and_share(rivals.crossing(generator.normal(effect, 1, (runs, PLAN.cap)), halves, 0.0))[which]
        for effect in EFFECTS
    ]


def method_errors(method: str, alpha: float, runs: int, generator: Generator) -> Sequence[Cell]:
    """False decisions, of either kind, under several laws."""
    halves = _halves(method, alpha)
    promised = method in list(METHODS)[:3]
    return [
        either(
            rivals.crossing(law.draw(generator, (runs, PLAN.cap)), halves, law.mean),
            alpha,
            promised=promised and name == "normal",
        )
        for name, law in RIVAL_LAWS.items()
    ]


def _halves(method: str, alpha: float) -> HalfWidths:
    make, looks = METHODS[method]
    return make(looks, alpha)


# ---- suites and nights -------------------------------------------------------------------------------------------

SUITES = {
    "all on the edge": [0.0] * families.SIZE,
    "half on the edge, half 3 sd inside": [0.0] * (families.SIZE // 2) + [3.0] * (families.SIZE // 2),
}
STOPPING = {"at its smallest p-value": False, "at its own verdict": True}
SUITE_LAWS = list(KEEPING)[:3]


def suite(effects: Sequence[float], law: str, own_rule: bool, runs: int, generator: Generator) -> Sequence[Cell]:
    """The share of suites with a false decision, and how many clear effects are found."""
    found = families.suites(generator, runs, KEEPING[law], effects, own_rule=own_rule)
    wrong = Share(int(found.wrong.sum()), runs, FAMILY_WISE, promised=law != "uniform")
    return [wrong, Average.of(found.found) if any(effects) else Figure("-")]


def pooled(effect: float, alpha: float, runs: int, generator: Generator) -> Sequence[Cell]:
    """Nights whose band's edge lies `effect` below the truth."""
    parts = [
        nights(generator.normal(size=(min(CHUNK, runs - start), SEEDS)), -effect, 0.0, alpha)
        for start in range(0, runs, CHUNK)
    ]
    missed, stops, signs = (np.concatenate([getattr(p, name) for p in parts]) for name in ("missed", "stops", "signs"))
    false = (signs == -1) if effect else (signs != 0)
    counts = [int(missed.sum()), int(false.any(axis=1).sum())]
    seeds = [Average.of(stops[:, 0]), Average.of(stops[:, -1])]
    return [*(Share(count, runs, alpha, promised=True) for count in counts), *seeds]


# ---- all tables --------------------------------------------------------------------------------------------------

BREAKING_WORLD = ("rank_trend", "losses rise by 1 sd")
"""Near its bound, tau is skewed."""

WORLDS: dict[Labels, Truth] = {
    **{(kind, "normal"): normal_truth(kind) for kind in CONTRASTS if kind != "rank_trend"},
    ("rank_trend", "three exchangeable losses"): tau_truth(0.0),
    BREAKING_WORLD: tau_truth(1.0),
    **{(kind, "error rates on 200"): error_truth(kind) for kind in CONTRASTS},
}
KIND_ALPHA = {"at_least": 0.001, "between": 0.01}
"""One alpha per form: the real path is slow."""

_OVER, _CNN = "overparameterization_does_not_hurt_test_error", "cnn_beats_svm_under_clutter"
EXCEPTIONS = {
    f"{_OVER}: test_error_falls": "tau near its bound",
    f"{_OVER}: test_error_falls_despite_five_percent": "tau near its bound",
    f"{_OVER}: gap_falls_beyond_interpolation": "tau near its bound",
    f"{_CNN}: features_serve_a_machine": "skewed",
    f"{_CNN}: svm_trains_26_times_as_long": "clusters: light tails",
    f"{_CNN}: svm_classifies_50_times_as_long": "clusters: light tails",
    "kernel_regression_error_rate: documented_exponent_in_four_dimensions": "skewed, light tails",
    "pretraining_lowers_mnist_error: pretrained_beats_its_own_shuffled_weights": "skewed, light tails",
}
"""Measured contrasts for which the promise is not kept, and why."""

JUDGE, DECIDE = "trials through judging.verdict.judge", "contrasts through judging.simulation.decide"
VERDICTS = ("falsely VERIFIED", "falsely REFUTED")
BY_ALPHA = tuple(f"{verdict}, {alpha}" for alpha in ALPHAS for verdict in VERDICTS)
BY_EFFECT = tuple(f"{effect:g} sd" for effect in EFFECTS)
BY_SCALE = {(f"{scale}", looking): (scale, looks) for scale in SCALES for looking, looks in LOOKING.items()}


def _laws(laws: Mapping[str, Law], *, promised: bool) -> dict[Labels, Row]:
    return {
        (name, looking, form): partial(under_law, law, form, looks, promised)
        for name, law in laws.items()
        for looking, looks in LOOKING.items()
        for form in FORMS
    }


def _chance_met(share: float, _runs: int, _generator: Generator) -> Sequence[Cell]:
    return counts.chance_met(share)


TABLES = {
    "kinds": Table(
        ("kind", "trials", "band", "alpha", *VERDICTS),
        {
            (*labels, form, f"{KIND_ALPHA[form]}"): partial(judged, truth, form, labels != BREAKING_WORLD)
            for labels, truth in WORLDS.items()
            for form in FORMS
        },
        20_000,
        1_000,
        JUDGE,
        20,
    ),
    "exact": Table(
        ("the statement", *VERDICTS),
        {("holds in all 36 instances",): partial(exact, 0), ("fails in 1 of 36 instances",): partial(exact, 1)},
        20_000,
        500,
        JUDGE,
        2.5,
    ),
    "laws": Table(
        ("contrast", "looks", "band", *BY_ALPHA), _laws(KEEPING, promised=True), 200_000, 20_000, DECIDE, 2.0
    ),
    "laws_that_break": Table(
        ("contrast", "looks", "band", *BY_ALPHA), _laws(BREAKING, promised=False), 200_000, 20_000, DECIDE, 2.0
    ),
    "measured": Table(
        ("claim", "expectation", "kind", "values", "skewness", "excess kurtosis", *BY_ALPHA, "why beyond alpha"),
        {
            (pool.claim, pool.expectation, pool.kind): partial(resampled, pool, EXCEPTIONS.get(name, ""))
            for name, pool in pools().items()
        },
        200_000,
        20_000,
        DECIDE,
        1.5,
    ),
    "first_looks": Table(
        ("contrast", *(f"first look at {first}" for first in FIRST)),
        {(name,): partial(from_look, law) for name, law in {**KEEPING, **BREAKING}.items()},
        200_000,
        20_000,
        DECIDE,
        2.0,
    ),
    "effects": Table(
        ("effect", *(f"{what}, looks at {looking}" for looking in LOOKING for what in ("seeds", "decided"))),
        {(f"{effect:g} sd",): partial(with_effect, effect) for effect in EFFECTS},
        100_000,
        20_000,
        DECIDE,
        1.0,
    ),
    "scales_half_widths": Table(
        ("g", *(f"{n} seeds" for n in SHOWN)),
        {(f"{scale}",): partial(half_widths, scale) for scale in SCALES},
        0,
        0,
        "judging.student.half_width",
        0.01,
    ),
    "scales_seeds": Table(
        ("g", "looks", *BY_EFFECT),
        {labels: partial(scaled, *case, 0) for labels, case in BY_SCALE.items()},
        100_000,
        10_000,
        DECIDE,
        2.0,
    ),
    "scales_decided": Table(
        ("g", "looks", *BY_EFFECT),
        {labels: partial(scaled, *case, 1) for labels, case in BY_SCALE.items()},
        100_000,
        10_000,
        DECIDE,
        2.0,
    ),
    "scales_errors": Table(
        ("g", "looks", *(f"{law}: {verdict}" for law in ("normal", "uniform") for verdict in VERDICTS)),
        {labels: partial(scaled_errors, *case) for labels, case in BY_SCALE.items()},
        200_000,
        20_000,
        DECIDE,
        2.0,
    ),
    "rivals_seeds": Table(
        ("method", *BY_EFFECT),
        {(method,): partial(method_effects, method, 0) for method in METHODS},
        100_000,
        10_000,
        "rivals.crossing",
        2.0,
    ),
    "rivals_decided": Table(
        ("method", *BY_EFFECT),
        {(method,): partial(method_effects, method, 1) for method in METHODS},
        100_000,
        10_000,
        "rivals.crossing",
        2.0,
    ),
    "rivals_errors": Table(
        ("method", "alpha", *RIVAL_LAWS),
        {(method, f"{alpha}"): partial(method_errors, method, alpha) for method in METHODS for alpha in ALPHAS},
        200_000,
        20_000,
        "rivals.crossing",
        3.0,
    ),
    "families": Table(
        ("suite of 50", "contrast", "each stops", "suites with a false decision", "clear effects found"),
        {
            (name, law, stopping): partial(suite, effects, law, own_rule)
            for name, effects in SUITES.items()
            for law in SUITE_LAWS
            for stopping, own_rule in STOPPING.items()
        },
        20_000,
        2_000,
        "families.suites",
        4.0,
    ),
    "nights": Table(
        (
            "truth",
            "alpha",
            "interval ever misses the truth",
            "a night decides falsely",
            "seeds, first night",
            f"seeds, {NIGHTS} nights",
        ),
        {
            ("on the edge" if effect == 0 else f"{effect} sd inside", f"{alpha}"): partial(pooled, effect, alpha)
            for effect in (0, 1, 3)
            for alpha in (0.001, 0.01, 0.05)
        },
        20_000,
        4_000,
        "nights.nights",
        2.0,
    ),
    "shapes": Table(
        ("contrast", "asked for", *VERDICTS, "runs marked", "false and not marked"),
        {
            (name, asked): partial(counts.on_the_edge, name, asked)
            for name in counts.WORLDS
            for asked in counts.asked_of(name)
        },
        100_000,
        5_000,
        DECIDE,
        1.0,
    ),
    "marks": Table(
        ("contrast", "test", *(f"{n} seeds" for n in counts.SIZES)),
        {
            **{
                (name, test): partial(counts.seen, law, test)
                for name, law in counts.SHAPES.items()
                for test in counts.TESTS
            },
            ("exponential", "the best for it"): counts.at_best,
            **{
                (f"two clusters, {share:.0%}".replace("%", " %"), "both are met"): partial(_chance_met, share)
                for share in (0.47, 0.8, 0.9)
            },
        },
        20_000,
        500,
        "judging.normality.bimodality",
        3.0,
    ),
    "marks_at_the_end": Table(
        ("looks", *(f"{effect:g} sd" for effect in counts.EFFECTS)),
        {
            ("6, 8, ..., 24",): partial(counts.marked_at_the_end, counts.LOOKS),
            ("6, 8, ..., 32",): partial(counts.marked_at_the_end, LOOKS),
            ("8, 12, ..., 32",): partial(counts.marked_at_the_end, range(8, 33, 4)),
            ("every seed to 32",): partial(counts.marked_at_the_end, range(5, 33)),
        },
        100_000,
        5_000,
        DECIDE,
        4.0,
    ),
    "priors": Table(
        ("rate", "edge", *(f"c = {prior:g}" for prior in counts.PRIORS)),
        {(f"{rate:g}", f"{edge:g}"): partial(counts.seeds_by_prior, rate, edge) for rate, edge in counts.PAIRS},
        0,
        0,
        "binomial, summed exactly",
        0.5,
    ),
    "rates": Table(
        ("rate", "6, 8, ..., 24", "every seed to 24", f"every seed to {counts.MOST}"),
        {(f"{edge:g}",): partial(counts.exact_errors, edge) for edge in (0.5, 0.7, 0.9, 0.98)},
        0,
        0,
        "binomial, summed exactly",
        0.5,
    ),
    "groups": Table(
        (
            "contrast",
            "sizes",
            "spread of the larger group",
            *BY_ALPHA,
            *(f"Welch, either, {alpha}" for alpha in groups.ALPHAS),
            "width by Welch's",
        ),
        {labels: partial(groups.grouped, labels) for labels in groups.ROWS},
        200_000,
        20_000,
        "contrasts through judging.simulation.decide",
        0.5,
    ),
    "rate_differences": Table(
        ("rates", "construction", "seeds", "first above second", "first below second"),
        {
            (name, construction): partial(counts.told_apart, arms, construction)
            for name, arms in counts.PAIRS_OF_ARMS.items()
            for construction in counts.CONSTRUCTIONS
        },
        20_000,
        1_000,
        DECIDE,
        6.0,
    ),
    "medians": Table(
        ("asked for", *BY_EFFECT),
        {(question,): partial(counts.seeds_by_effect, question, EFFECTS) for question in counts.QUESTIONS},
        50_000,
        2_000,
        DECIDE,
        2.0,
    ),
    "fewest": Table(
        ("asked for", "alpha 0.001", "alpha 0.01", "alpha 0.05"),
        {(question,): partial(counts.fewest, question) for question in counts.QUESTIONS},
        0,
        0,
        "ConfidenceSequence.can_end",
        0.01,
    ),
}
