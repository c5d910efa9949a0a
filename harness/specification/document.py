"""What document.yaml may say."""

from __future__ import annotations

from harness.specification.kinds import Name, Strict, Text


class Document(Strict):
    """Where claims come from."""

    id: Name
    """the folder's name"""
    title: Text
    authors: str
    """who wrote it"""
    year: int
    """when"""
    url: str | None = None
    """where it can be read"""
    summary: Text
    """what it is, in our own words"""
