"""Kill runs and their workers at random moments, again and again: what was acknowledged must be in the store.

Run by `nox -s faults`. A run is killed by signal 9, which leaves it no time for anything; so is a worker. A trial is
acknowledged when `Store.save_trial` has returned; from then on it must be found, whatever happens.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from harness.trials.executor import Processes
from harness.trials.options import Options
from tests.tiny_project import EXPERIMENT, write_claim

if TYPE_CHECKING:
    from harness.trials.rows import TrialRow

PROJECT = Path(__file__).parents[1]
LONGEST = 2.0
"""From a run's beginning to the end of a worker at most, and from there to its own, in the times that it took to start:
some seconds, and more where the machine is slow or busy, so that there too some trials are finished before."""

SLEEPING = EXPERIMENT.replace("    return {", "    import time\n    time.sleep(0.02 * len(seeds))\n    return {")
LONG = {"cap: 12": "cap: 60"}


class Acknowledging(Store):
    """A store that says which trials it has saved, by their keys, to a pipe."""

    def __init__(self, path: Path, pipe: int) -> None:
        super().__init__(path)
        self._pipe = pipe

    def save_trial(self, row: TrialRow, run: str, *, replace: bool = False) -> None:
        """Save, and only then tell."""
        super().save_trial(row, run, replace=replace)
        os.write(self._pipe, f"{row.key}\n".encode())


def child(folder: Path, store: Path, base_seed: int, pipe: int) -> None:
    """Say that all is imported, and run the claim to its end, unless somebody ends it."""
    os.write(pipe, b"\n")
    with closing(Acknowledging(store, pipe)) as opened, closing(Processes(2)) as executor:
        opened.start_run(f"run {os.getpid()} {time.time_ns()}", {}, {})
        options = Options(base_seed=base_seed, store=store, workers=2)
        run_claim(load_claim(folder), Context(options, opened, lambda _: executor, str(os.getpid())))


class Victim:
    """A run in a process of its own, and what it has acknowledged."""

    def __init__(self, folder: Path, store: Path, base_seed: int) -> None:
        self._read, write = os.pipe()
        command = [sys.executable, "-m", "tests.faults", "--child", str(folder), str(store), str(base_seed), str(write)]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - it is gone with the process that holds it
        self.process = subprocess.Popen(command, cwd=PROJECT, pass_fds=[write], stderr=self._errors)
        os.close(write)
        started = time.monotonic()
        os.read(self._read, 1)
        self.start = time.monotonic() - started

    def workers(self) -> list[int]:
        """Return the ids of its worker processes that there are now."""
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
            return [int(pid) for pid in children.split()]
        return []

    def acknowledged(self) -> set[str]:
        """Wait for its end and return the keys that it has acknowledged."""
        self.process.wait(timeout=120)
        with os.fdopen(self._read, "rb") as pipe, self._errors as errors:
            errors.seek(0)
            self.said = errors.read().decode(errors="replace")
            # A key that was cut off by the end was not told.
            return {line.decode().strip() for line in pipe.read().splitlines(keepends=True) if line.endswith(b"\n")}


def strike(victim: Victim, kind: str, generator: random.Random) -> bool:
    """Wait for a random moment and kill the run or one of its workers; return whether there was anything to kill."""
    time.sleep(victim.start * generator.uniform(0.0, LONGEST))
    if kind == "worker":
        workers = victim.workers()
        if not workers or victim.process.poll() is not None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(generator.choice(workers), signal.SIGKILL)
        return True
    if victim.process.poll() is not None:
        return False
    victim.process.kill()
    return True


def stored(store: Path) -> set[str]:
    """Return the keys in a store, after SQLite has looked over the whole file; nothing if there is none yet.

    Raises:
        AssertionError: the file is damaged.
    """
    if not store.exists():
        return set()
    with closing(sqlite3.connect(store)) as database:
        found = database.execute("PRAGMA integrity_check").fetchone()[0]
        assert found == "ok", f"{store}: {found}"
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'trial'").fetchone():
            return set()
        return {key for (key,) in database.execute("SELECT key FROM trial")}


def campaign(faults: int, folder: Path, seed: int) -> Counter[str]:
    """Start run after run, kill it, or a worker of it and then itself, until there are so many faults; return the counts."""
    generator = random.Random(seed)
    claim = write_claim(folder, gap=0.5, experiment=SLEEPING, replace=LONG)
    store, base_seed = folder / "store.sqlite3", 0
    counts: Counter[str] = Counter()
    acknowledged: set[str] = set()
    while counts["run"] + counts["worker"] < faults:
        victim = Victim(claim, store, base_seed)
        for kind in ("run",) if counts["run"] < counts["worker"] else ("worker", "run"):
            counts[kind] += counts["run"] + counts["worker"] < faults and strike(victim, kind, generator)
        acknowledged |= victim.acknowledged()
        present = stored(store)
        counts["lost"] = len(acknowledged - present)
        if victim.process.returncode == 0:
            base_seed += 1
    counts["acknowledged"] = len(acknowledged)
    disturbed, undisturbed = (finished(claim, path, base_seed) for path in (store, folder / "undisturbed.sqlite3"))
    counts["trials"], counts["recovered"] = len(undisturbed), base_seed + 1
    counts["different"] = sum(disturbed.get(key) != metrics for key, metrics in undisturbed.items())
    return counts


def finished(claim: Path, store: Path, last: int) -> dict[str, str]:
    """Run the claim to its end for base seeds up to `last`; return the metrics of all finished trials by their keys."""
    for base_seed in range(last + 1):
        victim = Victim(claim, store, base_seed)
        victim.acknowledged()
        assert victim.process.returncode == 0, f"base seed {base_seed} stops on {store}: {victim.said}"
    with closing(sqlite3.connect(store)) as database:
        return dict(database.execute("SELECT key, metrics FROM trial WHERE status = 'finished'"))


def main() -> int:
    """Run a campaign and print what came of it; return 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=200, help="how many (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default 0)")
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        counts = campaign(options.faults, Path(folder), options.seed)
    print(table(counts, time.monotonic() - begun))
    return int(counts["lost"] + counts["different"] > 0)


def table(counts: Counter[str], seconds: float) -> str:
    """Return the counts as a table."""
    rows = {
        "faults: runs killed": counts["run"],
        "faults: workers killed": counts["worker"],
        "trials acknowledged": counts["acknowledged"],
        "lost": counts["lost"],
        "recovered: base seeds brought to their end": counts["recovered"],
        "trials then": counts["trials"],
        "different from an undisturbed run's": counts["different"],
        "seconds": seconds,
    }
    return "\n".join(f"{name:<46} {value:>8.0f}" for name, value in rows.items())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    else:
        sys.exit(main())
