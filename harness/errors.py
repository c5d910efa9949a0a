"""What can go wrong, each with words for the person who can mend it."""

from __future__ import annotations

INSTALL_TRAINING = "`pip install 'claims-harness[training]'`"
"""What to do where torch or scikit-learn is missing."""


class ClaimsError(Exception):
    """Base of every error this tool raises on purpose; its text is for the user."""


class SpecError(ClaimsError):
    """A specification that cannot be read, is invalid, or can never be decided.

    Attributes:
        problems: one line each, `file:line:column: field: what, value, remedy`.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UsageError(ClaimsError):
    """An option, id or path the user gave that does not exist or does not fit."""


class DataError(ClaimsError):
    """A data file that is missing, truncated, or not what its checksum says."""


class TrialError(ClaimsError):
    """A `measure()` that raised, or returned something that is no measurement."""
