"""A claim in a terminal: what it states, how it is judged, and how it came out last."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from harness.judging.expected import expected_of
from harness.report import wording
from harness.report.styled import safe
from harness.specification.command import command_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.specification.models import Claim
    from harness.specification.readings import Expectation
    from harness.store.records.claim import ClaimRecord
    from harness.store.records.expectation import ExpectationRecord, ReadingRecord
    from harness.store.records.last import LastReading, LastVerdicts
    from harness.trials.catalogue import ClaimFolder

WIDEST = 110
"""Columns of a line that can still be read with ease."""

COLOURS = {"VERIFIED": "green", "REFUTED": "green", "INCONCLUSIVE": "yellow", "INVALID": "red", "NOT_RUN": "dim"}
"""Of verdicts that are as expected; all others are red."""


def mark(verdict: str, *, good: bool) -> str:
    """Return the symbol of a verdict in its colour."""
    return f"[{COLOURS[verdict] if good else 'bold red'}]{wording.SYMBOL[verdict]}[/]"


def _mark(reading: ReadingRecord | LastReading) -> str:
    return mark(reading.verdict, good=reading.as_expected or reading.waived)


def catalogue(folders: list[ClaimFolder], last: Mapping[str, LastVerdicts], store: str) -> Iterator[str]:
    """Yield the claims by document, each with its last verdicts; marks of style as rich reads them."""
    width = max((len(folder.claim.id) for folder in folders), default=0)
    marks = max((len(found.readings) for found in last.values()), default=0)
    document = ""
    for folder in folders:
        if folder.document.id != document:
            document = folder.document.id
            yield f"[bold]{safe(document)}[/]  [dim]{safe(folder.document.title)}[/]"
        yield from _entry(folder, last.get(folder.claim.id), width, marks)
    if not folders:
        yield "no claims; `claims new` begins one, and without --document and --verdict all are listed"
        return
    yield ""
    if last:
        yield f"[dim]{'  '.join(f'{wording.SYMBOL[v]} {words}' for v, words in wording.MEANING.items())}; one mark a reading[/]"
    else:
        yield f"[dim]no verdicts yet in {safe(store)}; `claims run ID` gives some[/]"
    yield f"[dim]{len(folders)} claims; `claims show ID` says all of one[/]"


def _entry(folder: ClaimFolder, found: LastVerdicts | None, width: int, most: int) -> Iterator[str]:
    readings = found.readings if found else {}
    marks = "".join(map(_mark, readings.values())) or "[dim]·[/]"
    when = f"[dim]{found.profile}, {found.finished[:10]}[/]" if found else "[dim]not run[/]"
    room = max(3, most) - max(1, len(readings))
    yield f"  {marks}{' ' * room} {safe(folder.claim.id):<{width}}  {when}"
    odd = [f"{name} {r.verdict}" for name, r in readings.items() if not (r.as_expected or r.waived)]
    yield f"       {safe(folder.claim.title)}"
    yield from [f"       [bold red]not as expected: {safe(', '.join(odd))}[/]"] if odd else []


def lines(folder: ClaimFolder, record: ClaimRecord | None, store: str, width: int) -> Iterator[str]:
    """Yield all that a reader wants to know of a claim; marks of style as rich reads them.

    Args:
        folder: the claim.
        record: the last that has verdicts; None if there is none.
        store: where it was looked for.
        width: columns of the terminal.
    """
    claim, source = folder.claim, folder.claim.source
    room = min(width, WIDEST)
    yield f"[bold]{safe(claim.id)}[/]"
    yield f"{safe(claim.title)}"
    yield ""
    yield from _field("statement", claim.statement, room)
    paper = f"; {source.paper}" if source.paper else ""
    yield from _field("source", f"{folder.document.title}, section {source.section}{paper}", room)
    reported = "; ".join(f"{name} {value}" for name, value in source.reported.items())
    yield from _field("reported", reported or "no figure", room)
    yield from _field("strength", wording.in_words(claim.strength), room)
    yield from _field("does not show", claim.does_not_show, room)
    yield from _waiver(claim, room)
    yield from ("", "[bold]arms[/]", *(f"  {safe(name)}: {_settings(arm)}" for name, arm in claim.arms.items()))
    if claim.command:
        yield from (
            "",
            "[bold]command[/]",
            *(f"  {line}" for line in _wrapped(command_line(claim.command.run), width - 2)),
        )
    if claim.results:
        yield from ("", "[bold]results[/]", f"  {safe(claim.results.files)}, pairing: {safe(claim.results.pairing)}")
    if claim.conditions:
        yield from ("", "[bold]conditions[/]")
        yield from (f"  {safe(name)}: {safe(', '.join(map(str, c.values)))}" for name, c in claim.conditions.items())
    yield from _readings(claim, record, room)
    yield from _controls(claim, record, room)
    yield from ("", "[bold]profiles[/]", *(f"  {safe(name)}: {_profile(claim, name)}" for name in claim.profiles))
    yield from ("", "[bold]last run[/]", f"  {_last(record, store)}")
    yield from ("", "[bold]run it[/]", f"  claims run {claim.id}", f"  [dim]{safe(folder.path / 'claim.yaml')}[/]")


def _field(name: str, text: str, width: int) -> Iterable[str]:
    first, *others = _wrapped(text, width - 15) or [""]
    return [f"[dim]{name:<14}[/] {first}", *(f"{'':<15}{line}" for line in others)]


def _wrapped(text: str, width: int) -> list[str]:
    from harness._text import one_line

    return [safe(line) for line in textwrap.wrap(one_line(text), max(20, width))]


def _settings(settings: dict[str, Any]) -> str:
    return safe(", ".join(f"{name} {value}" for name, value in settings.items()) or "as it is")


def _waiver(claim: Claim, width: int) -> Iterable[str]:
    waiver = claim.waiver
    return _field("waiver", f"{waiver.reason} ({waiver.owner}, until {waiver.expires})", width) if waiver else []


def _readings(claim: Claim, record: ClaimRecord | None, width: int) -> Iterator[str]:
    for name, reading in claim.readings.items():
        found = record.readings.get(name) if record else None
        came = f"  {_mark(found)} last {found.verdict}" if found else "  [dim]not judged yet[/]"
        every = ", every expectation decided" if reading.decide == "all" else ""
        yield from ("", f"[bold]reading {safe(name)}[/], expected {reading.expected}{every}{came}")
        wanted = expected_of(reading)
        yield from (
            f"  {line}" for text in (reading.means, reading.because) if text for line in _wrapped(text, width - 2)
        )
        for key, expectation in reading.expectations.items():
            last = found.expectations.get(key) if found else None
            yield from _expectation(key, expectation, wanted[key], last, width)


def _expectation(
    name: str, expectation: Expectation, wanted: str, last: ExpectationRecord | None, width: int
) -> Iterator[str]:
    contrast = wording.contrast_words(expectation.contrast)
    reported = "" if expectation.reported is None else f"; reported {wording.number(expectation.reported)}"
    yield f"  {safe(name)}{'' if wanted == 'VERIFIED' else f', expected {wanted}'}"
    yield from (f"    {line}" for line in _wrapped(f"{contrast}: {expectation.band}{reported}", width - 4))
    yield from (f"    [dim]{line}[/]" for line in _wrapped(f"because {expectation.because.strip()}", width - 4))
    if expectation.no_control:
        text = f"no control, because {expectation.no_control.strip()}"
        yield from (f"    [dim]{line}[/]" for line in _wrapped(text, width - 4))
    if last:
        found = f"{wording.number(last.estimate)} {wording.span(last)} {last.unit}, n {last.n}"
        yield f"    last: {safe(found)}, {last.verdict}"


def _controls(claim: Claim, record: ClaimRecord | None, width: int) -> Iterator[str]:
    for name, control in claim.controls.items():
        found = record.controls.get(name) if record else None
        came = "" if found is None else "  [green]✓[/] behaved" if found.behaves else "  [bold red]![/] did not behave"
        why = [] if found is None else _wrapped(f"last: {wording.control_state(found)}", width - 2)
        change = " of ".join(filter(None, (_settings(control.change), safe(", ".join(control.arms or ())))))
        yield from ("", f"[bold]control {safe(name)}[/]{came}")
        broken = f"{', '.join(control.breaks)} must not come out as expected"
        yield f"  {change}, and {safe(broken)}"
        yield from (f"  {line}" for line in why)
        yield from (f"  [dim]{line}[/]" for line in _wrapped(f"because {control.because.strip()}", width - 2))


def _profile(claim: Claim, name: str) -> str:
    profile = claim.profiles[name]
    seeds = (
        f"{profile.seeds.first} to {profile.seeds.cap} seeds"
        if profile.seeds.cap > profile.seeds.first
        else f"{profile.seeds.cap} seeds"
    )
    return safe(", ".join([seeds, *(f"{key} {value}" for key, value in profile.settings.items())]))


def _last(record: ClaimRecord | None, store: str) -> str:
    if record is None:
        return f"none in {safe(store)}"
    facts = f"profile {record.profile}, base seed {record.base_seed}, {record.device}, {record.finished[:16]}"
    return f"{safe(facts)}; as the specification was then"
