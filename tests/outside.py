"""The project as others get it: a wheel, in an environment that knows nothing of this checkout."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]

DEPENDENCIES = [path for path in sys.path if Path(path).name in {"site-packages", "dist-packages"}]
"""Where the packages that the wheel needs are installed already: in one place, or in several."""

GIVE_DEPENDENCIES = (
    f"(cd .venv/lib/python*/site-packages && printf '%s\\n' {shlex.join(DEPENDENCIES)} > dependencies.pth)"
)
"""A line of shell that lets a fresh virtual environment find them, in place of downloading them, but not this checkout.

The lines of a .pth file enter sys.path, and .pth files that lie there are not read in their turn. The editable install of
the project is such a file, so it stays out of sight.
"""


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout into `folder`; return its path."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder]
    subprocess.run([*command, PROJECT], check=True, capture_output=True, env={**os.environ, "PYTHONPATH": ""})
    (wheel,) = folder.glob("*.whl")
    return wheel


def surroundings(home: Path) -> dict[str, str]:
    """Return environment variables under which `python3` is this Python, and no command of the checkout is found."""
    commands = home / "commands"
    commands.mkdir(parents=True, exist_ok=True)
    python = commands / "python3"
    # The interpreter below any virtual environment: a new one made by it has nothing installed.
    python.write_text(f'#!/bin/sh\nexec "{sys._base_executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return {
        "PATH": f"{commands}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "COLUMNS": "80",
        "OMP_NUM_THREADS": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
    }
