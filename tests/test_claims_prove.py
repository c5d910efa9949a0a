"""Every claim of this project, put through the checks of `claims prove`: no claim is named here."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from harness.running.proof.declared import declared
from harness.running.proof.prover import Prover
from harness.running.proof.repetition import repeated, timings_run
from harness.trials.catalogue import claim_folders, load_claim
from harness.trials.options import Options
from harness.trials.provenance import cores

PROJECT = Path(__file__).parents[1]

per_claim = pytest.mark.parametrize("path", claim_folders(PROJECT / "claims"), ids=lambda path: path.name)


@pytest.fixture(scope="module")
def prover(request, tmp_path_factory):
    # What broken versions of today's experiments answered is kept where pytest keeps what it knows: they are not asked twice.
    cache = getattr(request.config, "cache", None)
    kept = cache.mkdir("prove") if cache else tmp_path_factory.mktemp("prove")
    # On a large machine as on a small one: each process takes a torch, and the tests run side by side.
    options = Options(store=kept / "store.sqlite3", device="cpu", workers=min(cores(), 2))
    with closing(Prover(options, lambda _: None)) as opened:
        yield opened


def failures(checks):
    return [f"{check.name}: {failure}" for check in checks for failure in check.failures]


@per_claim
def test_what_a_claim_declares(path):
    assert failures(declared(load_claim(path))) == []


@per_claim
def test_an_editor_finds_the_schema(path):
    assert (path / "claim.yaml").read_text().startswith("# yaml-language-server: $schema=../../claim.schema.json\n")


@pytest.mark.slow
@per_claim
def test_numbers_repeat_and_know_neither_neighbours_nor_another_seed(path, prover):
    assert failures(repeated(load_claim(path), prover.context)) == []


@pytest.mark.slow
@per_claim
def test_what_is_timed_runs(path, prover):
    assert failures([timings_run(load_claim(path), prover.context)]) == []


@pytest.mark.slow
@per_claim
def test_broken_lines_turn_their_readings(path, prover):
    assert failures(prover.sabotaged(load_claim(path))) == []
