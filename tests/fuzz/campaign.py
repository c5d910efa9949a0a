"""Many broken files, counted; those that went wrong are kept, with what was said of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fuzz import digits, specs
from tests.fuzz.loading import LIMIT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fuzz.loading import Outcome


@dataclass
class Counts:
    """What became of the files of one kind.

    Attributes:
        kind: what they were.
        words: outcome -> number of files.
        slow: number of files that took too long.
        slowest: seconds of the slowest.
        kept: the files that went wrong.
    """

    kind: str
    words: dict[str, int] = field(default_factory=lambda: {"accepted": 0, "refused": 0, "traceback": 0})
    slow: int = 0
    slowest: float = 0.0
    kept: list[Path] = field(default_factory=list)

    @property
    def wrong(self) -> bool:
        """Whether anything happened that must not."""
        return bool(self.words["traceback"] or self.slow)

    def add(self, index: int, outcome: Outcome, content: bytes, keep: Path) -> None:
        """Count a file; keep it if it went wrong."""
        self.words[outcome.word] += 1
        self.slow += outcome.slow
        self.slowest = max(self.slowest, outcome.seconds)
        if outcome.wrong:
            keep.mkdir(parents=True, exist_ok=True)
            path = keep / f"{self.kind.replace(' ', '_')}_{index}"
            path.write_bytes(content)
            (keep / f"{path.name}.txt").write_text(
                f"{outcome.word}, {outcome.seconds:.3f} s\n{outcome.detail}\n",
                encoding="utf-8",
                errors="backslashreplace",
            )
            self.kept.append(path)


def fuzz_specs(folder: Path, n: int, seed: int, keep: Path) -> Counts:
    """Give `n` broken specifications to the loader."""
    counts, sources = Counts("claim.yaml"), specs.originals()
    for index in range(n):
        source, text = specs.mutated(seed, index, sources)
        counts.add(index, specs.load(folder / "claims", source, text), text, keep)
    return counts


def fuzz_digits(folder: Path, n: int, seed: int, keep: Path) -> Counts:
    """Give `n` broken data files to the reader of MNIST."""
    counts, contents = Counts("data files"), digits.small_files()
    for index in range(n):
        outcome, broken = digits.load(folder / "data", index, seed, contents)
        counts.add(index, outcome, broken, keep)
    return counts


def shown(found: list[Counts], seed: int) -> list[str]:
    """Return the counts as lines."""
    lines = [f"seed {seed}; each is accepted or refused in words, in less than {LIMIT * 1000:.0f} ms of processor time"]
    for counts in found:
        words = ", ".join(f"{number} {word}" for word, number in counts.words.items())
        lines.append(
            f"{counts.kind}: {sum(counts.words.values())}: {words}; {counts.slow} slow, slowest {counts.slowest * 1000:.0f} ms"
        )
        lines += [f"  kept: {path}" for path in counts.kept]
    return lines
