"""Evidence over replications: what joins, what does not, and what it decides in the end."""

from __future__ import annotations

import itertools

import pytest

from harness.report.seed_history import lines, verdict_counts
from harness.retrospect.seed_history import history_of
from harness.trials.catalogue import load_claim
from harness.trials.options import Options
from tests.tiny_project import EXPERIMENT, write_claim

CLOSE = 0.56
"""A gap that lies 0.85 standard deviations inside the band: too little for the twelve seeds of one replication."""


@pytest.fixture
def replication(tmp_path, run):
    """Run the claim in a folder for one replication, and return the record."""

    def one(folder, base_seed, **options):
        return run(folder, run_id=f"replication {base_seed}", base_seed=base_seed, accumulate=True, **options)

    return one


def expectation(record):
    return record.readings["as_documented"].expectations["warm_exceeds_cold"]


def test_nights_that_decide_nothing_alone_decide_together(tmp_path, replication):
    folder = write_claim(tmp_path, gap=CLOSE)
    records = [replication(folder, base_seed) for base_seed in range(20)]
    found = [expectation(record) for record in records]
    verdicts = [e.verdict for e in found]

    assert verdicts[0] == "INCONCLUSIVE"
    assert verdicts[-1] == "VERIFIED"
    widths = [e.high - e.low for e in found]
    assert widths[-1] < widths[4] < widths[0]
    for before, after in itertools.pairwise(found):
        assert after.earlier == before.n
    # Alone the last replication, with its first look, says next to nothing.
    last = found[-1].replications[-1]
    assert last.alone.n == 6
    assert last.alone.verdict == "INCONCLUSIVE"
    assert (last.accumulated.n, last.accumulated.low) == (found[-1].n, found[-1].low)
    assert [n.base_seed for n in found[-1].replications] == list(range(20))
    assert records[-1].series.replications == 20
    assert records[-1].series.anew is None


def test_a_run_that_was_not_asked_to_accumulate_stands_alone(tmp_path, run, replication):
    folder = write_claim(tmp_path, gap=CLOSE)
    replication(folder, 0)

    record = run(folder, run_id="alone", base_seed=1)

    assert expectation(record).earlier == 0
    assert record.series is None


def test_a_night_repeated_later_is_what_it_was(tmp_path, replication):
    folder = write_claim(tmp_path, gap=CLOSE)
    records = [replication(folder, base_seed) for base_seed in (5, 3, 4)]

    again = replication(folder, 3)

    assert expectation(again) == expectation(records[1])
    assert again.trials.measured == 0


def test_evidence_of_a_night_is_that_of_a_run_alone(tmp_path, run, replication):
    folder = write_claim(tmp_path, gap=CLOSE)
    for base_seed in (0, 1):
        replication(folder, base_seed)
    joined = expectation(replication(folder, 2))

    alone = expectation(run(folder, run_id="alone", base_seed=2))

    assert [alone.values[seed] for seed in joined.values] == list(joined.values.values())


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"experiment": EXPERIMENT.replace("normal(centre, spread)", "normal(centre, spread + 0.0)")}, "code"),
        ({"replace": {"cap: 12}, spread: 0.05": "cap: 12}, spread: 0.06"}}, "settings"),
        ({"replace": {"cold: {centre: 0.0}": "cold: {centre: 0.01}"}}, "arms"),
    ],
)
def test_a_change_starts_a_new_series_and_says_so(tmp_path, replication, change, what):
    replication(write_claim(tmp_path, gap=CLOSE), 7)

    record = replication(write_claim(tmp_path, gap=CLOSE, **change), 8)

    assert expectation(record).earlier == 0
    assert record.series.replications == 1
    assert record.series.anew.startswith(f"{what} changed since ")
    assert record.series.anew.endswith("(base seed 7)")


def test_a_changed_environment_starts_a_new_series(tmp_path, replication, monkeypatch):
    folder = write_claim(tmp_path, gap=CLOSE)
    replication(folder, 7)
    monkeypatch.setattr("harness.trials.plan.environment", lambda *_: {"device": "cpu", "numpy": "9.9"})

    assert "numpy changed since 20" in replication(folder, 8).series.anew


def test_a_moved_band_judges_all_nights_again(tmp_path, replication):
    replication(write_claim(tmp_path, gap=CLOSE), 0)

    record = replication(write_claim(tmp_path, gap=CLOSE, replace={"at_least: 0.5": "at_least: 0.3"}), 1)

    assert expectation(record).earlier == 12
    assert expectation(record).verdict == "VERIFIED"


