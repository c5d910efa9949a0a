"""Real reports of tiny claims that together have every field a report can have."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from harness._clock import now
from harness.report.html.claim_page import claim_pages
from harness.report.html.document_page import document_pages
from harness.report.html.front import front_page
from harness.retrospect.rejudge import review
from harness.running import aa_test
from harness.running.aa_test import Request, run_aa
from harness.running.coverage import with_coverage
from harness.running.error_budget import adjust
from harness.running.proof.mutants import kept_as
from harness.running.results import run_of
from harness.running.session import Session
from harness.store.records.parsing import parse, plain
from harness.store.records.proof import MutantsRecord
from harness.store.records.run import Run
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from harness.trials.place import Gpu, Torch
from harness.trials.plan import fingerprint, make_plan
from tests.tiny_project import DOCUMENT, EXPERIMENT, write_claim, write_data

if TYPE_CHECKING:
    from typing import TypeVar

    from harness.retrospect.run_history import Past
    from harness.store.records.claim import ClaimRecord
    from harness.store.records.parts import Part

    Record = TypeVar("Record", bound=Part)

SAVED = Path(__file__).parent / "data" / "report-1.json"
"""A report of schema version 1, as it was first published; `python -m tests.reported` writes it, for a new version only."""

LAST_LINE = "timings: {training: [warm], inference: [warm]}\n"
WAIVER = f"{LAST_LINE}waiver: {{reason: the thermometer is being repaired, owner: maintainers, expires: 9999-12-31}}\n"
RAISING = EXPERIMENT.replace("    return {", "    raise ValueError('too cold')\n    return {")

CONTRASTS = """\
  of_every_kind:
    means: every kind of contrast, taken for itself
    expectations:
      mean_level:
        contrast: {mean: level, at: {arm: warm, size: 1}}
        band: {between: [0, 2]}
        because: the arm's own centre
        no_control: the kinds are tried here, not what they say
      median_level:
        contrast: {median: level, at: {arm: warm, size: 1}}
        band: {between: [0, 2]}
        because: the arm's own centre
        no_control: the kinds are tried here, not what they say
      most_levels:
        contrast: {quantile: level, q: 0.6, at: {arm: warm, size: 1}}
        band: {at_least: 0}
        because: the arm's own centre
        no_control: the kinds are tried here, not what they say
      how_often:
        contrast: {rate: is_warm, at: {arm: warm, size: 1}}
        band: {at_least: 0.5}
        because: the centre is many spreads above the mark
        no_control: the kinds are tried here, not what they say
      more_often:
        contrast: {difference: is_warm, of: {arm: warm, size: 1}, minus: {arm: cold, size: 1}}
        band: {at_least: 0.1}
        because: the centres lie on either side of the mark
        no_control: the kinds are tried here, not what they say
      weighted:
        contrast:
          linear: level
          cells: [{weight: 1, at: {arm: warm, size: 1}}, {weight: -0.5, at: {arm: warm, size: 4}}]
          over_seeds: {quantile: 0.5}
        band: {at_least: 0}
        because: half of the centre is left
        no_control: the kinds are tried here, not what they say
      warm_over_cold:
        contrast: {ratio: level, of: {arm: warm, size: 4}, to: {arm: warm, size: 1}, over_seeds: median}
        band: {at_least: 0.1}
        because: neither is near zero
        no_control: the kinds are tried here, not what they say
      warming:
        contrast: {interaction: level, of: {arm: warm}, minus: {arm: cold}, here: {size: 4}, there: {size: 1}, over_seeds: median}
        band: {between: [-2, 2]}
        because: the size changes nothing
        no_control: the kinds are tried here, not what they say
      slope:
        contrast: {slope: level, over: size, at: {arm: warm}, values: [1, 4], over_seeds: mean}
        band: {between: [-2, 2]}
        because: the size changes nothing
        no_control: the kinds are tried here, not what they say
      power:
        contrast: {loglog_slope: level, over: size, at: {arm: warm}, values: [1, 4], over_seeds: mean}
        band: {between: [-2, 2]}
        because: the size changes nothing
        no_control: the kinds are tried here, not what they say
      rank:
        contrast: {rank_trend: level, over: size, at: {arm: warm}, values: [1, 2, 4], over_seeds: mean}
        band: {at_most: 0}
        because: the size changes nothing, in every order
        no_control: the kinds are tried here, not what they say
      every_one:
        contrast: {exact: level, at: {arm: warm}}
        band: {at_least: 0}
        because: the centre is many spreads above zero
        no_control: the kinds are tried here, not what they say
controls:
"""
RETURNED = '    return {"level": np.array([seed.numpy(arm).normal(centre, spread) for seed in seeds])}\n'
RETURNED_TWICE = RETURNED.replace("return ", "found = ") + '    return {**found, "is_warm": found["level"] > 0.5}\n'
STATEMENTS = """\
statements:
  "notes:warm":
    place: L3-4, L9
    section: "1"
    says: Warm numbers exceed cold ones.
  "notes:colder":
    place: L6
    section: "1"
    says: Cold numbers exceed warm ones.
    wrong: {error: notes-E1, severity: untrue, because: it is the other way round}
    unchecked: by how much
  "notes:always":
    section: "2"
    says: Warm numbers exceed cold ones whatever they are.
  "notes:taste":
    section: "3"
    says: Numbers are beautiful.
    not_checked: a matter of taste
