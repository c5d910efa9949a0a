"""Hooks of pytest that make the names of files and tests harmless in what it prints of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from harness._text import block, escape_unprintable

if TYPE_CHECKING:
    from collections.abc import Generator


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Give what pytest shows of files and folders, and of all that they hold, names of characters that all show."""
    if not collector.nodeid.isprintable():
        node, shown = cast("Any", collector), escape_unprintable(collector.nodeid)
        # pytest has no way to give a node its id; since 9.2 it is more than text.
        if hasattr(node, "_id"):
            node._id = type(node._id).parse(shown)
        else:
            node._nodeid = shown


def pytest_itemcollected(item: pytest.Item) -> None:
    """Do the same to the place that a test is said to come from."""
    path, line, name = item.location
    if not path.isprintable():
        item.location = (escape_unprintable(path), line, name)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    """Show what kept a file from being collected without the codes that it may quote."""
    report = yield
    words = str(report.longrepr or "")
    if block(words) != words:
        report.longrepr = block(words)
    return report
