"""What the lake holds as the API shows it: a DuckDB file made from a catalog, and how it is kept current."""
