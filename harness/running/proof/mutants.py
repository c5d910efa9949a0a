"""How many broken versions of its experiment a claim notices."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from harness._clock import now
from harness.errors import TrialError, UsageError
from harness.running.proof.check import Check
from harness.running.proof.versions import possible, sample, versions_of
from harness.seeds import Seed
from harness.store.records.proof import MutantsRecord, VersionRecord
from harness.trials.options import Options
from harness.trials.plan import fingerprint, make_plan
from harness.trials.provenance import digest_of
from harness.trials.sabotage import load_sabotage

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from harness.running.proof.examiner import Examiner
    from harness.running.proof.request import Request
    from harness.running.proof.versions import Version
    from harness.specification.models import Claim
    from harness.store.records.proof import Answer
    from harness.trials.catalogue import ClaimFolder

AIM = 0.8
"""Share of broken versions that a claim should notice."""

MUTANTS = "mutants"

ALLOWANCE = 5.0
"""Seconds of the processor, besides three times those of the claim as it stands, that a version may take."""

KINDS = ("does not run", "instrument test", "reading", "control")
"""How what noticed a version begins, in words."""


def kept_as(claim: Claim) -> str:
    """Return what the score of a claim is kept as: what was noticed hangs on readings and controls, too."""
    parts = claim.model_dump(mode="json", include={"readings", "controls", "metrics"})
    return f"{MUTANTS} {digest_of(parts)[:16]}"


def mutants(
    folder: ClaimFolder, examiner: Examiner, base: Request, n: int, seed: int, say: Callable[[str], None]
) -> tuple[Check, MutantsRecord]:
    """Break an experiment in `n` small ways; return the check, and the record that was kept beside the claim's trials.

    Raises:
        UsageError: nothing to break, or an equal version that is none.
        TrialError: the claim as it stands does not run, or fails its own tests.
    """
    begun = time.perf_counter()
    plan = make_plan(folder, Options(profile=base.profile, base_seed=base.base_seed, device=base.device))
    everything = versions_of(plan)
    equal = _equal(folder, everything)
    _require_some(folder, everything)
    intact = _as_it_stands(folder, examiner, base, {version.file for version in everything})
    able = possible(plan, everything, intact.reached)
    chosen = sample(able, n, Seed(seed, folder.claim.id, 0).numpy(MUTANTS))
    _require_some(folder, chosen)
    requests = [_request(folder, version, base, intact) for version in chosen]
    done = Counter[str]()

    def tell(at: int, answer: Answer) -> None:
        done["all"] += 1
        how = answer.noticed or ("changes nothing at the smoke scale" if answer.unchanged else "NOT NOTICED")
        say(f"{folder.claim.id}: [{done['all']}/{len(chosen)}] {chosen[at].change}: {how}")

    answers = examiner.ask(folder, requests, tell)
    rows = [_row(version, answer, equal) for version, answer in zip(chosen, answers, strict=True)]
    record = MutantsRecord(
        profile=base.profile,
        base_seed=base.base_seed,
        seed=seed,
        possible=len(able),
        noticed=sum(bool(row.noticed) for row in rows),
        counted=sum(row.equal is None for row in rows),
        by=dict(Counter(kind_of(row.noticed) for row in rows if row.noticed)),
        versions=rows,
        finished=now(),
    )
    examiner.store.save_beside(folder.claim.id, kept_as(folder.claim), fingerprint(plan), record)
    return _check(record, time.perf_counter() - begun), record


def _require_some(folder: ClaimFolder, versions: list[Version]) -> None:
    if not versions:
        raise UsageError(f"{folder.experiment}: holds nothing that can be broken")


def kind_of(noticed: str) -> str:
    """Return what noticed a version, in short."""
    return next(kind for kind in KINDS if noticed.startswith(kind))


def _equal(folder: ClaimFolder, versions: list[Version]) -> dict[str, str]:
    """Return the versions that sabotage.yaml lists as equal: change -> why.

    Raises:
        UsageError: one of them is no version of today's experiment.
    """
    sabotage = load_sabotage(folder.path, folder.claim)
    equal = sabotage.equal if sabotage else {}
    unknown = equal.keys() - {version.change for version in versions}
    if unknown:
        raise UsageError(
            f"{folder.path / 'sabotage.yaml'}: equal: {min(unknown)!r} is no broken version of the experiment any more; take it out"
        )
    return equal


def _as_it_stands(folder: ClaimFolder, examiner: Examiner, base: Request, files: Collection[str]) -> Answer:
    """Return what is seen of the unbroken claim, and which lines of some files ran: file, relative to the project -> lines.

    Raises:
        TrialError: it does not run, or fails its own tests: nothing can be said of broken ones.
    """
    paths = {str(folder.project / name): name for name in sorted(files)}
    (intact,) = examiner.ask(folder, [replace(base, watched=tuple(paths))])
    wrong = intact.error or (f"instrument test {intact.failed[0]} fails" if intact.failed else "")
    if wrong:
        raise TrialError(f"{folder.path}: as it stands, {wrong}; mend that first")
    return intact.model_copy(update={"reached": {paths[path]: lines for path, lines in intact.reached.items()}})


def _request(folder: ClaimFolder, version: Version, base: Request, intact: Answer) -> Request:
    seconds = ALLOWANCE + 3 * intact.seconds
    return replace(base, file=str(folder.project / version.file), text=version.text, intact=intact, seconds=seconds)


def _row(version: Version, answer: Answer, equal: dict[str, str]) -> VersionRecord:
    return VersionRecord(
        file=version.file,
        line=version.line,
        change=version.change,
        operator=version.operator,
        noticed=answer.noticed,
        unchanged=answer.unchanged and not answer.noticed,
        # One that is noticed after all is no equal one, whatever the list says.
        equal=None if answer.noticed else equal.get(version.change),
        listed=version.change in equal,
    )


def survivors(record: MutantsRecord) -> list[VersionRecord]:
    """Return the versions that nothing noticed, and that nobody gave a reason for."""
    return [row for row in record.versions if not row.noticed and row.equal is None]


def _check(record: MutantsRecord, seconds: float) -> Check:
    check = Check(MUTANTS, score_words(record), seconds=seconds)
    if record.noticed < AIM * record.counted:
        check.failures.append(f"{score_words(record)}, fewer than {AIM:.0%}")
    check.failures += [
        f"sabotage.yaml: equal: {row.change!r} is noticed ({row.noticed}); take it out"
        for row in record.versions
        if row.listed and row.noticed
    ]
    return check


def score_words(record: MutantsRecord) -> str:
    """Return `notices 17 of 20 broken versions of its experiment`."""
    equal = len(record.versions) - record.counted
    more = f" ({equal} more {'is' if equal == 1 else 'are'} equal to it)" if equal else ""
    return f"notices {record.noticed} of {record.counted} broken versions of its experiment{more}"


def survivor_words(row: VersionRecord) -> str:
    """Return where a version that nothing noticed is broken, and how."""
    what = "changes nothing at the smoke scale" if row.unchanged else "not noticed"
    # The change begins with the name of the file, by which sabotage.yaml knows it.
    return f"{row.file}:{row.line}: {row.change.partition(' ')[2]} ({what})"
