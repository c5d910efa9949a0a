"""The report as pages that open anywhere, offline.

A report goes in; one self-contained HTML file comes out.
"""
