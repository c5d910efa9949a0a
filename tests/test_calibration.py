"""The declared error rates, on trial: the simulations of docs/calibration.md, and the proof that they simulate the judge.

The full version is `nox -s calibrate`; here every row runs reduced, from other seeds, and is held against the document.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from harness.judging import student
from harness.judging.simulation import Rule, decide
from harness.judging.verdict import judge
from harness.specification.models import SeedPlan
from harness.trials.catalogue import load_claim
from harness.trials.options import Options
from harness.trials.plan import make_plan
from tests.calibration import __main__ as command
from tests.calibration import document, families, laws, measured, rivals
from tests.calibration.cells import Average, Figure, Share
from tests.calibration.nights import nights
from tests.calibration.tables import (
    ALPHAS,
    EXCEPTIONS,
    LOOKS,
    METHODS,
    SEED_OF_TESTS,
    TABLES,
    WORLDS,
    rule_of,
)
from tests.calibration.worlds import (
    CONTRASTS,
    MADE_OF_VALUES,
    NET,
    PLAN,
    SIGNS,
    Truth,
    contrasted,
    evidence,
    trials_of,
    tried,
)
from tests.specimen import claim_with
from tests.tiny_project import write_claim

LAWS = {**laws.KEEPING, **laws.BREAKING}
POOLS = laws.pools()
FORMS = ("at_least", "at_most", "between")
ROWS = [(name, labels) for name, table in TABLES.items() for labels in table.rows]
PLANS = [PLAN, SeedPlan(first=2, step=1, cap=PLAN.cap)]
TEXT = document.DOCUMENT.read_text()


def agree(found, fast):
    """Hold the judge's decisions against simulated ones, run by run."""
    assert found.sign.tolist() == fast.sign.tolist()
    assert found.n.tolist() == fast.n.tolist()


# ---- the simulated rule is the judge's -----------------------------------------------------------------------------


def moved(truth, sds):
    """Return a world as it is, with its bands about what lies `sds` standard deviations above the truth."""
    return replace(truth, mean=truth.mean + sds * truth.width / 3)


@pytest.mark.parametrize("alpha", [0.001, 0.2])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("labels", WORLDS, ids=" ".join)
def test_for_every_kind_the_simulated_rule_does_what_judge_does(labels, form, alpha):
    decided = 0
    for sds in (-1.5, 0.0, 1.5):
        truth = moved(WORLDS[labels], sds)
        trials, claim = truth.trials(np.random.default_rng(7), 10), truth.claim(form, alpha)
        per_seed = contrasted(claim, trials, truth.metric)
        values, rounding = (
            np.array([list(getattr(p, name).values()) for p in per_seed]) for name in ("values", "rounding")
        )
        band = claim.expectations["e"].band
        rule = Rule(LOOKS, scaled(band.low, truth), scaled(band.high, truth), alpha, bounds=per_seed[0].bounds)

        found = tried(claim, trials, truth.metric)

        agree(found, decide(values, rule, rounding if rounding.size else None))
        decided += np.count_nonzero(found.sign)
    assert 10 <= decided <= 30


def scaled(edge, truth):
    """Return a band's edge on the scale on which the contrast is judged."""
    return math.log(edge) if truth.kind == "ratio" and math.isfinite(edge) else edge


@pytest.mark.slow
@pytest.mark.parametrize("plan", PLANS, ids=["looks as claims", "every seed"])
@pytest.mark.parametrize("kind", MADE_OF_VALUES)
@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if not law.step])
def test_of_any_law_the_contrasts_of_a_kind_are_judged_alike(name, kind, plan):
    law, generator = LAWS[name], np.random.default_rng(11)
    values = law.draw(generator, (12, PLAN.cap))
    truth = Truth(kind, lambda *_: trials_of(kind, values, generator), law.mean, 3 * law.sd)

    found = tried(truth.claim("at_least", 0.05), truth.trials(generator, 12), "loss", plan)

    agree(found, decide(values, rule_of(law, "at_least", plan.looks, 0.05)))


