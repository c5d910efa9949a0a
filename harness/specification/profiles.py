"""The names of profiles that the tool itself knows."""

NO_VERDICT_PROFILE = "smoke"
"""The profile that only shows that a claim runs."""
