"""One run as named steps, from plan to record.

A claim and options go in; trials go to the store, and a record of what was found comes out.
"""
