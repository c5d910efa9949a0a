"""What measures nothing verifies nothing: each way to pass for no reason, tried."""

from __future__ import annotations

import math

import pytest

from harness.errors import SpecError
from harness.judging.feasibility import problems_of
from harness.judging.verdict import INVALID, NOT_RUN, VERIFIED, combine, judge
from harness.running import measuring
from harness.running.exit_code import exit_code
from harness.specification.models import SeedPlan
from harness.trials.catalogue import load_all, load_claim
from tests import specimen
from tests.specimen import claim_with, evidence_of, point
from tests.tiny_project import EXPERIMENT, write_claim

NET = {"arm": "net", "width": 4, "scene": "plain"}
SVM = {**NET, "arm": "svm"}
PLAN = SeedPlan(first=6, step=2, cap=12)


def judged(values, metric="loss", contrast=None, form=None, plan=PLAN, measured=None):
    """Judge a band that the values satisfy by far."""
    spec = claim_with(contrast or {"mean": metric, "at": NET}, form or {"at_most": 0.9})
    evidence = evidence_of({point(): values, point("svm"): values}, measured or metric)
    return judge(spec.expectations["e"], spec, evidence, {"n_test": 200}, plan)


GOOD = [0.1, 0.12, 0.09, 0.11, 0.1, 0.08]


def test_the_values_used_here_would_verify():
    assert judged(GOOD).verdict == VERIFIED


def test_a_missing_metric_verifies_nothing():
    assert judged(GOOD, measured="error").verdict == INVALID


def test_a_metric_that_one_seed_lacks_verifies_nothing():
    spec = claim_with({"mean": "loss", "at": NET}, {"at_most": 0.9})
    evidence = evidence_of({point(): GOOD}, "loss")
    evidence[point()][3] = {}
    assert judge(spec.expectations["e"], spec, evidence, {"n_test": 200}, PLAN).verdict == INVALID


def test_a_misspelt_arm_is_refused(tmp_path):
    folder = specimen.write(
        tmp_path, specimen.TEXT.replace("{mean: error, at: {arm: net,", "{mean: error, at: {arm: nett,")
    )
    with pytest.raises(SpecError, match="no arm 'nett'; did you mean 'net'"):
        load_claim(folder)


def test_a_contrast_of_a_cell_with_itself_is_refused():
    # Zero by construction, and so "equivalent within 0.1" without any measurement.
    spec = claim_with({"difference": "error", "of": NET, "minus": NET}, {"between": [-0.1, 0.1]})
    assert "compares a cell with itself" in problems_of(spec)[0][1]


def test_a_contrast_without_trials_verifies_nothing():
    assert judged([]).verdict == NOT_RUN


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_verifies_nothing(bad):
    assert judged([*GOOD[:5], bad]).verdict == INVALID


@pytest.mark.parametrize("bad", [math.nan, -math.inf])
def test_a_value_that_is_not_finite_verifies_no_exact_expectation(bad):
    assert judged([*GOOD[:5], bad], contrast={"exact": "loss", "at": NET}).verdict == INVALID


@pytest.mark.parametrize("value", [0.1, 1 / 3, -1e-300])
def test_a_constant_metric_without_a_resolution_verifies_nothing(value):
    found = judged([value] * 6)
    assert found.verdict == INVALID
    assert found.reason == (
        "all 6 seeds gave the same values: did they draw the same data? measure() must draw from its seeds; "
        "what draws nothing is `exact`"
    )


@pytest.mark.parametrize("difference", [1.5, -1.5])
def test_a_constant_contrast_without_a_resolution_verifies_nothing_although_the_seeds_differ(difference):
    spec = claim_with({"difference": "loss", "of": NET, "minus": SVM}, {"at_most": 5})
    levels = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    evidence = evidence_of({point(): [level + difference for level in levels], point("svm"): levels}, "loss")
    found = judge(spec.expectations["e"], spec, evidence, {"n_test": 200}, PLAN)
    assert found.verdict == INVALID
    assert found.reason == (
        "the contrast is the same for every seed and the metric declares no resolution; declare it, or use `exact`"
    )


def test_a_constant_of_zero_without_a_resolution_verifies_nothing():
    assert judged([0.0] * 6).verdict == INVALID


@pytest.mark.parametrize("value", [0.1, 1e6, -1e6])
def test_a_metric_that_only_rounding_varies_verifies_nothing(value):
    varied = [value, math.nextafter(value, math.inf)] * 3
    assert judged(varied, form={"at_most": 1e9}).verdict == INVALID