"""
"""What the document of the claims states."""

ANSWERS = """\
answers:
  "notes:warm": [as_documented]
  "notes:always": {literal: [as_documented], only_when: [of_every_kind], instead: [of_every_kind]}
controls:
"""
"""What the claim with two readings answers of it."""

QUOTATIONS = """\
quotations:
  one: {file: README.md, says: cold ones by 1.0 degrees, number: '1.0', claim: holds, expectation: warm_exceeds_cold}
  three: {file: README.md, says: or by 3., number: '3', claim: holds, expectation: warm_exceeds_cold}
"""
"""Numbers that the project's README.md prints: one that the estimate bears out, and one that it does not."""

OF_EVERY_KIND = {
    "arms:\n": "conditions: {size: [1, 2, 4]}\narms:\n",
    "of: {arm: warm}, minus: {arm: cold}}": "of: {arm: warm, size: 1}, minus: {arm: cold, size: 1}, over_seeds: mean}",
    "  level: {unit: degree, better: higher}\n": "  level: {unit: degree, better: higher}\n  is_warm: {unit: 0 or 1, better: higher}\n",
    "cap: 12": "cap: 24",
    "controls:\n": CONTRASTS.removesuffix("controls:\n") + ANSWERS,
}


TORCH = Torch(
    version="2.13.0",
    cuda="12.8",
    cudnn=91000,
    deterministic_algorithms=False,
    cudnn_benchmark=False,
    cudnn_deterministic=True,
    cudnn_tf32=False,
    float32_matmul_precision="highest",
)
GPU = Gpu(model="NVIDIA A100", uuid="GPU-1", memory=40_000_000_000, mig="1g.5gb", driver="550", power_limit=250.0)

TAGGED = ("strength: same_setting\n", "strength: same_setting\ntags: [numbers]\n")

DRAWING = """import numpy as np

from harness.pictures import Curves, Images, Line, Matrix


def illustrate(experiment, seed, arms):
    digits, counts = [str(digit) for digit in range(10)], 10 * np.eye(10, dtype=int) + np.arange(10) % 4
    matrix = Matrix("t", "digit", "taken for", digits, digits, counts)
    return [Curves("t", "x", "y", [Line("a", [0, 1], [1, 2])]), Images("t", ["a"], [np.eye(2)]), matrix]
"""
"""What draws every kind of picture."""

UNABLE = """def illustrate(experiment, seed, arms):
    raise ValueError("no colours left")
"""


def write_claims(root: Path) -> list[Path]:
    """Write one claim for every way to come out, and return their folders."""
    sized = EXPERIMENT.replace("*, centre, spread", "*, centre, spread, size=1").replace(RETURNED, RETURNED_TWICE)
    folders = [
        write_claim(root, "holds", replace={TAGGED[0]: TAGGED[1], **write_data(root)}),
        write_claim(
            root,
            "does_not_hold",
            gap=-1.0,
            replace={
                "unit: degree": "unit: second",
                "controls:\n": 'answers: {"notes:colder": [as_documented]}\ncontrols:\n',
            },
        ),
        write_claim(root, "is_undecided", gap=0.5),
        write_claim(root, "is_invalid", replace={"change: {centre: 0.0}": "change: {spread: 0.04}"}),
        write_claim(root, "is_waived", gap=-1.0, pictures=UNABLE, replace={LAST_LINE: WAIVER}),
        write_claim(root, "raises", experiment=RAISING),
        write_claim(root, "is_out_of_bounds", replace={"better: higher": "better: higher, bounds: [5, null]"}),
        write_claim(root, "is_of_every_kind", experiment=sized, pictures=DRAWING, replace=OF_EVERY_KIND),
        write_claim(root, "is_broken", replace={"strength: same_setting": "strenght: same_setting"}),
    ]
    (root / "claims/notes/document.yaml").write_text(f"{DOCUMENT}text: notes-*.txt\n{STATEMENTS}{QUOTATIONS}")
    (root / "README.md").write_text("Warm numbers exceed cold ones by 1.0 degrees, or by 3.\n")
    return folders


def make_reports(root: Path) -> dict[str, Run]:
    """Run tiny claims below `root` and return reports: of nights that join, of a smoke test, of no time, of a judgement."""
    folders, path = write_claims(root), root / "store.sqlite3"
    _run(root, folders, "first night", Options(base_seed=1, accumulate=True, workers=1, store=path))
    found = {
        name: _run(root, folders, name, options, limit)
        for name, options, limit in (
            ("night", Options(base_seed=2, accumulate=True, workers=1, store=path), None),
            ("smoke", Options(profile="smoke", workers=1, store=path), None),
            ("left", Options(base_seed=3, workers=1, store=path), 0.0),
        )
    }
    with closing(Store.copy_of(path)) as store:
        found["judged"] = review(folders, Options(base_seed=4, workers=1, store=path), store, root)
    found["night"] = _on_a_gpu(found["night"])
    return {name: with_coverage(run, root / "claims") for name, run in found.items()}


