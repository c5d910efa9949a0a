"""The checks of `claims prove`, each on a tiny claim that is sound and on one that is not."""

from __future__ import annotations

from contextlib import closing

import pytest

from harness.running.proof.declared import declared
from harness.running.proof.prover import Prover
from harness.running.proof.repetition import repeated, timings_run
from harness.trials.catalogue import load_claim
from harness.trials.options import Options
from tests.tiny_project import EXPERIMENT, write_claim

PAPER = {"profiles:\n": "profiles:\n  paper: {seeds: {first: 8, cap: 24}, spread: 0.05}\n"}

DRAW = "seed.numpy(arm).normal(centre, spread) for seed in seeds"

ROW = """\
broken_lines:
  - what: {what}
    old: seed.numpy(arm).normal(centre, spread)
    new: {new}
    reading: as_documented
"""


def sound(tmp_path, experiment=EXPERIMENT, new="seed.numpy(arm).normal(0.0, spread)", **more):
    folder = write_claim(tmp_path, experiment=experiment, **{"replace": PAPER, **more})
    (folder / "sabotage.yaml").write_text(ROW.format(what="draws cold numbers everywhere", new=new))
    return load_claim(folder)


@pytest.fixture
def prover(tmp_path):
    options = Options(store=tmp_path / "kept.sqlite3", device="cpu", workers=1)
    with closing(Prover(options, lambda _: None)) as opened:
        yield opened


def failures(checks):
    return {check.name: check.failures for check in checks if check.failures}


def test_all_that_a_sound_claim_is_put_through(tmp_path, prover):
    checks = list(prover.checks(sound(tmp_path)))

    assert failures(checks) == {}
    assert [check.name for check in checks] == [
        "profiles", "tests", "timings", "settings", "sabotage.yaml",
        "runs", "repetition", "neighbours", "base seed", "timed parts", "sabotage",
    ]  # fmt: skip
    assert [check.name for check in checks if not check.applies] == ["timings"]


@pytest.mark.parametrize(
    ("break_it", "name", "words"),
    [
        (lambda path: (path / "sabotage.yaml").unlink(), "sabotage.yaml", "sabotage.yaml: is missing"),
        (lambda path: edit(path / "claim.yaml", "paper:", "papers:"), "profiles", "claim.yaml: profiles: paper is missing"),
        (lambda path: edit(path / "claim.yaml", "arms:\n", "precision: float32\narms:\n", "training: [warm], "), "timings", "claim.yaml: timings.training: names no arm"),
        (lambda path: edit(path / "experiment.py", "measure(arm, seeds, *, centre, spread)", "measure(arm, seeds, *, centre, spread=1)"), "settings", "experiment.py:8: measure() has a default for spread"),
        (lambda path: edit(path / "test_claim.py", "control", "other"), "tests", "test_claim.py: no test takes every control"),
        (lambda path: edit(path / "test_claim.py", "def ", "fed "), "tests", "invalid syntax"),
    ],
)  # fmt: skip
def test_what_a_folder_lacks_is_named(tmp_path, break_it, name, words):
    path = sound(tmp_path).path
    break_it(path)
    found = failures(declared(load_claim(path)))

    assert found.keys() == {name}
    assert found[name][0].startswith(words)


def edit(path, old, new, drop=""):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new).replace(drop, ""))


def test_a_seed_that_notices_its_neighbours_is_found_and_its_numbers_told(tmp_path, prover):
    folder = sound(tmp_path, EXPERIMENT.replace(DRAW, "len(seeds) + " + DRAW))
    found = failures(repeated(folder, prover.context))

    assert found.keys() == {"neighbours"}
    assert found["neighbours"][0].startswith("seed 0 at arm=warm: level is 2.9589")
    assert found["neighbours"][0].endswith(", and 1.95898782 alone")
    # Seeds 0 and 1 of two arms and, under the control, of two again; three are told.
    assert found["neighbours"][-1] == "and 5 more numbers of 8"


