"""What every report says of a run and of a claim, as plain words: HTML and Markdown show the same, each in its own form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from harness.report import place_text, proof_text, wording
from harness.report.aa_text import BROKEN, detail_lines
from harness.report.quotation_text import quotation_words
from harness.report.selection import left, lost_after_holm, rows, underpowered, without_bound
from harness.report.wording import in_words, minute
from harness.running import waiver
from harness.specification.command import command_line
from harness.specification.profiles import NO_VERDICT_PROFILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.report.selection import Row
    from harness.store.records.claim import ClaimRecord, Data
    from harness.store.records.run import OptionsRecord, Run

STRENGTH = {
    "same_setting": "the source's own setting",
    "scaled_down": "the source's setting, scaled down",
    "analogue": "an analogue of the source's setting, not the setting itself",
}

VERDICTS = {
    "VERIFIED": "the whole interval of the estimate lies inside the band: the reading holds",
    "REFUTED": "the whole interval lies outside the band: the reading does not hold",
    "INCONCLUSIVE": "the interval reaches over an edge of the band: not decided with the seeds allowed",
    "INVALID": "the instrument cannot be trusted: a control did not fail, or a number is undefined",
    "NOT_RUN": "nothing was measured, or the profile gives no verdict",
}


class Line(NamedTuple):
    """A line about a claim.

    Attributes:
        claim: its id, empty where it has no page.
        title: its title.
        text: what is said.
    """

    claim: str
    title: str
    text: str


def line_of(claim: ClaimRecord, text: str) -> Line:
    """Return a line about a claim that has a page."""
    return Line(claim.id, claim.title, text)


def attention(run: Run) -> Iterator[Line]:
    """Yield what needs attention, nothing if all is as expected."""
    for broken in run.problems:
        problem = broken.problem
        yield Line("", broken.id, f"could not be run ({problem.kind}): {'; '.join(problem.lines)}")
    for row in rows(run):
        if not row.reading.as_expected and row.claim.profile != NO_VERDICT_PROFILE:
            yield line_of(row.claim, _unexpected(row))
    for claim in run.judged:
        if waiver.note(claim):
            yield line_of(claim, waiver.note(claim))
        for error in claim.errors[:3]:
            yield line_of(claim, f"trial failed: {error}")
        if claim.noise and claim.noise.verdict == "DIFFERENT":
            yield line_of(claim, f"A/A run: {BROKEN}")
    for number in run.quotations:
        claim_of = run.records.get(number.claim)
        if claim_of and number.holds is False:
            yield line_of(claim_of, quotation_words(number))
    for claim in left(run):
        yield line_of(claim, f"left for lack of time: {wording.left_words(claim)}")
    for row, name, e in without_bound(run):
        yield line_of(row.claim, f"“{in_words(name)}”: {wording.shape_words(e)}")
    for row, name, forecast in underpowered(run):
        words = wording.forecast_words(forecast, row.claim.seeds.cap)
        yield line_of(row.claim, f"“{in_words(name)}” {words}")


def _unexpected(row: Row) -> str:
    """Return how a reading came out, why, who answers for it, and what would change it."""
    leave = f" {waiver.words(row.claim)}." if row.reading.waived else ""
    came = f"reading “{in_words(row.name)}” {wording.came_out(row.reading)}: {row.reading.reason}."
    return f"{came}{leave} {wording.would_change(row.reading)}"


def budget(run: Run) -> str:
    """Return what all verdicts of the run together may get wrong."""
    found, lost = run.error_budget, lost_after_holm(run)
    names = "; ".join(f"{row.claim.id} “{in_words(row.name)}” ({row.reading.adjusted_verdict})" for row in lost)
    after = f"these readings would not be decided: {names}" if lost else "every verdict stands"
    bound = f"{wording.sentence(wording.bound_words(found))} " if wording.bound_words(found) else ""
    return (
        "Each interval may miss the truth with the error rate stated beside it; over the whole run at most "
        f"{found.expected_false_verdicts:.3g} false verdicts are to be expected, and in its controls at most "
        f"{found.expected_false_controls:.3g}. {bound}Adjusted by Holm's procedure over its {found.expectations} "
        f"expectations, so that even one false verdict has a chance of at most {found.family_wise_rate:g}, {after}."
    )


def provenance(run: Run) -> list[tuple[str, str]]:
    """Return what a stranger needs to know of a run, each part with its name."""
    machine = run.machine
    changes = " with uncommitted changes" if machine.uncommitted_changes else ""
    packages = [f"Python {machine.python}", *(f"{name} {version}" for name, version in machine.packages.items())]
    return [
        ("run", f"{run.id}, begun {minute(run.started)} UTC"),
        ("commit", f"{machine.commit or 'unknown'}{changes}"),
        ("machine", f"{machine.processor}, {machine.cores} cores; {machine.platform}"),
        ("packages", ", ".join(packages)),
        ("options", _options(run.options)),
    ]


def _options(options: OptionsRecord) -> str:
    """Return the options of a run, each that is not the default with where it came from."""
    given = {name: value for name, value in options if name != "sources" and value not in (None, False)}
    origin = {name: f" ({source})" for name, source in options.sources.items()}
    return ", ".join(f"{in_words(name)} {value}{origin.get(name, '')}" for name, value in given.items())


def settings(values: Mapping[str, Any]) -> str:
    """Return settings as words: `width 64, learning rate 0.1`."""
    return ", ".join(f"{in_words(name)} {value}" for name, value in values.items()) or "as the settings say"


def details(claim: ClaimRecord) -> Iterator[tuple[str, str]]:
    """Yield what a stranger needs to know of how a claim was measured, each part with its name."""
    plan, trials, cost = claim.seeds, claim.trials, claim.cost
    for arm, seconds in claim.seconds_per_trial.items():
        yield f"a trial of {in_words(arm)}", f"{wording.number(seconds)} s (median; data, training and tests together)"
    for timing in claim.timings:
        yield f"{timing.what} of {in_words(timing.arm)}", wording.timing_words(timing)
    total = trials.total
    yield "trials", f"{total}, of which {trials.reused} reused and {trials.failed} failed"
    yield "time", f"{cost.wall_seconds:.1f} s in this run, {cost.compute_seconds:.1f} s of computing behind it"
    yield "seeds", f"a look after {plan.first}, then every {plan.step}, at most {plan.cap}"
    yield "profile", f"{claim.profile}, base seed {claim.base_seed}, on {claim.device}"
    if wording.series_words(claim):
        yield "evidence", wording.series_words(claim)
    for line in wording.again_words(claim):
        yield "not reused", line
    own = dict(claim.settings)
    if isinstance(command := own.pop("command", None), dict):
        yield "command", command_line(command.get("run"))
    if isinstance(results := own.pop("results", None), dict):
        yield "results", f"{results.get('files')}, pairing: {results.get('pairing')}"
    yield "settings", settings(own)
    yield "data", "; ".join(map(_data, claim.data)) or "none is declared"
    yield "environment", ", ".join(f"{name} {value}" for name, value in claim.environment.items())
    yield "code", f"{claim.code.digest[:16]}… over {len(claim.code.modules)} files, which report.json names"
    yield from place_text.lines(claim.places)
    if chosen := claim.strategies:
        yield "seeds trained", ", ".join(f"{in_words(arm)} {' and '.join(names)}" for arm, names in chosen.items())
    for line in detail_lines(claim.noise):
        yield "noise", line
    for line in proof_text.detail_lines(claim.mutants):
        yield "broken versions", line


def _data(record: Data) -> str:
    return f"{record.name}, {record.size:,} examples, sha256 {record.sha256[:16]}…, {record.source}"
