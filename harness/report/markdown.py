"""The report as Markdown: for a job summary, and for a reader who knows nothing of this project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness._text import in_markdown as text
from harness.report import wording
from harness.report.aa_text import BROKEN
from harness.report.sections import marks, section, sentence, words
from harness.report.selection import (
    anchor,
    as_expected,
    doubtful,
    fallen,
    good,
    judged,
    left,
    problems,
    reused,
    rows,
    verdict_counts,
    waivers,
    without_bound,
)
from harness.running import waiver
from harness.specification.profiles import NO_VERDICT_PROFILE

if TYPE_CHECKING:
    from harness.running.results import Run

LARGEST = 1_000_000
"""Bytes; GitHub drops a whole job summary above 1 MiB."""

SMALLEST = 100_000
"""Bytes; with less room there is no report."""

INTRODUCTION = """\
Somebody wrote a sentence about machine learning. Is it so? For each such sentence (a *claim*) this run trained real models,
many times over with fresh random draws (*seeds*), and held what came out against a band of values that was fixed beforehand.
Sentences can be wrong: a reading that was expected to be refuted, and is, came out as expected."""

LEGEND = """\
<details><summary>How to read this</summary>

| verdict | what it says |
|---|---|
| ✓ VERIFIED | the whole interval of the estimate lies inside the band: the reading holds |
| ✗ REFUTED | the whole interval lies outside the band: the reading does not hold |
| ? INCONCLUSIVE | the interval reaches over an edge of the band: not decided with the seeds allowed |
| ! INVALID | the instrument cannot be trusted: a control did not fail, or a number is undefined |
| - NOT_RUN | nothing was measured, or the profile gives no verdict |

A sentence may be taken in more than one way; each way is a *reading* with its own verdict. Each
reading says beforehand which verdict theory or the source lets us expect, and why. A *control* is a change under which an
expectation must fail; it shows that the claim could have failed. *Waived*: it came out otherwise, and somebody answers for
that up to a day.

</details>"""


def markdown(run: Run, largest: int = LARGEST) -> str:
    """Return the report, what failed first; sections that would make it longer than `largest` bytes are left out."""
    parts = [_head(run), _attention(run), LEGEND + "\n", _overview(run)]
    end = [_certainty(run), _provenance(run)]
    size = sum(len(part.encode()) for part in (*parts, *end))
    left_out = 0
    for claim in sorted(judged(run), key=lambda c: (good(c), c["id"])):
        # The first of those that are folded has a heading above it.
        heading = AS_EXPECTED if good(claim) and AS_EXPECTED not in parts else ""
        found = section(claim)
        size += len(found.encode())
        if size > largest - 10_000:
            left_out += 1
        else:
            parts += [heading, found]
    if left_out:
        parts.append(f"_{left_out} more claims are described in report.json; this file is kept below 1 MiB._\n")
    return "\n".join(part for part in (*parts, *end) if part)


AS_EXPECTED = "## Claims that came out as expected\n\nEach unfolds.\n"


def _head(run: Run) -> str:
    fine, total = as_expected(run)
    again, trials = reused(run)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdict_counts(run).items())
    profile = text(", ".join(sorted({claim["profile"] for claim in judged(run)})) or "-")
    seconds = sum(claim["cost"]["wall_seconds"] for claim in judged(run))
    broken = f" **{len(problems(run))} claims could not be run.**" if problems(run) else ""
    lost = f" Adjusted for their number, {len(fallen(run))} verdicts do not stand." if fallen(run) else ""
    return f"""# Claims report

**{fine} of {total} readings came out as expected{waivers(run)}** ({counts or "none was run"}).{broken}{lost}
Profile {profile}, base seed {text(run["options"]["base_seed"])}, {len(judged(run))} claims, {trials} trials (reused {again} of {trials}), {seconds:.0f} s, begun {text(_moment(run["started"]))}.