@pytest.mark.parametrize("plan", PLANS, ids=["looks as claims", "every seed"])
@pytest.mark.parametrize("form", ["at_least", "between"])
@pytest.mark.parametrize("name", LAWS)
def test_of_any_law_means_are_judged_as_simulated(name, form, plan):
    law, metric = LAWS[name], "error" if LAWS[name].step else "loss"
    values = law.draw(np.random.default_rng(13), (25, PLAN.cap))
    rule = rule_of(law, form, plan.looks, 0.05)
    band = {form: law.mean if form == "at_least" else [rule.low, rule.high]}

    claim = claim_with(CONTRASTS["mean"](metric), band, expectation={"alpha": 0.05})

    agree(tried(claim, {NET: values}, metric, plan), decide(values, rule))


@pytest.mark.parametrize("sds", [-1.5, 1.5])
@pytest.mark.parametrize("labels", WORLDS, ids=" ".join)
def test_at_most_is_at_least_with_the_verdicts_exchanged(labels, sds):
    truth = moved(WORLDS[labels], sds)
    trials = truth.trials(np.random.default_rng(17), 10)

    above, below = (tried(truth.claim(form, 0.01), trials, truth.metric) for form in ("at_least", "at_most"))

    assert np.count_nonzero(above.sign) >= 8
    agree(above, replace(below, sign=-below.sign))


@pytest.mark.slow
@pytest.mark.parametrize("labels", WORLDS, ids=" ".join)
def test_the_truths_are_true(labels):
    truth = WORLDS[labels]
    per_seed = contrasted(truth.claim("at_least", 0.01), truth.trials(np.random.default_rng(19), 250), truth.metric)
    values = np.array([list(p.values.values()) for p in per_seed])

    # Four standard errors: one false alarm in fifteen thousand.
    assert abs(values.mean() - truth.mean) < 4 * values.std() / math.sqrt(values.size)


@pytest.mark.parametrize("name", LAWS)
def test_the_laws_have_the_means_and_spreads_they_say(name):
    law = LAWS[name]
    values = law.draw(np.random.default_rng(23), (400, 500))

    assert abs(values.mean() - law.mean) < 4 * values.std() / math.sqrt(values.size)
    # Wide, for Student's t with 3 degrees of freedom has no fourth moment, and so a wild sample variance.
    assert values.std() == pytest.approx(law.sd, rel=0.1)


# ---- nights and suites ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("effect", [0.0, 1.0, 3.0])
def test_pooled_nights_are_judged_as_simulated(effect):
    count, runs, alpha = 5, 8, 0.05
    values = np.random.default_rng(29).normal(size=(runs, count * PLAN.cap))
    claim = claim_with(CONTRASTS["mean"]("loss"), {"at_least": -effect}, expectation={"alpha": alpha})
    found = nights(values, -effect, 0.0, alpha, count)
    for run, row in enumerate(values.tolist()):
        earlier, missed = 0, False
        for night in range(count):
            seeds = range(-earlier, PLAN.cap)
            trials = {NET: {seed: {"loss": v} for seed, v in zip(seeds, row[: earlier + PLAN.cap], strict=True)}}
            judged = judge(claim.expectations["e"], claim, trials, {}, PLAN)
            assert (SIGNS[judged.verdict], judged.n) == (found.signs[run, night], found.stops[run, night])
            missed |= any(not look.low <= 0 <= look.high for look in judged.looks)
            earlier = judged.n
        assert missed == found.missed[run]


def test_p_values_of_a_suite_are_those_of_judge():
    values = np.random.default_rng(31).normal(1.0, 1, (60, PLAN.cap))
    claim = claim_with(CONTRASTS["mean"]("loss"), {"at_least": 0.0}, expectation={"alpha": 0.01})
    p, side = families.p_when_stopped(values, 0.01)
    for row, found, sign in zip(values, p, side, strict=True):
        (trials,) = evidence({NET: row[None]}, "loss")
        judged = judge(claim.expectations["e"], claim, trials, {}, PLAN)
        assert sign == SIGNS[judged.verdict]
        assert found == (pytest.approx(judged.p) if sign else 1.0)
    assert (p < 1).any()


