"""A claim's folder to the outcome of one call of measure().

A folder and options go in; a plan, its tasks with their keys, and outcomes of processes come out.
"""
