"""The report as Markdown: for a job summary, and for a reader who knows nothing of this project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness import explain, waiver
from harness.options import NO_VERDICT_PROFILE
from harness.plaintext import in_markdown as text
from harness.report.noise import BROKEN, detail_lines
from harness.report.rows import (
    as_expected,
    doubtful,
    fallen,
    judged,
    left,
    problems,
    reused,
    rows,
    verdict_counts,
    waivers,
)

if TYPE_CHECKING:
    from harness.report import Run

LARGEST = 1_000_000
"""Bytes; GitHub drops a whole job summary above 1 MiB."""

SMALLEST = 100_000
"""Bytes; with less room there is no report."""

STRENGTH = {
    "same_setting": "the source's own setting",
    "scaled_down": "the source's setting, scaled down",
    "analogue": "an analogue of the source's setting, not the setting itself",
}

INTRODUCTION = """\
Somebody wrote a sentence about machine learning. Is it so? For each such sentence this run trained real models, many times
over with fresh random draws (*seeds*), and held what came out against a band of values that was fixed beforehand.

| verdict | what it says |
|---|---|
| ✓ VERIFIED | the whole interval of the estimate lies inside the band: the reading holds |
| ✗ REFUTED | the whole interval lies outside the band: the reading does not hold |
| ? INCONCLUSIVE | the interval reaches over an edge of the band: not decided with the seeds allowed |
| ! INVALID | the instrument cannot be trusted: a control did not fail, or a number is undefined |
| - NOT_RUN | nothing was measured, or the profile gives no verdict |

A sentence may be taken in more than one way; each way is a *reading* with its own verdict. Sentences can be wrong, so each
reading says beforehand which verdict theory or the source lets us expect, and why. A *control* is a change under which an
expectation must fail; it shows that the claim could have failed."""


def markdown(run: Run, largest: int = LARGEST) -> str:
    """Return the report; sections that would make it longer than `largest` bytes are left to report.json."""
    parts = [_head(run), _attention(run), _overview(run)]
    size = sum(len(part.encode()) for part in parts)
    left_out = 0
    for claim in sorted(judged(run), key=lambda c: (all(r["as_expected"] for r in c["readings"].values()), c["id"])):
        section = _claim(claim)
        size += len(section.encode())
        if size > largest - 10_000:
            left_out += 1
        else:
            parts.append(section)
    if left_out:
        parts.append(f"_{left_out} more claims are described in report.json; this file is kept below 1 MiB._\n")
    parts.append(_provenance(run))
    return "\n".join(part for part in parts if part)


def _anchor(claim: dict[str, Any]) -> str:
    """Return the name that links within the report use for a claim."""
    return re.sub(r"[^a-z0-9]", "-", claim["id"])


def words(name: str) -> str:
    """Return a name of the specification as a reader says it: `as documented`."""
    return text(name.replace("_", " "))


def sentence_of(value: str) -> str:
    """Return text as a sentence: a capital first, a full stop last."""
    shown = text(value)
    return shown[:1].upper() + shown[1:] + ("" if shown.endswith((".", "?", "!")) else ".")


def _head(run: Run) -> str:
    good, total = as_expected(run)
    again, trials = reused(run)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdict_counts(run).items())
    profile = text(", ".join(sorted({claim["profile"] for claim in judged(run)})) or "-")
    seconds = sum(claim["cost"]["wall_seconds"] for claim in judged(run))
    return f"""# Claims report

{INTRODUCTION}

