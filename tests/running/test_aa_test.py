"""A/A runs and the noise floor: a sound instrument passes, each kind of broken one is told."""

from __future__ import annotations

import json
import os
from statistics import stdev

import pytest

from harness.cli.main import main
from harness.errors import UsageError
from harness.report.aa_text import BROKEN, table
from harness.report.markdown import markdown
from harness.running import aa_test
from harness.running.aa_test import Request, admits_equality, against_itself, run_aa
from harness.running.context import Context
from harness.running.streams import SECOND_STREAM as TWIN_NAME
from harness.running.streams import Streams, stream
from harness.specification.kinds import Difference, Interaction, Mean, Ratio
from harness.specification.readings import Band, Expectation
from harness.store.records.aa import NOISE, NoiseRecord
from harness.store.records.parsing import plain
from harness.store.records.parts import Trials
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from harness.trials.plan import fingerprint, make_plan
from tests.tiny_project import EXPERIMENT, MACHINE, write_claim

NORMAL = "seed.numpy(arm).normal(centre, spread)"
assert NORMAL in EXPERIMENT


def measuring(value: str, *before: str) -> str:
    """Return an experiment whose level is the expression `value`, after some lines at the top of the module."""
    text = EXPERIMENT.replace(NORMAL, value)
    return text.replace("import numpy as np\n", "\n".join(["import numpy as np", *before, ""]))


COUNTED = measuring(f"{NORMAL} + 0.001 * next(COUNTER)", "from itertools import count", "COUNTER = count()")
BY_PARITY = measuring(f"{NORMAL} + seed.base % 2")
REMEMBERED = measuring(
    "drawn(seed)",
    "import secrets",
    "from functools import lru_cache",
    "@lru_cache",
    "def drawn(seed): return secrets.randbelow(2**40) / 2**40",
)


@pytest.fixture
def here(monkeypatch):
    """Make the fresh process this one: spawning takes half a second."""
    monkeypatch.setattr(aa_test, "Processes", lambda _: Inline())


@pytest.fixture
def aa(store):
    """Run an arm of the claim in a folder against itself, here and now."""

    def run(folder, run_id="aa", say=lambda _: None, options=None, **request):
        context = Context(Options(**{"workers": 1, **(options or {})}), store, lambda _: Inline(), run_id, say)
        return run_aa(load_claim(folder), context, Request(**request))

    return run


def only_row(record):
    (row,) = record.comparisons
    return row


def test_deterministic_arm_is_not_told_apart_and_repeats_bit_for_bit(tmp_path, aa):
    record = aa(write_claim(tmp_path))

    row = only_row(record)
    assert record.verdict == row.verdict == "NO_DIFFERENCE_DETECTED"
    assert record.arm == "cold"
    assert [look.n for look in row.looks] == [6, 8, 10]
    assert row.low < 0 < row.high
    assert row.noise.spread == row.noise.in_sd == row.noise.from_evidence == 0
    assert [len(values) for values in row.noise.reruns.values()] == [3, 3]
    # Two streams of ten seeds, and three times two seeds again.
    assert record.trials == Trials(reused=0, measured=26, failed=0)


def test_one_rerun_is_of_a_fresh_process(tmp_path, aa):
    record = aa(write_claim(tmp_path, experiment=measuring("float(os.getpid())", "import os")), repeats=3)

    first, *others = only_row(record).noise.reruns["0"]
    assert first != os.getpid()
    assert others == [os.getpid(), os.getpid()]


@pytest.mark.usefixtures("here")
def test_trials_of_the_claim_serve_and_those_of_the_twin_are_stored(tmp_path, aa, run):
    folder = write_claim(tmp_path)
    run(folder)

    first, second = aa(folder), aa(folder, "later")

    assert first.trials == Trials(reused=6, measured=20, failed=0)
    assert second.trials == Trials(reused=20, measured=6, failed=0)
    assert only_row(second).values == only_row(first).values


@pytest.mark.usefixtures("here")
def test_the_streams_are_independent(tmp_path, aa):
    """Under one stream every difference would be zero."""
    row = only_row(aa(write_claim(tmp_path), seeds=12))

    assert len(set(row.values.values())) == row.n == 12
    assert not row.constant