def test_small_values_are_no_rounding():
    assert judged([1e-20 * value for value in GOOD]).verdict == VERIFIED


def test_a_constant_metric_at_its_bound_has_an_interval_of_its_resolution():
    found = judged([0.0] * 6, metric="error")
    assert found.verdict == VERIFIED
    assert found.high > 0.005


def test_a_constant_metric_that_could_have_differed_verifies_nothing_whatever_its_resolution():
    # Twenty errors in two hundred, six times over.
    assert judged([0.1] * 6, metric="error").verdict == INVALID


def test_a_value_beyond_the_bounds_of_its_metric_verifies_nothing():
    # Clipped to its bounds, the interval [1.5, 1] would lie inside "at least 0.9".
    assert judged([1.5] * 6, metric="error", form={"at_least": 0.9}).verdict == INVALID


@pytest.mark.parametrize("first", [1, 6])
def test_one_seed_verifies_nothing(first):
    assert judged(GOOD[:1], plan=SeedPlan(first=first, cap=12)).verdict != VERIFIED
    assert judged(GOOD[:1], metric="error", plan=SeedPlan(first=first, cap=12)).verdict != VERIFIED


def test_seeds_too_few_for_an_interval_verify_nothing_even_within_the_bounds():
    assert judged(GOOD[:4], metric="error", form={"at_most": 5}, plan=SeedPlan(first=2, cap=4)).verdict != VERIFIED


def test_zeros_in_a_ratio_verify_nothing_without_a_resolution():
    assert judged([0.0] * 6, contrast={"ratio": "loss", "of": NET, "to": SVM}).verdict == INVALID


@pytest.mark.parametrize(
    ("metric", "form"),
    [
        ("error", {"at_most": 1}),
        ("error", {"at_least": 0}),
        ("error", {"between": [-1, 2]}),
    ],
)
def test_a_band_that_cannot_be_missed_is_refused(metric, form):
    spec = claim_with({"mean": metric, "at": NET}, form)
    assert "can never be missed" in problems_of(spec)[0][1]


@pytest.mark.parametrize(
    "form", ["{at_most: .inf}", "{at_least: -.inf}", "{between: [-.inf, .inf]}", "{at_most: .nan}"]
)
def test_an_infinitely_wide_band_is_refused(tmp_path, form):
    folder = specimen.write(tmp_path, specimen.TEXT.replace("{at_most: 0.1}", form))
    with pytest.raises(SpecError, match="should be a finite number"):
        load_claim(folder)


def test_no_expectation_verifies_no_reading():
    assert combine([]) == NOT_RUN


def test_a_claim_without_expectations_is_refused(tmp_path):
    head, tail = specimen.TEXT.split("    expectations:\n", 1)
    folder = specimen.write(tmp_path, f"{head}    expectations: {{}}\ncontrols:{tail.split('controls:', 1)[1]}")
    with pytest.raises(SpecError, match="should have at least 1 item"):
        load_claim(folder)


@pytest.mark.parametrize("lacking", ["test_claim.py", "experiment.py"])
def test_a_claim_folder_without_its_test_or_experiment_is_reported(tmp_path, lacking):
    folder = specimen.write(tmp_path)
    assert load_all(tmp_path)[1] == []
    (folder / lacking).unlink()
    (problem,) = load_all(tmp_path)[1]
    assert problem.startswith(f"{folder}/{lacking}:1:1: (file): is missing")


def test_zero_test_examples_are_refused(tmp_path):
    folder = specimen.write(tmp_path, specimen.TEXT.replace("{n_test: 200}", "{n_test: 0}"))
    with pytest.raises(SpecError, match=r"'n_test' is 0 in profile 'smoke'; it must be a positive number"):
        load_claim(folder)


def reading(record):
    return record.readings["as_documented"]


def test_all_trials_failed_verifies_nothing(tmp_path, run):
    broken = EXPERIMENT.replace("return {", "raise OSError('disk')\n    return {")
    record = run(write_claim(tmp_path, experiment=broken))
    assert (reading(record).verdict, exit_code([record])) == (INVALID, 4)


def test_trials_that_all_yield_no_number_verify_nothing(tmp_path, run):
    undefined = EXPERIMENT.replace("np.array([", "np.nan * np.array([")
    record = run(write_claim(tmp_path, experiment=undefined))
    assert (reading(record).verdict, exit_code([record])) == (INVALID, 4)


