"""A version is looked at no longer than it takes to tell it from the claim as it stands, and no trial is measured twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.running.proof import examination
from harness.running.proof.examination import examine
from harness.running.proof.request import CONTROLS, READINGS, Request
from harness.store.records.proof import Answer
from harness.trials.experiment import run_task
from tests.tiny_project import write_claim

MORE = {
    "controls:\n": """\
  cold_is_cold:
    expectations:
      cold_stays_below:
        contrast: {mean: level, at: {arm: cold}}
        band: {at_most: 0.5}
        because: it is drawn around zero
        no_control: the other reading has one
controls:
  frozen:
    change: {centre: -1.0}
    breaks: [warm_exceeds_cold]
    because: what is frozen alike does not differ
""",
}
"""A second reading, and a control before the first."""


@pytest.fixture
def measured(monkeypatch):
    """The keys of all trials that are measured, in their order."""
    keys = []

    def run(task):
        keys.extend(task.keys)
        return run_task(task)

    monkeypatch.setattr(examination, "run_task", run)
    return keys


def test_a_trial_is_measured_once_whatever_reads_it(tmp_path, measured):
    """Six seeds of either arm; frozen, both anew; without a difference of centres the warm one alone."""
    answer = examine(Request(str(write_claim(tmp_path, replace=MORE)), stages=(READINGS, CONTROLS)))

    assert answer.verdicts == {"as_documented": "VERIFIED", "cold_is_cold": "VERIFIED"}
    assert answer.unexpected == []
    assert answer.controls == {"frozen": True, "same_centre": True}
    assert len(measured) == len(set(measured)) == 12 + 12 + 6


def test_the_first_reading_that_notices_is_the_last(tmp_path, measured):
    folder = write_claim(tmp_path, gap=0.1, replace=MORE)
    intact = Answer(verdicts={"as_documented": "VERIFIED", "cold_is_cold": "VERIFIED"}, controls={"frozen": True})
    request = Request(str(folder), stages=(READINGS, CONTROLS))
    noticed, whole = examine(replace(request, intact=intact)), examine(request)

    assert noticed.noticed == "reading as_documented is REFUTED"
    assert noticed.verdicts == {"as_documented": "REFUTED"}
    assert noticed.controls == {}
    assert whole.verdicts == {"as_documented": "REFUTED", "cold_is_cold": "VERIFIED"}


def test_the_first_control_that_breaks_nothing_is_the_last(tmp_path, measured):
    """A control that leaves the warm arm as it is breaks nothing."""
    of_cold = {"controls:\n": MORE["controls:\n"].replace("{centre: -1.0}", "{centre: -1.0}\n    arms: [cold]")}
    folder = write_claim(tmp_path, replace=of_cold)
    intact = Answer(controls={"frozen": True, "same_centre": True})
    answer = examine(Request(str(folder), stages=(CONTROLS,), intact=intact))

    assert answer.noticed == "control frozen breaks nothing"
    assert answer.controls == {"frozen": False}
