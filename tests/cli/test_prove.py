"""The command `claims prove`: what it prints, and its exit codes."""

from __future__ import annotations

import json

import pytest

from harness.errors import TrialError
from harness.running.proof import prover
from harness.running.proof.check import Check
from harness.store.records.parsing import plain
from harness.store.records.proof import MutantsRecord, VersionRecord
from tests.tiny_project import write_claim

SOUND = Check("base seed", "another base seed gives other numbers", seconds=1.0)
BROKEN = Check("neighbours", "", ["seed 1 at arm=warm: level is 1, and 2 alone"])
SCORE = Check("mutants", "notices 1 of 2 broken versions of its experiment", ["notices 1 of 2, fewer than 80%"])
VERSION = VersionRecord(
    file="experiment.py", line=7, change="experiment.py measure: 1 -> 2", operator="constant", noticed="", unchanged=False,
    equal=None, listed=False,
)  # fmt: skip
RECORD = MutantsRecord(
    profile="quick", base_seed=0, seed=0, possible=2, noticed=1, counted=2, by={"reading": 1}, versions=[VERSION], finished="",
)  # fmt: skip


@pytest.fixture
def found(monkeypatch):
    """What the checks find of every claim; a list that the test fills."""
    checks, asked = [], []

    class Stub:
        def __init__(self, options, say):
            self.options = options

        def checks(self, folder):
            asked.append((folder.claim.id, self.options))
            for check in checks:
                if isinstance(check, Exception):
                    raise check
                yield check

        def mutants(self, folder, n, seed):
            asked.append((folder.claim.id, n, seed))
            return SCORE, RECORD

        def close(self):
            asked.append("closed")

    monkeypatch.setattr(prover, "Prover", Stub)
    return checks, asked


def test_a_line_per_check_and_claim_and_zero_where_everything_holds(tmp_path, claims, found):
    write_claim(tmp_path)
    write_claim(tmp_path, "hot_exceeds_cold")
    found[0].append(SOUND)

    code, out, error = claims("prove", "--base-seed", "3", "--profile", "smoke")

    assert (code, error) == (0, "")
    line = "  ✓ base seed      another base seed gives other numbers  (1.0 s)"
    assert out.splitlines() == ["hot_exceeds_cold", line, "warm_exceeds_cold", line]
    assert [(asked[0], asked[1].base_seed, asked[1].profile) for asked in found[1][:2]] == [
        ("hot_exceeds_cold", 3, "smoke"),
        ("warm_exceeds_cold", 3, "smoke"),
    ]
    assert found[1][2:] == ["closed"]


def test_what_fails_stands_in_its_line_and_the_exit_code_is_one(tmp_path, claims, found):
    write_claim(tmp_path)
    found[0].extend([BROKEN, SOUND])

    code, out, _ = claims("prove", "warm_exceeds_cold")

    assert code == 1
    assert "  ✗ neighbours     seed 1 at arm=warm: level is 1, and 2 alone  (0.0 s)" in out.splitlines()


def test_an_experiment_that_cannot_be_loaded_is_a_finding_and_a_specification_is_no_claim(tmp_path, claims, found):
    folder = write_claim(tmp_path)
    found[0].append(TrialError("experiment.py: cannot be imported"))
    assert claims("prove")[::2] == (1, "experiment.py: cannot be imported\n")

    (folder / "claim.yaml").write_text("id: 3\n")
    code, _, error = claims("prove")
    assert code == 2
    assert "claim.yaml:1:1: id: " in error


def test_broken_versions_are_told_with_what_nothing_noticed(tmp_path, claims, found):
    write_claim(tmp_path)

    code, out, _ = claims("prove", "--mutants", "2", "--seed", "5")

    assert code == 1
    assert found[1][0] == ("warm_exceeds_cold", 2, 5)
    assert out.splitlines()[2:] == ["    noticed 1 by readings", "    ✗ experiment.py:7: measure: 1 -> 2 (not noticed)"]


def test_as_json(tmp_path, claims, found):
    write_claim(tmp_path)
    found[0].append(BROKEN)
    code, out, _ = claims("prove", "--json")
    assert code == 1
    assert json.loads(out)["warm_exceeds_cold"][0]["failures"] == BROKEN.failures
    assert json.loads(out)["warm_exceeds_cold"][0]["passed"] is False

    (check,) = json.loads(claims("prove", "--json", "--mutants", "2")[1])["warm_exceeds_cold"]
    assert check["mutants"] == plain(RECORD)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--mutants", "0"], "--mutants: 0 is no number of broken versions; give 1 or more"),
        (["nothing"], "no claim or document 'nothing'"),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path, claims, words, said):
    write_claim(tmp_path)
    code, _, error = claims("prove", *words)

    assert code == 2
    assert error.startswith(said)