def test_an_experiment_that_measures_no_seed_verifies_nothing(tmp_path, run):
    empty = EXPERIMENT.replace("for seed in seeds]", "for seed in seeds[:0]]")
    record = run(write_claim(tmp_path, experiment=empty))
    assert (reading(record).verdict, exit_code([record])) == (INVALID, 4)


def test_the_smoke_profile_verifies_nothing_whatever_it_measures(tmp_path, run):
    record = run(write_claim(tmp_path, replace={"smoke: {seeds: 2,": "smoke: {seeds: 12,"}), profile="smoke")
    assert reading(record).verdict == NOT_RUN
    assert not reading(record).as_expected
    assert {e.verdict for e in record.controls["same_centre"].expectations.values()} == {NOT_RUN}


def test_a_control_that_was_not_run_verifies_nothing(tmp_path, run, monkeypatch):
    # The main part is verified; the time is up before the control's first batch.
    calls = iter([True])
    monkeypatch.setattr(measuring, "in_time", lambda *_: next(calls, False))
    record = run(write_claim(tmp_path))
    assert reading(record).expectations["warm_exceeds_cold"].verdict == VERIFIED
    assert (reading(record).verdict, exit_code([record])) == (NOT_RUN, 3)


@pytest.mark.parametrize(("resolution", "seeds"), [("resolution: 0.01", 6), ("bounds: [0, 1], resolution: 0.01", 6)])
def test_a_measure_that_ignores_its_seeds_verifies_nothing_whatever_the_resolution(tmp_path, run, resolution, seeds):
    """Seen: 0.123 for every seed lay inside its band, with a resolution to hide that nothing was drawn."""
    ignoring = EXPERIMENT.replace("seed.numpy(arm).normal(centre, spread)", "(0.123 if arm == 'warm' else 0.987)")
    band = {"at_least: 0.5": "at_most: 0.5", "better: higher": f"better: higher, {resolution}"}
    record = run(write_claim(tmp_path, experiment=ignoring, replace=band))
    assert (reading(record).verdict, exit_code([record])) == (INVALID, 1)
    assert "did they draw the same data?" in reading(record).reason
    assert reading(record).expectations["warm_exceeds_cold"].n == seeds


def test_a_control_that_could_not_be_measured_verifies_nothing(tmp_path, run):
    fails = EXPERIMENT.replace("return {", "if arm == 'warm' and centre == 0:\n        raise OSError\n    return {")
    record = run(write_claim(tmp_path, experiment=fails))
    assert reading(record).expectations["warm_exceeds_cold"].verdict == VERIFIED
    assert (reading(record).verdict, exit_code([record])) == (INVALID, 4)
    assert reading(record).reason.startswith("trials of control same_centre failed: seed 0 at arm=warm: ")


def test_an_expectation_without_a_control_is_refused_unless_it_says_why(tmp_path):
    head, tail = specimen.TEXT.split("controls:\n", 1)
    bare = f"{head}controls: {{}}\nprofiles:{tail.split('profiles:', 1)[1]}"
    with pytest.raises(SpecError) as refused:
        load_claim(specimen.write(tmp_path / "bare", bare))
    assert len(refused.value.problems) == 8
    assert refused.value.problems[0].endswith(
        "/claim.yaml:22:7: readings.as_documented.expectations.low_error: no control breaks it, so nothing shows that it "
        "could have come out otherwise; name it in the `breaks` of a control, or say `no_control: why`"
    )
    said = bare.replace("        because: the", "        no_control: a theorem says so\n        because: the")
    assert load_claim(specimen.write(tmp_path / "said", said)).claim.controls == {}


def test_a_reason_for_no_control_beside_a_control_is_refused(tmp_path):
    both = specimen.TEXT.replace("{at_most: 0.1}\n", "{at_most: 0.1}\n        no_control: nothing could break it\n")
    with pytest.raises(SpecError, match=r":25:9: .*low_error.no_control: says why no control .* 'shallow' breaks it"):
        load_claim(specimen.write(tmp_path, both))


def test_a_claim_without_a_control_is_refused(tmp_path):
    folder = specimen.write(tmp_path, specimen.TEXT.replace("controls:\n", "controlls:\n"))
    with pytest.raises(SpecError, match="did you mean 'controls'"):
        load_claim(folder)
