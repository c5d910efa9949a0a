"""Two runs held against each other: verdicts, estimates, and how often chance alone makes a difference."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from harness.errors import DataError, UsageError
from harness.report.comparison_text import as_markdown, lines
from harness.retrospect.compare import compare
from harness.retrospect.comparison import (
    DIFFERENT,
    INDEPENDENT,
    NO_DIFFERENCE_DETECTED,
    NOT_COMPARED,
    PAIRED,
    REGRESSION,
    SAME,
    SCHEMA_VERSION,
    Comparison,
    Difference,
)
from harness.retrospect.difference import difference
from harness.running.results import run_of
from harness.running.session import problem_record
from harness.specification.kinds import Mean
from harness.store.records.expectation import SequenceRecord
from harness.store.records.parsing import parse, plain
from harness.store.records.run import Run
from harness.trials.options import Options
from harness.trials.provenance import processor
from tests.reported import GPU, SAVED
from tests.tiny_project import MACHINE, write_claim

(SAVED_CLAIM,) = (claim for claim in parse(Run, json.loads(SAVED.read_text()), "saved").judged if claim.id == "holds")
EXPECTATION = SAVED_CLAIM.expectations["warm_exceeds_cold"]


@pytest.fixture
def report(tmp_path, run, store):
    """Run a tiny claim under an id and return the run as reports see it."""

    def make(run_id, base_seed=0, profile="quick", **claim):
        store.start_run(run_id, Options(profile, base_seed).record(), MACHINE)
        run(write_claim(tmp_path, **claim), run_id=run_id, base_seed=base_seed, profile=profile)
        return run_of(store, run_id)

    return make


def estimate(found):
    (pair,) = found.claims
    (row,) = pair.estimates
    return row


def verdict_row(found):
    (row,) = found.verdicts
    return row


def with_claim(run, **changes):
    """Return a run of one claim, with what is another in the claim's record."""
    (claim,) = run.claims
    return run.model_copy(update={"claims": [claim.model_copy(update=changes)]})


def with_reading(run, **changes):
    """Return a run of one claim, with what is another in its reading."""
    (reading,) = run.claims[0].readings.values()
    return with_claim(run, readings={"as_documented": reading.model_copy(update=changes)})


def record(values, **other):
    """Return an expectation's record with these values, one per seed."""
    found = {str(seed): float(value) for seed, value in enumerate(values)}
    return EXPECTATION.model_copy(update={"sd_floor": 0.0, "values": found, **other})


def outcome(a, b, *, comparable=True, **other):
    return difference(record(a, **other), record(b, **other), comparable=comparable)


def test_numbers_too_large_for_a_spread_are_not_compared():
    assert outcome([1.0] * 6, [1.0] * 5 + [-1e308]).reason == "a value is too large for a spread"
    assert outcome([1.0] * 6, [1.0, 1.1] * 3, sd_floor=1e308).outcome == NO_DIFFERENCE_DETECTED


# Verdicts


def test_a_run_against_itself_has_no_change_and_equal_digits(report):
    run = report("one")

    found = compare(run, run)

    assert verdict_row(found).change is None
    assert found.regressions == []
    assert estimate(found).outcome == SAME
    assert found.claims[0].changed == []
    assert found.expected_false_alarms == 0


def test_what_was_as_expected_and_is_not_is_a_regression_with_both_verdicts(report):
    found = compare(report("one"), report("two", gap=-1.0))

    row = verdict_row(found)
    assert row.change == REGRESSION
    assert found.regressions == [row]
    assert (row.a.verdict, row.b.verdict, row.b.expected) == ("VERIFIED", "REFUTED", "VERIFIED")


def test_the_other_way_round_it_is_an_improvement(report):
    found = compare(report("one", gap=-1.0), report("two"))

    assert verdict_row(found).change == "as expected again"
    assert found.regressions == []


def test_an_expected_verdict_that_was_rewritten_can_be_a_regression_without_any_new_value(report):
    found = compare(report("one"), report("two", expected="REFUTED"))

    row = verdict_row(found)
    assert row.change == REGRESSION
    assert (row.a.expected, row.b.expected) == ("VERIFIED", "REFUTED")
    assert estimate(found).outcome == SAME


def test_a_moved_band_is_said(report):
    found = compare(report("one"), report("two", replace={"at_least: 0.5": "at_most: 0.5"}))

    assert verdict_row(found).bands == ["warm_exceeds_cold: the band was at least 0.5, is at most 0.5"]


