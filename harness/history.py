"""What the store knows of a claim, night by night, and of all claims over all base seeds."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from harness import explain
from harness.expected import came_as_expected, expected_of
from harness.plan import make_plan
from harness.series import join, nights_of
from harness.variant import main_variant
from harness.verdict import NOT_RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.catalogue import ClaimFolder
    from harness.options import Options
    from harness.record import Record
    from harness.series import NightShown
    from harness.spec import Claim, Reading
    from harness.store import Store

NO_NIGHT = -1
"""A base seed that no run has: every night in the store lies before it."""


@dataclass(frozen=True)
class History:
    """The nights of a claim.

    Attributes:
        claim: the specification.
        profile: the profile they were run with.
        code: digest of the present code.
        nights: expectation -> its nights, oldest first; none for `exact`.
        apart: base seed -> why that night is not joined, latest first.
    """

    claim: Claim
    profile: str
    code: str
    nights: dict[str, list[NightShown]]
    apart: dict[int, str]


def history_of(folder: ClaimFolder, store: Store, options: Options) -> History:
    """Return the nights of a claim whose trials are those of the present code, data and environment.

    Raises:
        UsageError: no such profile or device.
        TrialError: the experiment cannot be loaded.
        DataError: a data file is not what it should be.
    """
    plan = make_plan(folder, replace(options, base_seed=NO_NIGHT))
    variant = main_variant(plan.claim)
    series = join(plan, variant, store)
    nights = {name: nights_of(e, plan, variant, series) for name, e in variant.expectations.items()}
    return History(plan.claim, plan.profile, plan.code.digest, nights, dict(series.apart))


def as_plain(history: History) -> dict[str, Any]:
    """Return a history as plain values."""
    return {
        "claim": history.claim.id,
        "profile": history.profile,
        "code": history.code,
        "nights": {name: [asdict(night) for night in nights] for name, nights in history.nights.items()},
        "apart": history.apart,
    }


def lines(history: History) -> Iterator[str]:
    """Yield a history as text: per expectation a row per night, alone and with all nights before it."""
    claim = history.claim
    yield f"{claim.id} (profile {history.profile}, code {history.code[:8]})"
    for reading, body in claim.readings.items():
        yield f"  {reading}, expected {body.expected}"
        for (name, expectation), wanted in zip(body.expectations.items(), expected_of(body).values(), strict=True):
            yield f"    {name}: band {expectation.band}, error rate {expectation.alpha:g}, expected {wanted}"
            yield from _rows(history.nights[name])
    for base_seed, why in history.apart.items():
        yield f"  not joined: base seed {base_seed}: {why}"


def _rows(nights: list[NightShown]) -> Iterator[str]:
    if not nights:
        yield "      no sample over nights"
        return
    yield f"      {'night':<10} {'base seed':>9}  {'seeds':>5} {'alone':<32} {'seeds':>6} accumulated"
    for shown in nights:
        night = shown.night
        yield (
            f"      {night.date[:10]:<10} {night.base_seed:>9}  {shown.alone.n:>5} {_interval(shown.alone):<32} "
            f"{shown.accumulated.n:>6} {_interval(shown.accumulated)} {explain.SYMBOL[shown.accumulated.verdict]} "
            f"{shown.accumulated.verdict}"
        )


def _interval(shown: Any) -> str:
    return f"{shown.estimate:.4g} [{shown.low:.4g}, {shown.high:.4g}]"


def verdict_counts(claims: Iterable[ClaimFolder], store: Store, profile: str) -> Iterator[str]:
    """Yield for every reading which verdicts its base seeds gave, each by its last run, and which came out otherwise."""
    counted = [row for folder in claims for row in _counted(folder, store, profile)]
    width = max((len(row.head) for row in counted), default=0)
    yield f"{'reading':<{width}}  {'expected':<12} {'as expected':<12} verdicts"
    for row in counted:
        good = f"{row.total - len(row.other)} of {row.total}"
        flips = f"; otherwise at base seeds {', '.join(map(str, row.other))}" if row.other else ""
        yield f"{row.head:<{width}}  {row.expected:<12} {good:<12} {row.verdicts or 'not run'}{flips}"
    total = sum(row.total for row in counted)
    yield f"{total - sum(len(row.other) for row in counted)} of {total} as expected"


@dataclass(frozen=True)
class _Counted:
    """A reading over its base seeds: how many, which verdicts, and which came out otherwise."""

    head: str
    expected: str
    total: int
    verdicts: str
    other: list[int]


def _counted(folder: ClaimFolder, store: Store, profile: str) -> Iterator[_Counted]:
    records = store.last_records(folder.claim.id, profile)
    for name, reading in folder.claim.readings.items():
        found = {seed: r["readings"][name] for seed, r in records.items() if name in r["readings"]}
        counts = Counter(one["verdict"] for one in found.values())
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        other = sorted(seed for seed, one in found.items() if not _as_expected(reading, one))
        yield _Counted(f"{folder.claim.id}, {name}", reading.expected, len(found), verdicts, other)


def _as_expected(reading: Reading, found: Record) -> bool:
    """Return whether what was found of a reading is what its specification of today expects, of each expectation too."""
    each = {name: found["expectations"].get(name, {}).get("verdict", NOT_RUN) for name in reading.expectations}
    return found["verdict"] == reading.expected and False not in came_as_expected(reading, each).values()
