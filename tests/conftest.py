"""Fixtures that several test modules share."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.cli.main import main
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.store.records.claim import ClaimRecord

pytest_plugins = ["pytester", "tests.isolation", "tests.properties"]


@pytest.fixture
def global_generators() -> Iterator[None]:
    """Let a test move the global generators of Python and NumPy, to see it noticed; they are put back."""
    python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - what is put back
    yield
    random.setstate(python)
    np.random.set_state(of_numpy)  # noqa: NPY002


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = Store(tmp_path / "store.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def run(store: Store) -> Callable[..., ClaimRecord]:
    """Run the claim in a folder, here and now, and return its record."""

    def run_folder(
        folder: Path, readings: list[str] | None = None, run_id: str = "run", **options: object
    ) -> ClaimRecord:
        context = Context(Options(**{"workers": 1, **options}), store, lambda _: Inline(), run_id)
        return run_claim(load_claim(folder), context, readings)

    return run_folder


@pytest.fixture
def claims(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Call the command line in an empty folder; return exit code, standard output and standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["--root", str(tmp_path), *arguments])
        return code, *capsys.readouterr()

    return call
