"""Two nodes of a Ray cluster on this machine, and what goes wrong on real ones: nothing may be lost, nothing may differ.

Run by `nox -s ray`. Each node is a process tree of its own (`ray.cluster_utils.Cluster`); every run is the command that a
user gives, and what it leaves in its store is held against what a run without Ray leaves, trial by trial, to the last bit.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.judging.points import wall_clock_metrics
from harness.trials.catalogue import load_claim
from harness.trials.cluster import Cluster
from harness.trials.executor import Processes
from harness.trials.options import Options
from harness.trials.plan import make_plan, tasks_of
from harness.trials.process_tree import descendants
from harness.trials.ray_pool import RayPool
from tests.tiny_project import EXPERIMENT, write_claim, write_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.trials.executor import Executor
    from harness.trials.task import Task

PROJECT = Path(__file__).parents[2]

HEADLINES = ("cnn_beats_svm_under_clutter", "random_labels_are_fit", "gradient_descent_tends_to_max_margin")
"""Claims of this checkout that run on both, at the smoke scale; `--claims` names others."""

NODE = {"object_store_memory": 80 * 2**20, "include_dashboard": False}

PATIENCE = 1800.0
"""Seconds after which something has gone wrong here."""

LATENCY = 0.005
"""Seconds that a trial may take longer than measure() does."""

SLOW = EXPERIMENT.replace("    return {", "    import time\n    time.sleep(0.1 * len(seeds))\n    return {")
HANGING = EXPERIMENT.replace(
    "    return {", "    import time\n    time.sleep(600 * any(seed.index == 3 for seed in seeds))\n    return {", 1
)
TIMED = EXPERIMENT.replace("    return {", '    return {"time": np.array([0.1 + seed.index / 100 for seed in seeds]), ')
LONG = {"{first: 6, step: 2, cap: 12}": "{first: 12, step: 12, cap: 36}"}
LIMITED = {"arms:\n": "limits: {seconds: 2}\narms:\n"}
SECONDS = {
    "level: {unit: degree, better: higher}": "level: {unit: degree, better: higher}\n  time: {unit: second, better: lower}",
    "        because: half of the documented gap\n": """        because: half of the documented gap
      warm_takes_its_time:
        contrast: {mean: time, at: {arm: warm}}
        band: {at_most: 100}
        because: it is nothing much
        no_control: nothing here changes the clock