def test_the_smallest_p_value_is_the_smallest_over_the_looks():
    values = np.random.default_rng(37).normal(0.7, 1, (20, PLAN.cap))
    smallest, side = families.smallest_p(values, 0.05)
    for row, found, sign in zip(values, smallest, side, strict=True):
        each = {n: student.smallest_alpha(n, abs(row[:n].mean()) / row[:n].std(ddof=1)) for n in PLAN.looks}
        least = min(each, key=each.__getitem__)
        assert found == (pytest.approx(each[least]) if each[least] < 0.05 else 1.0)
        assert sign == (np.sign(row[:least].mean()) if found < 1 else 0)


# ---- rivals --------------------------------------------------------------------------------------------------------


def test_spending_boundaries_are_the_published_ones():
    # Lan-DeMets O'Brien-Fleming spending, five equal looks, two-sided 0.05 (Jennison & Turnbull 2000, ch. 7; ldbounds).
    found = rivals.spending_boundaries([0.2, 0.4, 0.6, 0.8, 1.0], 0.05)
    assert found == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=5e-4)


def test_a_single_look_spends_everything():
    assert rivals.group_sequential([20], 0.01)[20] == pytest.approx(rivals.t_intervals([20], 0.01)[20], rel=1e-9)


def test_crossing_with_the_harness_own_half_widths_is_its_decision():
    values = np.random.default_rng(41).normal(0.5, 1, (500, PLAN.cap))
    halves = rivals.confidence_sequence(LOOKS, 0.01)
    agree(rivals.crossing(values, halves, 0.0), decide(values, Rule(LOOKS, 0.0, math.inf, 0.01)))


# ---- measured contrasts --------------------------------------------------------------------------------------------


def test_measured_contrasts_are_those_of_the_store(tmp_path, store, run):
    folder = write_claim(tmp_path)
    record = run(folder)
    run(folder, base_seed=3)

    (entry,) = measured.entries(make_plan(load_claim(folder), Options()), store)

    expected = record.readings["as_documented"].expectations["warm_exceeds_cold"].values
    assert entry["values"].keys() == {"0", "3"}
    assert entry["values"]["0"] == pytest.approx([expected[seed] for seed in sorted(expected, key=int)], rel=1e-8)
    assert (entry["kind"], entry["log"], entry["rounding"], entry["bounds"]) == ("difference", False, {}, [None, None])


def test_pools_hold_every_measured_value_that_varies():
    entries = json.loads(laws.MEASURED.read_text())["contrasts"]
    sizes = {f"{e['claim']}: {e['expectation']}": sum(map(len, e["values"].values())) for e in entries}
    constant = sizes.keys() - POOLS.keys()
    assert {name: len(pool.values) for name, pool in POOLS.items()} == {n: s for n, s in sizes.items() if n in POOLS}
    assert all(name.rpartition(": ")[2] in TEXT for name in constant)


@pytest.mark.parametrize("name", POOLS)
def test_resamples_come_with_their_own_rounding(name):
    values, rounding = POOLS[name].draw(np.random.default_rng(43), (3, 5))
    assert values.shape == (3, 5)
    assert (rounding is None) == (not POOLS[name].rounding.size)
    if rounding is not None:
        pairs = set(zip(POOLS[name].values, POOLS[name].rounding, strict=True))
        assert set(zip(values.flat, rounding.flat, strict=True)) <= pairs


# ---- cells and document --------------------------------------------------------------------------------------------


