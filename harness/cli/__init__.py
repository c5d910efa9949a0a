"""The command line, one noun a file.

Arguments go in; printed words and an exit code come out.
"""
