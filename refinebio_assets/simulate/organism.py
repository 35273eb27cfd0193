"""The organism that every simulated sample is of. It is no real one, so that its data stay apart."""

NAME = "Simulatum demonstrans"
TAXON = 90_000_001
"""Far beyond the taxonomy ids that NCBI has given out (3.5 million in 2025)."""
