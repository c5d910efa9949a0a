"""One version of a claim, as it stands or broken, looked at in a process of its own.

`main` takes two files of JSON, a request and where its answer goes. Nothing is stored, and nothing of the
project is written; a trial is measured once, whatever reads it, as a run's store has it. What first tells the version
from the claim as it stands, a stage, a reading, a control, is the last that is looked at.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ClaimsError
from harness.judging.controls import Tried, headline, state_of
from harness.judging.expected import came_as_expected, expectations_expected
from harness.judging.points import metric_of, wall_clock_metrics
from harness.judging.verdict import INCONCLUSIVE, NOT_RUN
from harness.running.proof.reached import lines_reached
from harness.running.proof.replaced_source import replace_source
from harness.running.proof.request import CONTROLS, INSTRUMENT, READINGS, SMOKE, STAGES, Request
from harness.running.variant import control_variant, main_variant
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.store.records.parsing import plain
from harness.store.records.proof import Answer
from harness.trials.catalogue import load_claim
from harness.trials.experiment import load_experiment, run_task
from harness.trials.jobs import only
from harness.trials.memory import at_most
from harness.trials.options import Options
from harness.trials.plan import make_plan, tasks_of
from harness.trials.provenance import digest_of
from harness.trials.worker import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from harness.running.variant import Variant
    from harness.specification.models import Claim
    from harness.specification.readings import Reading
    from harness.trials.catalogue import ClaimFolder
    from harness.trials.experiment import Outcome
    from harness.trials.plan import Plan

    Known = dict[str, Outcome]
    """Key of a trial -> what became of it."""

OF_VERDICTS = {"reading", "control", "training_arm", "inference_arm", "benchmark"}
"""Fixtures of the tests beside a claim that check no instrument."""

GIGABYTES = 8.0
"""Memory that a version may add to what its process holds."""


def examine(request: Request) -> Answer:
    """Put a version through its stages, in this process: whatever it imports stays imported."""
    if request.file:
        replace_source(Path(request.file), request.text)
    answer, begun = Answer(), time.process_time()
    known: Known = {}
    steps: dict[str, Callable[[ClaimFolder, Request, Answer, Known], None]] = {
        SMOKE: _smoke,
        INSTRUMENT: _instrument,
        READINGS: _readings,
        CONTROLS: _controls,
    }
    try:
        folder = load_claim(Path(request.folder))
        with at_most(GIGABYTES), one_thread(), lines_reached(request.watched) as lines:
            for stage in (stage for stage in STAGES if stage in request.stages):
                # What changes no number at the smoke scale is left to the tests of the instrument.
                if answer.unchanged and stage in (READINGS, CONTROLS):
                    break
                steps[stage](folder, request, answer, known)
                answer.noticed = _difference(request, answer)
                if answer.noticed or answer.error:
                    break
        answer.reached = {path: sorted(own) for path, own in lines.items()}
    except ClaimsError as error:
        answer.error = str(error).splitlines()[0]
        answer.noticed = f"does not run: {answer.error}"
    answer.seconds = time.process_time() - begun
    return answer


def _difference(request: Request, answer: Answer) -> str:
    """Return what tells a version from the claim as it stands; nothing for that claim itself."""
    return difference(request.intact, answer) if request.intact else ""


def difference(intact: Answer, now: Answer) -> str:
    """Return what tells a version from the claim as it stands, in words; empty for nothing."""
    if now.error:
        return f"does not run: {now.error}"
    for test in now.failed:
        if test not in intact.failed:
            return f"instrument test {test} fails"
    for name, verdict in now.verdicts.items():
        # A reading that is undecided at this look as it stands says nothing by being so.
        was_expected = name in intact.verdicts and name not in intact.unexpected
        if name in now.unexpected and (was_expected or verdict not in (INCONCLUSIVE, NOT_RUN)):
            why = f": {now.errors[0]}" if now.errors else ""
            return f"reading {name} is {verdict}{why}"
    idle = [name for name, behaves in now.controls.items() if intact.controls.get(name) and not behaves]
    return f"control {idle[0]} breaks nothing" if idle else ""


def _smoke(folder: ClaimFolder, request: Request, answer: Answer, known: Known) -> None:
    """Run every trial of the smoke profile, those of controls too; note the digest of what they yield."""
    options = Options(profile=NO_VERDICT_PROFILE, base_seed=request.base_seed, device=request.device)
    plan = make_plan(folder, options)
    durations, found = wall_clock_metrics(plan.claim), []
    for variant in variants_of(plan.claim):
        measure_here(plan, variant, list(variant.expectations), plan.seeds.first, known)
        if variant.errors:
            answer.error = variant.errors[0]
            return
        found += [
            [variant.name, point, seed, {name: value for name, value in row.items() if name not in durations}]
            for point, rows in variant.evidence.items()
            for seed, row in sorted(rows.items())
        ]
    answer.numbers = digest_of(found)
    answer.unchanged = request.intact is not None and answer.numbers == request.intact.numbers


def variants_of(claim: Claim) -> Iterator[Variant]:
    """Yield the claim as it stands, then under each control's change."""
    main = main_variant(claim)
    yield main
    yield from (control_variant(claim, name, main) for name in claim.controls)


