"""A stored trial measured again."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from harness.errors import UsageError
from harness.report import replay_text
from harness.retrospect import replay
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from harness.trials.provenance import processor
from tests.tiny_project import EXPERIMENT, MACHINE, write_claim

TOGETHER = EXPERIMENT.replace("*, centre, spread", "*, centre, spread, step").replace(
    'return {"level": np.array([seed.numpy(arm).normal(centre, spread) for seed in seeds])}',
    'return {"level": np.array([[seed.numpy(arm).normal(centre, spread) + s for s in step] for seed in seeds])}',
)

# Every value depends on which seeds are in the call.
COMPANY = EXPERIMENT.replace(
    'return {"level": ', 'total = sum(seed.index for seed in seeds)\n    return {"level": total + '
)


@pytest.fixture
def measured(tmp_path, run, store):
    """Run a tiny claim; return the finding of its latest trial of the warm arm, and the claims' folder."""

    def make(**claim):
        store.start_run("run", Options().record(), MACHINE)
        run(write_claim(tmp_path, **claim))
        trial = next(trial for trial in store.past("", 99) if trial.arm == "warm" and trial.settings["centre"])
        return replay.find_trial(store, trial.key[:12]), tmp_path / "claims"

    return make


def repeated(finding, root):
    prospect = replay.prospect_of(finding, root)
    outcome = replay.repeat(prospect, finding.trial, print)
    return replay.repeated(finding.trial, outcome, prospect.plan), list(
        replay_text.result_lines(finding, outcome, prospect.plan)
    )


def test_a_trial_repeats_bit_for_bit(measured):
    finding, root = measured()

    same, lines = repeated(finding, root)

    assert same
    assert lines == [f"  level: {finding.trial.metrics['level']}, the same", "repeated bit for bit"]


def test_a_trial_is_repeated_in_its_company(measured, store):
    finding, root = measured(experiment=COMPANY)
    assert finding.trial.batch_seeds == [0, 1, 2, 3, 4, 5]
    assert repeated(finding, root)[0]

    store._write("UPDATE trial SET batch_seeds = '[5]' WHERE key = ?", (finding.trial.key,))
    same, lines = repeated(replay.find_trial(store, finding.trial.key), root)

    assert not same
    assert lines[0].startswith(f"  level: {finding.trial.metrics['level']!r} then, ")
    assert " now, a difference of -" in lines[0]
    assert "NOT repeated: it came out otherwise" in lines
    assert not any("it was measured on" in line for line in lines), "it was measured here, whatever its run says"


@pytest.mark.parametrize("known", [True, False])
def test_a_trial_knows_the_processor_that_measured_it(measured, store, known):
    finding, root = measured(experiment=COMPANY)
    changes = {"processor": "p of its own", "cores": 1, "host": "elsewhere", "governor": None}
    place = store._share("place", finding.trial.place.model_copy(update=changes)) if known else None
    store._write("UPDATE trial SET batch_seeds = '[5]', place = ? WHERE key = ?", (place, finding.trial.key))
    again = replay.find_trial(store, finding.trial.key)

    assert json.loads(json.dumps(replay.as_plain(again.trial)))["place"] == (
        again.trial.place.model_dump() if known else None
    )
    words = "p of its own, 1 core" if known else "a machine that is not known"
    assert any(f"  it was measured on {words}; this is {processor()}, " in line for line in repeated(again, root)[1])
    shown = next(line for line in replay_text.lines(again, replay.prospect_of(again, root)) if line.startswith("place"))
    assert shown.startswith("place        elsewhere; p of its own, 1 core; " if known else "place        not known")


def test_values_measured_together_repeat_and_reach_the_experiment_as_a_tuple(measured):
    replacing = {
        "metrics:": "conditions:\n  step: {values: [10, 20, 30], together: true}\nmetrics:",
        "contrast: {difference: level, of: {arm: warm}, minus: {arm: cold}}": "contrast: {difference: level, of: {arm: warm, step: 30}, minus: {arm: cold, step: 10}}",
    }
    experiment = TOGETHER.replace("    return {", "    assert isinstance(step, tuple)\n    return {", 1)

    assert repeated(*measured(experiment=experiment, replace=replacing))[0]


def test_one_bit_is_seen(measured):
    finding, root = measured()
    level = math.nextafter(finding.trial.metrics["level"], 9)
    other = replace(finding, trial=replace(finding.trial, metrics={"level": level}))

    same, lines = repeated(other, root)

    assert not same
    assert "e-16" in lines[0] or "e-17" in lines[0]


def test_a_zero_of_the_other_sign_is_another_number():
    assert not replay.Compared("level", 0.0, -0.0, duration=False).equal
    assert not replay.Compared("level", [1.0, 2.0], [1.0], duration=False).equal
    assert not replay.Compared("level", None, 1.0, duration=False).equal
    assert replay.Compared("level", 1.0, 2.0, duration=True).equal


def test_durations_are_shown_and_not_compared(measured, store):
    finding, root = measured(replace={"unit: degree": "unit: second"})
    changed = replace(finding, trial=replace(finding.trial, metrics={"level": 5.0}))

    same, lines = repeated(changed, root)

    assert same
    assert lines[0].startswith("  level: 5.0 then, ")
    assert lines[0].endswith(" now; a duration, not compared")
    assert finding.trial.batch_seeds == [finding.trial.seed.index]