def test_a_claim_that_is_missing_is_said_once_and_counts_as_a_regression_if_it_was_as_expected(report):
    run = report("one")
    without = run.model_copy(update={"claims": []})

    lost, gained = compare(run, without), compare(without, run)

    assert verdict_row(lost).change == "only in A"
    assert lost.regressions == [verdict_row(lost)]
    assert "  only in A: warm_exceeds_cold (1 of 1 reading as expected)" in lines(lost)
    assert "1 that were as expected in A are not in B at all" in "".join(lines(lost))
    assert verdict_row(lost).b.reason == "the claim is not in this run"
    assert verdict_row(gained).change == "only in B"
    assert gained.regressions == []


def test_a_claim_that_could_not_be_run_says_why(report):
    run = report("one")
    broken = problem_record(Path("notes/warm_exceeds_cold"), DataError("no data"))

    found = compare(run, run.model_copy(update={"claims": [broken]}))

    assert verdict_row(found).change == REGRESSION
    assert verdict_row(found).b.reason == "the claim could not be run: no data"
    assert found.claims == []


def test_what_a_waiver_covers_is_no_regression(report):
    found = compare(report("one"), with_reading(report("two", gap=-1.0), waived=True))

    assert found.regressions == []
    assert verdict_row(found).change == "changed"


@pytest.mark.parametrize("field", ["profile", "device"])
def test_profiles_and_devices_are_not_mixed_unless_asked_for(report, field):
    run = report("one")
    other = with_claim(run, **{field: "another"})

    with pytest.raises(UsageError, match=f"{field} .* in A, another in B; .* --mixed"):
        compare(run, other)
    assert compare(run, other, mixed=True).claims[0].changed == [field]


def test_a_reading_that_a_claim_no_longer_has_is_a_regression(report):
    run = report("one")

    found = compare(run, with_claim(run, readings={}))

    assert verdict_row(found).change == REGRESSION
    assert verdict_row(found).b.reason == "the claim has no such reading in this run"
    assert estimate(found).reason == "only in A"
    assert any("VERIFIED -> missing, expected VERIFIED; regression" in line for line in lines(found))


# Estimates


def test_two_base_seeds_are_independent_and_not_told_apart(report):
    found = compare(report("one"), report("two", base_seed=7))

    assert found.claims[0].method == INDEPENDENT
    assert found.claims[0].changed == ["base seed"]
    row = estimate(found)
    assert row.outcome == NO_DIFFERENCE_DETECTED
    assert row.low < 0 < row.high
    assert row.alpha == 0.001
    assert found.expected_false_alarms == 0.001


def test_a_shift_under_one_base_seed_is_found_by_paired_differences(report):
    # The spread over seeds is 0.07, that of the differences rounding alone; no resolution is declared.
    found = compare(report("one"), report("two", gap=1.01))

    assert found.claims[0].method == PAIRED
    assert found.claims[0].changed == ["arms"]
    assert estimate(found).outcome == NOT_COMPARED
    assert "no resolution of the metric is known" in estimate(found).reason


def test_pairing_finds_what_the_spread_over_seeds_would_hide():
    generator = np.random.default_rng(5)
    a = generator.normal(0, 10, 12)

    found = outcome(a, a + generator.normal(1, 0.1, 12))

    assert found.outcome == DIFFERENT
    assert found.low < 1 < found.high
    assert found.n == 12


def test_a_real_shift_between_independent_runs_is_found():
    generator = np.random.default_rng(5)

    assert outcome(generator.normal(0, 1, 16), generator.normal(6, 1, 16)).outcome == DIFFERENT


def test_ratios_are_compared_on_the_log_scale_as_a_factor():
    generator = np.random.default_rng(5)
    a = np.exp(generator.normal(0, 0.1, 12))

    found = outcome(a, a * np.exp(generator.normal(math.log(2), 0.01, 12)), unit="ratio")

    assert found.outcome == DIFFERENT
    assert found.scale == "factor"
    assert 1 < found.low < 2 < found.high
    assert found.estimate == pytest.approx(2, rel=0.02)


RATE = SequenceRecord(kind="bounded", low=0.0, high=1.0)


