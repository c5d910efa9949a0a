"""What stored trials let one expect of a claim, as a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.judging.caps import seeds_needed
from harness.judging.ranges import reachable, sequence_of
from harness.running.record import forecast_record
from harness.specification.kinds import Exact
from harness.store.records.outlook import ExpectationOutlook, OutlookRecord
from harness.store.records.parts import finite

if TYPE_CHECKING:
    from harness.running.cost import Outlook
    from harness.specification.models import Claim


def outlook_record(outlook: Outlook) -> OutlookRecord:
    """Return what to expect of a claim under a profile."""
    claim = outlook.plan.claim
    return OutlookRecord(
        id=claim.id,
        profile=outlook.profile,
        cap=outlook.plan.seeds.cap,
        trials=outlook.trials,
        least_powered=outlook.least_powered,
        seconds=outlook.seconds,
        peak_bytes=outlook.peak_bytes,
        expectations={
            name: ExpectationOutlook(
                **dict(forecast_record(found)),
                smallest_effect=finite(found.smallest_effect()),
                factor=found.log,
                fewest=_fewest(claim, name),
            )
            for name, found in outlook.forecasts.items()
        },
    )


def _fewest(claim: Claim, name: str) -> int | None:
    """Return the fewest seeds that could decide an expectation at all, None for mathematics."""
    expectation = claim.expectations[name]
    if isinstance(expectation.contrast, Exact):
        return None
    band, bounds = (expectation.band.low, expectation.band.high), reachable(expectation.contrast, claim)
    return seeds_needed(sequence_of(expectation.contrast, claim), expectation.alpha, band, bounds)
