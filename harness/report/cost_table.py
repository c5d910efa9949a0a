"""The table of `claims plan`: what claims will cost, and whether they will be decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report import wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.store.records.outlook import ExpectationOutlook, OutlookRecord

USUAL = 6
"""Seeds that any expectation may need; more is told."""

HEAD = f"{'':<10}{'effect/sd':>10}{'decides':>10}{'seeds':>16}{'seconds':>10}{'memory':>10}{'smallest':>11}  least_powered expectation"


def lines(outlooks: list[OutlookRecord], *, everything: bool = False) -> list[str]:
    """Return the table; `everything` lists every expectation below its claim."""
    found, last = [HEAD], None
    for outlook in outlooks:
        if outlook.id != last:
            found.append(outlook.id)
            last = outlook.id
        found.append(_line(outlook))
        if outlook.trials and everything:
            found += _expectations(outlook)
    if any(e.underpowered for outlook in outlooks for e in outlook.expectations.values()):
        found.append("! may stay undecided: less than 0.9 probability to decide within the cap")
    return found


def _line(outlook: OutlookRecord) -> str:
    name = f"  {outlook.profile:<8}"
    if not outlook.trials:
        command = f"claims plan {outlook.id} --profile {outlook.profile} --pilot"
        return f"{name} no stored trials; `{command}` measures a few seeds"
    least_powered = outlook.expectations[outlook.least_powered]
    seconds = wording.number(outlook.seconds)
    peak = "-" if outlook.peak_bytes is None else f"{outlook.peak_bytes / 1e6:.0f} MB"
    return name + _cells(least_powered, outlook.cap, seconds, peak) + f"  {outlook.least_powered}{_why(least_powered)}"


def _expectations(outlook: OutlookRecord) -> Iterator[str]:
    for name, expectation in outlook.expectations.items():
        yield f"{'':<10}{_cells(expectation, outlook.cap, '', '')}  {name}{_why(expectation)}"


def _cells(expectation: ExpectationOutlook, cap: int, seconds: str, peak: str) -> str:
    smallest = wording.number(expectation.smallest_effect)
    decides = "-" if expectation.probability is None else f"{expectation.probability:.2f}"
    seeds = "-" if expectation.seeds is None else f"{expectation.seeds:.1f} of {cap}"
    return (
        f"{wording.number(expectation.effect):>10}{'! ' * expectation.underpowered + decides:>10}{seeds:>16}"
        f"{seconds:>10}{peak:>10}{'x ' * expectation.factor + smallest:>11}"
    )


def _why(expectation: ExpectationOutlook) -> str:
    if expectation.reason:
        return f" (no forecast: {expectation.reason})"
    fewest = expectation.fewest
    return f" (at least {fewest} seeds)" if fewest is not None and fewest > USUAL else ""
