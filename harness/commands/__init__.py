"""The commands of `claims`, one noun a file; each file has an `add_commands` that `harness.cli` calls."""
