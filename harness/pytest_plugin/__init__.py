"""Claims as pytest items.

A collected test_claim.py goes in; verdicts as test outcomes come out.
"""
