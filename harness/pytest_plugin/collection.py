"""Which tests claims have, in whatever project: pytest's configuration is that of the project's own tests."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import TrialError
from harness.pytest_plugin import fixture

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from types import ModuleType

TESTS = "test_*.py"
"""The files beside a claim.yaml that hold tests."""


class ClaimModule(pytest.Module):
    """A file of tests beside a claim.yaml.

    Every claim has a test_claim.py, so it is imported by its path, under a name that no package has, whatever import mode
    and names of tests the project has for its own tests; nothing enters sys.path.
    """

    def _getobj(self) -> ModuleType:
        module = _imported(self.path)
        # Here alone, so that no other test sees it; and nearest, so that none in a conftest.py takes its place.
        if not hasattr(module, "claim"):
            module.claim = fixture.claim  # type: ignore[attr-defined]
        return module

    def funcnamefilter(self, name: str) -> bool:
        """Whether a function is a test, whatever `python_functions` says of the project's own."""
        return name.startswith("test")

    def classnamefilter(self, name: str) -> bool:
        """Whether a class holds tests, whatever `python_classes` says of the project's own."""
        return name.startswith("Test")


def _imported(path: Path) -> ModuleType:
    """Import a file of tests with pytest's own loader, which makes `assert` say what it compared."""
    name = f"claims_test_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    rewriting: Any = next((one for one in sys.meta_path if type(one).__name__ == "AssertionRewritingHook"), None)
    spec = importlib.util.spec_from_file_location(name, path, loader=rewriting)
    if spec is None or spec.loader is None:
        raise TrialError(f"{path}: cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Generator[None, list[Any], list[Any]]:
    """Collect of a claim's files those of its tests, and nothing else, whatever `python_files` or another plugin says."""
    found = yield
    if not (file_path.parent / "claim.yaml").is_file():
        # Below claims/ there may be tests of a package of that name; `claims run` runs claims.
        others = not parent.config.getoption("claims_wanted") or parent.session.isinitpath(file_path)
        return found if others else []
    return [ClaimModule.from_parent(parent, path=file_path)] if file_path.match(TESTS) else []
