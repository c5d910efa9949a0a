"""One network per seed, all in one batched program.

Examples, targets and a recipe go in; an `Ensemble` of trained networks comes out. Nothing else of harness imports it.
"""
