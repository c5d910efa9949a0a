"""What is kept, in one SQLite file that survives a crash, and the published shape of records.

Trials and records go in and come out again.
"""