def test_changed_code_is_another_trial_and_says_what_to_do(measured, tmp_path):
    finding, root = measured()
    write_claim(tmp_path, experiment=EXPERIMENT.replace("normal(centre, spread)", "normal(centre, 2 * spread)", 1))

    prospect = replay.prospect_of(finding, root)

    assert prospect.obstacles == ["code: another digest of claims/notes/warm_exceeds_cold/experiment.py"]
    text = "\n".join(replay_text.lines(finding, prospect))
    assert f"  git checkout {'c' * 40}\n  claims repro {finding.trial.key[:12]} --run" in text
    with pytest.raises(UsageError, match="cannot be repeated today:\ncode: another digest"):
        replay.repeat(prospect, finding.trial, print)


def test_changed_versions_and_metrics_are_named(measured, tmp_path):
    finding, root = measured()
    old = replace(finding.trial, key="0" * 64, environment={**finding.trial.environment, "numpy": "1.0"})

    (obstacle,) = replay.prospect_of(replace(finding, trial=old), root).obstacles
    assert obstacle.startswith("numpy changed from 1.0 to ")

    text = EXPERIMENT.replace('{"level"', '{"height"')
    write_claim(tmp_path, experiment=text, replace={"  level:": "  height:", "difference: level": "difference: height"})
    assert "metrics: the claim declares others" in replay.prospect_of(finding, root).obstacles


def test_without_a_record_the_part_that_changed_is_not_known(measured, tmp_path):
    finding, root = measured()
    write_claim(tmp_path, experiment=EXPERIMENT.replace("normal(centre, spread)", "normal(centre, 2 * spread)", 1))

    (obstacle,) = replay.prospect_of(replace(finding, record=None), root).obstacles

    assert obstacle.startswith("code, data or metrics: another key")


def test_other_settings_in_claim_yaml_do_not_keep_a_trial_from_being_repeated(measured, tmp_path):
    finding, root = measured()
    write_claim(tmp_path, replace={"spread: 0.05": "spread: 0.5"}, gap=7.0)

    assert repeated(finding, root)[0]


def test_a_claim_that_is_gone_is_named(measured, tmp_path):
    finding, root = measured()
    (tmp_path / "claims/notes/warm_exceeds_cold").rename(tmp_path / "gone")

    prospect = replay.prospect_of(finding, root)

    assert "no claim 'warm_exceeds_cold'" in prospect.obstacles[0]
    with pytest.raises(UsageError, match="no claim 'warm_exceeds_cold'"):
        replay.repeat(prospect, finding.trial, print)


def test_a_trial_on_a_device_that_is_not_here_says_so(measured):
    finding, root = measured()
    trial = replace(finding.trial, environment={"device": "tpu", "precision": "float32"})

    assert replay.prospect_of(replace(finding, trial=trial), root).obstacles == [
        "no device 'tpu'; give one of auto, cpu, cuda"
    ]


def test_a_failed_trial_fails_again_alike(measured):
    finding, root = measured(
        experiment=EXPERIMENT.replace("    return {", "    raise ValueError('cold')\n    return {", 1)
    )
    assert "ValueError: cold" in finding.trial.error

    same, lines = repeated(finding, root)

    assert same
    assert lines[-1] == "it failed again, and alike"
    assert not replay.repeated(replace(finding.trial, error="another"), *again(finding, root))


def again(finding, root):
    prospect = replay.prospect_of(finding, root)
    return replay.repeat(prospect, finding.trial, print), prospect.plan


def test_nothing_is_stored_by_a_repetition(measured, store):
    finding, root = measured()
    before = store.path.read_bytes()

    repeated(finding, root)

    assert store.path.read_bytes() == before


def test_the_words_name_all_that_a_stranger_needs(measured):
    finding, root = measured()

    lines = list(replay_text.lines(finding, replay.prospect_of(finding, root), " --store here"))

    for words in (
        f"trial        {finding.trial.key}",
        "arm          warm",
        "condition    none",
        "settings     centre 1.0, spread 0.05",
        "batch        seeds 0, 1, 2, 3, 4, 5, measured in one call",
        f"  claims repro {finding.trial.key[:12]} --run --store here",
    ):
        assert words in lines
    assert any(line.endswith(f"by run run, commit {'c' * 40}") for line in lines)


def test_unknown_and_ambiguous_keys_are_refused(measured, store):
    measured()

    with pytest.raises(UsageError, match=r"no trial in .* has a key that begins so"):
        replay.find_trial(store, "xyz")
    with pytest.raises(UsageError, match="several keys begin so, such as"):
        replay.find_trial(store, "")


def test_a_trial_of_a_run_that_the_store_does_not_know(tmp_path, store):
    run_claim(load_claim(write_claim(tmp_path)), Context(Options(workers=1), store, lambda _: Inline(), "unknown"))
    finding = replay.find_trial(store, store.past("", 1)[0].key)

    lines = list(replay_text.lines(finding, replay.prospect_of(finding, tmp_path / "claims")))

    assert any(line.endswith("by run unknown, commit not known") for line in lines)
    assert any(line.startswith("place        ") and processor() in line for line in lines)


def test_the_listing_has_a_row_per_trial_latest_first(measured, store):
    measured()
    trials = store.past("", 3)

    head, *rows = replay_text.listing(trials)

    assert head.split() == ["key", "status", "seed", "base", "seed", "claim,", "arm,", "condition"]
    assert [row.split()[0] for row in rows] == [trial.key[:12] for trial in trials]
    assert rows[0].split()[1] == "finished"