""",
}
ENVIRONMENT = "os.environ.get('NUMBERS', 'a' * 64)"
TOLD = f"import os; return DataRecord('numbers', {ENVIRONMENT}, 10, 'nowhere')"


class Row(NamedTuple):
    """What came of one thing that was done, or went wrong."""

    what: str
    trials: int
    lost: int
    different: int
    note: str


class Run:
    """A run as a user starts it, in a process of its own."""

    def __init__(self, project: Path, store: Path, *options: str) -> None:
        self.store, self._log = store, store.parent / f"{store.stem}.{time.monotonic_ns()}.log"
        command = [sys.executable, "-m", "harness", "--root", str(project), "run", "--store", str(store)]
        command += ["--report", str(store.with_suffix("")), "--progress", "plain", "-p", "no:cacheprovider", *options]
        with self._log.open("a") as out:
            self.process = subprocess.Popen(command, cwd=PROJECT, stdout=out, stderr=out, start_new_session=True)

    def until(self, number: int) -> None:
        """Wait until so many trials are stored."""
        end = time.monotonic() + PATIENCE
        while len(trials(self.store)) < number and time.monotonic() < end:
            assert self.process.poll() is None, f"it ended too early: {self.said()}"
            time.sleep(0.02)

    def end(self) -> int:
        """Wait for its end; return its exit code."""
        return self.process.wait(PATIENCE)

    def said(self) -> str:
        """Return what it has written."""
        return self._log.read_text(errors="replace")


def trials(store: Path) -> dict[str, tuple[str, dict[str, Any], str | None]]:
    """Return claim, metrics and error of the trials in a store, by their keys."""
    if not store.exists():
        return {}
    with closing(sqlite3.connect(store, timeout=60)) as database, contextlib.suppress(sqlite3.OperationalError):
        rows = database.execute("SELECT key, claim, metrics, error FROM trial").fetchall()
        return {key: (claim, json.loads(metrics), error) for key, claim, metrics, error in rows}
    return {}


class Campaign:
    """A head that measures nothing and two nodes of one core each, and what is tried on them."""

    def __init__(self, folder: Path) -> None:
        from ray.cluster_utils import Cluster as Nodes

        self.folder, self.rows = folder, list[Row]()
        self._nodes = Nodes(initialize_head=True, head_node_args={**NODE, "num_cpus": 0})
        self.address = self._nodes.address
        self.alone: dict[Path, Path] = {}
        for _ in range(2):
            self.add()

    @cached_property
    def slow(self) -> Path:
        """A project whose trials take a tenth of a second each."""
        return self.project("slow", replace=LONG)

    def add(self, **environment: str) -> Any:
        """Start a node."""
        return self._nodes.add_node(num_cpus=1, env_vars=environment or None, **NODE)

    def remove(self, node: Any) -> None:
        """End a node as a power cut would."""
        self._nodes.remove_node(node, allow_graceful=False)

    def node_of(self, pid: int) -> Any:
        """Return the node that a process belongs to."""
        return next(n for n in self._nodes.worker_nodes if pid in descendants(raylet_of(n)))

    def actors(self) -> list[int]:
        """Return the ids of the actors' processes, on all nodes."""
        raylets = [raylet_of(node) for node in self._nodes.worker_nodes]
        return [pid for raylet in raylets for pid in descendants(raylet) if "ray::Remote" in title(pid)]

    def workers(self) -> list[int]:
        """Return the ids of the processes that measure, on all nodes."""
        return [pid for actor in self.actors() for pid in descendants(actor) if "spawn_main" in title(pid)]

    def project(self, name: str, experiment: str = SLOW, **claim: Any) -> Path:
        """Write a project of one claim, and run it without Ray."""
        project = self.folder / name
        write_claim(project, gap=0.5, experiment=experiment, **claim)
        self.beside(project)
        return project

    def beside(self, project: Path, *options: str) -> float:
        """Run a project without Ray; return the seconds."""
        began = time.monotonic()
        self.alone[project] = self.folder / f"{project.name}.alone.sqlite3"
        Run(project, self.alone[project], "--workers", "2", *options).end()
        return time.monotonic() - began

    def run(self, project: Path, name: str, *options: str) -> Run:
        """Start a run on the cluster."""
        store = self.folder / f"{name}.sqlite3"
        return Run(project, store, "--executor", "ray", "--ray-address", self.address, *options)

    def keep(self, what: str, project: Path, run: Run, note: str = "", *, good: bool = True) -> None:
        """Enter what a run left, beside what there is without Ray; what was not as it should be counts as lost."""
        durations = durations_of(project)
        wanted, found = ({k: v for k, v in trials(s).items() if not v[2]} for s in (self.alone[project], run.store))
        lost = len(wanted.keys() - found.keys()) + (not good)
        different = sum(
            less(found[key], durations) != less(wanted[key], durations) for key in wanted.keys() & found.keys()
        )
        self.enter(Row(what, len(wanted), lost, different, note if good else f"NOT AS IT SHOULD BE: {note}"))
        if not good:
            print(run.said(), flush=True)

    def enter(self, row: Row) -> None:
        """Enter a row, and print it."""
        self.rows.append(row)
        print(f"{row.what:<34} {row.trials:>7} {row.lost:>5} {row.different:>10}   {row.note}", flush=True)

    def close(self) -> None:
        """End the nodes."""
        self._nodes.shutdown()


def durations_of(project: Path) -> dict[str, frozenset[str]]:
    """Return the metrics of each claim that are durations."""
    folders = [path.parent for path in (project / "claims").glob("*/*/claim.yaml")]
    return {folder.name: frozenset(wall_clock_metrics(load_claim(folder).claim)) for folder in folders}


def less(trial: tuple[str, dict[str, Any], str | None], durations: dict[str, frozenset[str]]) -> dict[str, Any]:
    """Return what a trial measured besides durations."""
    claim, metrics, _ = trial
    return {name: value for name, value in metrics.items() if name not in durations[claim]}


def raylet_of(node: Any) -> int:
    """Return the id of a node's process, of which all others are children."""
    return int(node.all_processes["raylet"][0].process.pid)


