"""Dagster glue: assets, partitions, checks, jobs and how runs are started. No work is done here."""
