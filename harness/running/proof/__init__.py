"""Whether a claim's experiment is sound: checks of what it declares, of repetition, and of broken versions of it.

A claim's folder goes in; checks come out, each with what failed in words. Broken versions run in processes of their own.
"""