**{good} of {total} readings came out as expected{waivers(run)}** ({counts or "none was run"}). Profile {profile}, base seed {text(run["options"]["base_seed"])},
{len(judged(run))} claims, {trials} trials (reused {again} of {trials}), {seconds:.0f} s, begun {text(run["started"])}.
{_budget(run)}
"""


def _budget(run: Run) -> str:
    """Return what all verdicts of the run together may get wrong."""
    budget = run["error_budget"]
    head = (
        f"Each interval may miss the truth with the error rate stated beside it; over the whole run at most "
        f"{budget['expected_false_verdicts']:.3g} false verdicts are to be expected, and in its controls at most "
        f"{budget['expected_false_controls']:.3g}."
    )
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
    lines = [f"- left for lack of time: {text(explain.left_words(claim))}" for claim in left(run)]
    for claim in problems(run):
        lines += [f"- **{text(claim['id'])} could not be run** ({claim['problem']['kind']}):"]
        lines += [f"  - {text(line)}" for line in claim["problem"]["lines"]]
    for row in rows(run):
        if not row.reading["as_expected"] and row.claim["profile"] != NO_VERDICT_PROFILE:
            head = f"- **{text(row.claim['title'])}**, reading “{words(row.name)}”: {row.reading['verdict']}, expected {row.reading['expected']}."
            lines += [head, f"  {text(row.reading['reason'])}. {explain.WOULD_CHANGE[row.reading['verdict']]}"]
            lines += [f"  **{text(waiver.words(row.claim))}**"] if waiver.covers(row.reading) else []
    for row, name, forecast in doubtful(run):
        lines += [
            f"- {text(row.claim['title'])}, “{words(name)}” {explain.forecast_words(forecast, row.claim['seeds']['cap'])}."
        ]
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
            f"By {text(document['authors'])}, {text(document['year'])}. {text(document['summary'])}",
            "",
        ]
        lines += ["| statement | as we found it | readings |", "|---|---|---|"]
        for claim in judged(run):
            if claim["document"]["id"] == key:
                link = f"[{text(claim['title'])}](#{_anchor(claim)})"
                lines.append(f"| {link} | {sentence(claim)} | {marks(claim)} |")
        lines.append("")
    return "\n".join(lines)


def marks(claim: dict[str, Any]) -> str:
    """Return the readings of a claim with their verdicts, one per line of a table cell."""
    readings = claim["readings"].items()
    return "<br>".join(
        f"{explain.SYMBOL[r['verdict']]} {words(name)}: {r['verdict']}{_leave(claim, r)}" for name, r in readings
    )


def _leave(claim: dict[str, Any], part: dict[str, Any]) -> str:
    """Return `, WAIVED until 2026-12-31 (owner)` for what a waiver covers."""
    return f", {text(waiver.mark(claim))}" if waiver.covers(part) else ""


def sentence(claim: dict[str, Any]) -> str:
    """Return what a claim's verdicts say of its sentence: holds, does not hold, holds only when ..., not decided."""
    readings = claim["readings"]
    first = next(iter(readings.values()))
    others = [
        text(r["means"]) if r["means"] else words(name)
        for name, r in readings.items()
        if r is not first and r["verdict"] == "VERIFIED"
    ]
    failing = [
        text(r["means"]) if r["means"] else words(name)
        for name, r in readings.items()
        if r is not first and r["verdict"] == "REFUTED"
    ]
    if first["verdict"] == "VERIFIED":
        return "**holds**" + (f"; but not: {'; '.join(failing)}" if failing else "")
    if first["verdict"] == "REFUTED":
        return "**does not hold as written**" + (f"; what holds: {'; '.join(others)}" if others else "")
    return "**cannot be judged**" if first["verdict"] == "INVALID" else "**not decided**"


def _claim(claim: dict[str, Any]) -> str:
    source = claim["source"]
    place = f"{text(claim['document']['title'])}, section {text(source['section'])}"
    reported = ", ".join(f"{words(name)} {text(value)}" for name, value in source["reported"].items())
    lines = [
        f'<a id="{_anchor(claim)}"></a>',
        f"## {text(claim['title'])}",
        "",
        f"> {text(claim['statement'])}",
        "",
        f"- Where it stands: {place}" + (f"; original: {text(source['paper'])}" if source["paper"] else ""),
        f"- Reported there: {reported or 'no figures'}",
        f"- Our set-up: {STRENGTH[claim['strength']]}; what it does not show: {text(claim['does_not_show'])}",
        f"- In short: {sentence(claim)}",
        *_series(claim),
        *_waiver(claim),
        "",
    ]
    for name, reading in claim["readings"].items():
        lines += _reading(name, reading, _leave(claim, reading))
    for name, control in claim["controls"].items():
        lines += _control(name, control, _leave(claim, control))
    lines += _details(claim)
    return "\n".join(lines)


def _series(claim: dict[str, Any]) -> list[str]:
    """Return where the evidence comes from if it is not of this run alone."""
    nights = explain.series_words(claim)
    return [f"- Evidence: {text(nights)}"] if nights else []


def _waiver(claim: dict[str, Any]) -> list[str]:
    own = claim.get("waiver")
    if own is None:
        return []
    state = "expired, covers nothing" if own["expired"] else "in force"
    return [f"- Waiver: {state}; until {own['expires']} ({text(own['owner'])}): {text(own['reason'])}"]


def _reading(name: str, reading: dict[str, Any], leave: str) -> list[str]:
    as_it_should = "as expected" if reading["as_expected"] else f"expected {reading['expected']}"
    lines = [
        f"### Reading “{words(name)}”: {explain.SYMBOL[reading['verdict']]} {reading['verdict']} ({as_it_should}){leave}",
        "",
    ]
    if reading["means"]:
        lines += [sentence_of(reading["means"]), ""]
    if reading["because"]:
        lines += [f"Expected {reading['expected']} because {text(reading['because'])}", ""]
    return lines + _table(reading["expectations"])


def _control(name: str, control: dict[str, Any], leave: str) -> list[str]:
    change = ", ".join(f"{text(key)} = {text(value)}" for key, value in control["change"].items())
    of = f" (for {', '.join(words(arm) for arm in control['arms'])} alone)" if control.get("arms") else ""
    state = "broke what it must break" if control["behaves"] else "did NOT break what it must break"
    state = state if control["finished"] else "was not run to its end"
    return [
        f"### Control “{words(name)}”: {state}{leave}",
        "",
        f"Changed: {change}{of}. {sentence_of(control['because'])}",
        "",
        *_table(control["expectations"], reasons=False),
    ]


