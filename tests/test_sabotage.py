"""Every claim could have failed: one line of its experiment broken, and its verdict turns.

Each row of a claim's sabotage.yaml breaks it the way a careless edit would, runs one of its readings at the quick scale with fresh trials,
and asserts that the reading no longer comes out as expected. The unbroken claims are run by `nox -s claims`.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.specification.sabotage import Sabotage
from harness.trials.catalogue import claim_folders, load_claim
from harness.trials.executor import Processes
from harness.trials.options import Options
from harness.trials.provenance import cores
from harness.trials.sabotage import broken, load_sabotage

if TYPE_CHECKING:
    from harness.specification.sabotage import BrokenLine

PROJECT = Path(__file__).parents[1]


SABOTAGE = [
    (folder, row)
    for folder in map(load_claim, claim_folders(PROJECT / "claims"))
    for row in (load_sabotage(folder.path, folder.claim) or Sabotage.model_construct(broken_lines=[])).broken_lines
]


def test_every_claim_is_sabotaged():
    assert {folder.path for folder, _ in SABOTAGE} == set(claim_folders(PROJECT / "claims"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "row"), SABOTAGE, ids=[f"{folder.claim.id}: {row.what}" for folder, row in SABOTAGE]
)
def test_a_broken_line_turns_the_verdict(source, row, tmp_path, store):
    folder = copy_of(source.path, row, tmp_path)
    options = Options(profile="quick", base_seed=0)
    # On a large machine as on a small one: each process takes a torch, and the tests run side by side.
    executor = Processes(min(cores(), 2))
    try:
        # Timed claims too: here only the verdicts on errors are at stake.
        record = run_claim(folder, Context(options, store, lambda _: executor, "sabotage"), [row.reading])
    finally:
        executor.close()

    reading = record["readings"][row.reading]
    assert not reading["as_expected"], f"{row.what}, and still {reading['verdict']}"
    # The verdict, or the message of an invalid one, must come from the science and not from a crash of the edit.
    assert reading["verdict"] in {"REFUTED", "INCONCLUSIVE"} or record["errors"]
    assert not [error for error in record["errors"] if "SyntaxError" in error or "NameError" in error]


def copy_of(source: Path, row: BrokenLine, target: Path):
    """Copy the claim into a project of its own, with the one line broken."""
    folder = target / "claims" / source.parent.name / source.name
    shutil.copytree(source, folder)
    shutil.copy(source.parent / "document.yaml", folder.parent)
    # What is imported from there may be the project's own already; data sets are described by those beside the claims.
    shutil.copytree(PROJECT / "fixtures", target / "fixtures")
    (folder / row.file).write_text(broken(row, source))
    found = load_claim(folder)
    # What is asked is whether the expectations themselves notice; to measure the controls too would take twice as long.
    return replace(found, claim=found.claim.model_copy(update={"controls": {}}))
