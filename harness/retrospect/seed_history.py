"""What the store knows of a claim, replication by replication, and of all claims over all base seeds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.judging.expected import came_as_expected
from harness.judging.verdict import NOT_RUN
from harness.running.pooling import join, replications_of
from harness.running.variant import main_variant
from harness.store.records.parsing import plain
from harness.trials.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.specification.models import Claim
    from harness.specification.readings import Reading
    from harness.store.records.expectation import ReadingRecord, ReplicationRecord
    from harness.store.store import Store
    from harness.trials.catalogue import ClaimFolder
    from harness.trials.options import Options

NO_REPLICATION = -1
"""A base seed that no run has: every replication in the store lies before it."""


@dataclass(frozen=True)
class History:
    """The replications of a claim.

    Attributes:
        claim: the specification.
        profile: the profile they were run with.
        code: digest of the present code.
        replications: expectation -> its replications, oldest first; none for `exact`.
        apart: base seed -> why that replication is not joined, latest first.
    """

    claim: Claim
    profile: str
    code: str
    replications: dict[str, list[ReplicationRecord]]
    apart: dict[int, str]


def history_of(folder: ClaimFolder, store: Store, options: Options) -> History:
    """Return the replications of a claim whose trials are those of the present code, data and environment.

    Raises:
        UsageError: no such profile or device.
        TrialError: the experiment cannot be loaded.
        DataError: a data file is not what it should be.
    """
    plan = make_plan(folder, replace(options, base_seed=NO_REPLICATION))
    variant = main_variant(plan.claim)
    series = join(plan, variant, store)
    replications = {name: replications_of(e, plan, variant, series) for name, e in variant.expectations.items()}
    return History(plan.claim, plan.profile, plan.code.digest, replications, dict(series.apart))


def as_plain(history: History) -> dict[str, Any]:
    """Return a history as plain values."""
    return {
        "claim": history.claim.id,
        "profile": history.profile,
        "code": history.code,
        "replications": {
            name: [plain(replication) for replication in replications]
            for name, replications in history.replications.items()
        },
        "apart": history.apart,
    }


@dataclass(frozen=True)
class Counted:
    """A reading over its base seeds.

    Attributes:
        head: claim and reading.
        expected: the verdict that it should have.
        total: base seeds that it was run with.
        verdicts: which verdicts they gave, and how often.
        other: base seeds that gave another than the expected one.
    """

    head: str
    expected: str
    total: int
    verdicts: str
    other: list[int]


def counted(folder: ClaimFolder, store: Store, profile: str) -> Iterator[Counted]:
    """Yield what the base seeds of a claim gave, reading by reading, each by its last run."""
    records = store.last_records(folder.claim.id, profile)
    for name, reading in folder.claim.readings.items():
        found = {seed: r.readings[name] for seed, r in records.items() if name in r.readings}
        counts = Counter(one.verdict for one in found.values())
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        other = sorted(seed for seed, one in found.items() if not _as_expected(reading, one))
        yield Counted(f"{folder.claim.id}, {name}", reading.expected, len(found), verdicts, other)


def _as_expected(reading: Reading, found: ReadingRecord) -> bool:
    """Return whether what was found of a reading is what its specification of today expects, of each expectation too."""
    each = {
        name: found.expectations[name].verdict if name in found.expectations else NOT_RUN
        for name in reading.expectations
    }
    return found.verdict == reading.expected and False not in came_as_expected(reading, each).values()