def test_a_share_tells_more_than_chance_from_chance():
    assert not Share(33, 20_000, 0.001).exceeds
    assert Share(40, 20_000, 0.001).exceeds
    assert str(Share(33, 20_000, 0.001)) == "0.165 %"
    assert str(Share(40, 20_000, 0.001)) == "**0.200 %**"
    assert str(Share(150, 200)) == "75.0 %"
    assert Share(1, 20_000, 0.0).exceeds
    assert not Share(0, 20_000, 0.0).exceeds


def test_shares_agree_within_chance_alone():
    assert Share(2, 1000, 0.001).agrees("0.050 %", 20_000)
    assert not Share(9, 1000, 0.001).agrees("0.050 %", 20_000)
    assert not Share(0, 20_000, 0.001).agrees("**0.200 %**", 20_000)
    assert Share(750, 1000).agrees("75.1 %", 20_000)
    assert not Share(750, 1000).agrees("82.0 %", 20_000)


def test_averages_agree_within_four_standard_errors():
    assert Average(10.0, 1.0, 100).agrees("10.4", 10_000)
    assert not Average(10.0, 1.0, 100).agrees("10.5", 10_000)


def test_figures_without_chance_agree_when_equal():
    assert Figure("9.22").agrees("9.22", 0)
    assert not Figure("9.22").agrees("9.23", 0)


def test_a_table_is_replaced_between_its_markers_alone():
    text = "a\n<!-- table exact -->\nold\n<!-- end -->\nb"
    assert document.replaced(text, "exact", "new") == "a\n<!-- table exact -->\nnew\n<!-- end -->\nb"
    with pytest.raises(ValueError, match="0 pairs of markers"):
        document.replaced(text, "kinds", "new")


def test_the_command_writes_its_table_and_fails_on_a_broken_promise(tmp_path, monkeypatch, capsys):
    page = tmp_path / "calibration.md"
    page.write_text("<!-- table exact -->\n<!-- end -->\n")
    monkeypatch.setattr(command, "DOCUMENT", page)
    rows = dict.fromkeys(TABLES["exact"].rows, lambda *_: [Share(1, 100, 0.0, promised=True), Figure("-")])
    monkeypatch.setattr(command, "TABLES", {"exact": replace(TABLES["exact"], rows=rows)})

    assert command.main(["exact"]) == 1
    assert "| holds in all 36 instances | **1.000 %** | - |" in page.read_text()
    assert "promises broken" in capsys.readouterr().out
    assert command.main(["nothing"]) == 2


@pytest.mark.parametrize("name", TABLES)
def test_the_document_has_every_row_that_the_code_knows_and_no_other(name):
    assert document.rows_of(TEXT, name).keys() == TABLES[name].rows.keys()
    assert document.body_of(TEXT, name).startswith(document.caption(name, TABLES[name]))


def test_the_document_marks_those_measured_contrasts_that_are_known_to_break_the_promise():
    marked = {
        f"{labels[0]}: {labels[1]}"
        for labels, cells in document.rows_of(TEXT, "measured").items()
        if "**" in "".join(cells)
    }
    assert marked == EXCEPTIONS.keys()


# ---- reduced, from other seeds -------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("name", "labels"), ROWS, ids=[" ".join((name, *labels)) for name, labels in ROWS])
def test_promises_are_kept_and_figures_are_as_documented(name, labels):
    table = TABLES[name]
    found = table.cells(name, labels, table.reduced, SEED_OF_TESTS)
    written = document.rows_of(TEXT, name)[labels]
    for cell, text in zip(found, written, strict=True):
        assert command.kept(cell), f"{cell} is more than was promised"
        assert cell.agrees(text, table.runs), f"{cell} here, {text} in docs/calibration.md"


@pytest.mark.slow
def test_a_plain_t_interval_looked_at_as_often_breaks_the_promise():
    looked_at = next(method for method in METHODS if method.startswith("t interval, looks"))
    for alpha in ALPHAS:
        normal = TABLES["rivals_errors"].cells("rivals_errors", (looked_at, f"{alpha}"), 20_000, SEED_OF_TESTS)[0]
        assert normal.exceeds
