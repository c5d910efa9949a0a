"""Questions to stored runs: compare, history, judge again, repeat.

A store goes in; answers as plain values come out, without training.
"""
