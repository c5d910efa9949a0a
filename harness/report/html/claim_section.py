"""A claim's section of the HTML report: a record as the words and places that its template shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.judging.normality import BREAKING
from harness.report import wording
from harness.report.html import charts
from harness.report.selection import found
from harness.report.view import STRENGTH, details, settings
from harness.report.wording import in_words, sentence
from harness.running import waiver
from harness.specification.profiles import NO_VERDICT_PROFILE

if TYPE_CHECKING:
    from harness.store.records.claim import ClaimRecord
    from harness.store.records.expectation import ReadingRecord

Context = dict[str, Any]


def article_of(claim: ClaimRecord, *, brief: bool) -> Context:
    """Return what the template of a claim's section is filled with.

    Args:
        claim: its record.
        brief: leave out pictures and tables, so that its page stays small.
    """
    head, rest = found(claim)
    source = claim.source
    return {
        "id": claim.id,
        "title": claim.title,
        "document": claim.document.id,
        "document_title": claim.document.title,
        "section": source.section,
        "strength": STRENGTH[claim.strength],
        "found": f"{head[:1].upper()}{head[1:]}{rest}.",
        "statement": claim.statement,
        "paper": source.paper,
        "reported": [(in_words(name), value) for name, value in source.reported.items()],
        "does_not_show": sentence(claim.does_not_show),
        "arms": [(in_words(name), settings(values)) for name, values in claim.arms.items()],
        "conditions": [(in_words(name), ", ".join(map(str, values))) for name, values in claim.conditions.items()],
        "brief": brief,
        "pictures": [] if brief else charts.phenomena(claim),
        "illustrations": [] if brief else [charts.illustration(drawn) for drawn in claim.illustrations],
        "readings": [_reading(claim, number, name) for number, name in enumerate(claim.readings)],
        "controls": [_control(claim, name) for name in claim.controls],
        "details": list(details(claim)),
        "command": _command(claim),
    }


def _reading(claim: ClaimRecord, number: int, name: str) -> Context:
    reading = claim.readings[name]
    return {
        "number": number,
        "name": in_words(name),
        "verdict": reading.verdict,
        "expected": reading.expected,
        "unexpected": "" if _silent(claim, reading.as_expected) else _unexpected(reading),
        "leave": waiver.mark(claim) if reading.waived else "",
        "means": sentence(reading.means) if reading.means else "",
        "because": reading.because,
        "expectations": [_expectation(claim, reading, key) for key in reading.expectations],
    }


def _silent(claim: ClaimRecord, as_expected: bool | None) -> bool:
    """Whether nothing is said of what is expected: it came, or the profile gives no verdict."""
    return bool(as_expected) or claim.profile == NO_VERDICT_PROFILE


def _unexpected(reading: ReadingRecord) -> str:
    """Return what is said beside the verdict of a reading that is not as expected; its expectations say the rest."""
    if reading.verdict != reading.expected:
        return f"expected {reading.expected}"
    return f"but not {', '.join(map(in_words, reading.flipped))}"


def _expectation(claim: ClaimRecord, reading: ReadingRecord, name: str) -> Context:
    e = reading.expectations[name]
    controls = {key: c.expectations[name] for key, c in claim.controls.items() if name in c.expectations}
    return {
        "name": in_words(name),
        "contrast": in_words(wording.contrast_words(e.contrast)),
        "unit": e.unit,
        "verdict": e.verdict,
        "came": "" if claim.profile == NO_VERDICT_PROFILE else wording.came_words(reading, name),
        "no_control": sentence(e.no_control) if e.no_control else "",
        "estimate": wording.number(e.estimate),
        "short": wording.number(e.estimate, 3),
        "short_span": "" if e.exact else wording.span(e, 2),
        "span": "in every instance" if e.exact else wording.span(e),
        "seeds": f"{e.n} seeds" + (f", {e.earlier} of them of earlier replications" if e.earlier else ""),
        "band": e.band.text,
        "said": "" if e.reported is None else wording.number(e.reported),
        "band_because": f"This band because {e.because}",
        "reason": "" if e.verdict in ("VERIFIED", "REFUTED") else e.reason,
        "shape": sentence(wording.shape_words(e)) if wording.shape_words(e) else "",
        "doubt": e.shape in BREAKING,
        "rate": f"{e.alpha:g}" + (f", adjusted p {e.adjusted_p:.1g}" if e.adjusted_p is not None else ""),
        "every_seed": ", ".join(wording.number(value) for value in e.values.values()) or "none",
        "looks": "; ".join(f"{look.n} seeds {wording.span(look)}" for look in e.looks),
        "controls": [
            (in_words(key), f"{wording.number(c.estimate)} {wording.span(c)}, {c.n} seeds, {c.verdict}")
            for key, c in controls.items()
        ],
        "replications": [wording.replication_words(replication) for replication in e.replications],
        "strip": charts.strip(e),
        "panel": charts.panel(name, e, claim.controls),
    }


def _control(claim: ClaimRecord, name: str) -> Context:
    control = claim.controls[name]
    of = f" (for {', '.join(map(in_words, control.arms))} alone)" if control.arms else ""
    state = wording.control_state(control)
    return {
        "name": in_words(name),
        "state": state[:1].upper() + state[1:],
        "change": settings(control.change) + of,
        "because": sentence(control.because),
    }


def _command(claim: ClaimRecord) -> str:
    """Return the command that measures a claim again."""
    return f"claims run {claim.id} --claims-profile {claim.profile} --claims-base-seed {claim.base_seed} --claims-fresh"
