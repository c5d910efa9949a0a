"""The door to pytest: the options, and whether a session is about claims; only then does the rest (`hooks`) come in.

Whoever installs this tool has this plugin in every run of pytest, in whatever project. So a session that names no claim
gets the options and nothing else: no fixture, no marker, no line of output, and no claim among its tests. A session is
about claims if `claims run` begins it, or if pytest is given `claims/` or something in it (by `testpaths`, too).
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest

from harness.trials.options import FLAGS
from harness.trials.project import CLAIMS, PROJECT, is_claim, project_of

if TYPE_CHECKING:
    from pathlib import Path


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the group `claims`."""
    group = parser.getgroup("claims", "claims about machine learning")
    for flag in FLAGS:
        group.addoption(f"--claims-{flag.name}", **flag.settings)
    # `claims run` says so: then a run of no claim is a mistake, while other sessions may well have none.
    group.addoption("--claims-wanted", action="store_true", default=False, help=argparse.SUPPRESS)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Hear what is read from now on, if claims are asked for: a conftest.py may import what experiments share."""
    asked = early_config.known_args_namespace
    if asked.claims_wanted or any(
        CLAIMS in str(path) for path in [*asked.file_or_dir, *early_config.getini("testpaths")]
    ):
        from harness.trials.witness import install

        install()


def pytest_configure(config: pytest.Config) -> None:
    """Let the rest of the plugin in where the session is about claims."""
    project = project_of(config)
    if project is None:
        return
    config.stash[PROJECT] = project
    from harness.pytest_plugin import collection, hooks, instruments, node_ids

    for module in (node_ids, collection, hooks, instruments):
        config.pluginmanager.register(module, module.__name__)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the claims out of a session that is not about them: they may train for hours."""
    return True if PROJECT not in config.stash and is_claim(collection_path) else None