def test_measurement_that_counts_its_calls_shows_a_noise_floor(tmp_path, aa, store):
    record = aa(write_claim(tmp_path, experiment=COUNTED))

    found = only_row(record).noise
    assert found.spread > 0
    stored = store._database.execute("SELECT metrics FROM trial WHERE base_seed = 0")
    sd = stdev(json.loads(metrics)["level"] for (metrics,) in stored)
    assert found.in_sd == pytest.approx(found.spread / sd)
    assert f"level {found.spread:.4g}" in table(record)[-1]


@pytest.mark.usefixtures("here")
def test_what_an_experiment_remembers_does_not_hide_its_noise(tmp_path, aa):
    reruns = only_row(aa(write_claim(tmp_path, experiment=REMEMBERED))).noise.reruns

    assert len(set(reruns["0"])) == 3


@pytest.mark.usefixtures("here")
def test_reruns_that_agree_among_themselves_but_not_with_the_evidence_are_told(tmp_path, aa):
    """A trial that notices how many seeds it is measured with."""
    record = aa(write_claim(tmp_path, experiment=measuring(f"{NORMAL} + 0.001 * len(seeds)")))

    assert only_row(record).noise.spread == 0
    assert only_row(record).noise.from_evidence == pytest.approx(0.004)
    assert "level bit for bit, but 0.004 off" in table(record)[-1]


@pytest.mark.usefixtures("here")
def test_arm_that_depends_on_the_stream_is_told_from_itself_at_the_first_look(tmp_path, aa):
    assert stream(0) % 2 == 1

    record = aa(write_claim(tmp_path, experiment=BY_PARITY))

    row = only_row(record)
    assert record.verdict == row.verdict == "DIFFERENT"
    assert row.n == 6
    assert row.estimate == pytest.approx(-1, abs=0.1)
    assert table(record)[-2] == (
        "DIFFERENT in level (cold), warm_exceeds_cold: "
        "the same arm differs from itself: pairing, seeding or the instrument is broken"
    )


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("band", "arm", "expected", "admits"),
    [
        ("at_least: 0.5", "cold", "REFUTED", False),
        ("at_least: 0.5", "warm", "REFUTED", False),
        ("between: [-0.5, 0.5]", "cold", "VERIFIED", True),
        ("at_most: 0.5", "warm", "VERIFIED", True),
        ("at_least: 0.0", "warm", "INCONCLUSIVE", True),
    ],
)
def test_expectations_with_the_arm_in_both_places(tmp_path, aa, band, arm, expected, admits):
    record = aa(write_claim(tmp_path, replace={"at_least: 0.5": band}), arm=arm)

    (row,) = record.expectations.values()
    assert (row.verdict, row.admits_equality, row.as_it_must) == (expected, admits, True)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("band", "arm", "expected"), [("at_least: 0.5", "cold", "VERIFIED"), ("at_least: -0.5", "warm", "REFUTED")]
)
def test_expectation_that_finds_a_difference_in_an_arm_and_itself_is_broken(tmp_path, aa, band, arm, expected):
    folder = write_claim(tmp_path, experiment=BY_PARITY, replace={"at_least: 0.5": band})

    (row,) = aa(folder, arm=arm).expectations.values()

    assert row.verdict == expected
    assert not row.as_it_must


A, B, SECOND_STREAM = {"arm": "a"}, {"arm": "b"}, {"arm": TWIN_NAME}
DRY, WET = {"ground": "dry"}, {"ground": "wet"}


@pytest.mark.parametrize(
    ("contrast", "expected"),
    [
        (Difference(difference="m", of=A, minus=B), Difference(difference="m", of=A, minus=SECOND_STREAM)),
        (Difference(difference="m", of=B, minus=A), Difference(difference="m", of=SECOND_STREAM, minus=A)),
        (Ratio(ratio="m", of=A | DRY, to=B | DRY), Ratio(ratio="m", of=A | DRY, to=SECOND_STREAM | DRY)),
        (
            Interaction(interaction="m", of=B, minus=A, here=DRY, there=WET),
            Interaction(interaction="m", of=SECOND_STREAM, minus=A, here=DRY, there=WET),
        ),
        (Difference(difference="m", of=A | DRY, minus=B | WET), None),
        (Difference(difference="m", of=A | DRY, minus=A | WET), None),
        (Difference(difference="m", of=B, minus={"arm": "c"}), None),
        (Mean(mean="m", at=A), None),
    ],
)
def test_only_contrasts_between_the_arm_and_another_under_one_condition_have_a_twin(contrast, expected):
    assert against_itself(contrast, "a") == expected


