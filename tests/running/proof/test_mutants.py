"""How many broken versions a claim notices, and by what; each in a process of its own."""

from __future__ import annotations

from contextlib import closing

import pytest

from harness.errors import TrialError, UsageError
from harness.running.proof import mutants as scored
from harness.running.proof.examination import difference
from harness.running.proof.mutants import kept_as, kind_of, survivor_words, survivors
from harness.running.proof.prover import Prover
from harness.store.records.proof import Answer, MutantsRecord
from harness.trials.catalogue import load_claim
from harness.trials.options import Options
from harness.trials.plan import fingerprint, make_plan
from tests.reported import saved_claim
from tests.tiny_project import TEST_CLAIM, write_claim

EXPERIMENT = '''\
"""Normal numbers."""

import numpy as np

from warmth import level

OFFSET = 0


def measure(arm, seeds, *, centre, spread):
    drawn = np.array([level(seed.numpy(arm), centre=centre, spread=spread) for seed in seeds])
    return dict(level=drawn + OFFSET)


def prepare_training(arm, seed, *, centre, spread):
    return lambda: 1


prepare_inference = prepare_training
'''

LEVELS = """\
def level(generator, centre, spread):
    if generator is None:
        return centre - spread
    return generator.normal(centre, spread)
"""

INSTRUMENT = "\n\ndef test_offset_is_small(claim):\n    assert claim.experiment.OFFSET < 0.5\n"

CONFIGURATION = '[tool.pytest.ini_options]\naddopts = "--no-such-option"\nfilterwarnings = ["error"]\n'

EQUAL = "experiment.py measure: dict(level=drawn + OFFSET) -> dict(level=drawn - OFFSET)"

SABOTAGE = f"""\
broken_lines: [{{what: is far too cold, old: drawn + OFFSET, new: drawn * 0, reading: as_documented}}]
equal:
  "{EQUAL}": nothing is as good as minus nothing
"""


def project(tmp_path, experiment=EXPERIMENT, instrument=INSTRUMENT):
    (tmp_path / "warmth.py").write_text(LEVELS)
    folder = write_claim(tmp_path, experiment=experiment)
    (folder / "test_claim.py").write_text(TEST_CLAIM + instrument)
    # A project's own options are none of ours, and its warnings may be errors.
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION)
    return folder


def prover_in(tmp_path):
    return closing(Prover(Options(store=tmp_path / "kept.sqlite3", device="cpu", workers=1), lambda _: None))


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """A claim with all of its broken versions: check, record, how many were looked at, the second time, too."""
    tmp_path = tmp_path_factory.mktemp("tried")
    folder = project(tmp_path)
    (folder / "sabotage.yaml").write_text(SABOTAGE)
    with prover_in(tmp_path) as prover:
        check, record = prover.mutants(load_claim(folder), 100, 0)
        asked = prover.examiner.asked
        again = prover.mutants(load_claim(folder), 100, 1)
        assert prover.examiner.asked == asked
        standing = fingerprint(make_plan(load_claim(folder), Options()))
        (kept,) = prover.store.beside(folder.name, standing, kept_as(load_claim(folder).claim), MutantsRecord)
    return check, record, again[1], kept, asked


@pytest.mark.slow
def test_each_version_is_noticed_by_what_can_see_it(tried):
    _, record, _, _, asked = tried
    noticed = {row.change.partition(": ")[2]: row.noticed for row in record.versions}

    assert noticed["OFFSET = 0 -> OFFSET = 1"] == "instrument test test_offset_is_small fails"
    # Both arms alike: no difference can see it, and the test of the instrument looks the other way.
    assert noticed["OFFSET = 0 -> OFFSET = -1"] == ""
    assert noticed["return generator.normal(centre, spread) -> return generator.normal(spread, centre)"].startswith(
        "reading as_documented is "
    )
    # One number for all seeds.
    assert noticed["dict(level=drawn + OFFSET) -> dict(level=OFFSET)"].startswith("does not run: seed 0 at arm=")
    # What no trial runs is not counted.
    assert not [change for change in noticed if "centre - spread" in change]
    # And the claim as it stands.
    assert asked == len(record.versions) + 1
    assert record.possible == len(record.versions)


@pytest.mark.slow
def test_a_survivor_has_its_line_and_an_equal_version_its_reason(tried):
    _, record, again, _, _ = tried
    words = [survivor_words(row) for row in survivors(record)]
    equal = [row for row in record.versions if row.equal]

    assert [
        line
        for line in words
        if line.startswith(
            "claims/notes/warm_exceeds_cold/experiment.py:7: top: OFFSET = 0 -> OFFSET = -1 (not noticed)"
        )
    ]
    assert [(row.change, row.equal, row.unchanged) for row in equal] == [
        (EQUAL, "nothing is as good as minus nothing", True)
    ]
    assert EQUAL not in words
    assert record.counted == len(record.versions) - 1
    assert {row.change: row.noticed for row in record.versions} == {row.change: row.noticed for row in again.versions}


