"""The shape of a claim in report.json that could not be run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.store.noise_schema import Part


class Home(Part):
    """The document of a claim that could not be run."""

    id: str


class Problem(Part):
    """What kept a claim from being run."""

    kind: Literal["specification", "usage", "data", "trial", "error"]
    lines: Annotated[list[str], Field(min_length=1)]


class ProblemRecord(Part):
    """A claim that could not be run."""

    id: Annotated[str, Field(min_length=1)]
    """its folder's name, be that no name for a claim"""
    document: Home | None = None
    problem: Problem
    finished: str
