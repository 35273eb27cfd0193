"""The one way to the web: retries, limits, checks, downloads, a cache, and mirrors that stand in for it.

What the archives' answers mean is not known here; each archive has a folder of its own beside this one.
"""
