"""The documentation as a site: `nox -s docs`. The pages are those that GitHub shows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

project = "claims harness"
author = "the authors of the claims harness"
release = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

# The source is the whole project (`sphinx-build -c docs . ...`), so that a link to ../CHANGELOG.md is valid here as it is on GitHub.
root_doc = "docs/index"
include_patterns = ["docs/*.md", "README.md", "CHANGELOG.md", "reports/README.md", "claims/README.md"]
exclude_patterns = ["docs/_build"]
extensions = ["myst_parser"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"{project} {release}"
# No file of a site is fetched from elsewhere.
html_static_path: list[str] = []

ENTRY = re.compile(r"^\* \[[^]]+\]\((\.\./)?([\w./-]+)\.md\)", re.MULTILINE)
"""A page in the list of docs/index.md; those outside docs/ begin with ../"""


def add_order(_app: Any, page: str, source: list[str]) -> None:
    """Give the site's navigation the order of the list in docs/index.md, which GitHub shows as it is."""
    if page == root_doc:
        pages = [f"/{name}" if outside else f"/docs/{name}" for outside, name in ENTRY.findall(source[0])]
        source[0] += "\n".join(["", "```{toctree}", ":hidden:", "", *pages, "```", ""])


def setup(app: Any) -> None:
    """Connect what is above with Sphinx."""
    app.connect("source-read", add_order)