{INTRODUCTION}
"""


def _certainty(run: Run) -> str:
    """Return what all verdicts of the run together may get wrong."""
    return f"## How sure this is\n\n{_budget(run)}\n"


def _budget(run: Run) -> str:
    """Return what all verdicts of the run together may get wrong."""
    budget = run["error_budget"]
    head = (
        f"Each interval may miss the truth with the error rate stated beside it; over the whole run at most "
        f"{budget['expected_false_verdicts']:.3g} false verdicts are to be expected, and in its controls at most "
        f"{budget['expected_false_controls']:.3g}."
    )
    head += f" {wording.sentence(wording.bound_words(budget))}" if wording.bound_words(budget) else ""
    lost = fallen(run)
    names = "; ".join(
        f"{text(row.claim['id'])} “{words(row.name)}” ({row.reading['adjusted_verdict']})" for row in lost
    )
    after = f"these readings would not be decided: {names}" if lost else "every verdict stands"
    return (
        f"{head} Adjusted by Holm's procedure over its {budget['expectations']} expectations, so that even one false "
        f"verdict in the run has a chance of at most {budget['family_wise_rate']:g}, {after}."
    )


def _attention(run: Run) -> str:
    """Return what needs attention, nothing if all is as expected."""
    lines = [f"- left for lack of time: {text(wording.left_words(claim))}" for claim in left(run)]
    for claim in problems(run):
        lines += [f"- **{text(claim['id'])} could not be run** ({claim['problem']['kind']}):"]
        lines += [f"  - {text(line)}" for line in claim["problem"]["lines"]]
    for row in rows(run):
        if not row.reading["as_expected"] and row.claim["profile"] != NO_VERDICT_PROFILE:
            came = text(wording.came_out(row.reading))
            lines += [f"- **{text(row.claim['title'])}**, reading “{words(row.name)}”: {came}."]
            lines += [f"  {text(row.reading['reason'])}. {wording.would_change(row.reading)}"]
            lines += [f"  **{text(waiver.words(row.claim))}**"] if waiver.covers(row.reading) else []
    for row, name, forecast in doubtful(run):
        lines += [
            f"- {text(row.claim['title'])}, “{words(name)}” {wording.forecast_words(forecast, row.claim['seeds']['cap'])}."
        ]
    for row, name, e in without_bound(run):
        lines += [f"- {text(row.claim['title'])}, “{words(name)}”: {text(wording.shape_words(e))}."]
    for claim in judged(run):
        lines += [f"- **{text(claim['title'])}**: {text(waiver.note(claim))}"] if waiver.note(claim) else []
        lines += [f"- {text(claim['id'])}: trial failed: {text(error)}" for error in claim["errors"][:3]]
        if (claim.get("noise") or {}).get("verdict") == "DIFFERENT":
            lines.append(f"- {text(claim['id'])}: A/A run: {BROKEN}")
    return "## What needs attention\n\n" + "\n".join(lines) + "\n" if lines else ""


def _overview(run: Run) -> str:
    lines = ["## Overview", ""]
    documents = {claim["document"]["id"]: claim["document"] for claim in judged(run)}
    for key, document in sorted(documents.items()):
        lines += [
            f"### {text(document['title'])}",
            "",
            f"{text(document['summary'])} ({text(document['authors'])}, {text(document['year'])})",
            "",
        ]
        lines += ["| statement | as we found it | readings |", "|---|---|---|"]
        for claim in sorted(judged(run), key=good):
            if claim["document"]["id"] == key:
                link = f"[{text(claim['title'])}](#{anchor(claim['id'])})"
                lines.append(f"| {link} | {sentence(claim)} | {marks(claim)} |")
        lines.append("")
    return "\n".join(lines)


def _provenance(run: Run) -> str:
    machine = run["machine"]
    packages = ", ".join(f"{text(name)} {text(version)}" for name, version in machine["packages"].items())
    changes = {True: " with uncommitted changes", False: "", None: ""}[machine["uncommitted_changes"]]
    return f"""## Provenance

- Run {text(run["id"])}, begun {text(_moment(run["started"]))}, commit {text(machine["commit"] or "unknown")}{changes}
- Python {text(machine["python"])}; {packages}
- {text(machine["processor"])}, {machine["cores"]} cores; {text(machine["platform"])}
- Processes of one thread each; options: {_options(run["options"])}
"""


def _moment(started: str) -> str:
    """Return a time as people write it: `2026-01-31 03:17 UTC`."""
    return f"{started[:10]} {started[11:16]} UTC" if started[16:17] == ":" else started


def _options(options: dict[str, Any]) -> str:
    """Return the options of a run, each that is not the default with where it came from."""
    sources = options.get("sources", {})
    shown = (
        f"{wording.in_words(name)} {value}" + (f" ({sources[name]})" if name in sources else "")
        for name, value in _set(options)
    )
    return text(", ".join(shown))


def _set(options: dict[str, Any]) -> list[tuple[str, Any]]:
    return [
        (name, value)
        for name, value in options.items()
        if name != "sources" and value is not None and value is not False
    ]