@pytest.mark.parametrize(
    ("contrast", "band", "admits"),
    [
        (Difference(difference="m", of=A, minus=B), Band(at_most=0.0), True),
        (Difference(difference="m", of=A, minus=B), Band(at_most=-0.1), False),
        (Difference(difference="m", of=A, minus=B), Band(between=[-0.1, 0.1]), True),
        (Ratio(ratio="m", of=A, to=B), Band(at_least=4.0), False),
        (Ratio(ratio="m", of=A, to=B), Band(at_least=0.93), True),
        (Ratio(ratio="m", of=A, to=B), Band(at_most=0.5), False),
    ],
)
def test_a_band_admits_equality_or_not(contrast, band, admits):
    assert admits_equality(Expectation(contrast=contrast, band=band, because="for a test")) is admits


@pytest.mark.usefixtures("here")
def test_metric_of_one_value_is_named_as_saying_nothing(tmp_path, aa):
    record = aa(write_claim(tmp_path, experiment=measuring("0.1")))

    assert only_row(record).constant
    assert only_row(record).noise.in_sd is None
    assert "1 of them of a metric that has one value in every trial, which says nothing" in table(record)[-2]


@pytest.mark.usefixtures("here")
def test_rounding_alone_does_not_tell_an_arm_from_itself(tmp_path, aa):
    """Every difference is one unit in the last place, and always of one sign."""
    rounded = measuring("np.nextafter(0.3, 1.0) if seed.base % 2 else 0.3")

    assert aa(write_claim(tmp_path, experiment=rounded)).verdict == "NO_DIFFERENCE_DETECTED"


@pytest.mark.usefixtures("here")
def test_resolution_keeps_equal_steps_from_telling_an_arm_apart(tmp_path, aa):
    """A lag of one step in each of six seeds is still what rounding can do."""
    step = measuring("0.01 * (seed.base % 2)")
    coarse = {"better: higher": "better: higher, resolution: 0.01"}

    assert aa(write_claim(tmp_path, experiment=step), seeds=6).verdict == "DIFFERENT"
    assert aa(write_claim(tmp_path, experiment=step, replace=coarse), seeds=6).verdict == "NO_DIFFERENCE_DETECTED"


@pytest.mark.usefixtures("here")
def test_failed_trial_is_invalid_and_says_which(tmp_path, aa):
    failing = measuring(f"{NORMAL} / (seed.index != 3)")

    record = aa(write_claim(tmp_path, experiment=failing))

    assert record.verdict == "INVALID"
    assert record.trials.failed > 0
    lines = table(record)
    assert any(line.startswith("trial failed: seed") and "ZeroDivisionError" in line for line in lines)
    assert lines[-1].endswith("unknown, since a trial failed")


@pytest.mark.usefixtures("here")
def test_value_beyond_its_bounds_is_invalid(tmp_path, aa):
    record = aa(write_claim(tmp_path, replace={"better: higher": "better: higher, bounds: [5, null]"}), seeds=6)

    assert record.verdict == "INVALID"
    assert any("beyond its bounds [5.0, None]" in line for line in table(record))


CONDITIONS = {
    "metrics:": "conditions:\n  step: {values: [10, 20, 30], together: true}\nmetrics:",
    "contrast: {difference: level, of: {arm: warm}, minus: {arm: cold}}": "contrast: {rank_trend: level, over: step, at: {arm: warm}}",
    "breaks": "arms: [warm]\n    breaks",
}
TOGETHER = EXPERIMENT.replace("*, centre, spread", "*, centre, spread, step").replace(
    f"[{NORMAL} for seed in seeds]", f"[[{NORMAL} + s for s in step] for seed in seeds]"
)


@pytest.mark.usefixtures("here")
def test_every_point_that_expectations_read_is_compared_in_the_order_of_the_condition(tmp_path, aa):
    record = aa(write_claim(tmp_path, experiment=TOGETHER, replace=CONDITIONS), arm="warm", seeds=6)

    assert [row.point["step"] for row in record.comparisons] == [10, 20, 30]
    assert record.trials == Trials(reused=0, measured=18, failed=0)


@pytest.mark.usefixtures("here")
def test_arm_that_no_expectation_reads_is_refused(tmp_path, aa):
    with pytest.raises(UsageError, match="no expectation reads arm 'cold'"):
        aa(write_claim(tmp_path, experiment=TOGETHER, replace=CONDITIONS))


