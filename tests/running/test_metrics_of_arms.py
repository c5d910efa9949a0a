"""Metrics that only the trials of some arms yield."""

from __future__ import annotations

import pytest

from harness.errors import SpecError
from harness.trials.catalogue import load_claim
from tests.tiny_project import EXPERIMENT, write_claim

METRIC = "  level: {unit: degree, better: higher}\n"
GLOW = METRIC + "  glow: {unit: degree, better: higher, arms: [warm]}\n"
READING = """\
  glows:
    expectations:
      warm_glows:
        contrast: {mean: glow, at: {arm: warm}}
        band: {at_least: 0.5}
        because: it glows by as much as it is warm
        no_control: its control is that of the other reading
      always:
        contrast: {exact: glow}
        band: {at_least: 0}
        because: the centre is many spreads above zero
        no_control: its control is that of the other reading
controls:
"""
RETURN = '    return {"level": np.array([seed.numpy(arm).normal(centre, spread) for seed in seeds])}\n'
GLOWING = (
    RETURN.replace("return ", "found = ") + '    return {**found, "glow": found["level"]} if arm == "warm" else found\n'
)


def glowing(tmp_path, **changes):
    replace = {METRIC: GLOW, "controls:\n": READING, **changes.pop("replace", {})}
    return write_claim(tmp_path, "glows", experiment=EXPERIMENT.replace(RETURN, GLOWING), replace=replace, **changes)


def test_trials_of_the_other_arms_lack_it_and_expectations_read_it_where_it_is(tmp_path, run):
    record = run(glowing(tmp_path))

    assert record.errors == []
    assert record.readings["glows"].verdict == "VERIFIED"
    assert {point.point["arm"]: sorted(point.values) for point in record.points if point.control is None} == {
        "warm": ["glow", "level"],
        "cold": ["level"],
    }
    assert (
        len(record.readings["glows"].expectations["always"].values) == record.readings["glows"].expectations["always"].n
    )


def test_an_arm_that_returns_it_all_the_same_has_failed(tmp_path, run):
    folder = glowing(tmp_path)
    text = (folder / "experiment.py").read_text()
    (folder / "experiment.py").write_text(text.replace(' if arm == "warm" else found', ""))

    record = run(folder)

    assert "['glow', 'level'], but claim.yaml declares ['level'] of arm 'cold'; make them equal" in record.errors[0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("arms: [warm]}", "arms: [warn]}", "metrics.glow.arms[0]: no arm 'warn'; did you mean 'warm'?"),
        (
            "contrast: {mean: glow, at: {arm: warm}}",
            "contrast: {mean: glow, at: {arm: cold}}",
            "warm_glows.contrast.mean: arm 'cold' yields no 'glow', by `arms` of the metric; read another",
        ),
        (
            "contrast: {mean: glow, at: {arm: warm}}",
            "contrast: {difference: glow, of: {arm: warm}, minus: {arm: cold}}",
            "warm_glows.contrast.difference: arm 'cold' yields no 'glow', by `arms` of the metric; read another",
        ),
    ],
)
def test_an_expectation_on_an_arm_without_it_is_refused_at_its_line(tmp_path, old, new, message):
    folder = glowing(tmp_path, replace={})
    text = (folder / "claim.yaml").read_text()
    assert old in text
    (folder / "claim.yaml").write_text(text.replace(old, new))

    with pytest.raises(SpecError) as caught:
        load_claim(folder)

    assert any(message in problem for problem in caught.value.problems), caught.value.problems
