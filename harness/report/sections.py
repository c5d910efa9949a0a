"""A claim as a section of the report in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness._text import in_html
from harness._text import in_markdown as text
from harness.report import wording
from harness.report.selection import anchor, found, good
from harness.report.view import STRENGTH, details
from harness.running import waiver

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.store.records.claim import ClaimRecord
    from harness.store.records.expectation import ControlRecord, ExpectationRecord, ReadingRecord


def words(name: str) -> str:
    """Return a name of the specification as a reader says it: `as documented`."""
    return text(wording.in_words(name))


def marks(claim: ClaimRecord) -> str:
    """Return the readings of a claim with their verdicts, one per line of a table cell."""
    readings = claim.readings.items()
    return "<br>".join(
        f"{wording.SYMBOL[r.verdict]} {words(name)}: {r.verdict}{_leave(claim, r)}" for name, r in readings
    )


def _leave(claim: ClaimRecord, part: ReadingRecord | ControlRecord) -> str:
    """Return `, WAIVED until 2026-12-31 (owner)` for what a waiver covers."""
    return f", {text(waiver.mark(claim))}" if part.waived else ""


def sentence(claim: ClaimRecord) -> str:
    """Return what a claim's verdicts say of its sentence: holds, does not hold, holds only when ..., not decided."""
    head, rest = found(claim)
    return f"**{head}**{text(rest)}"


def section(claim: ClaimRecord) -> str:
    """Return the section of a claim; where all is as expected, it is folded."""
    fine = good(claim)
    title = in_html(claim.title)
    head = f"<details><summary><b>{_mark(claim)} {title}</b></summary>" if fine else f"## {text(claim.title)}"
    return "\n".join(
        [f'<a id="{anchor(claim.id)}"></a>', "", head, "", *_body(claim), *(["</details>", ""] if fine else [])]
    )


def _mark(claim: ClaimRecord) -> str:
    return "".join(wording.SYMBOL[reading.verdict] for reading in claim.readings.values())


def _body(claim: ClaimRecord) -> list[str]:
    source = claim.source
    place = f"{text(claim.document.title)}, section {text(source.section)}"
    reported = ", ".join(f"{words(name)} {text(value)}" for name, value in source.reported.items())
    lines = [
        f"> {text(claim.statement)}",
        "",
        f"- Where it stands: {place}" + (f"; original: {text(source.paper)}" if source.paper else ""),
        f"- Reported there: {reported or 'no figures'}",
        f"- Our set-up: {STRENGTH[claim.strength]}; what it does not show: {text(claim.does_not_show)}",
        f"- In short: {sentence(claim)}",
        *_waiver(claim),
        "",
    ]
    for name, reading in claim.readings.items():
        lines += _reading(name, reading, _leave(claim, reading))
    for name, control in claim.controls.items():
        lines += _control(name, control, _leave(claim, control))
    return lines + _details(claim)


def _waiver(claim: ClaimRecord) -> list[str]:
    own = claim.waiver
    if own is None:
        return []
    state = "expired, covers nothing" if own.expired else "in force"
    return [f"- Waiver: {state}; until {text(own.expires)} ({text(own.owner)}): {text(own.reason)}"]


def _reading(name: str, reading: ReadingRecord, leave: str) -> list[str]:
    came = f"{reading.verdict} (as expected)" if reading.as_expected else text(wording.came_out(reading))
    lines = [f"### Reading “{words(name)}”: {wording.SYMBOL[reading.verdict]} {came}{leave}", ""]
    if reading.means:
        lines += [wording.sentence(text(reading.means)), ""]
    if reading.because:
        lines += [f"Expected {reading.expected} because {text(reading.because)}", ""]
    return lines + _table(
        reading.expectations, {name: wording.came_words(reading, name) for name in reading.expectations}
    )


def _control(name: str, control: ControlRecord, leave: str) -> list[str]:
    change = ", ".join(f"{text(key)} = {text(value)}" for key, value in control.change.items())
    of = f" (for {', '.join(words(arm) for arm in control.arms)} alone)" if control.arms else ""
    return [
        f"### Control “{words(name)}”: {text(wording.control_head(control))}{leave}",
        "",
        f"Changed: {change}{of}. {wording.sentence(text(control.because))}",
        "",
        *([] if control.behaves else [f"It {text(wording.control_state(control))}.", ""]),
        *_table(control.expectations),
    ]


def _table(expectations: Mapping[str, ExpectationRecord], came: dict[str, str] | None = None) -> list[str]:
    """Return a table of expectations; `came` says beside each what was expected instead, None for those under a control."""
    reasons = came is not None
    lines = [
        f"| what is measured | source says | estimate | interval | band | seeds | verdict |{' adjusted |' if reasons else ''}",
        f"|---|---|---|---|---|---|---|{'---|' if reasons else ''}",
    ]
    for name, e in expectations.items():
        what = f"{words(name)}: {words(wording.contrast_words(e.contrast))} ({text(e.unit)})"
        rate = "every instance" if e.exact else f"{wording.span(e)}, error rate {e.alpha:g}"
        verdict = f"{wording.SYMBOL[e.verdict]} {e.verdict}{f' ({came[name]})' if came and came[name] else ''}"
        reported, estimate = wording.number(e.reported), wording.number(e.estimate)
        cells = [
            what,
            reported,
            estimate,
            rate,
            text(e.band.text),
            _seeds(e),
            verdict,
            *([_adjusted(e)] if reasons else []),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    for name, e in expectations.items():
        lines.append(f"- {words(name)}" + (f": this band because {text(e.because)}" if reasons else ""))
        lines += [f"  - no control, because {text(e.no_control)}"] if reasons and e.no_control else []
        values = ", ".join(wording.number(value) for value in e.values.values())
        lines.append(f"  - every seed: {values or 'none'}")
        lines += [f"  - {text(wording.shape_words(e))}"] if wording.shape_words(e) else []
        lines += [
            f"  - {line}" for line in (text(wording.replication_words(replication)) for replication in e.replications)
        ]
    return [*lines, ""]


def _seeds(e: ExpectationRecord) -> str:
    return f"{e.n} ({e.earlier} of earlier replications)" if e.earlier else str(e.n)


def _adjusted(e: ExpectationRecord) -> str:
    """Return the verdict after Holm's adjustment with its p-value; `-` where there is no p-value."""
    if e.adjusted_p is None or e.adjusted_verdict is None:
        return "-"
    return f"{wording.SYMBOL[e.adjusted_verdict]} p {e.adjusted_p:.1g}"


def _details(claim: ClaimRecord) -> list[str]:
    return ["<details><summary>How it was measured</summary>", "", listed(details(claim)), "", "</details>", ""]


def listed(parts: Iterable[tuple[str, str]]) -> str:
    """Return parts with their names as a list, one line each."""
    return "\n".join(f"- {words(name[:1].upper() + name[1:])}: {text(value)}" for name, value in parts)
