"""What a claim's test holds in its hand: the fixture `claim`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from harness._text import block, one_line
from harness.report import wording
from harness.running import waiver
from harness.seeds import Seed
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.timing import synchronised
from harness.trials.experiment import load_experiment
from harness.trials.occupancy import occupied, waiting

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from harness.running.session import Session
    from harness.store.records.beside import Timed
    from harness.store.records.claim import ClaimRecord
    from harness.store.records.expectation import ControlRecord, ReadingRecord
    from harness.trials.catalogue import ClaimFolder
    from harness.trials.plan import Plan


READS_TRIALS: pytest.StashKey[bool] = pytest.StashKey()
"""Of a test: that it asked for what the run says of its claim."""


def _fail(words: str) -> NoReturn:
    """Fail the test by words alone; pytest would hand the terminal whatever an exception says."""
    pytest.fail(block(words), pytrace=False)


class ClaimHandle:
    """One claim in one test.

    Attributes:
        path: folder of the claim.
    """

    def __init__(self, request: pytest.FixtureRequest, session: Session, path: Path) -> None:
        self.path = path
        self._request = request
        self._session = session
        self._note("claim.id", path.name)
        self._note("claim.profile", session.options.profile)

    def _note(self, name: str, value: object) -> None:
        """Add a property that JUnit reports show."""
        self._request.node.user_properties.append((name, block(value) if isinstance(value, str) else value))

    @cached_property
    def folder(self) -> ClaimFolder:
        """The specification and where it lies."""
        return self._session.claim(self.path)

    @cached_property
    def experiment(self) -> ModuleType:
        """The module experiment.py."""
        return load_experiment(self.folder.experiment, self.folder.project)

    @cached_property
    def plan(self) -> Plan:
        """Settings, device and keys under the chosen profile."""
        return self._session.plan(self.path)

    @property
    def record(self) -> ClaimRecord:
        """What the run says of the claim; the first call runs it."""
        # Late: the models take longer to import than collecting takes.
        from harness.store.records.claim import ProblemRecord

        self._request.node.stash[READS_TRIALS] = True
        record = self._session.record_of(self.path)
        if isinstance(record, ProblemRecord):
            self._note("claim.verdict", record.problem.kind)
            _fail("\n".join(record.problem.lines))
        return record

    def seed(self, index: int = 0) -> Seed:
        """Return a seed of this claim under the run's base seed."""
        return Seed(self._session.options.base_seed, self.path.name, index)

    def check_reading(self, name: str) -> None:
        """Fail unless a reading comes out as expected; skip under a profile that gives no verdict.

        What the claim's waiver covers is reported as xfailed, never as passed; an expired waiver fails.
        """
        record = self.record
        if name not in record.readings:
            _fail(f"{self.path / 'claim.yaml'}: no reading {name!r}")
        reading = record.readings[name]
        self._note("claim.reading", name)
        self._note("claim.verdict", reading.verdict)
        self._note("claim.expected", reading.expected)
        for key, expectation in reading.expectations.items():
            self._note(f"claim.estimate.{key}", wording.number(expectation.estimate))
            self._note(f"claim.interval.{key}", wording.span(expectation))
            self._note(f"claim.verdict.{key}", expectation.verdict)
            self._note(f"claim.expected.{key}", expectation.expected)
        self._note_waiver(record, reading)
        self._skip_without_verdict(record)
        expired = waiver.note(record) if waiver.expired(record) else ""
        if not reading.as_expected:
            words = wording.reading_words(record, name) + self._traces(record)
            self._unexpected(record, reading, words.splitlines()[0], f"{words}\n{expired}".rstrip())
        if expired:
            _fail(expired)

    def check_control(self, name: str) -> None:
        """Fail unless a control breaks what it must break; xfailed where the claim's waiver covers it."""
        record = self.record
        self._note("claim.control", name)
        control = record.controls.get(name)
        if control is None:
            _fail(f"{self.path / 'claim.yaml'}: no control {name!r}")
        self._note("claim.verdict", wording.control_verdict(control))
        self._note_waiver(record, control)
        self._skip_without_verdict(record)
        if not control.behaves:
            words = wording.control_words(record, name)
            self._unexpected(record, control, words[0].strip(), "\n".join([record.id, *words]))

    def _note_waiver(self, record: ClaimRecord, part: ReadingRecord | ControlRecord) -> None:
        for name, value in waiver.properties(record, part).items():
            self._note(f"claim.{name}", value)

    def _unexpected(self, record: ClaimRecord, part: ReadingRecord | ControlRecord, head: str, words: str) -> NoReturn:
        """Fail a reading or control that did not come out as expected; xfail it where a waiver covers it."""
        if part.waived:
            pytest.xfail(one_line(f"{head.rstrip('.')}; {waiver.words(record)}"))
        # Under --runxfail, pytest.xfail() does nothing.
        _fail(words)

    def _skip_without_verdict(self, record: ClaimRecord) -> None:
        if self._session.options.profile != NO_VERDICT_PROFILE:
            return
        if record.errors:
            _fail(f"{record.id}: {record.errors[0]}" + self._traces(record))
        pytest.skip("the smoke profile shows that a claim runs; it gives no verdict")

    def _traces(self, record: ClaimRecord) -> str:
        if not self._request.config.getoption("claims_traceback"):
            return "\n  (--claims-traceback shows the traceback)" if record.errors else ""
        return "\n" + "\n".join(record.traces)

    def time_training(self, benchmark: Any, arm: str) -> None:
        """Time one training of an arm, set-up outside (`prepare_training` of the experiment)."""
        self._time(benchmark, "training", arm)

    def time_inference(self, benchmark: Any, arm: str) -> None:
        """Time one pass of a trained arm over the test data (`prepare_inference`)."""
        self._time(benchmark, "inference", arm)

    def _time(self, benchmark: Any, what: Timed, arm: str) -> None:
        prepare = getattr(self.experiment, f"prepare_{what}", None)
        if prepare is None:
            _fail(f"{self.folder.experiment}: has no prepare_{what}(arm, seed, **settings)")
        from harness.trials.plan import placement, settings_for
        from harness.trials.worker import one_thread

        plan = self.plan
        condition = {name: c.values[-1] for name, c in plan.claim.conditions.items()}
        settings = {**settings_for(plan, arm, condition, {}), **placement(plan, arm)}
        # Under pytest-xdist, and with --benchmark-disable, it runs once and times nothing.
        alone = not getattr(benchmark, "disabled", False)
        context = self._session.context
        words = f"{plan.claim.id}: another run is measuring, and this one's benchmark is to be alone; waiting"
        with occupied(alone=alone, patient=waiting(context.say, words, lambda: context.budget.open)), one_thread():
            timed = synchronised(prepare(arm, self.seed(), **settings), plan.device)
            benchmark.pedantic(timed, rounds=5 if what == "inference" else 3, iterations=1, warmup_rounds=1)
        benchmark.extra_info.update(
            claim=plan.claim.id,
            arm=arm,
            what=what,
            condition={name: str(value) for name, value in condition.items()},
            device=plan.device,
            precision=plan.claim.precision,
            profile=self._session.options.profile,
        )
        if benchmark.stats is not None:
            self._session.keep_timing(plan, what, arm, benchmark)