def title(pid: int) -> str:
    """Return how a process is called, nothing if it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def failures(run: Run) -> list[str]:
    """Return why trials of a run failed, as it said: in the store a control may have measured some again since."""
    return [text for text in run.said().splitlines() if "trial failed: " in text]


def places(run: Run) -> list[dict[str, Any]]:
    """Return where trials of a run ran."""
    with closing(sqlite3.connect(run.store)) as database:
        rows = database.execute("SELECT content FROM trial JOIN place ON place = digest WHERE error IS NULL")
        return [json.loads(content) for (content,) in rows]


def equal(campaign: Campaign, claims: list[str]) -> None:
    """Run real claims."""
    options = [*claims, "--profile", "smoke"]
    near = campaign.beside(PROJECT, *options)
    began = time.monotonic()
    run = campaign.run(PROJECT, "equal", *options)
    run.end()
    note = f"{time.monotonic() - began:.0f} s; in two processes {near:.0f} s"
    campaign.keep(f"{len(claims)} claims of this project", PROJECT, run, note)


def node_removed(campaign: Campaign, project: Path) -> None:
    """Cut a node's power while it measures."""
    run = campaign.run(project, "removed")
    run.until(6)
    campaign.remove(campaign.node_of(campaign.workers()[0]))
    run.end()
    campaign.add()
    again = sum(place["attempt"] > 1 for place in places(run))
    note = f"{again} trials were begun again on the other node"
    campaign.keep("a node removed without grace", project, run, note, good=again > 0 and not failures(run))


def worker_killed(campaign: Campaign, project: Path) -> None:
    """Kill a process that measures: its trials fail, and the next run measures them."""
    what, words = "a worker killed", "measured by the next run"
    killed(campaign, project, "worker", campaign.workers, "ended by SIGKILL", (what, words))


def actor_killed(campaign: Campaign, project: Path) -> None:
    """Kill an actor on a node that lives: as if it had run out of memory."""
    what, words = "an actor killed, its node alive", "not tried again"
    killed(campaign, project, "actor", campaign.actors, "on a node that lives", (what, words))


def killed(
    campaign: Campaign, project: Path, name: str, processes: Callable[[], list[int]], why: str, told: tuple[str, str]
) -> None:
    """Kill the first of some processes while it measures; its trials must fail and say why, and a second run measure them."""
    run = campaign.run(project, name)
    run.until(6)
    os.kill(processes()[0], signal.SIGKILL)
    run.end()
    errors = failures(run)
    again = campaign.run(project, name)
    again.end()
    good = bool(errors) and all(why in error for error in errors) and not failures(again)
    campaign.keep(told[0], project, again, f"{len(errors)} failed, {told[1]}", good=good)


def deadline(campaign: Campaign) -> None:
    """Let one seed hang."""
    project = campaign.project("hanging", HANGING, replace=LIMITED)
    run = campaign.run(project, "deadline")
    run.end()
    errors = failures(run)
    good = bool(errors) and all("took longer than 2 s" in error for error in errors)
    campaign.keep(
        "a call longer than its limit",
        project,
        run,
        f"{len(errors)} failed; what finishes without Ray finishes here",
        good=good,
    )


def other_data(campaign: Campaign) -> None:
    """Let a node have other data."""
    node = campaign.add(NUMBERS="b" * 64)
    project = campaign.folder / "data"
    write_claim(project, gap=0.5, experiment=SLOW, replace=write_data(project, TOLD) | LONG)
    campaign.beside(project)
    run = campaign.run(project, "data")
    run.end()
    said = [text for text in run.said().splitlines() if " is refused: " in text]
    good = len(said) == 1 and node.node_id[:8] in said[0] and not failures(run)
    campaign.keep(
        "a node with other data",
        project,
        run,
        said[0].split(": ", 1)[1].split(" [")[0] if said else "nothing said",
        good=good,
    )
    campaign.remove(node)


def interrupted_twice(campaign: Campaign, project: Path) -> None:
    """Press Ctrl-C twice, then run again."""
    run = campaign.run(project, "interrupt")
    run.until(6)
    for _ in range(2):
        os.killpg(run.process.pid, signal.SIGINT)
        time.sleep(0.5)
    began = time.monotonic()
    code = run.end()
    seconds, left = time.monotonic() - began, gone(campaign)
    kept = len(trials(run.store))
    again = campaign.run(project, "interrupt")
    again.end()
    note = f"exit code {code} after {seconds:.1f} s, actors gone, {kept} trials kept; then resumed"
    campaign.keep("Ctrl-C twice", project, again, note, good=code == 2 and left and not failures(again))