def test_rates_are_compared_seed_by_seed_without_a_spread():
    """Two-valued differences have no t interval: ten of ten that changed are a sign test, and eleven are not enough."""
    assert outcome([0.0] * 12, [1.0] * 12, sequence=RATE).outcome == DIFFERENT
    found = outcome([0.0] * 11, [1.0] * 11, sequence=RATE)
    assert (found.outcome, found.low < 0, found.high) == (NO_DIFFERENCE_DETECTED, True, 1.0)
    assert outcome([0.0] * 20, [1.0] * 3 + [0.0] * 17, sequence=RATE).outcome == NO_DIFFERENCE_DETECTED


def test_of_quantiles_the_median_difference_is_compared():
    a, quantile = np.arange(12.0), SequenceRecord(kind="quantile", q=0.9)
    b = a + np.array([0.1] * 11 + [1e6])

    found = outcome(a, b, sequence=quantile)

    assert found.outcome == DIFFERENT
    assert found.estimate == pytest.approx(0.1)
    assert outcome(a, b).outcome == NO_DIFFERENCE_DETECTED
    assert outcome(a[:11], b[:11], sequence=quantile).reason == "11 seeds say nothing at error rate 0.001"


def test_only_common_seeds_count():
    a, b = record([1.0, 2.0, 3.0]), record([1.0, 2.0])

    assert difference(a, b, comparable=True) == Difference(outcome=SAME, reason="", n=2)


def test_equal_but_for_the_last_bit_is_neither_same_nor_different():
    a = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])

    assert outcome(a, np.nextafter(a, 1)).outcome == NO_DIFFERENCE_DETECTED


def test_a_step_of_the_resolution_in_every_seed_is_no_difference_at_few_seeds():
    """Six seeds that all moved by one test example of a thousand: the spread is zero, the resolution is not."""
    found = outcome([0.01] * 6, [0.011] * 6, sd_floor=0.001 / math.sqrt(12))

    assert found.outcome == NO_DIFFERENCE_DETECTED
    assert outcome([0.01] * 6, [0.111] * 6, sd_floor=0.001 / math.sqrt(12)).outcome == DIFFERENT


def test_durations_of_other_processors_are_never_called_different():
    slow = {"comparable": False, "duration": True}

    assert (
        outcome(range(8), range(100, 108), **slow).reason
        == "durations by different clocks (processor, governor, cores or device)"
    )
    assert outcome([1, 2, 3, 4, 5, 6], [40, 71, 120, 160, 200, 239], duration=True, unit="ratio").outcome == DIFFERENT


def test_durations_of_other_processors_in_whole_runs(report):
    a = report("one", replace={"unit: degree": "unit: second"})
    b = report("two", base_seed=7, replace={"unit: degree": "unit: second"})

    assert estimate(compare(a, b)).outcome == NO_DIFFERENCE_DETECTED
    here = b.claims[0].places
    another, fewer = (moved(here, **change) for change in ({"processor": "another"}, {"cores": 99}))
    for others in (another, fewer, [], [*here, *fewer]):
        assert estimate(compare(a, with_claim(b, places=others))).outcome == NOT_COMPARED
    elsewhere = [found.model_copy(update={"durations": 0}) for found in fewer]
    gpu = moved(here, gpu=GPU)
    assert (
        estimate(compare(with_claim(a, places=[*here, *gpu]), with_claim(b, places=[*here, *gpu]))).outcome
        != NOT_COMPARED
    )
    assert (
        estimate(compare(with_claim(a, places=[*here, *fewer]), with_claim(b, places=[*here, *fewer]))).outcome
        == NOT_COMPARED
    )
    for others in (moved(here, host="another"), [*here, *elsewhere]):
        assert estimate(compare(a, with_claim(b, places=others))).outcome == NO_DIFFERENCE_DETECTED


def moved(places, **changes):
    """Return where trials ran as if it were another place."""
    return [found.model_copy(update={"place": found.place.model_copy(update=changes)}) for found in places]


@pytest.mark.parametrize(
    ("a", "b", "other", "reason"),
    [
        ([1.0] * 3, [2.0, 3.0, 4.0], {}, "3 seeds say nothing at error rate 0.001"),
        ([1.0] * 6, [-1.0] * 6, {"unit": "ratio"}, "a ratio is not positive"),
        ([1.0] * 6, [3.0] * 6, {"exact": True}, "instances are no sample; the largest change is 2"),
        ([], [1.0], {}, "no seed has a value in both"),
    ],
)
def test_what_cannot_be_compared_says_why(a, b, other, reason):
    found = outcome(a, b, **other)

    assert (found.outcome, found.reason) == (NOT_COMPARED, reason)
    assert found.alpha is None


