"""What is kept and reported of runs, as typed records: built once, held against their shape wherever they are read, and read by attribute.

In: plain values of a run, or JSON that others may have written. Out: records, and the JSON Schema of report.json.
"""
