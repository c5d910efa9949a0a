"""Numbers per seed to verdicts.

Stored trials and a specification go in; a `Judgement` for each expectation comes out, by pure functions.
"""
