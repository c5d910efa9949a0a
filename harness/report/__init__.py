"""Records to words and pages.

Records go in; HTML, Markdown, JSON and terminal text come out, and nothing is computed.
"""