def test_another_contrast_or_no_number_is_not_compared():
    one, contrast = record([1.0]), Mean(mean="level", at={"arm": "warm"})
    without = one.model_copy(update={"values": {"0": None}})

    assert difference(one, record([1.0], contrast=contrast), comparable=True).reason == "the contrast is another"
    assert difference(one, without, comparable=True).reason == "a value is no finite number"
    assert difference(one, None, comparable=True).reason == "only in A"
    assert difference(None, one, comparable=True).reason == "only in B"


@pytest.mark.parametrize("draw", ["normal", "exponential", "correlated"])
def test_equal_distributions_are_called_different_at_most_at_the_error_rate(draw):
    """However each run stopped: an alarm at any number of seeds counts."""
    generator, alpha, trials = np.random.default_rng(11), 0.05, 1000
    alarms = 0
    for _ in range(trials):
        if draw == "correlated":
            shared = generator.normal(0, 3, 24)
            a, b = shared + generator.normal(size=24), shared + generator.normal(size=24)
        else:
            a, b = getattr(generator, draw)(size=(2, 24))
        alarms += any(outcome(a[:n], b[:n], alpha=alpha).outcome == DIFFERENT for n in range(3, 25))

    # Three standard errors of a proportion of alpha.
    assert alarms / trials <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / trials)


# Words


def test_the_text_says_verdicts_first_then_estimates_then_how(report):
    found = lines(compare(report("one"), report("two", base_seed=7, gap=-1.0)))

    text = "\n".join(found)
    assert found[0].startswith("A  run one of 20")
    assert found[0].endswith(", commit cccccccccc")
    assert found[1] == f"   profile quick; base seed 0; 1 claim; cpu, {processor()}"
    assert "Verdicts of readings: 1 of 1 changed, 1 of them for the worse" in found
    assert "! warm_exceeds_cold, as_documented: VERIFIED -> REFUTED, expected VERIFIED; regression" in found
    assert "Estimates: 1 different" in found
    assert "warm_exceeds_cold (not the same in both: base seed, arms)" in found
    assert "  ≠ warm_exceeds_cold (degree): different, B - A -2" in text
    assert "error rate 0.001" in text
    assert "two base seeds, so seed k of A and seed k of B are independent draws" in text
    assert found[-1] == "False alarms to expect, at most: 0.001"


def test_the_text_of_equal_runs_is_short(report):
    run = report("one")

    found = lines(compare(run, run))

    assert "Verdicts of readings: none of 1 changed" in found
    assert "  = warm_exceeds_cold (degree): same to the last digit, 6 seeds" in found
    assert [line for line in found if line.startswith("      A and B ")]
    assert not [line for line in found if line.startswith("How")]


def test_the_terminal_sees_no_control_characters_and_markdown_no_markup(report):
    worse = with_reading(report("two", gap=-1.0), reason="\x1b[31mred <b>|bold|</b>")
    found = compare(report("one"), worse)

    assert "\x1b" not in "".join(lines(found))
    assert "\x1b" not in as_markdown(found)
    assert "<b>" not in as_markdown(found)


def test_markdown_has_a_row_per_expectation(report):
    found = as_markdown(compare(report("one"), report("two", base_seed=7)))

    assert "| warm\\_exceeds\\_cold (degree) | 1" in found
    assert "~ not told apart, B - A " in found


def test_markdown_fits_a_comment_and_leaves_out_claims_without_a_difference_first(report):
    found = compare(report("one"), report("two", base_seed=7))
    (alike,) = found.claims
    other = alike.model_copy(
        update={"claim": "another", "estimates": [alike.estimates[0].model_copy(update={"outcome": DIFFERENT})]}
    )
    many = found.model_copy(update={"claims": [alike] * 500 + [other]})

    short = as_markdown(many, 3_000)

    assert len(as_markdown(many)) <= 65_000
    assert len(short) <= 3_000
    assert short.index("### ") == short.index("### another")
    shown = short.count("### ")
    assert 1 < shown < 501
    assert f"_{501 - shown} more claims do not fit here; `claims compare` shows them._" in short
    assert "do not fit" not in as_markdown(found)


def test_a_comparison_is_plain_json(report):
    found = compare(report("one"), report("two", base_seed=7))

    read = json.loads(json.dumps(plain(found), allow_nan=False))
    assert parse(Comparison, read, "test") == found
    assert read["schema_version"] == SCHEMA_VERSION
