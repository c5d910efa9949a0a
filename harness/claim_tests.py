"""The tests that every claim repeats; its test_claim.py imports those that its claim.yaml has something for.

`reading`, `control`, `training_arm` and `inference_arm` take the names that claim.yaml declares; `claim` is the fixture of
the pytest plugin.
"""

from __future__ import annotations

from typing import Any


def test_reading(claim: Any, reading: str) -> None:
    """Each reading comes out as expected."""
    claim.check_reading(reading)


def test_control(claim: Any, control: str) -> None:
    """Each control breaks what it must break."""
    claim.check_control(control)


def test_training_time(claim: Any, benchmark: Any, training_arm: str) -> None:
    """Time one training of each arm that is timed."""
    claim.time_training(benchmark, training_arm)


def test_inference_time(claim: Any, benchmark: Any, inference_arm: str) -> None:
    """Time one inference of each arm that is timed."""
    claim.time_inference(benchmark, inference_arm)