def _on_a_gpu(run: Run) -> Run:
    """Return a report whose first claim was measured on a GPU, by what it says."""
    place = "claims.0.places.0.place"
    return altered(run, {f"{place}.gpu": GPU.model_dump(), f"{place}.torch": TORCH.model_dump()})


def read_saved() -> Run:
    """Return the published report."""
    return parse(Run, json.loads(SAVED.read_text()), str(SAVED))


def altered(record: Record, changes: dict[str, Any]) -> Record:
    """Return a record with other plain values at some places: `{"claims.0.title": "another"}`."""
    found = plain(record)
    for path, value in changes.items():
        part, (*above, last) = found, [int(key) if key.isdigit() else key for key in path.split(".")]
        for key in above:
            part = part[key]
        part[last] = value
    return parse(type(record), found, "a test")


def saved_claim(name: str = "holds") -> ClaimRecord:
    """Return a claim of the published report, for tests that alter it."""
    return next(claim for claim in read_saved().judged if claim.id == name)


def adjusted(run: Run) -> Run:
    """Return a run that was altered with the adjusted verdicts and the error budget that it now has."""
    claims, budget = adjust(run.claims)
    return run.model_copy(update={"claims": claims, "error_budget": budget})


def pages(run: Run, past: Past | None = None) -> list[str]:
    """Return the front page of a run, and the pages of its documents and claims."""
    return [front_page(run, past), *document_pages(run).values(), *claim_pages(run).values()]


def _run(root: Path, folders: list[Path], run: str, options: Options, limit: float | None = None) -> Run:
    deadline = {} if limit is None else {"deadline": time.monotonic() + limit}
    session = Session(options, run, root, lambda _: None, **deadline)
    for folder in session.arrange(folders) if deadline else folders:
        session.record_of(folder)
    if run == "first night":
        _against_themselves(session, folders)
        _timed(session, folders)
        _broken(session, folders)
    session.close()
    with closing(Store(options.store)) as store:
        found = run_of(store, run)
    assert found is not None
    return found


def _against_themselves(session: Session, folders: list[Path]) -> None:
    """Run A/A runs of the first claim and of the one out of bounds, the fresh process being this one: spawning is slow."""
    fresh = aa_test.Processes
    aa_test.Processes = lambda _: Inline()  # type: ignore[assignment,misc]
    try:
        for folder in folders:
            if folder.name in ("holds", "is_out_of_bounds"):
                run_aa(load_claim(folder), session.context, Request(seeds=6))
    finally:
        aa_test.Processes = fresh  # type: ignore[misc]


def _timed(session: Session, folders: list[Path]) -> None:
    """Keep a timing of the first claim, as pytest-benchmark would have measured it."""
    found = SimpleNamespace(median=1.5, iqr=0.25, rounds=3)
    benchmark = SimpleNamespace(
        stats=SimpleNamespace(stats=found), extra_info={"condition": {"size": "4"}, "device": "cpu"}
    )
    session.keep_timing(make_plan(load_claim(folders[0]), session.options), "training", "warm", benchmark)


def _broken(session: Session, folders: list[Path]) -> None:
    """Keep the score of the first claim, as `claims prove --mutants 3` would have found it."""
    change = {"file": "claims/notes/holds/experiment.py", "operator": "constant", "equal": None, "listed": False}
    versions = [
        {**change, "line": 9, "change": "experiment.py measure: 1 -> 2", "noticed": "reading r is REFUTED", "unchanged": False},
        {**change, "line": 9, "change": "experiment.py measure: 1 -> <b>0", "noticed": "", "unchanged": False},
        {**change, "line": 12, "change": "experiment.py measure: 3 -> 4", "noticed": "", "unchanged": True, "equal": "it cancels"},
    ]  # fmt: skip
    score = {
        "profile": "quick",
        "base_seed": 0,
        "seed": 0,
        "possible": 3,
        "noticed": 1,
        "counted": 2,
        "by": {"reading": 1},
    }
    plan = make_plan(load_claim(folders[0]), session.options)
    record = MutantsRecord.model_validate({**score, "versions": versions, "finished": now()})
    session.store.save_beside(plan.claim.id, kept_as(plan.claim), fingerprint(plan), record)


if __name__ == "__main__":
    import platform
    import tempfile

    from harness._text import as_json

    with tempfile.TemporaryDirectory() as folder:
        night = make_reports(Path(folder))["night"]
        # Of whoever wrote it the file needs to know nothing.
        text = as_json(plain(night), indent=1)
        for own, name in ((folder, "/project"), (str(Path(__file__).parents[1]), "/tool"), (platform.node(), "a host")):
            text = text.replace(own, name)
    SAVED.parent.mkdir(exist_ok=True)
    SAVED.write_text(text + "\n", encoding="utf-8")
