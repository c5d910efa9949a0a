"""A claim about a training script: real files and real processes, milliseconds of work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.tiny_project import DOCUMENT, edited

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """\
import json, random, sys
import gains

seed, gain, *more = sys.argv[1:]
offset = float(open("config.txt").read())
print("epoch 1 of 1")
print("warming up", file=sys.stderr)
noise = random.Random(int(seed))
level = gains.of(float(gain)) * (1 + noise.gauss(0, 0.05)) + offset + noise.gauss(0, 9.0)
print(json.dumps({"eval": {"level": level}, "seed": int(seed)}))
"""

CLAIM = """\
id: training_gains
title: Training gains
statement: Training gains what it is told to.
source: {document: notes, section: "1"}
strength: same_setting
does_not_show: anything about other scripts
command:
  run: [python, -S, train.py, "{seed}", "{gain}"]
  metrics: {level: eval.level}
inputs: [train.py, gains.py, config.txt]
arms:
  cold: {gain: 0.0}
  warm: {gain: 1.0}
metrics:
  level: {unit: degree, better: higher}
readings:
  as_documented:
    expectations:
      warm_exceeds_cold:
        contrast: {difference: level, of: {arm: warm}, minus: {arm: cold}}
        band: {at_least: 0.5}
        because: half of the documented gain
controls:
  hardly_a_gain:
    change: {gain: 0.1}
    arms: [warm]
    breaks: [warm_exceeds_cold]
    because: a tenth of the gain is less than half of it
profiles:
  smoke: {seeds: 2}
  quick: {seeds: {first: 6, step: 2, cap: 12}}
"""


def write(root: Path, replace: dict[str, str] | None = None, script: str = SCRIPT) -> Path:
    """Write the claim, its script and what that reads below `root`; return the claim's folder; `replace` edits claim.yaml."""
    folder = root / "claims" / "notes" / "training_gains"
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / "document.yaml").write_text(DOCUMENT)
    (root / "train.py").write_text(script)
    (root / "gains.py").write_text("def of(gain):\n    return gain\n")
    (root / "config.txt").write_text("0.0\n")
    (folder / "claim.yaml").write_text(edited(CLAIM, replace))
    (folder / "test_claim.py").write_text("from harness.claim_tests import test_control, test_reading\n")
    return folder
