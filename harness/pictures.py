"""Pictures that are drawn of one seed: curves, small images, tables of counts, to look at; no verdict reads them.

What a verdict reads are the trials, and their picture is drawn from them. A claim may have a pictures.py beside its
experiment with a function `illustrate(experiment, seed, arms)`, given the experiment's module and the settings of each arm, that
shows what no metric holds: how an error falls while a network learns, what the data look like, what is taken for what, how a
state comes to rest.
"""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import TrialError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Numbers = Sequence[float] | np.ndarray

MOST_PICTURES = 4
MOST_LINES = 8
MOST_POINTS = 200
MOST_IMAGES = 16
MOST_NAMES = 16
LARGEST_IMAGE = 64
"""Pixels along a side; a report of a hundred claims stays below 2 MiB."""


@dataclass(frozen=True)
class Line:
    """One curve: a name, and y over x, both of shape (points,); more than 200 points are thinned evenly."""

    name: str
    x: Numbers
    y: Numbers


@dataclass(frozen=True)
class Curves:
    """Curves over a common axis.

    Attributes:
        title: what they show, in a few words.
        x: name of the horizontal axis, with its unit.
        y: name of the vertical axis, with its unit.
        lines: at most 8.
        log: axes that are logarithmic: "", "x", "y" or "xy".
    """

    title: str
    x: str
    y: str
    lines: Sequence[Line]
    log: str = ""

    def as_plain(self) -> dict[str, Any]:
        """Return the curves as plain values, what no axis can hold left out.

        Raises:
            TrialError: too many lines, unequal lengths, or nothing to draw.
        """
        if not 0 < len(self.lines) <= MOST_LINES:
            raise TrialError(
                f"illustrate(): {self.title!r} has {len(self.lines)} lines; 1 to {MOST_LINES} can be told apart"
            )
        lines = [{"name": line.name, **_thinned(line, self.log)} for line in self.lines]
        return {"kind": "curves", "title": self.title, "x": self.x, "y": self.y, "log": self.log, "lines": lines}


@dataclass(frozen=True)
class Images:
    """Small grey images with a caption each.

    Attributes:
        title: what they show.
        captions: one for each image.
        images: arrays (height, width) of numbers, at most 16 of at most 64 x 64 pixels.
        low: the number shown black.
        high: the number shown white.
    """

    title: str
    captions: Sequence[str]
    images: Sequence[np.ndarray] = field(repr=False)
    low: float = 0.0
    high: float = 1.0

    def as_plain(self) -> dict[str, Any]:
        """Return the images as plain values, each a PNG file in base 64.

        Raises:
            TrialError: too many or too large images, or not one caption for each.
        """
        if not 0 < len(self.images) <= MOST_IMAGES or len(self.captions) != len(self.images):
            raise TrialError(
                f"illustrate(): {self.title!r} has {len(self.images)} images and {len(self.captions)} captions; "
                f"1 to {MOST_IMAGES} images with a caption each are needed"
            )
        found = [
            {"caption": caption, **self._image(np.asarray(image, dtype=np.float64))}
            for caption, image in zip(self.captions, self.images, strict=True)
        ]
        return {"kind": "images", "title": self.title, "images": found}

    def _image(self, image: np.ndarray) -> dict[str, Any]:
        if image.ndim != 2 or not 0 < max(image.shape) <= LARGEST_IMAGE or not np.isfinite(image).all():
            raise TrialError(
                f"illustrate(): {self.title!r} has an image of shape {image.shape}; finite numbers of shape (height, "
                f"width) up to {LARGEST_IMAGE} are needed"
            )
        grey = np.clip(np.round(255 * (image - self.low) / (self.high - self.low)), 0, 255).astype(np.uint8)
        height, width = grey.shape
        return {"width": width, "height": height, "png": base64.b64encode(png(grey)).decode("ascii")}


@dataclass(frozen=True)
class Matrix:
    """A table of counts, shaded by the share of its row: which class was taken for which.

    Attributes:
        title: what was counted, in a few words.
        down: what the rows are, "true digit".
        across: what the columns are, "taken for".
        rows: a name for each row, at most 16.
        columns: a name for each column, at most 16.
        counts: whole numbers of shape (rows, columns).
    """

    title: str
    down: str
    across: str
    rows: Sequence[str]
    columns: Sequence[str]
    counts: np.ndarray = field(repr=False)

    def as_plain(self) -> dict[str, Any]:
        """Return the table as plain values.

        Raises:
            TrialError: too many names, counts of another shape, or numbers that count nothing.
        """
        counts, shape = np.asarray(self.counts), (len(self.rows), len(self.columns))
        if counts.shape != shape or not 0 < min(shape) <= max(shape) <= MOST_NAMES:
            raise TrialError(
                f"illustrate(): {self.title!r} has counts of shape {counts.shape} for {shape[0]} rows and {shape[1]} "
                f"columns; 1 to {MOST_NAMES} of each are needed"
            )
        if not np.issubdtype(counts.dtype, np.integer) or counts.min() < 0:
            raise TrialError(f"illustrate(): {self.title!r} has counts that are no whole numbers from 0 upwards")
        rows = [{"name": name, "counts": row} for name, row in zip(self.rows, counts.tolist(), strict=True)]
        names = {"down": self.down, "across": self.across, "columns": list(self.columns)}
        return {"kind": "matrix", "title": self.title, **names, "rows": rows}


Picture = Curves | Images | Matrix


def _thinned(line: Line, log: str) -> dict[str, list[float]]:
    """Return the points of a curve that its axes can hold, at most 200 of them, to six digits."""
    x, y = (np.asarray(values, dtype=np.float64) for values in (line.x, line.y))
    if x.shape != y.shape or x.ndim != 1:
        raise TrialError(f"illustrate(): the line {line.name!r} has x of shape {x.shape} and y of shape {y.shape}")
    shown = np.isfinite(x) & np.isfinite(y)
    shown &= (x > 0) | ("x" not in log)
    shown &= (y > 0) | ("y" not in log)
    kept = np.flatnonzero(shown)
    if not kept.size:
        raise TrialError(f"illustrate(): the line {line.name!r} has no point that its axes can show")
    kept = kept[np.unique(np.linspace(0, kept.size - 1, min(kept.size, MOST_POINTS)).round().astype(int))]
    return {"x": [_short(value) for value in x[kept]], "y": [_short(value) for value in y[kept]]}


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def png(grey: np.ndarray) -> bytes:
    """Return a grey image, uint8 of shape (height, width), as a PNG file (ISO/IEC 15948)."""
    height, width = grey.shape
    rows = b"".join(b"\x00" + row.tobytes() for row in np.ascontiguousarray(grey))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def plain(returned: object) -> list[dict[str, Any]]:
    """Return what illustrate() returned as plain values.

    Raises:
        TrialError: it is no list of `Curves`, `Images` and `Matrix`, or one of them cannot be drawn.
    """
    pictures = list(_pictures(returned))
    if len(pictures) > MOST_PICTURES:
        raise TrialError(f"illustrate(): returned {len(pictures)} pictures; at most {MOST_PICTURES} are shown")
    return [picture.as_plain() for picture in pictures]


def _pictures(returned: object) -> Iterable[Picture]:
    for picture in returned if isinstance(returned, list | tuple) else [returned]:
        if not isinstance(picture, Picture):
            raise TrialError(
                f"illustrate(): returned {type(picture).__name__}, not Curves, Images or Matrix (harness.pictures)"
            )
        yield picture
