"""Use cases in plain Python: each takes what it needs by name and returns what it made."""
