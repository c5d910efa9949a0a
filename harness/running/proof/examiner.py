"""Sends versions of a claim to processes of their own, several at a time, and keeps what they answer."""

from __future__ import annotations

import json
import signal
import tempfile
from collections import deque
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness._text import block, shortened
from harness.running.proof.warm_process import LATE, WarmProcess
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.store.records.proof import Answer
from harness.trials.modules import HARNESS
from harness.trials.options import Options
from harness.trials.plan import fingerprint, make_plan
from harness.trials.provenance import NUMERIC_PACKAGES, digest_of, digest_of_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.running.proof.request import Request
    from harness.store.store import Store
    from harness.trials.catalogue import ClaimFolder

ANSWER = "answer"
"""What is kept of a version beside a claim's trials: so begins its kind, which says the profile, and then of what state."""

IMPORTED = {distribution: name for name, distribution in NUMERIC_PACKAGES.items()}
"""Numeric package -> the name that it is imported by."""

PATIENCE = 10
"""Times the processor time it may take that a version may take by the clock: one that only waits ends, too."""


@dataclass
class Examiner:
    """Asks for versions of claims.

    Attributes:
        store: where answers are kept.
        workers: processes at a time.
        fresh: ask again for what is kept.
        asked: versions that were looked at now.
        reused: versions whose answer was kept.
    """

    store: Store
    workers: int = 1
    fresh: bool = False
    asked: int = 0
    reused: int = 0
    _standing: dict[tuple[Path, str, int, str], str] = field(default_factory=dict)
    _kinds: set[str] = field(default_factory=set)
    _packages: dict[Path, set[str]] = field(default_factory=dict)
    _idle: dict[tuple[Path, tuple[str, ...]], deque[WarmProcess]] = field(default_factory=dict)

    def ask(
        self, folder: ClaimFolder, requests: Sequence[Request], tell: Callable[[int, Answer], None] = lambda *_: None
    ) -> list[Answer]:
        """Return an answer per request; `tell` hears each as soon as it is there.

        Raises:
            UsageError, TrialError, DataError: the claim as it stands cannot be planned.
        """
        keys = [self._key(folder, request) for request in requests]
        kinds = [self._kind(folder, request) for request in requests]
        places = enumerate(zip(kinds, keys, strict=True))
        found = {at: kept for at, (kind, key) in places if (kept := self._kept(folder.claim.id, kind, key))}
        self.reused += len(found)
        for at, answer in found.items():
            tell(at, answer)
        missing = [at for at in range(len(keys)) if at not in found]
        with ThreadPoolExecutor(self.workers) as pool:
            running = {pool.submit(self._examined, folder, requests[at]): at for at in missing}
            try:
                for done in as_completed(running):
                    at, answer = running[done], done.result()
                    self.asked += 1
                    self.store.save_beside(folder.claim.id, kinds[at], keys[at], answer)
                    found[at] = answer
                    tell(at, answer)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return [found[at] for at in range(len(keys))]

    def _examined(self, folder: ClaimFolder, request: Request) -> Answer:
        """Ask a process that nobody else asks just now; one is begun where there is none."""
        packages = tuple(sorted(self._packages[folder.path]))
        idle = self._idle.setdefault((folder.project, packages), deque())
        try:
            process = idle.pop()
        except IndexError:
            process = WarmProcess(packages, folder.project)
        answer = _examined(request, process)
        idle.append(process)
        return answer

    def close(self) -> None:
        """End the processes."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def _kept(self, claim: str, kind: str, key: str) -> Answer | None:
        return None if self.fresh else next(iter(self.store.beside(claim, key, kind, Answer)), None)

    def _kind(self, folder: ClaimFolder, request: Request) -> str:
        """Return what an answer is kept as; those of what the claim was before under the same profile are forgotten."""
        begin = f"{ANSWER} {request.profile} {request.base_seed} {request.device}"
        kind = f"{begin} {self._standing_of(folder, request)[:16]}"
        if kind not in self._kinds:
            self.store.forget_beside(folder.claim.id, begin, kind)
        self._kinds.add(kind)
        return kind

    def _key(self, folder: ClaimFolder, request: Request) -> str:
        """Return the digest of all that an answer hangs on: claim, code, data, tests, judge, and what is broken."""
        what = asdict(replace(request, intact=None, seconds=None, folder=""))
        if request.file:
            what["file"] = str(Path(request.file).relative_to(folder.project))
        return digest_of([self._standing_of(folder, request), what])

    def _standing_of(self, folder: ClaimFolder, request: Request) -> str:
        place = (folder.path, request.profile, request.base_seed, request.device)
        if place not in self._standing:
            options = Options(profile=request.profile, base_seed=request.base_seed, device=request.device)
            names = (NO_VERDICT_PROFILE, request.profile)
            plans = [make_plan(folder, replace(options, profile=name)) for name in names]
            self._packages[folder.path] = {IMPORTED[name] for plan in plans for name in plan.code.packages}
            tests = [digest_of_file(path) for path in sorted(folder.path.glob("test_*.py"))]
            self._standing[place] = digest_of(
                [list(map(fingerprint, plans)), folder.claim.model_dump(mode="json"), tests, _judge()]
            )
        return self._standing[place]


@lru_cache(maxsize=1)
def _judge() -> list[str]:
    """Return the digests of the code that turns a version's numbers into an answer."""
    files = [path for part in ("judging", "running/proof") for path in sorted((HARNESS / part).glob("*.py"))]
    return [digest_of_file(path) for path in files]


def _examined(request: Request, process: WarmProcess) -> Answer:
    """Have a process of its own look at a version; one that dies or takes too long is noticed by that."""
    with tempfile.TemporaryDirectory() as place:
        asked, answer, log = (Path(place, name) for name in ("request.json", "answer.json", "log.txt"))
        asked.write_text(request.as_json(), encoding="utf-8")
        limit = PATIENCE * request.seconds if request.seconds else None
        status = process.run(asked, answer, log, limit)
        if answer.is_file():
            return Answer(**json.loads(answer.read_text(encoding="utf-8")))
        if status == LATE:
            return _ended(f"takes more than {limit:.0f} s")
        if status == -signal.SIGXCPU:
            return _ended(f"takes more than {request.seconds:.0f} s of the processor")
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.is_file() else []
        last = next((line for line in reversed(lines) if line.strip()), "without a word")
        return _ended(f"the process ended with {status}: {shortened(block(last))}")


def _ended(why: str) -> Answer:
    return Answer(error=why, noticed=f"does not run: {why}")
