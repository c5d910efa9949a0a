"""Stored trials judged again under the present specifications; nothing is measured, and nothing is written to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import ClaimsError, UsageError
from harness.judging import verdict
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.running.results import run_of
from harness.running.session import problem_record
from harness.running.time_budget import Budget
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.provenance import machine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.store.records.claim import ClaimRecord, ProblemRecord
    from harness.store.records.expectation import ReadingRecord
    from harness.store.records.run import Run
    from harness.store.store import Store
    from harness.trials.options import Options

REVIEW = "review"
"""Id of the run that a review looks like in its reports; no run of a store has it."""


class NoMeasuring(Budget):
    """Lets every claim be judged by what is stored, and no batch be measured."""

    @property
    def limited(self) -> bool:
        """Every batch has to ask."""
        return True

    @property
    def lack(self) -> str:
        """What is lacking is told beside how much it is."""
        return ""

    def admits(self, claim: str) -> bool:  # noqa: ARG002 - the same for all
        """Let every claim begin."""
        return True

    def allows(self, claim: str, seconds: float | None) -> bool:  # noqa: ARG002 - the same for all
        """Let no batch begin."""
        return False


def review(folders: Sequence[Path], options: Options, store: Store, project: Path) -> Run:
    """Judge claims by stored trials under their present specifications; return the run that says so.

    Where trials are lacking, a claim's `missing_trials` says how many its next looks (the claim's and its controls') want.

    Args:
        folders: the claims.
        options: profile, base seed and device that the trials are looked for with.
        store: a copy that may be written, see `Store.copy_of`.
        project: folder that holds `claims/`.

    Raises:
        UsageError: the profile gives no verdicts.
    """
    if options.profile == NO_VERDICT_PROFILE:
        raise UsageError(f"--profile: {NO_VERDICT_PROFILE} gives no verdict, so there is nothing to judge")
    store.start_run(REVIEW, options.record(), machine(project))
    context = Context(options, store, lambda _: Inline(), REVIEW, budget=NoMeasuring())
    for folder in folders:
        store.save_record(REVIEW, _record(folder, context))
    store.finish_run(REVIEW)
    found = run_of(store, REVIEW)
    if found is None:
        raise UsageError(f"{project / 'claims'}: holds no claim; a review of nothing verifies nothing")
    return found


def _record(folder: Path, context: Context) -> ClaimRecord | ProblemRecord:
    try:
        return _with_what_lacks(run_claim(load_claim(folder), context))
    except ClaimsError as error:
        return problem_record(folder, error)


def _with_what_lacks(record: ClaimRecord) -> ClaimRecord:
    """Return a record in which what was left for lack of trials is not called left for lack of time."""
    lacking = (record.left and record.left.trials) or 0
    readings = {name: _explained(reading, lacking) for name, reading in record.readings.items()}
    return record.model_copy(update={"left": None, "missing_trials": lacking, "readings": readings})


def _explained(reading: ReadingRecord, lacking: int) -> ReadingRecord:
    if not lacking or reading.verdict != verdict.NOT_RUN:
        return reading
    reason = f"{reading.reason}; {lacking} trials of the claim are lacking in the store"
    return reading.model_copy(update={"reason": reason})


def lines(run: Run) -> list[str]:
    """Return one line per claim that lacks trials: how many, and what would measure them."""
    profile, base_seed = run.options.profile, run.options.base_seed
    return [
        f"lacking: {claim.missing_trials} trials of {claim.id} for its next look; "
        f"`claims run {claim.id} --profile {profile} --base-seed {base_seed}` measures them"
        for claim in run.judged
        if claim.missing_trials
    ]
