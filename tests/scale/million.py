"""A store with a million trials: how large it is, and how long it takes to open it, plan by it, judge by it and add to it."""

from __future__ import annotations

import resource
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness.report.write import write_reports
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.running.cost import outlook_of, remaining_seconds
from harness.running.measuring import take_stored
from harness.running.results import run_of
from harness.running.variant import control_variant, main_variant
from harness.store.garbage import garbage
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from harness.trials.plan import make_plan, tasks_of
from harness.trials.provenance import machine
from harness.trials.rows import TrialRow
from harness.trials.task import Outcome
from tests.tiny_project import write_claim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.trials.catalogue import ClaimFolder

CLAIMS = 1000
TRIALS_OF_A_SEED = 3
"""Two arms, and one of them again under the control."""

SAMPLE = 20
"""Claims of which a mean is taken."""


def ask_a_million(folder: Path, trials: int) -> None:
    """Fill a store, ask it everything that commands ask, and print what each takes."""
    seeds = trials // CLAIMS // TRIALS_OF_A_SEED + 1
    path, root = folder / "store.sqlite3", folder / "project"
    # On the edge of the band, so that every look is judged to the last.
    looks = {"first: 6, step: 2, cap: 12": f"first: {seeds // 6}, step: {seeds // 6}, cap: {seeds}"}
    folders = [load_claim(write_claim(root, f"claim_{n:04d}", gap=0.5, replace=looks)) for n in range(CLAIMS)]
    with closing(Store(path)) as store:
        print_row("filled", 1, lambda: fill(store, folders, seeds))
    print(f"{path.stat().st_size / 1e6:,.0f} MB")
    print_row("opened", 1, lambda: Store(path).close())
    with closing(Store(path)) as store:
        ask(store, folders, root)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB")


def fill(store: Store, folders: list[ClaimFolder], seeds: int) -> None:
    """Store every trial that a run of the claims up to their caps would leave, in one transaction a claim."""
    generator = np.random.default_rng(0)
    store.start_run("run", Options().record(), machine(folders[0].project))
    for folder in folders:
        store._write("BEGIN")
        for row in rows(folder, seeds, generator):
            store.save_trial(row, "run")
        store._write("COMMIT")


def rows(folder: ClaimFolder, seeds: int, generator: np.random.Generator) -> Iterator[TrialRow]:
    """Yield the trials of a claim and its control, as a run would store them; the control shares the cold arm."""
    plan, seen = make_plan(folder, Options()), set()
    around, inputs = plan.environment, plan.inputs
    main = main_variant(plan.claim)
    for variant in (main, control_variant(plan.claim, "same_centre", main)):
        for task in tasks_of(plan, variant.points(variant.expectations, plan.claim), range(seeds), variant.change_of):
            if task.keys[0] in seen:
                continue
            seen.add(task.keys[0])
            levels = generator.normal(task.settings["centre"], task.settings["spread"], size=seeds)
            for seed, key, level in zip(task.seeds, task.keys, levels, strict=True):
                outcome = Outcome({"level": float(level)}, 0.4, peak_bytes=2**28)
                yield TrialRow(key, plan.claim.id, task, seed, outcome, around, inputs)


def ask(store: Store, folders: list[ClaimFolder], root: Path) -> None:
    """Print what each question takes: of one claim as the mean of a sample, of all at once."""
    sample = folders[:: max(1, len(folders) // SAMPLE)]
    plans = [make_plan(folder, Options()) for folder in sample]
    context = Context(Options(workers=2), store, lambda _: Inline(), "again")
    store.start_run("again", Options().record(), machine(root))
    names = [folder.claim.id for folder in sample]

    def each(question: Callable[..., object], *over: list) -> Callable[[], None]:
        return lambda: [question(*given) for given in zip(*over, strict=True)] and None

    def stored(plan) -> None:
        variant = main_variant(plan.claim)
        tasks = tasks_of(
            plan, variant.points(variant.expectations, plan.claim), range(plan.seeds.cap), variant.change_of
        )
        assert not take_stored(plan, variant, tasks, context)

    def judged(folder: ClaimFolder) -> None:
        assert run_claim(folder, context).trials.measured == 0

    n = len(sample)
    print_row("a claim planned", n, each(lambda folder: make_plan(folder, Options()), sample))
    print_row("a claim's trials taken from the store", n, each(stored, plans))
    print_row("a claim judged, look after look, by what is stored", n, each(judged, sample))
    print_row(
        "a claim's time estimated", n, each(lambda plan: remaining_seconds(plan, Options(), store, "again"), plans)
    )
    print_row("`claims plan` of a claim", n, each(lambda plan: outlook_of(plan, "quick", store), plans))
    print_row("a claim's replications", n, each(lambda name: store.replications(name, "quick"), names))
    print_row("a trial by the beginning of its key", n, each(lambda _: store.past("0123456789ab", 3), names))
    print_row("the last verdicts of all claims", 1, store.last_verdicts)
    print_row("counts", 1, store.counts)
    print_row("`claims report`", 1, lambda: write_reports(run_of(store, "again"), root / "reports"))
    print_row("`claims judge`: a copy in memory", 1, lambda: Store.copy_of(store.path).close())
    print_row("`claims gc`: what is garbage", 1, lambda: garbage(store, folders, Options()))
    print_row("`claims doctor`: integrity", 1, store.integrity)
    more = list(rows(sample[0], 100, np.random.default_rng(1)))
    print_row(
        "a trial added",
        len(more),
        lambda: [store.save_trial(replace(row, key=f"new {i}"), "again") for i, row in enumerate(more)],
    )


def print_row(what: str, number: int, work: Callable[[], object]) -> None:
    """Print how long something takes, one of so many: on the clock, and of the processor's time."""
    started, used = time.perf_counter(), time.process_time()
    work()
    taken = (time.perf_counter() - started, time.process_time() - used)
    print(f"| {what} | {' | '.join(f'{1e3 * seconds / number:,.1f} ms' for seconds in taken)} |", flush=True)
