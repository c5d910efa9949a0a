"""What sabotage.yaml may say: how a claim's experiment can be broken, and which reading must notice."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness.specification.kinds import Name, Strict

Line = Annotated[str, Field(min_length=1, max_length=4000)]

Reason = Annotated[str, Field(min_length=3, max_length=4000)]


class BrokenLine(Strict):
    """A line as a careless edit would break it."""

    what: Annotated[str, Field(min_length=3, max_length=160)]
    """what the broken experiment does, in words"""
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_/-]+\.py$", max_length=160)] = "experiment.py"
    """the module in the claim's folder that is broken"""
    old: Line
    """what stands there, exactly once"""
    new: str
    """what it is broken into"""
    reading: Name
    """the reading that must not come out as expected any more"""


class Sabotage(Strict):
    """How an experiment can be broken, beside the claim it belongs to."""

    broken_lines: Annotated[list[BrokenLine], Field(min_length=1)]
    """each turns the reading that it names"""
    equal: dict[Line, Reason] = {}
    """broken version as `claims prove --mutants` names it -> why nothing could notice it"""
