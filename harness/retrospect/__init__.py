"""Questions to stored runs: compare, history, judge again, repeat.

A store goes in; what changed, and what repeats, comes out, without training.
"""