def driver_killed(campaign: Campaign, project: Path) -> None:
    """Kill the run itself, then run again."""
    run = campaign.run(project, "driver")
    run.until(6)
    run.process.kill()
    run.end()
    left, kept = gone(campaign), len(trials(run.store))
    again = campaign.run(project, "driver")
    again.end()
    note = f"actors gone, {kept} trials kept; then resumed"
    campaign.keep("the run killed by signal 9", project, again, note, good=left and not failures(again))


def gone(campaign: Campaign) -> bool:
    """Whether every process that measured ends within half a minute."""
    end = time.monotonic() + 30
    while campaign.actors() and time.monotonic() < end:
        time.sleep(0.1)
    return not campaign.actors()


def timed(campaign: Campaign) -> None:
    """Measure durations."""
    project = campaign.project("timed", TIMED, replace=SECONDS)
    run = campaign.run(project, "timed")
    run.end()
    found = {place["node"] for place in places(run) if place["alone"]}
    note = f"alone on {len(found)} whole node"
    campaign.keep("durations", project, run, note, good=len(found) == 1 and not failures(run))


def overhead(campaign: Campaign, number: int = 200) -> None:
    """Time trials that take no time, one after another."""
    project = campaign.project("quick", EXPERIMENT)
    plan = make_plan(load_claim(project / "claims/notes/warm_exceeds_cold"), Options())
    tasks = [tasks_of(plan, [(("arm", "warm"),)], [index], lambda _: {})[0] for index in range(number)]
    with closing(RayPool(Cluster(campaign.address, project, 0), 1, print)) as pool, closing(Processes(1)) as processes:
        far, near = each(pool, tasks), each(processes, tasks)
    note = f"{far * 1000:.2f} ms each, at most {LATENCY * 1000:g}; in a process of this machine {near * 1000:.2f} ms"
    campaign.enter(Row("trials that take no time", number, int(far > LATENCY), 0, note))


def each(executor: Executor, tasks: list[Task]) -> float:
    """Return the seconds that a trial takes longer than its call: the least of three times, after one to warm up."""
    took = []
    for _ in range(4):
        began = time.perf_counter()
        outcomes = [found[0] for _, found in executor.run([tasks])]
        took.append((time.perf_counter() - began - sum(outcome.seconds for outcome in outcomes)) / len(tasks))
        assert not any(outcome.error for outcome in outcomes)
    return min(took[1:])


def undisturbed(campaign: Campaign, project: Path) -> None:
    """Run and do nothing else."""
    run = campaign.run(project, "undisturbed")
    run.end()
    campaign.keep("nothing", project, run, "36 seeds, two nodes", good=not failures(run))


ON_ONE = (undisturbed, node_removed, worker_killed, actor_killed, interrupted_twice, driver_killed)
"""What is tried on one claim of trials that take their time."""

APART = (deadline, other_data, timed, overhead)

STEPS = {step.__name__: step for step in (*ON_ONE, *APART)}


def campaign_in(folder: Path, claims: list[str], steps: list[str]) -> tuple[int, int]:
    """Do what is asked for and print the table; return how many trials were lost and how many are different."""
    with closing(Campaign(folder)) as campaign:
        print(f"{'what is done':<34} {'trials':>7} {'lost':>5} {'different':>10}", flush=True)
        if claims:
            equal(campaign, claims)
        for step in (STEPS[name] for name in steps):
            step(campaign, *([campaign.slow] if step in ON_ONE else []))
        return sum(row.lost for row in campaign.rows), sum(row.different for row in campaign.rows)


def main() -> int:
    """Do all of it and print the table; return 1 if anything was lost or is different."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", nargs="*", default=HEADLINES, help="claims of this project to run on both")
    parser.add_argument("--steps", nargs="*", default=list(STEPS), choices=list(STEPS), help="what to do besides")
    options = parser.parse_args()
    # A shell has what it runs in the background ignore it, and so would the runs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        # Nobody else's durations are waited for, nor are others kept waiting.
        os.environ["CLAIMS_LOCKS"] = folder
        lost, different = campaign_in(Path(folder), list(options.claims), options.steps)
    print(f"{lost} trials lost, {different} different")
    return int(lost + different > 0)


if __name__ == "__main__":
    sys.exit(main())
