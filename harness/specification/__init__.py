"""claim.yaml and document.yaml as models.

Text goes in; a `Claim` comes out, or every error with file, line and remedy.
"""
