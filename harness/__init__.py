"""The claims harness: documented statements about machine learning, held against evidence.

What an experiment imports stands here and in `training`. A specification and a store go in; verdicts and reports come out.
"""
