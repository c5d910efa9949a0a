"""Templates to pages of HTML that load nothing: they open from a disk, offline, on paper and on a telephone."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from harness._text import escape_unprintable
from harness.report import wording
from harness.report.html import charts

if TYPE_CHECKING:
    from jinja2 import Environment


MEANINGS = {
    "VERIFIED": "hold",
    "REFUTED": "do not hold",
    "INCONCLUSIVE": "are not decided",
    "INVALID": "cannot be judged",
    "NOT_RUN": "were not run",
}


def render(template: str, **context: Any) -> str:
    """Return a template of harness/report/html/templates filled with plain values; every value is shown as text."""
    return _environment().get_template(template).render(**context)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: object) -> object:
        """Return text without what moves a cursor or turns the direction of writing; markup is our own."""
        return (
            value if isinstance(value, Markup) else escape_unprintable(value, "\n") if isinstance(value, str) else value
        )

    made = Environment(
        loader=PackageLoader("harness.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"symbol": wording.SYMBOL, "meanings": MEANINGS, "style": _asset("style.css")}
    made.filters |= {"moves": charts.moves, "path": charts.path}
    return made


@lru_cache(maxsize=4)
def _asset(name: str) -> Any:
    """Return a style sheet or script of this package, to be put into a page as it is."""
    from markupsafe import Markup

    return Markup(files("harness.report.html").joinpath("templates", name).read_text(encoding="utf-8"))  # noqa: S704


def script_of(name: str) -> tuple[Any, str]:
    """Return a script, and what a page's security policy calls it by, so that no other runs in it."""
    script = _asset(name)
    return script, base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