def test_durations_of_another_processor_do_not_join(tmp_path, replication, monkeypatch):
    """Each trial says which that was, whatever the last record of its replication was made on."""
    folder = write_claim(tmp_path, gap=CLOSE, replace={"unit: degree": "unit: second"})
    first = replication(folder, 0)
    assert expectation(replication(folder, 1)).earlier == 12
    monkeypatch.setattr("harness.trials.place._processor", lambda: "another")

    record = replication(folder, 2)

    assert expectation(record).earlier == 0
    assert record.series.anew.startswith("the clock of its durations changed since")
    assert expectation(replication(folder, 3)).earlier == 12, "that of the replication before is by the same clock"
    # Judged again on the new machine, replication 0 is measured again, for the durations that it has there.
    again = replication(folder, 0)
    assert again.trials == first.trials
    assert {clock.processor for clock in again.clocks} == {"another"}


def test_what_is_no_duration_joins_whatever_processor_it_is_of(tmp_path, replication, monkeypatch):
    folder = write_claim(tmp_path, gap=CLOSE)
    replication(folder, 0)
    monkeypatch.setattr("harness.trials.place._processor", lambda: "another")

    record = replication(folder, 1)

    assert expectation(record).earlier == 12
    assert record.clocks == set()


def test_controls_accumulate_with_their_claim(tmp_path, replication):
    # Under the control the truth lies 0.85 standard deviations outside the band.
    folder = write_claim(
        tmp_path, gap=1.0, replace={"change: {centre: 0.0}": "change: {centre: 0.44}\n    arms: [warm]"}
    )
    for base_seed in range(15):
        record = replication(folder, base_seed)
        control = record.controls["same_centre"].expectations["warm_exceeds_cold"]
        assert control.n == 6 * (base_seed + 1)
        assert record.controls["same_centre"].finished
    assert control.verdict == "REFUTED"


def test_failed_trials_of_a_night_do_not_join(tmp_path, replication):
    failing = EXPERIMENT.replace("return {", "if seeds[0].base == 0:\n        raise OSError('disk')\n    return {")
    folder = write_claim(tmp_path, gap=CLOSE, experiment=failing)
    replication(folder, 0)

    record = replication(folder, 1)

    assert expectation(record).earlier == 0
    assert expectation(record).verdict == "INCONCLUSIVE"


def test_history_shows_every_night_alone_and_accumulated(tmp_path, run, store):
    folder = write_claim(tmp_path, gap=CLOSE)
    for base_seed in (4, 2):
        run(folder, run_id=f"replication {base_seed}", base_seed=base_seed)

    history = history_of(load_claim(folder), store, Options(store=store.path))

    (replications,) = history.replications.values()
    assert [(n.base_seed, n.alone.n, n.accumulated.n) for n in replications] == [(4, 12, 12), (2, 12, 24)]
    text = "\n".join(lines(history))
    assert "as_documented, expected VERIFIED" in text
    assert "warm_exceeds_cold: band at least 0.5, error rate 0.001" in text
    assert f"{replications[1].accumulated.estimate:.4g} [{replications[1].accumulated.low:.4g}" in text


def test_history_names_the_nights_that_do_not_join(tmp_path, run, store):
    run(write_claim(tmp_path, gap=CLOSE), run_id="old", base_seed=4)
    folder = write_claim(
        tmp_path, gap=CLOSE, experiment=EXPERIMENT.replace("normal(centre, spread)", "normal(centre, spread + 0.0)")
    )
    run(folder, run_id="new", base_seed=5)

    text = "\n".join(lines(history_of(load_claim(folder), store, Options(store=store.path))))

    assert "not joined: base seed 4: code changed since" in text


def test_verdicts_are_counted_over_base_seeds(tmp_path, run, store):
    folder = write_claim(tmp_path)
    for base_seed in range(3):
        run(folder, run_id=f"replication {base_seed}", base_seed=base_seed)
    other = write_claim(tmp_path, gap=-1.0)
    run(other, run_id="wrong", base_seed=9)

    head, row, total = verdict_counts([load_claim(other)], store, "quick")

    assert head.split() == ["reading", "expected", "as", "expected", "verdicts"]
    assert row.split("VERIFIED", 1)[1].split() == [
        "3",
        "of",
        "4",
        "3",
        "VERIFIED,",
        "1",
        "REFUTED;",
        "otherwise",
        "at",
        "base",
        "seeds",
        "9",
    ]
    assert total == "3 of 4 as expected"
