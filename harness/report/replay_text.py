"""A stored trial, and what came of measuring it again, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.report.place_text import machine_words, place_words
from harness.retrospect.replay import SHORT, compared, listed, repeated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.retrospect.replay import Compared, Finding, Repeatability
    from harness.trials.plan import Plan
    from harness.trials.rows import PastTrial
    from harness.trials.task import Outcome


def listing(trials: list[PastTrial]) -> Iterator[str]:
    """Yield the latest trials as a table: the beginning of each key, and what it names."""
    yield f"{'key':<{SHORT}}  {'status':<8}  {'seed':>4}  {'base seed':>9}  claim, arm, condition"
    for trial in trials:
        status = "failed" if trial.error else "finished"
        what = ", ".join(filter(None, (trial.claim, trial.arm, _pairs(trial.condition))))
        yield f"{trial.key[:SHORT]}  {status:<8}  {trial.seed.index:>4}  {trial.seed.base:>9}  {what}"


def lines(finding: Finding, prospect: Repeatability, options: str = "") -> Iterator[str]:
    """Yield what a trial was, and the command that repeats it, with `options` added."""
    trial = finding.trial
    yield f"trial        {trial.key}"
    yield f"claim        {trial.claim}"
    yield f"arm          {trial.arm}"
    yield f"condition    {_pairs(trial.condition) or 'none'}"
    yield f"settings     {_pairs(trial.settings)}"
    yield f"seed         {trial.seed.index} of base seed {trial.seed.base}"
    yield f"batch        {_batch(trial)}"
    yield f"measured     {trial.finished} by run {trial.run}, {_commit(finding)}"
    yield f"environment  {_pairs(trial.environment)}"
    yield f"place        {place_words(trial.place) if trial.place else 'not known'}"
    yield f"outcome      {trial.error or _pairs(trial.metrics)}"
    yield from (f"log          {line}" for line in trial.log.splitlines())
    yield ""
    if prospect.obstacles:
        yield "today it would be another trial:"
        yield from (f"  {obstacle}" for obstacle in prospect.obstacles)
    yield "to repeat it:"
    if prospect.obstacles:
        yield f"  git checkout {finding.commit}" if finding.commit else "  (go back to its code: no commit was noted)"
    yield f"  claims repro {trial.key[:SHORT]} --run{options}"


def _batch(trial: PastTrial) -> str:
    if len(trial.batch_seeds) == 1:
        return "none: it was measured alone"
    return f"seeds {', '.join(map(str, trial.batch_seeds))}, measured in one call"


def _commit(finding: Finding) -> str:
    if finding.commit is None or finding.run is None:
        return "commit not known"
    dirty = finding.run.machine.uncommitted_changes
    return f"commit {finding.commit}" + (" with uncommitted changes" if dirty else "")


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def result_lines(finding: Finding, outcome: Outcome, plan: Plan) -> Iterator[str]:
    """Yield what came of a repetition: every metric then and now, and whether all are the same."""
    trial = finding.trial
    if trial.error or outcome.error:
        yield f"  then: {trial.error or 'it was finished'}"
        yield f"  now:  {outcome.error or 'it was finished'}"
    for row in compared(trial, outcome, plan):
        yield from _row_lines(row)
    if repeated(trial, outcome, plan):
        yield "repeated bit for bit" if trial.error is None else "it failed again, and alike"
        return
    yield "NOT repeated: it came out otherwise"
    then, now = (place and machine_words(place.clock) for place in (trial.place, outcome.place))
    if then != now:
        yield f"  it was measured on {then or 'a machine that is not known'}; this is {now}"


def _row_lines(row: Compared) -> Iterator[str]:
    if row.duration:
        yield f"  {row.name}: {row.then if row.then is not None else 'not kept'} then, {row.now} now; a duration, not compared"
        return
    if row.equal:
        yield f"  {row.name}: {row.now}, the same"
        return
    then, now = listed(row.then), listed(row.now)
    if len(then) != len(now):
        yield f"  {row.name}: {row.then} then, {row.now} now"
        return
    for position, (one, other) in enumerate(zip(then, now, strict=True)):
        if one.hex() != other.hex():
            place = f"{row.name}[{position}]" if len(then) > 1 else row.name
            yield f"  {place}: {one!r} then, {other!r} now, a difference of {other - one:.3g}"