@pytest.mark.slow
def test_the_score_is_kept_beside_the_trials(tried):
    check, record, again, kept, _ = tried

    assert kept == again
    assert check.holds.startswith(
        f"notices {record.noticed} of {record.counted} broken versions of its experiment (1 more"
    )
    assert sum(record.by.values()) == record.noticed


@pytest.mark.slow
def test_a_version_that_never_ends_is_ended_and_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(scored, "ALLOWANCE", 1.0)
    endless = EXPERIMENT.replace("    drawn =", "    done = 0\n    while done < 1:\n        done += 1\n    drawn =")
    folder = project(tmp_path, endless)
    dropped = [
        v
        for v in scored.versions_of(make_plan(load_claim(folder), Options()))
        if v.change.endswith("done += 1 -> pass")
    ]
    monkeypatch.setattr(scored, "versions_of", lambda _: dropped)
    with prover_in(tmp_path) as prover:
        _, record = prover.mutants(load_claim(folder), 5, 0)

    assert [row.noticed.partition(" s ")[2] for row in record.versions] == ["of the processor"]
    assert record.by == {"does not run": 1}


@pytest.mark.parametrize(
    ("experiment", "instrument", "words"),
    [
        (EXPERIMENT, INSTRUMENT.replace("< 0.5", "> 0.5"), "as it stands, instrument test test_offset_is_small fails; mend"),
        (EXPERIMENT.replace("drawn + OFFSET", "drawn + OFFSE"), "", "as it stands, seed 0 at arm="),
        (EXPERIMENT.replace("    drawn =", "    print('far too cold')\n    __import__('os')._exit(3)\n    drawn ="), "", "as it stands, the process ended with 3: "),
    ],
)  # fmt: skip
def test_of_a_claim_that_does_not_stand_nothing_is_said(tmp_path, experiment, instrument, words):
    folder = load_claim(project(tmp_path, experiment, instrument))
    with prover_in(tmp_path) as prover, pytest.raises(TrialError) as caught:
        prover.mutants(folder, 5, 0)

    assert words in str(caught.value)


def test_an_equal_version_that_is_none_any_more_is_refused(tmp_path):
    folder = project(tmp_path)
    (folder / "sabotage.yaml").write_text(SABOTAGE.replace("drawn - OFFSET", "drawn / OFFSET"))
    with prover_in(tmp_path) as prover, pytest.raises(UsageError, match=r"drawn / OFFSET\)' is no broken version"):
        prover.mutants(load_claim(folder), 5, 0)


INTACT = Answer(
    numbers="n", verdicts={"a": "VERIFIED", "b": "INCONCLUSIVE"}, unexpected=["b"], controls={"c": True, "d": False}
)


@pytest.mark.parametrize(
    ("now", "noticed"),
    [
        (INTACT, ""),
        (Answer(error="ValueError: x"), "does not run: ValueError: x"),
        (Answer(failed=["test_x"]), "instrument test test_x fails"),
        (Answer(verdicts={"a": "REFUTED"}, unexpected=["a"]), "reading a is REFUTED"),
        (Answer(verdicts={"a": "INVALID"}, unexpected=["a"], errors=["seed 0: x"]), "reading a is INVALID: seed 0: x"),
        (Answer(verdicts={"a": "INCONCLUSIVE"}, unexpected=["a"]), "reading a is INCONCLUSIVE"),
        # Undecided as it stands: only a verdict tells.
        (Answer(verdicts={"b": "INCONCLUSIVE"}, unexpected=["b"]), ""),
        (Answer(verdicts={"b": "REFUTED"}, unexpected=["b"]), "reading b is REFUTED"),
        (Answer(controls={"c": False}), "control c breaks nothing"),
        (Answer(controls={"d": False}), ""),
        (Answer(numbers="m"), ""),
    ],
)
def test_what_tells_a_version_from_the_claim_as_it_stands(now, noticed):
    assert difference(INTACT, now) == noticed
    assert not noticed or noticed.startswith(kind_of(noticed))


def test_a_run_shows_the_score_until_a_band_moves(tmp_path, store, run):
    folder = project(tmp_path)
    claim = load_claim(folder)
    record = saved_claim().mutants
    store.save_beside(claim.claim.id, kept_as(claim.claim), fingerprint(make_plan(claim, Options())), record)

    assert run(folder).mutants == record
    (folder / "claim.yaml").write_text((folder / "claim.yaml").read_text().replace("at_least: 0.5", "at_least: 0.4"))
    assert run(folder).mutants is None