def _table(expectations: dict[str, Any], *, reasons: bool = True) -> list[str]:
    lines = [
        f"| what is measured | source says | estimate | interval | band | seeds | verdict |{' adjusted |' if reasons else ''}",
        f"|---|---|---|---|---|---|---|{'---|' if reasons else ''}",
    ]
    for name, e in expectations.items():
        what = f"{words(name)}: {words(explain.contrast_words(e['contrast']))} ({text(e['unit'])})"
        rate = "every instance" if e["exact"] else f"{explain.span(e)}, error rate {e['alpha']:g}"
        verdict = f"{explain.SYMBOL[e['verdict']]} {e['verdict']}"
        reported, estimate = explain.number(e["reported"]), explain.number(e["estimate"])
        cells = [
            what,
            reported,
            estimate,
            rate,
            e["band"]["text"],
            _seeds(e),
            verdict,
            *([_adjusted(e)] if reasons else []),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    for name, e in expectations.items():
        lines.append(f"- {words(name)}" + (f": this band because {text(e['because'])}" if reasons else ""))
        values = ", ".join(explain.number(value) for value in e["values"].values())
        lines.append(f"  - every seed: {values or 'none'}")
        lines += [f"  - {line}" for line in map(_night, e.get("nights", []))]
    return [*lines, ""]


def _seeds(e: dict[str, Any]) -> str:
    return f"{e['n']} ({e['earlier']} of earlier nights)" if e.get("earlier") else str(e["n"])


def _adjusted(e: dict[str, Any]) -> str:
    """Return the verdict after Holm's adjustment with its p-value; `-` where there is no p-value."""
    if e.get("adjusted_p") is None:
        return "-"
    return f"{explain.SYMBOL[e['adjusted_verdict']]} p {e['adjusted_p']:.1g}"


def _night(night: dict[str, Any]) -> str:
    alone, together = night["alone"], night["accumulated"]
    when = f"{night['date']} (base seed {night['base_seed']})"
    own = f"{explain.number(alone['estimate'])} {explain.span(alone)} over {alone['n']} seeds"
    return f"{when}: {own}; with all before it {explain.number(together['estimate'])} {explain.span(together)} over {together['n']}"


def _details(claim: dict[str, Any]) -> list[str]:
    trials, cost = claim["trials"], claim["cost"]
    total = sum(trials.values())
    data = "; ".join(
        f"{text(d['name'])}, {d['size']:,} examples, sha256 {d['sha256'][:16]}…, {text(d['source'])}"
        for d in claim["data"]
    )
    settings = ", ".join(f"{text(key)} {text(value)}" for key, value in claim["settings"].items())
    versions = ", ".join(f"{text(key)} {text(value)}" for key, value in claim["environment"].items())
    plan = claim["seeds"]
    return [
        "<details><summary>How it was measured</summary>",
        "",
        f"- Seeds: first look after {plan['first']}, then every {plan['step']}, at most {plan['cap']} (profile {text(claim['profile'])}, base seed {claim['base_seed']})",
        f"- Trials: {total}, reused {trials['reused']} of {total}, failed {trials['failed']}",
        f"- Cost: {cost['compute_seconds']:.1f} s of computing in all, {cost['wall_seconds']:.1f} s in this run",
        f"- Data: {data or 'generated by the experiment'}",
        f"- Settings: {settings}",
        f"- Environment: {versions}",
        *_strategies(claim),
        f"- Code: {claim['code']['digest'][:16]}… over {text(', '.join(claim['code']['modules']))}",
        *(f"- {text(line)}" for line in detail_lines(claim.get("noise"))),
        "",
        "</details>",
        "",
    ]


def _strategies(claim: dict[str, Any]) -> list[str]:
    """Return how each arm's networks were trained, nothing where no arm trains any."""
    chosen = claim.get("strategies") or {}
    said = ", ".join(f"{text(arm)} {text(' and '.join(names))}" for arm, names in chosen.items())
    return [f"- Seeds trained: {said}"] if said else []


def _provenance(run: Run) -> str:
    machine = run["machine"]
    packages = ", ".join(f"{text(name)} {text(version)}" for name, version in machine["packages"].items())
    changes = {True: " with uncommitted changes", False: "", None: ""}[machine["uncommitted_changes"]]
    return f"""## Provenance

- Run {text(run["id"])}, begun {text(run["started"])}, commit {text(machine["commit"] or "unknown")}{changes}
- Python {text(machine["python"])}; {packages}
- {text(machine["processor"])}, {machine["cores"]} cores; {text(machine["platform"])}
- Processes of one thread each; options: {text(run["options"])}
"""