def test_rounding_that_a_batch_changes_is_no_neighbour_and_no_chance(tmp_path, prover):
    folder = sound(tmp_path, EXPERIMENT.replace(DRAW, "1e-12 * len(seeds) + " + DRAW))

    assert failures(repeated(folder, prover.context)) == {}


def test_numbers_that_come_from_elsewhere_than_the_seed_do_not_repeat(tmp_path, prover):
    by_chance = EXPERIMENT.replace(DRAW, "1e-7 * np.random.default_rng().normal() + " + DRAW)
    found = failures(repeated(sound(tmp_path, by_chance), prover.context))

    assert found.keys() == {"repetition"}
    assert found["repetition"][0].endswith(" measured again, in the same batch")


def test_a_seed_that_changes_nothing_is_found(tmp_path, prover):
    found = failures(
        repeated(sound(tmp_path, EXPERIMENT.replace(DRAW, "centre + spread for seed in seeds")), prover.context)
    )

    assert found == {
        "base seed": ["base seeds 0 and 1 give the same numbers in every trial; draw all randomness from the seed"]
    }


def test_a_trial_that_fails_says_why_and_nothing_is_compared(tmp_path, prover):
    (check,) = repeated(
        sound(tmp_path, EXPERIMENT.replace("return {", "raise ValueError('cold')\n    return {")), prover.context
    )

    assert check.name == "runs"
    assert "ValueError: cold" in check.failures[0]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("prepare_inference = prepare_training", "", "experiment.py: has no prepare_inference(arm, seed, **settings)"),
        ("size=1000", "size=-1", "prepare_training() of arm warm: ValueError: negative dimensions are not allowed"),
    ],
)
def test_what_is_declared_to_be_timed_must_run(tmp_path, prover, old, new, words):
    check = timings_run(sound(tmp_path, EXPERIMENT.replace(old, new)), prover.context)

    assert check.failures[0] == words


def test_a_broken_line_that_a_reading_lets_pass_is_found(tmp_path, prover):
    (check,) = prover.sabotaged(sound(tmp_path, new="0.001 + seed.numpy(arm).normal(centre, spread)"))

    assert check.failures == ["draws cold numbers everywhere, and still as_documented is VERIFIED, as expected"]


def test_a_line_that_is_broken_beyond_running_notices_nothing(tmp_path, prover):
    (check,) = prover.sabotaged(sound(tmp_path, new="seed.numpy(arm).normal(center, spread)"))

    assert "NameError: name 'center' is not defined" in check.failures[0]


def test_where_the_first_look_decides_nothing_the_reading_is_asked_to_the_end(tmp_path, prover):
    """Six seeds of so wide a spread decide nothing, broken or not; twelve do not either, and that is no VERIFIED."""
    folder = sound(tmp_path, replace={**PAPER, "cap: 12}, spread: 0.05": "cap: 12}, spread: 0.4"})
    (check,) = prover.sabotaged(folder)

    assert check.passed
    # Broken at the first look, as it stands, broken to the end.
    assert prover.examiner.asked == 3


def test_what_a_broken_line_answered_is_kept_until_something_changes(tmp_path, prover):
    folder = sound(tmp_path)
    prover.sabotaged(folder)
    assert (prover.examiner.asked, prover.examiner.reused) == (1, 0)
    prover.sabotaged(folder)
    assert (prover.examiner.asked, prover.examiner.reused) == (1, 1)

    edit(folder.path / "claim.yaml", "at_least: 0.5", "at_least: 0.4")
    with closing(Prover(prover.options, lambda _: None)) as again:
        again.sabotaged(load_claim(folder.path))
        assert (again.examiner.asked, again.examiner.reused) == (1, 0)
        # Nobody asks for the answers of what the claim was before.
        assert len(again.store._read("SELECT 1 FROM beside WHERE kind LIKE 'answer %'", ())) == 1
