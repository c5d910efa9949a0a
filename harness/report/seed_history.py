"""The replications of a claim, and the verdicts over all base seeds, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.judging.expected import expected_of
from harness.report import wording
from harness.retrospect.seed_history import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.retrospect.seed_history import History
    from harness.store.records.expectation import ReplicationEstimate, ReplicationRecord
    from harness.store.store import Store
    from harness.trials.catalogue import ClaimFolder


def lines(history: History) -> Iterator[str]:
    """Yield a history as text: per expectation a row per replication, alone and with all replications before it."""
    claim = history.claim
    yield f"{claim.id} (profile {history.profile}, code {history.code[:8]})"
    for reading, body in claim.readings.items():
        yield f"  {reading}, expected {body.expected}"
        for (name, expectation), wanted in zip(body.expectations.items(), expected_of(body).values(), strict=True):
            yield f"    {name}: band {expectation.band}, error rate {expectation.alpha:g}, expected {wanted}"
            yield from _rows(history.replications[name])
    for base_seed, why in history.apart.items():
        yield f"  not joined: base seed {base_seed}: {why}"


def _rows(replications: list[ReplicationRecord]) -> Iterator[str]:
    if not replications:
        yield "      no sample over replications"
        return
    yield f"      {'replication':<10} {'base seed':>9}  {'seeds':>5} {'alone':<32} {'seeds':>6} accumulated"
    for replication in replications:
        alone, together = replication.alone, replication.accumulated
        yield (
            f"      {replication.date:<10} {replication.base_seed:>9}  {alone.n:>5} {_interval(alone):<32} "
            f"{together.n:>6} {_interval(together)} {wording.SYMBOL[together.verdict]} {together.verdict}"
        )


def _interval(found: ReplicationEstimate) -> str:
    return f"{wording.number(found.estimate)} {wording.span(found)}"


def verdict_counts(claims: Iterable[ClaimFolder], store: Store, profile: str) -> Iterator[str]:
    """Yield for every reading which verdicts its base seeds gave, each by its last run, and which came out otherwise."""
    rows = [row for folder in claims for row in counted(folder, store, profile)]
    width = max((len(row.head) for row in rows), default=0)
    yield f"{'reading':<{width}}  {'expected':<12} {'as expected':<12} verdicts"
    for row in rows:
        good = f"{row.total - len(row.other)} of {row.total}"
        flips = f"; otherwise at base seeds {', '.join(map(str, row.other))}" if row.other else ""
        yield f"{row.head:<{width}}  {row.expected:<12} {good:<12} {row.verdicts or 'not run'}{flips}"
    total = sum(row.total for row in rows)
    yield f"{total - sum(len(row.other) for row in rows)} of {total} as expected"
