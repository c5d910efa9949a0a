"""A project of tiny claims, written to a folder: real files, milliseconds of work."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MACHINE = {
    "commit": "c" * 40,
    "uncommitted_changes": False,
    "python": "3.11",
    "packages": {"torch": "2"},
    "processor": "a processor",
    "cores": 2,
    "platform": "a platform",
    "gpus": [],
}
"""A machine as runs record it, whole: a stored run without it is refused."""

DOCUMENT = """\
id: notes
title: Notes on numbers
authors: nobody in particular
year: 2026
summary: Statements about normal numbers, for tests.
"""

CLAIM = """\
id: {id}
title: Warm numbers exceed cold ones
statement: Numbers drawn around {gap} exceed numbers drawn around zero.
source: {{document: notes, section: "1", reported: {{gap: 1.0}}}}
strength: same_setting
does_not_show: anything about other numbers
arms:
  cold: {{centre: 0.0}}
  warm: {{centre: {gap}}}
metrics:
  level: {{unit: degree, better: higher}}
readings:
  as_documented:
    expected: {expected}
    because: the centres differ as the arms say
    expectations:
      warm_exceeds_cold:
        contrast: {{difference: level, of: {{arm: warm}}, minus: {{arm: cold}}}}
        band: {{at_least: 0.5}}
        reported: 1.0
        because: half of the documented gap
controls:
  same_centre:
    change: {{centre: 0.0}}
    breaks: [warm_exceeds_cold]
    because: without a difference of centres there is none of numbers
profiles:
  smoke: {{seeds: 2, spread: 0.05}}
  quick: {{seeds: {{first: 6, step: 2, cap: 12}}, spread: 0.05}}
timings: {{training: [warm], inference: [warm]}}
"""

EXPERIMENT = '''\
"""Normal numbers."""

from __future__ import annotations

import numpy as np


def measure(arm, seeds, *, centre, spread):
    """Return one normal number per seed."""
    return {"level": np.array([seed.numpy(arm).normal(centre, spread) for seed in seeds])}


def prepare_training(arm, seed, *, centre, spread):
    return lambda: seed.numpy("time").normal(centre, spread, size=1000).sum()


prepare_inference = prepare_training
'''

TEST_CLAIM = '''\
"""Verdicts, controls and timings."""


def test_reading(claim, reading):
    claim.check_reading(reading)


def test_control(claim, control):
    claim.check_control(control)


def test_training_time(claim, benchmark, training_arm):
    claim.time_training(benchmark, training_arm)
'''


def write_data(root: Path, told: str = "return DataRecord('numbers', 'a' * 64, 10, 'nowhere')") -> dict[str, str]:
    """Write the data set `numbers` of the project at `root`; return what makes claim.yaml declare it, for `replace`."""
    (root / "fixtures").mkdir(parents=True, exist_ok=True)
    text = f"from harness.data import DataRecord\nfrom harness.errors import DataError\n\n\ndef record():\n    {told}\n"
    (root / "fixtures" / "numbers.py").write_text(text)
    return {"arms:\n": "data: [numbers]\narms:\n"}


def edited(text: str, replace: Mapping[str, str] | None) -> str:
    """Return a claim.yaml with parts of it replaced, each of which must stand there."""
    for old, new in (replace or {}).items():
        assert old in text, f"{old!r} is not in the claim"
        text = text.replace(old, new)
    return text


def write_claim(
    root: Path,
    name: str = "warm_exceeds_cold",
    *,
    gap: float = 1.0,
    expected: str = "VERIFIED",
    claim: str = CLAIM,
    experiment: str = EXPERIMENT,
    pictures: str | None = None,
    replace: dict[str, str] | None = None,
) -> Path:
    """Write a claim below `root`/claims/notes and return its folder; `replace` edits claim.yaml."""
    folder = root / "claims" / "notes" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / "document.yaml").write_text(DOCUMENT)
    text = claim.format(id=name, gap=gap, expected=expected)
    (folder / "claim.yaml").write_text(edited(text, replace))
    (folder / "experiment.py").write_text(dedent(experiment))
    (folder / "test_claim.py").write_text(TEST_CLAIM)
    if pictures is not None:
        (folder / "pictures.py").write_text(pictures)
    return folder