IN_SECONDS = {"unit: degree": "unit: second"}


@pytest.mark.usefixtures("here")
def test_durations_are_measured_beside_each_other_in_streams_of_their_own(tmp_path, aa, run):
    log = tmp_path / "order.txt"
    note = (
        f"def note(seed):\n    with open({str(log)!r}, 'a') as log:\n        log.write(f'{{seed.base}} ')\n    return 0"
    )
    logged = measuring(f"note(seed) + {NORMAL}", note)
    folder = write_claim(tmp_path, experiment=logged, replace=IN_SECONDS)
    run(folder)
    log.write_text("")

    record = aa(folder, seeds=6)

    one, two = map(str, record.streams)
    assert (int(one), int(two)) == (stream(0, 2), stream(0))
    assert log.read_text().split()[:12] == [one, two, two, one] * 3
    assert record.trials.reused == 0


@pytest.mark.usefixtures("here")
def test_durations_of_another_day_are_measured_again(tmp_path, aa, store):
    folder = write_claim(tmp_path, replace=IN_SECONDS)
    aa(folder, seeds=6)

    again = aa(folder, "later", seeds=6)

    assert again.trials == Trials(reused=0, measured=12 + 6, failed=0)
    runs = store._database.execute("SELECT DISTINCT run FROM trial").fetchall()
    assert runs == [("later",)]


@pytest.mark.usefixtures("here")
def test_forecast_says_what_is_left_and_what_it_costs_if_stored_trials_tell(tmp_path, aa, run, store):
    folder, said = write_claim(tmp_path), []
    aa(folder, say=said.append, seeds=6)
    assert said[0] == (
        "warm_exceeds_cold: cold against itself, at most 6 seeds: 12 trials, 12 of them to measure, and 6 for the "
        "noise floor; no stored trial tells how long that takes"
    )

    store._database.execute("UPDATE trial SET seconds = 2.0")
    aa(folder, say=said.append, seeds=8)

    assert "16 trials, 4 of them to measure, and 6 for the noise floor; about 20 s of computing" in said[2]