def measure_here(plan: Plan, variant: Variant, names: Collection[str], n: int, known: Known) -> None:
    """Measure what the named expectations read of the seeds 0 to n - 1, past every store; what is known already is not measured again."""
    for task in tasks_of(plan, variant.points(names, plan.claim), range(n), variant.change_of):
        missing = only(task, [seed for seed in task.seeds if not variant.knows(plan, task, seed)])
        if missing is None:
            continue
        pairs = list(zip(missing.seeds, missing.keys, strict=True))
        anew = only(missing, [seed for seed, key in pairs if key not in known])
        if anew is not None:
            known.update(zip(anew.keys, run_task(replace(anew, code=None)), strict=True))
        for seed, key in pairs:
            variant.keep(plan, missing, seed, known[key])


def _instrument(folder: ClaimFolder, request: Request, answer: Answer, _: Known) -> None:
    """Run the tests beside the claim that judge no verdict and time nothing; note which fail."""
    import pytest

    load_experiment(folder.experiment, folder.project)
    files = [str(path) for path in sorted(folder.path.glob("test_*.py"))]
    plugin = _Instrument(answer.failed)
    with tempfile.TemporaryDirectory() as place:
        temporary = Path(place, "temporary")
        own = [
            f"--claims-store={place}/store.sqlite3",
            f"--claims-report={place}",
            f"--claims-profile={request.profile}",
        ]
        flags = ["-p", "claims", "-p", "benchmark", "-p", "no:cacheprovider", "--benchmark-skip", "--claims-wanted"]
        flags += [f"--rootdir={folder.project}", "--override-ini=addopts=", "-q", "-x", f"--basetemp={temporary}"]
        # What is imported already cannot be rewritten any more, and a project may take warnings for errors.
        flags += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        code = pytest.main([*flags, *own, *files], plugins=[plugin])
    if code == pytest.ExitCode.INTERNAL_ERROR:
        answer.failed.append("pytest itself")


class _Instrument:
    """What tells pytest which tests are asked, and hears which fail."""

    def __init__(self, failed: list[str]) -> None:
        self._failed = failed

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Leave out the tests of verdicts and timings."""
        items[:] = [item for item in items if not OF_VERDICTS & set(getattr(item, "fixturenames", ()))]

    def pytest_collectreport(self, report: Any) -> None:
        """Note a file of tests that cannot be imported."""
        if report.failed:
            self._failed.append(f"{Path(report.nodeid).name} cannot be collected")

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note a test that fails."""
        if report.failed:
            self._failed.append(report.nodeid.split("::", 1)[-1])


def _readings(folder: ClaimFolder, request: Request, answer: Answer, known: Known) -> None:
    """Judge reading by reading, at the first look or until it is decided."""
    plan = _plan(folder, request)
    for name in _names(plan.claim, request):
        main = main_variant(plan.claim, [name])
        _gather(plan, main, plan.seeds.looks if request.to_the_end else plan.seeds.looks[:1], known)
        verdict, as_expected = reading_of(plan.claim, plan.claim.readings[name], main)
        answer.verdicts[name] = verdict
        answer.unexpected += [] if as_expected else [name]
        answer.errors = answer.errors or main.errors[:1]
        if _difference(request, answer):
            break


def _names(claim: Claim, request: Request) -> list[str]:
    """Return the readings that are judged: durations that are taken beside other processes decide nothing."""
    if request.readings is not None:
        return list(request.readings)
    durations = wall_clock_metrics(claim)
    return [
        name
        for name, reading in claim.readings.items()
        if not durations & {metric_of(e.contrast) for e in reading.expectations.values()}
    ]


def _plan(folder: ClaimFolder, request: Request) -> Plan:
    return make_plan(folder, Options(profile=request.profile, base_seed=request.base_seed, device=request.device))


def _gather(plan: Plan, variant: Variant, looks: list[int], known: Known) -> None:
    for n in looks:
        names = variant.open()
        if not names or variant.failed:
            break
        measure_here(plan, variant, names, n, known)
        variant.judge(plan)


def reading_of(claim: Claim, reading: Reading, main: Variant) -> tuple[str, bool]:
    """Return the verdict of a reading, its controls left aside, and whether it came out as expected."""
    verdicts = {name: main.judgements[name].verdict for name in reading.expectations}
    flipped = [name for name, as_expected in came_as_expected(reading, verdicts).items() if as_expected is False]
    found = headline(_tried(claim, main, reading.expectations), {}, flipped=flipped, errors=main.errors)
    return found.verdict, found.verdict == reading.expected and not flipped


def _tried(claim: Claim, variant: Variant, names: Collection[str]) -> list[Tried]:
    expected, found = expectations_expected(claim), variant.judgements
    return [Tried(name, found[name].verdict, found[name].reason, expected[name], enough=True) for name in names]


def _controls(folder: ClaimFolder, request: Request, answer: Answer, known: Known) -> None:
    """Judge control by control at the first look."""
    plan = _plan(folder, request)
    main = main_variant(plan.claim, _names(plan.claim, request))
    for name in plan.claim.controls:
        control = control_variant(plan.claim, name, main)
        if control.expectations:
            _gather(plan, control, plan.seeds.looks[:1], known)
            tried = _tried(plan.claim, control, control.expectations)
            answer.controls[name] = state_of(tried, control.errors).behaves
        if _difference(request, answer):
            break


def main(request: Path, answer: Path) -> None:
    """Examine what a file asks for, and write what is seen."""
    asked = Request.of(request.read_text(encoding="utf-8"))
    if asked.seconds is not None:
        # Of the processor, so that a busy machine ends nothing.
        resource.setrlimit(resource.RLIMIT_CPU, (int(asked.seconds) + 1, int(asked.seconds) + 5))
    answer.write_text(json.dumps(plain(examine(asked))), encoding="utf-8")
