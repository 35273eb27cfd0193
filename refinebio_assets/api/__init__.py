"""The web API: ``/v1`` as existing clients know it, ``/v2`` with what is new. No Dagster here."""
