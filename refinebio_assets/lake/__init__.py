"""Storage: immutable files, the commit log that says which of them exist, and the DuckDB catalog."""