@pytest.mark.parametrize(
    ("request_", "options", "message"),
    [
        ({"arm": "wram"}, {}, r"no arm 'wram'; did you mean 'warm'\?"),
        ({"seeds": 4}, {}, "--seeds: 4 seeds tell nothing apart at alpha 0.001; give 5 or more"),
        ({"repeats": 1}, {}, "--repeats: 1 says nothing about a spread; give 2 or more"),
        ({}, {"profile": "quik"}, r"no profile 'quik'; did you mean 'quick'\?"),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path, aa, request_, options, message):
    with pytest.raises(UsageError, match=message):
        aa(write_claim(tmp_path), options=options, **request_)


@pytest.mark.usefixtures("here")
def test_smoke_profile_serves_too_with_enough_seeds(tmp_path, aa):
    record = aa(write_claim(tmp_path), options={"profile": "smoke"})

    assert [look.n for look in only_row(record).looks] == [5, 7, 9]
    assert record.verdict == "NO_DIFFERENCE_DETECTED"


@pytest.mark.usefixtures("here")
def test_report_shows_the_last_run_with_the_same_code_and_settings(tmp_path, aa, run):
    folder = write_claim(tmp_path, replace={"smoke: {seeds: 2, spread: 0.05}": "smoke: {seeds: 2, spread: 0.06}"})
    assert run(folder).noise is None
    aa(folder)
    aa(folder, "later", arm="warm")

    assert run(folder, run_id="second").noise.arm == "warm"
    assert run(folder, run_id="smoke", profile="smoke").noise is None
    changed = write_claim(tmp_path, experiment=measuring(f"{NORMAL} + 1"))
    assert run(changed, run_id="third").noise is None


@pytest.mark.parametrize(
    "replace", [{"cold: {centre: 0.0}": "cold: {centre: 0.1}"}, {"cap: 12}, spread: 0.05": "cap: 12}, spread: 0.06"}]
)
def test_fingerprint_changes_with_the_settings(tmp_path, replace):
    plain = fingerprint(make_plan(load_claim(write_claim(tmp_path)), Options()))
    moved_band = write_claim(tmp_path, replace={"at_least: 0.5": "at_least: 0.6"})
    assert fingerprint(make_plan(load_claim(moved_band), Options(base_seed=3))) == plain

    assert fingerprint(make_plan(load_claim(write_claim(tmp_path, replace=replace)), Options())) != plain


@pytest.mark.usefixtures("here")
def test_markdown_report_gives_verdict_and_floor_or_says_that_there_is_none(tmp_path, aa, run, store):
    from harness.running.results import run_of

    store.start_run("run", Options().record(), MACHINE)
    folder = write_claim(tmp_path, experiment=BY_PARITY)
    run(folder)
    before = markdown(run_of(store, "run"))
    aa(folder)
    run(folder)
    after = markdown(run_of(store, "run"))

    assert "A/A run and noise floor: none was made with this code, data and settings" in before
    assert BROKEN not in before
    attention = after[after.index("## What needs attention") : after.index("## Overview")]
    assert f"A/A run: {BROKEN}" in attention
    assert "- Noise: A/A run of arm cold (base seed 0, 20" in after
    assert "measured 3 times again, once in a fresh process: bit for bit" in after


@pytest.fixture
def command(tmp_path, capsys, monkeypatch):
    """Call `claims aa` in a tiny project; return exit code, standard output and standard error."""
    monkeypatch.setattr(aa_test, "Processes", lambda _: Inline())

    def call(*arguments):
        return main(["--root", str(tmp_path), "aa", *arguments]), *capsys.readouterr()

    return call


def test_command_prints_a_table(tmp_path, command):
    write_claim(tmp_path)

    code, out, err = command("warm_exceeds_cold", "--arm", "warm", "--seeds", "6", "--base-seed", "3")

    assert code == 0
    assert out.splitlines()[:2] == [
        "warm_exceeds_cold: arm warm against itself",
        f"profile quick; streams of seeds of base 3 and {stream(3)}",
    ]
    assert "level (degree)  warm  6 " in out
    assert "all intervals (1) hold zero; false alarms to expect, at most: 0.002" in out
    assert out.endswith("noise floor, seeds 0 and 1 measured 3 times again, once in a fresh process: bit for bit\n")
    assert "12 trials, 12 of them to measure" in err
    assert (tmp_path / ".claims/store.sqlite3").is_file()


def test_command_exits_with_one_if_an_arm_differs_from_itself(tmp_path, command):
    write_claim(tmp_path, experiment=BY_PARITY)

    code, out, _ = command("warm_exceeds_cold")

    assert code == 1
    assert "DIFFERENT in level" in out


def test_command_exits_with_four_if_a_trial_fails(tmp_path, command):
    write_claim(tmp_path, experiment=measuring("1 / 0"))

    assert command("warm_exceeds_cold")[0] == 4


def test_command_prints_the_record_alone_as_json(tmp_path, command, store):
    write_claim(tmp_path)

    code, out, _ = command("warm_exceeds_cold", "--json", "--repeats", "2", "--store", str(store.path))

    record = json.loads(out)
    assert code == 0
    assert record["repeats"] == 2
    assert [plain(kept) for kept in store.beside("warm_exceeds_cold", record["fingerprint"], NOISE, NoiseRecord)] == [
        record
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["warm_exceeds_old"], "no claim 'warm_exceeds_old'"),
        (["warm_exceeds_cold", "--arm", "wram"], "no arm 'wram'; did you mean 'warm'?"),
        (["warm_exceeds_cold", "--profile", "papr"], "no profile 'papr'; did you mean 'paper'?"),
        (["warm_exceeds_cold", "--device", "tpu"], "--device: no device 'tpu'; give one of auto, cpu, cuda"),
        (["warm_exceeds_cold", "--workers", "-1"], "--workers: -1 is no number of processes"),
        (["warm_exceeds_cold", "--seeds", "2"], "--seeds: 2 seeds tell nothing apart"),
    ],
)
def test_command_refuses_misuse_in_one_line(tmp_path, command, arguments, message):
    write_claim(tmp_path, replace={"timings:": "  paper: {seeds: 30, spread: 0.05}\ntimings:"})

    code, out, err = command(*arguments)

    assert code == 2
    assert not out
    assert err.count("\n") == 1
    assert message in err


def test_interrupted_command_says_what_is_kept(tmp_path, command, monkeypatch):
    write_claim(tmp_path)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Streams, "measure", interrupt)
    code, _, err = command("warm_exceeds_cold")

    assert code == 2
    assert "interrupted; what was finished is kept in" in err
