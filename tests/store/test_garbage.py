"""What may be deleted from a store: trials that no run of today's claims can reuse, and none of the others."""

from __future__ import annotations

import shutil

import pytest

from harness.errors import TrialError
from harness.store.garbage import CHANGED, FAILED, GONE, garbage
from harness.store.garbage import reasons as in_words
from harness.trials.catalogue import claim_folders, load_claim
from harness.trials.options import Options
from tests.tiny_project import EXPERIMENT, write_claim


def found(root, store):
    return garbage(store, [load_claim(folder) for folder in claim_folders(root / "claims")], Options())


def test_trials_that_a_run_would_reuse_are_none_whatever_their_profile_or_base_seed(tmp_path, run, store):
    folder = write_claim(tmp_path)
    run(folder)
    run(folder, profile="smoke", base_seed=3)

    assert found(tmp_path, store) == {}


def test_moving_a_band_makes_none_and_changing_the_code_makes_all(tmp_path, run, store):
    run(write_claim(tmp_path))
    write_claim(tmp_path, replace={"at_least: 0.5": "at_least: 0.6"})
    assert found(tmp_path, store) == {}

    write_claim(tmp_path, experiment=EXPERIMENT.replace("normal(centre", "normal(0.0 + centre"))
    assert set(found(tmp_path, store).values()) == {CHANGED}
    assert len(found(tmp_path, store)) == 18


def test_failed_trials_and_those_of_claims_that_are_gone(tmp_path, run, store):
    run(
        write_claim(
            tmp_path, "one", experiment=EXPERIMENT.replace("    return {", "    raise ValueError\n    return {")
        )
    )
    gone = write_claim(tmp_path, "two")
    run(gone)
    shutil.rmtree(gone)

    reasons = found(tmp_path, store)
    assert set(reasons.values()) == {FAILED, GONE}
    assert f"18 trials {GONE}" in in_words(reasons)


def test_what_is_deleted_is_gone_and_the_rest_is_reused(tmp_path, run, store):
    run(write_claim(tmp_path, "one"))
    gone = write_claim(tmp_path, "two")
    run(gone)
    shutil.rmtree(gone)

    assert store.discard(found(tmp_path, store)) == 18
    assert found(tmp_path, store) == {}
    assert run(tmp_path / "claims/notes/one", run_id="again").trials.measured == 0


def test_nothing_is_garbage_while_a_claim_cannot_be_planned(tmp_path, run, store):
    run(write_claim(tmp_path, "one"))
    (write_claim(tmp_path, "two") / "experiment.py").unlink()

    with pytest.raises(TrialError, match="nothing is deleted while a claim cannot be planned"):
        found(tmp_path, store)
