"""A sound claim that uses every kind of contrast, for tests that break it in one place."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import yaml

from harness.specification.models import Claim

if TYPE_CHECKING:
    from pathlib import Path

    from harness.judging.contrasts import Evidence
    from harness.judging.points import Point

TEXT = """\
id: wide_beats_narrow
title: Wide beats narrow
statement: Wide networks err less than narrow ones.
source:
  document: notes
  section: "1"
strength: scaled_down
does_not_show: anything else
arms:
  net: {depth: 2}
  svm: {kernel: rbf}
conditions:
  width: [1, 2, 4]
  scene: [plain, clutter]
metrics:
  error: {unit: fraction, better: lower, bounds: [0, 1], resolution: 1/n_test}
  loss: {unit: nat, better: lower}
settings: {n_test: 200}
readings:
  as_documented:
    expectations:
      low_error:
        contrast: {mean: error, at: {arm: net, width: 4, scene: plain}}
        band: {at_most: 0.1}
        because: the paper says so
      net_beats_svm:
        contrast: {difference: error, of: {arm: svm, width: 4, scene: plain}, minus: {arm: net, width: 4, scene: plain}}
        band: {at_least: 0.05}
        because: the paper says so
      twice_the_error:
        contrast: {ratio: error, of: {arm: svm, width: 4, scene: plain}, to: {arm: net, width: 4, scene: plain}}
        band: {at_least: 2}
        because: the paper says so
      clutter_hurts_svm_more:
        contrast:
          interaction: error
          of: {arm: svm, width: 4}
          minus: {arm: net, width: 4}
          here: {scene: clutter}
          there: {scene: plain}
        band: {at_least: 0.01}
        because: the paper says so
      loss_falls:
        contrast: {slope: loss, over: width, at: {arm: net, scene: plain}}
        band: {at_most: -0.1}
        because: the paper says so
      loss_falls_as_a_power:
        contrast: {loglog_slope: loss, over: width, at: {arm: net, scene: plain}, values: [1, 4]}
        band: {between: [-1.5, -0.5]}
        because: the paper says so
      loss_falls_always:
        contrast: {rank_trend: loss, over: width, at: {arm: net, scene: plain}}
        band: {at_most: -0.5}
        because: the paper says so
  as_published:
    expected: REFUTED
    because: the theorem has an exception
    expectations:
      never_wrong:
        contrast: {exact: error, at: {arm: net}}
        band: {at_most: 0}
        because: the theorem says so
controls:
  shallow:
    change: {depth: 0}
    breaks: [low_error, net_beats_svm, twice_the_error, clutter_hurts_svm_more, loss_falls, loss_falls_as_a_power, loss_falls_always, never_wrong]
    because: nothing is learned without layers
profiles:
  smoke: {seeds: 2}
  quick: {seeds: {first: 6, step: 2, cap: 24}}
timings: {training: [net]}
"""


def sound() -> dict[str, Any]:
    """Return the plain value of the sound claim, to be changed at will."""
    return copy.deepcopy(_VALUE)


def claim(**changes: Any) -> Claim:
    """Return the sound claim with some top-level parts replaced."""
    return Claim.model_validate({**sound(), **changes})


def claim_with(contrast: dict[str, Any], band: dict[str, Any] | None = None, **changes: Any) -> Claim:
    """Return the sound claim with a single expectation, named `e`; others keys of it in `changes`."""
    expectation = {"contrast": contrast, "band": band or {"at_most": 0.5}, "because": "a reason"}
    readings = {"as_documented": {"expectations": {"e": {**expectation, **changes.pop("expectation", {})}}}}
    return claim(**{"readings": readings, "controls": {}, **changes})


def write(folder: Path, text: str = TEXT, document: str = "notes") -> Path:
    """Write the claim with its document below `folder`; return the claim's folder."""
    home = folder / document / "wide_beats_narrow"
    home.mkdir(parents=True)
    (home / "claim.yaml").write_text(text)
    for name in ("experiment.py", "test_claim.py"):
        (home / name).write_text("")
    (home.parent / "document.yaml").write_text(
        f"id: {document}\ntitle: Notes\nauthors: nobody\nyear: 2026\nsummary: Notes for tests.\n"
    )
    return home


def point(arm: str = "net", width: int = 4, scene: str = "plain") -> Point:
    """Return a point of the sound claim."""
    return (("arm", arm), ("scene", scene), ("width", width))


def evidence_of(rows: dict[Point, list[float]], metric: str = "error") -> Evidence:
    """Return evidence: for each point the metric of seeds 0, 1, 2, ..."""
    return {where: {seed: {metric: value} for seed, value in enumerate(values)} for where, values in rows.items()}


_VALUE = yaml.safe_load(TEXT)
