"""Files of MNIST as broken downloads, broken disks and liars leave them.

The four files are small ones of the right form, made here, and known to the reader by their checksums as the real ones are.
"""

from __future__ import annotations

import gzip
import hashlib
import random
import tracemalloc
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np

from fixtures import mnist
from harness.errors import DataError
from tests.fuzz.loading import Outcome, one_sentence, outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 8_000_000
"""Bytes that reading a file of some tens of kilobytes may take; 2 to the power of 40 items would take a million times as much."""

SIZES = {"train": 40, "t10k": 20}


def idx(array: np.ndarray) -> bytes:
    """Return `array` of bytes as an IDX file: magic number, big-endian sizes, content."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.astype(np.uint8).tobytes()


def small_files() -> dict[str, bytes]:
    """Return the contents of four small files, images and labels for training and test."""
    generator = np.random.default_rng(7)
    contents = {}
    for prefix, n in SIZES.items():
        contents[f"{prefix}-images-idx3-ubyte"] = idx(generator.integers(0, 256, (n, 28, 28)))
        contents[f"{prefix}-labels-idx1-ubyte"] = idx(np.arange(n) % 10)
    return contents


@contextmanager
def known(contents: dict[str, bytes]) -> Iterator[None]:
    """Let the reader take these contents for the right ones."""
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    with mock.patch.object(mnist, "CONTENT_SHA256", checksums):
        yield


def load(folder: Path, index: int, seed: int, contents: dict[str, bytes]) -> tuple[Outcome, bytes]:
    """Break one of the four files below `folder`, read all, mend it; return what became of it, and the broken file."""
    chance = random.Random(f"digits {seed} {index}")
    name = chance.choice(mnist.FILES)
    packed = chance.random() < 0.5
    path = folder / "mnist" / (f"{name}.gz" if packed else name)
    broken = chance.choice(CHANGES)(name, contents, packed, chance)
    for other in mnist.FILES:
        (folder / "mnist" / other).unlink(missing_ok=True)
        (folder / "mnist" / f"{other}.gz").unlink(missing_ok=True)
        (folder / "mnist").mkdir(parents=True, exist_ok=True)
        if other != name:
            (folder / "mnist" / f"{other}.gz").write_bytes(gzip.compress(contents[other], mtime=0))
    path.write_bytes(broken)
    with known(contents):
        tracemalloc.start()
        outcome = outcome_of(lambda: mnist.read_digits(folder, folder), DataError, one_sentence)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    if peak > LARGEST:
        outcome = Outcome("traceback", outcome.seconds, f"took {peak:,} bytes")
    return outcome, broken


def flip(name: str, contents: dict[str, bytes], packed: bool, chance: random.Random) -> bytes:
    """Flip bits of the file as it lies on disk."""
    changed = bytearray(_file(contents[name], packed))
    for _ in range(chance.randint(1, 4)):
        at = chance.choice((chance.randrange(len(changed)), chance.randrange(min(16, len(changed)))))
        changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(name: str, contents: dict[str, bytes], packed: bool, chance: random.Random) -> bytes:
    """Lose the end."""
    whole = _file(contents[name], packed)
    return whole[: chance.randrange(len(whole))]


def header(name: str, contents: dict[str, bytes], packed: bool, chance: random.Random) -> bytes:
    """Announce other types, dimensions and sizes than there are, 2 to the power of 40 items among them."""
    content = contents[name]
    dimensions = chance.choice((0, 1, 2, 3, 4, 127, 255))
    sizes = [chance.choice((0, 1, 28, 60_000, 2**20, 2**31, 2**32 - 1)) for _ in range(min(dimensions, 4))]
    lying = bytes([0, chance.choice((0, 0, 255)), chance.choice((8, 9, 13, 14, 0)), dimensions])
    return _file(lying + np.array(sizes, ">u4").tobytes() + content[16:], packed)


def other(name: str, contents: dict[str, bytes], packed: bool, chance: random.Random) -> bytes:
    """Hold another of the files, images for labels."""
    return _file(contents[chance.choice([twin for twin in contents if twin != name])], packed)


def foreign(name: str, contents: dict[str, bytes], packed: bool, chance: random.Random) -> bytes:
    """Hold what is no data: a page of a log-in, nothing, noise, a wrapper of a wrapper, more than there should be."""
    noise = chance.randbytes(chance.choice((1, 2, 3, 10, 1000)))
    return chance.choice(
        (
            b"", b"\n", b"<!DOCTYPE html><title>log in</title>", b"\x1f\x8b", b"\x1f\x8b" + noise, noise, gzip.compress(noise, mtime=0),
            gzip.compress(_file(contents[name], packed=True), mtime=0), _file(contents[name], packed) + noise, _file(contents[name], packed),
        )
    )  # fmt: skip


def _file(content: bytes, packed: bool) -> bytes:
    return gzip.compress(content, mtime=0) if packed else content


CHANGES = (flip, flip, cut, header, other, foreign)
